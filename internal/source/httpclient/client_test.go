package httpclient_test

import (
	"compress/gzip"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/source/httpclient"
)

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func get(t *testing.T, o httpclient.Options, url string, limit int64) (*httpclient.Response, error) {
	t.Helper()
	c, err := httpclient.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Read(ctx, req, limit, nil)
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func kind(err error) httpclient.Kind {
	var e *httpclient.Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

func TestCredentialsAndHeadersAreSent(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("Authorization"), " ", r.Header.Get("X-Scope-OrgID"))
	})
	r, err := get(t, httpclient.Options{BearerTokenFile: file(t, "s3cret\n"), Headers: map[string]string{"X-Scope-OrgID": "gpu"}}, url, 0)
	if err != nil || string(r.Body) != "Bearer s3cret gpu" {
		t.Errorf("got %v, %v", r, err)
	}
	r, err = get(t, httpclient.Options{BasicUser: "u", BasicPasswordFile: file(t, "pw")}, url, 0)
	if err != nil || string(r.Body) != "Basic dTpwdw== " {
		t.Errorf("got %v, %v", r, err)
	}
}

func TestARotatedTokenIsPickedUp(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header.Get("Authorization")) })
	path := file(t, "first")
	c, err := httpclient.New(httpclient.Options{BearerTokenFile: path})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, want := range []string{"first", "second"} {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if r, err := c.Read(t.Context(), req, 0, nil); err != nil || string(r.Body) != "Bearer "+want {
			t.Errorf("got %v, %v", r, err)
		}
	}
}

func TestAMissingSecretNamesItsFile(t *testing.T) {
	for _, o := range []httpclient.Options{
		{BearerTokenFile: "no/such/file"},
		{BasicUser: "u", BasicPasswordFile: "no/such/file"},
		{TLS: httpclient.TLS{CAFile: "no/such/file"}},
		{TLS: httpclient.TLS{CertFile: "no/such/file", KeyFile: "k"}},
	} {
		if _, err := httpclient.New(o); err == nil || !strings.Contains(err.Error(), "no/such/file") {
			t.Errorf("got %v", err)
		}
	}
	if _, err := httpclient.New(httpclient.Options{BearerTokenFile: file(t, "a\nTOPSECRET")}); err == nil || strings.Contains(err.Error(), "TOPSECRET") {
		t.Errorf("got %v", err)
	}
}

func TestEveryFailureHasItsKindAndNoSecret(t *testing.T) {
	dead := httptest.NewServer(nil)
	dead.Close()
	other := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "99") })
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/401":
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, "bad credentials\n%s for tenant %s", r.Header.Get("Authorization"), r.Header.Get("X-Key"))
		case "/slow":
			<-r.Context().Done()
		case "/big":
			_, _ = io.CopyN(w, endless{}, 1<<30)
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.CopyN(z, endless{}, 1<<28)
			_ = z.Close()
		case "/cut":
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "half")
		case "/elsewhere":
			http.Redirect(w, r, other+"/login?token=TOPSECRET", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		}
	})
	tests := []struct {
		name, url string
		want      httpclient.Kind
	}{
		{"refused", dead.URL + "/?token=TOPSECRET", httpclient.Refused},
		{"no such host", "http://no-such-host.invalid/?token=TOPSECRET", httpclient.Network},
		{"401", url + "/401", httpclient.Status},
		{"a server that does not answer", url + "/slow?token=TOPSECRET", httpclient.Timeout},
		{"a huge answer", url + "/big", httpclient.TooLarge},
		{"a gzip bomb", url + "/bomb", httpclient.TooLarge},
		{"an answer cut off", url + "/cut", httpclient.Body},
		{"another host", url + "/elsewhere", httpclient.Redirect},
		{"a loop", url + "/loop", httpclient.Redirect},
	}
	o := httpclient.Options{BearerTokenFile: file(t, "TOPSECRET"), Headers: map[string]string{"X-Key": "TOPSECRET2"}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := get(t, o, tt.url, 1<<20)
			if kind(err) != tt.want {
				t.Errorf("got %q (%v), want %q", kind(err), err, tt.want)
			}
			if err != nil && (strings.Contains(err.Error(), "TOPSECRET") || strings.Contains(err.Error(), "\n")) {
				t.Errorf("the error shows too much: %v", err)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestRedirectsStayOnTheHostUnlessAllowed(t *testing.T) {
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "other %q %q", r.Header.Get("Authorization"), r.Header.Get("X-Key"))
	})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/metrics":
			http.Redirect(w, r, "/metrics/", http.StatusTemporaryRedirect)
		case "/away":
			http.Redirect(w, r, strings.Replace(other, "127.0.0.1", "localhost", 1), http.StatusFound)
		default:
			fmt.Fprint(w, "same ", r.Header.Get("X-Key"))
		}
	})
	o := httpclient.Options{BearerTokenFile: file(t, "token"), Headers: map[string]string{"X-Key": "key"}}
	if r, err := get(t, o, url+"/metrics", 0); err != nil || string(r.Body) != "same key" {
		t.Errorf("got %v, %v", r, err)
	}
	o.FollowRedirects = true
	if r, err := get(t, o, url+"/away", 0); err != nil || string(r.Body) != `other "" ""` {
		t.Errorf("credentials went along: %v, %v", r, err)
	}
}

func TestAPostIsNotTurnedIntoAGet(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/x", http.StatusFound)
			return
		}
		fmt.Fprint(w, "99")
	})
	c, err := httpclient.New(httpclient.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("a=b"))
	if _, err := c.Read(t.Context(), req, 0, nil); kind(err) != httpclient.Redirect {
		t.Errorf("got %v", err)
	}
}

func TestTLSNeedsTheRightCA(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }))
	defer s.Close()
	s.Config.ErrorLog = nil
	if _, err := get(t, httpclient.Options{}, s.URL, 0); kind(err) != httpclient.Network || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v", err)
	}
	ca := file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	for _, o := range []httpclient.TLS{{CAFile: ca, ServerName: "example.com"}, {InsecureSkipVerify: true}} {
		if r, err := get(t, httpclient.Options{TLS: o}, s.URL, 0); err != nil || string(r.Body) != "ok" {
			t.Errorf("got %v, %v", r, err)
		}
	}
}

func TestSecretsComeFromTheEnvironmentAndFromFilesToo(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("Authorization"), " ", r.Header.Get("X-Key"), " HTTP/", r.ProtoMajor)
	})
	t.Setenv("INFERDX_TEST_SECRET", "s3cret")
	tests := []struct {
		name string
		o    httpclient.Options
		want string
	}{
		{"a bearer token", httpclient.Options{BearerTokenEnv: "INFERDX_TEST_SECRET", DisableHTTP2: true}, "Bearer s3cret  HTTP/1"},
		{"another scheme", httpclient.Options{BearerTokenEnv: "INFERDX_TEST_SECRET", AuthorizationType: "Token"}, "Token s3cret  HTTP/1"},
		{"a password", httpclient.Options{BasicUser: "u", BasicPasswordEnv: "INFERDX_TEST_SECRET"}, "Basic dTpzM2NyZXQ=  HTTP/1"},
		{"a header", httpclient.Options{HeaderFiles: map[string]string{"X-Key": file(t, "k3y\n")}}, " k3y HTTP/1"},
	}
	for _, tt := range tests {
		if r, err := get(t, tt.o, url, 0); err != nil || string(r.Body) != tt.want {
			t.Errorf("%s: got %v, %v", tt.name, r, err)
		}
	}
	if _, err := httpclient.New(httpclient.Options{BearerTokenEnv: "INFERDX_NO_SUCH_VARIABLE"}); err == nil || !strings.Contains(err.Error(), "INFERDX_NO_SUCH_VARIABLE") {
		t.Errorf("got %v", err)
	}
}

func TestSecretsFromFilesDoNotGoToAnotherHost(t *testing.T) {
	other := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%q", r.Header.Get("X-Key")) })
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.Replace(other, "127.0.0.1", "localhost", 1), http.StatusFound)
	})
	o := httpclient.Options{HeaderFiles: map[string]string{"X-Key": file(t, "k3y")}, FollowRedirects: true}
	if r, err := get(t, o, url, 0); err != nil || string(r.Body) != `""` {
		t.Errorf("got %v, %v", r, err)
	}
}

func TestAProxyThatIsGivenIsUsed(t *testing.T) {
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "by proxy to ", r.URL.Host) })
	o := httpclient.Options{Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(proxy) }}
	if r, err := get(t, o, "http://server.invalid/metrics", 0); err != nil || string(r.Body) != "by proxy to server.invalid" {
		t.Errorf("got %v, %v", r, err)
	}
}
