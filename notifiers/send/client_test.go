package send_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/secret"
	"github.com/inferdx/inferdx/internal/source/httpclient"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/send"
)

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	write(t, path, text)
	return path
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// hang holds a request until its client goes. The server notices that only once the body is read.
func hang(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func client(t *testing.T, o send.Options) *send.Client {
	t.Helper()
	c, err := send.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func post(t *testing.T, o send.Options, url string) (*send.Response, *notifiers.Error) {
	t.Helper()
	r, err := client(t, o).Post(t.Context(), send.Request{To: secret.Text{Value: url}, Body: []byte("{}"), Header: http.Header{"Content-Type": {"application/json"}}})
	if err == nil {
		return r, nil
	}
	var e *notifiers.Error
	if !errors.As(err, &e) {
		t.Fatalf("no *notifiers.Error: %v", err)
	}
	return nil, e
}

func TestEveryStatusHasItsReasonAndNextTry(t *testing.T) {
	tests := []struct {
		status, after string
		want          string // reason, final, disable, wait
	}{
		{"301", "", "clientError final"},
		{"400", "", "clientError final"},
		{"401", "", "authError final"},
		{"403", "", "authError final"},
		{"404", "", "clientError final"},
		{"408", "", "clientError"},
		{"410", "", "clientError final disable"},
		{"413", "", "clientError final"},
		{"429", "7", "rateLimited 7s"},
		{"429", "1.5", "rateLimited 1.5s"},
		{"429", "-3", "rateLimited"},
		{"429", "NaN", "rateLimited"},
		{"429", "soon", "rateLimited"},
		{"429", "1e300", "rateLimited 1h0m0s"},
		{"429", "in an hour and more", "rateLimited 1h0m0s"},
		{"500", "", "serverError"},
		{"502", "2", "serverError 2s"},
		{"503", "30", "serverError 30s"},
		{"504", "", "serverError"},
	}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		after := r.URL.Query().Get("after")
		if after == "in an hour and more" {
			after = time.Now().Add(2 * time.Hour).UTC().Format(http.TimeFormat)
		}
		w.Header().Set("Retry-After", after)
		w.Header().Set("Location", "/elsewhere")
		var code int
		_, _ = fmt.Sscan(r.URL.Path[1:], &code)
		w.WriteHeader(code)
		fmt.Fprint(w, "because of reasons")
	})
	for _, tt := range tests {
		t.Run(tt.status+" "+tt.after, func(t *testing.T) {
			_, e := post(t, send.Options{}, url+"/"+tt.status+"?after="+strings.ReplaceAll(tt.after, " ", "+"))
			if e == nil {
				t.Fatal("no error")
			}
			got := string(e.Reason)
			if e.Final {
				got += " final"
			}
			if e.Disable {
				got += " disable"
			}
			if e.RetryAfter > 0 {
				got += " " + e.RetryAfter.String()
			}
			if got != tt.want || notifiers.Final(e) != e.Final {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if !strings.Contains(e.Error(), tt.status) || !strings.Contains(e.Error(), "because of reasons") {
				t.Errorf("the error says too little: %v", e)
			}
		})
	}
}

func TestADateInTheNearFutureIsWaitedFor(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", time.Now().Add(90*time.Second).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	if _, e := post(t, send.Options{}, url); e == nil || e.RetryAfter < 80*time.Second || e.RetryAfter > 90*time.Second {
		t.Errorf("got %+v", e)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	visited := false
	other := serve(t, func(http.ResponseWriter, *http.Request) { visited = true })
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, http.StatusTemporaryRedirect) })
	if _, e := post(t, send.Options{}, url); e == nil || !e.Final || visited {
		t.Errorf("got %v, visited %v", e, visited)
	}
}

func TestCredentialsAndHeadersAreSentAndReadAnew(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("Authorization"), " ", r.Header.Get("X-Key"), " ", r.Header.Get("Content-Type"))
	})
	path := file(t, "one\n")
	bearer := send.Options{
		Authorization: send.Authorization{Credentials: secret.Text{File: path}},
		Headers:       map[string]secret.Text{"X-Key": {File: path}},
	}
	c := client(t, bearer)
	for _, want := range []string{"one", "two"} {
		write(t, path, want)
		r, err := c.Post(t.Context(), send.Request{To: secret.Text{File: file(t, url)}, Header: http.Header{"content-type": {"a/b"}}})
		if err != nil || string(r.Body) != "Bearer "+want+" "+want+" a/b" {
			t.Errorf("got %s, %v", r.Body, err)
		}
	}
	basic := send.Options{Basic: send.Basic{User: secret.Text{Value: "u"}, Password: secret.Text{File: file(t, "pw")}}}
	for _, got := range []func() (*send.Response, *notifiers.Error){
		func() (*send.Response, *notifiers.Error) { return post(t, basic, url) },
		func() (*send.Response, *notifiers.Error) {
			return post(t, send.Options{}, strings.Replace(url, "//", "//u:pw@", 1))
		},
	} {
		if r, e := got(); e != nil || !strings.HasPrefix(string(r.Body), "Basic dTpwdw== ") {
			t.Errorf("got %v, %v", r, e)
		}
	}
}

func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	for name, o := range map[string]send.Options{
		"no such file":  {Authorization: send.Authorization{Credentials: secret.Text{File: "no/such/file"}}},
		"both":          {Basic: send.Basic{User: secret.Text{Value: "u"}}, Authorization: send.Authorization{Credentials: secret.Text{Value: "x"}}},
		"reserved":      {Headers: map[string]secret.Text{"Content-Length": {Value: "3"}}},
		"not a header":  {Headers: map[string]secret.Text{"a b": {Value: "3"}}},
		"no CA":         {TLS: httpclient.TLS{CAFile: "no/such/file"}},
		"not a proxy":   {Proxy: secret.Text{Value: "proxy:TOPSECRET"}},
		"a proxy's ftp": {Proxy: secret.Text{Value: "ftp://user:TOPSECRET@host"}},
	} {
		if _, err := send.New(o); err == nil || strings.Contains(err.Error(), "TOPSECRET") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestFault66FailuresAreToldApartAndShowNoSecret(t *testing.T) {
	dead := httptest.NewServer(nil)
	dead.Close()
	plain := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			hang(r)
		case "/echo":
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, r.Header.Get("Authorization"), r.Header.Get("X-Key"), r.URL)
		case "/cut":
			panic(http.ErrAbortHandler)
		}
	})
	expired := expiredServer(t)
	unknown := httptest.NewUnstartedServer(nil)
	unknown.Config.ErrorLog = log.New(io.Discard, "", 0)
	unknown.StartTLS()
	t.Cleanup(unknown.Close)
	tests := []struct {
		name, url, want, says string
		o                     send.Options
	}{
		{"refused", dead.URL, "other", "refused", send.Options{}},
		{"no such host", "http://no-such-host.invalid", "dnsError", "no-such-host.invalid", send.Options{}},
		{"no answer", plain + "/slow", "contextDeadlineExceeded", "no answer in time", send.Options{Timeout: 50 * time.Millisecond}},
		{"quotes us", plain + "/echo", "clientError", "***", send.Options{}},
		{"breaks off", plain + "/cut", "other", "closed without an answer", send.Options{}},
		{"expired certificate", expired.url, "tlsError", "is expired or not yet valid", send.Options{TLS: httpclient.TLS{CAFile: expired.ca}}},
		{"unknown authority", unknown.URL, "tlsError", "certificate", send.Options{}},
		{"no TLS", strings.Replace(plain, "http:", "https:", 1), "tlsError", "does not speak TLS", send.Options{}},
		{"denied", plain, "other", "loopback", send.Options{Network: send.Network{DenyPrivate: true}}},
		{"denied by name", strings.Replace(plain, "127.0.0.1", "localhost", 1), "other", "loopback", send.Options{Network: send.Network{DenyPrivate: true}}},
		{"metadata", "http://169.254.169.254/latest", "other", "link-local", send.Options{}},
		{"metadata, mapped", "http://[::ffff:a9fe:a9fe]/latest", "other", "link-local", send.Options{}},
		{"not a URL", "hooks.example/TOPSECRET", "other", "not a URL", send.Options{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Authorization.Credentials = secret.Text{File: file(t, "TOPSECRET-one")}
			tt.o.Headers = map[string]secret.Text{"X-Key": {File: file(t, "TOPSECRET-two")}}
			_, e := post(t, tt.o, tt.url+"?token=TOPSECRET-three")
			if e == nil || string(e.Reason) != tt.want || !strings.Contains(e.Error(), tt.says) {
				t.Errorf("got %v, want %s that says %s", e, tt.want, tt.says)
			}
			if e != nil && strings.Contains(e.Error(), "TOPSECRET") {
				t.Errorf("the error shows a secret: %v", e)
			}
		})
	}
}

func TestAnAllowedNetworkIsReached(t *testing.T) {
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	o := send.Options{Network: send.Network{DenyPrivate: true, Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}
	if _, e := post(t, o, url); e != nil {
		t.Error(e)
	}
}

func TestCancellingIsNoTimeout(t *testing.T) {
	arrived := make(chan struct{})
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { close(arrived); hang(r) })
	ctx, stop := context.WithCancel(t.Context())
	go func() { <-arrived; stop() }()
	_, err := client(t, send.Options{}).Post(ctx, send.Request{To: secret.Text{Value: url}})
	var e *notifiers.Error
	if !errors.As(err, &e) || e.Reason != notifiers.Canceled || e.Final || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAHugeAnswerIsNotRead(t *testing.T) {
	sent := make(chan int64, 1)
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		n, _ := io.CopyN(w, endless{}, 1<<30)
		sent <- n
	})
	r, e := post(t, send.Options{}, url)
	if e != nil || len(r.Body) != 64<<10 {
		t.Errorf("got %v", e)
	}
	if n := <-sent; n > 64<<20 {
		t.Errorf("the server could send %d bytes", n)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
