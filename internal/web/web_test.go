package web_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/inferdx/inferdx/internal/web"
)

func options() web.Options {
	return web.Options{
		Listen: []string{"127.0.0.1:0"}, Log: slog.New(slog.DiscardHandler),
		Ready: func() error { return nil }, Reload: func(context.Context) error { return nil },
		Handlers: map[string]http.Handler{"POST /api/v1/x": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "done") })},
	}
}

func ask(t *testing.T, o web.Options, method, path string, header ...string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	o.Handler().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestTheEndpointsOfPrometheusProgramsAreThere(t *testing.T) {
	o := options()
	o.Ready = func() error { return errors.New("too little has been seen yet") }
	for _, c := range []struct {
		method, path string
		code         int
		says         string
	}{
		{"GET", "/-/healthy", 200, "healthy"},
		{"HEAD", "/-/healthy", 200, ""},
		{"POST", "/-/healthy", 405, ""},
		{"GET", "/-/ready", 503, "too little"},
		{"POST", "/-/reload", 403, "--web.enable-lifecycle"},
		{"GET", "/-/reload", 405, ""},
		{"GET", "/nothing", 404, ""},
	} {
		if code, body := ask(t, o, c.method, c.path); code != c.code || !strings.Contains(body, c.says) {
			t.Errorf("%s %s: %d %q", c.method, c.path, code, body)
		}
	}
}

func TestFault02AReloadThatFailsAnswers500AndSaysWhy(t *testing.T) {
	o := options()
	o.Lifecycle = true
	o.Reload = func(context.Context) error { return errors.New("inferdx.yml:3:1: unknown field foo") }
	if code, body := ask(t, o, "POST", "/-/reload"); code != 500 || !strings.Contains(body, "inferdx.yml:3:1") || !strings.Contains(body, "old one goes on") {
		t.Errorf("%d %s", code, body)
	}
}

func TestFault84NoOtherSiteActsThroughABrowser(t *testing.T) {
	o := options()
	for _, h := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
		if code, _ := ask(t, o, "POST", "/api/v1/x", h...); code != 403 {
			t.Errorf("%v: %d", h, code)
		}
	}
	if code, body := ask(t, o, "POST", "/api/v1/x"); code != 200 || body != "done" {
		t.Errorf("a program: %d", code)
	}
	w := httptest.NewRecorder()
	o.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/-/healthy", nil))
	if w.Header().Get("Access-Control-Allow-Origin") != "" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "'none'") {
		t.Errorf("headers %v", w.Header())
	}
}

func TestAPrefixStandsBeforeEveryPath(t *testing.T) {
	o := options()
	o.Prefix = "inferdx/"
	if code, _ := ask(t, o, "GET", "/inferdx/-/healthy"); code != 200 {
		t.Errorf("with it: %d", code)
	}
	if code, _ := ask(t, o, "GET", "/-/healthy"); code != 404 {
		t.Errorf("without it: %d", code)
	}
}

// serve answers until the test ends, and gives the address.
func serve(t *testing.T, o web.Options) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	at, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- web.Serve(ctx, o, func(as []net.Addr) { at <- as[0].String() }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case a := <-at:
		return a
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	case <-time.After(10 * time.Second):
		t.Fatal("does not listen")
	}
	return ""
}

func TestFault87TLSAndPasswordsComeFromTheWebConfigurationFile(t *testing.T) {
	dir := t.TempDir()
	pair := httptest.NewUnstartedServer(nil)
	pair.StartTLS()
	defer pair.Close()
	writePair(t, dir, pair.TLS.Certificates[0])
	hash, err := bcrypt.GenerateFromPassword([]byte("s3cret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "web.yml")
	if err := os.WriteFile(file, fmt.Appendf(nil, "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\nbasic_auth_users: {ann: '%s'}\n", hash), 0o600); err != nil {
		t.Fatal(err)
	}
	o := options()
	o.ConfigFile = file
	addr := serve(t, o)
	get := func(user, password string, version uint16) (int, error) {
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MaxVersion: version}}} //nolint:gosec // a test's certificate
		r, _ := http.NewRequestWithContext(t.Context(), "GET", "https://"+addr+"/-/healthy", nil)
		if user != "" {
			r.SetBasicAuth(user, password)
		}
		resp, err := c.Do(r)
		if err != nil {
			return 0, err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, resp.Body.Close()
	}
	if code, err := get("ann", "s3cret", 0); code != 200 {
		t.Errorf("with the password: %d %v", code, err)
	}
	for _, c := range [][2]string{{"", ""}, {"ann", "wrong"}, {"bob", "s3cret"}} {
		if code, err := get(c[0], c[1], 0); code != 401 {
			t.Errorf("%v: %d %v", c, code, err)
		}
	}
	if code, err := get("ann", "s3cret", tls.VersionTLS11); err == nil {
		t.Errorf("TLS 1.1 was taken: %d", code)
	}
}

func TestAWebConfigurationThatCannotBeUsedIsRefusedAtTheStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.yml")
	if err := os.WriteFile(file, []byte("tls_server_config: {cert: x}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := options()
	o.ConfigFile = file
	if err := web.Serve(t.Context(), o, func([]net.Addr) {}); err == nil || !strings.Contains(err.Error(), "web.yml") {
		t.Errorf("got %v", err)
	}
}
