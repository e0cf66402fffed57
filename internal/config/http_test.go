package config_test

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"testing"
)

func TestTheOptionsOfAClientAreThoseWrittenDown(t *testing.T) {
	c := load(t, `
prometheus:
  - url: http://prom:9090
    authorization: {type: Token, credentials_env: PATH}
    headers: {X-Scope-OrgID: gpu}
    http_headers: {X-Other: {values: [one]}}
    proxy_url: http://proxy:3128
    no_proxy: inside.example, 10.0.0.0/8
    follow_redirects: true
    enable_http2: false
    tls_config: {server_name: x, min_version: TLS13}
  - http://other:9090
`)
	o := c.Prometheus[0].Options()
	if o.AuthorizationType != "Token" || o.BearerTokenEnv != "PATH" || o.Headers["X-Scope-OrgID"] != "gpu" || o.Headers["X-Other"] != "one" ||
		!o.FollowRedirects || !o.DisableHTTP2 || o.TLS.ServerName != "x" || o.TLS.MinVersion != tls.VersionTLS13 {
		t.Errorf("got %+v", o)
	}
	t.Setenv("HTTP_PROXY", "http://from-the-environment:1")
	for to, want := range map[string]string{
		"http://prom:9090": "proxy:3128", "https://prom": "proxy:3128", "http://a.inside.example": "", "http://10.1.2.3": "",
	} {
		if got := through(t, o.Proxy, to); got != want {
			t.Errorf("%s goes through %q, want %q", to, got, want)
		}
	}
	if got := through(t, c.Prometheus[1].Options().Proxy, "http://other:9090"); got != "" {
		t.Errorf("a proxy that nobody asked for: %s", got)
	}
}

func through(t *testing.T, proxy func(*http.Request) (*url.URL, error), to string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, to, nil)
	if err != nil {
		t.Fatal(err)
	}
	u, err := proxy(r)
	if err != nil {
		t.Fatal(err)
	}
	if u == nil {
		return ""
	}
	return u.Host
}
