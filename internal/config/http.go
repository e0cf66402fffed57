package config

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"github.com/inferdx/inferdx/internal/source/httpclient"
)

// HTTP says how to identify to a server, whom to trust and which way to go there.
type HTTP struct {
	// User and password.
	BasicAuth *BasicAuth `yaml:"basic_auth,omitempty"`
	// The Authorization header.
	Authorization *Authorization `yaml:"authorization,omitempty"`
	// Refused: use bearer_token_file.
	BearerToken Inline `yaml:"bearer_token,omitempty"`
	// A file with a bearer token; short for authorization.
	BearerTokenFile SecretFile `yaml:"bearer_token_file,omitempty"`
	// An environment variable with a bearer token.
	BearerTokenEnv SecretEnv `yaml:"bearer_token_env,omitempty"`
	// Whom to trust.
	TLS *TLS `yaml:"tls_config,omitempty"`
	// Headers for each request, such as X-Scope-OrgID. Their values are hidden where the configuration is shown.
	Headers map[string]Secret `yaml:"headers,omitempty"`
	// The same in Prometheus's form, which also takes a value from a file.
	HTTPHeaders map[string]*Header `yaml:"http_headers,omitempty"`
	// A proxy to go through.
	ProxyURL URL `yaml:"proxy_url,omitempty"`
	// Hosts and networks to reach without the proxy, separated by commas.
	NoProxy string `yaml:"no_proxy,omitempty"`
	// Take the proxy from HTTP_PROXY, HTTPS_PROXY and NO_PROXY. Default false.
	ProxyFromEnvironment bool `yaml:"proxy_from_environment,omitempty"`
	// Follow redirects to other hosts, without credentials. Those on the same host are always followed. Default false.
	FollowRedirects bool `yaml:"follow_redirects,omitempty"`
	// Use HTTP/2 where the server can. Default true.
	EnableHTTP2 *bool `yaml:"enable_http2,omitempty"`
}

// BasicAuth is a user and a password.
type BasicAuth struct {
	// The user.
	Username string `yaml:"username,omitempty"`
	// Refused: use password_file.
	Password Inline `yaml:"password,omitempty"`
	// A file with the password.
	PasswordFile SecretFile `yaml:"password_file,omitempty"`
	// An environment variable with the password.
	PasswordEnv SecretEnv `yaml:"password_env,omitempty"`
}

// Authorization is the value of the Authorization header.
type Authorization struct {
	// The scheme. Default Bearer.
	Type string `yaml:"type,omitempty"`
	// Refused: use credentials_file.
	Credentials Inline `yaml:"credentials,omitempty"`
	// A file with the token.
	CredentialsFile SecretFile `yaml:"credentials_file,omitempty"`
	// An environment variable with the token.
	CredentialsEnv SecretEnv `yaml:"credentials_env,omitempty"`
}

// TLS says whom to trust and how to identify by a certificate.
type TLS struct {
	// The certificate authority to trust instead of the system's.
	CAFile File `yaml:"ca_file,omitempty"`
	// The client's certificate.
	CertFile File `yaml:"cert_file,omitempty"`
	// The client's key.
	KeyFile File `yaml:"key_file,omitempty"`
	// The name that the server's certificate has to be for, where it is not the host of the URL.
	ServerName string `yaml:"server_name,omitempty"`
	// Trust any certificate. Default false.
	InsecureSkipVerify bool `yaml:"insecure_skip_verify,omitempty"`
	// TLS12 or TLS13. Default TLS12.
	MinVersion string `yaml:"min_version,omitempty"`
}

// Header is one header.
type Header struct {
	// Its value, as a list of one.
	Values []Secret `yaml:"values,omitempty"`
	// Refused: use files.
	Secrets Inline `yaml:"secrets,omitempty"`
	// A file with its value, as a list of one.
	Files []SecretFile `yaml:"files,omitempty"`
}

func (h *HTTP) check(c *check, at place) {
	var ways []place
	for _, f := range []string{"basic_auth", "authorization", "bearer_token_file", "bearer_token_env"} {
		if p := at.field(f); p.key != nil {
			ways = append(ways, p)
		}
	}
	if len(ways) > 1 && (h.BearerTokenFile == "" || h.BearerTokenEnv == "" || len(ways) > 2) {
		c.fault(ways[1], "", "only one of basic_auth, authorization and bearer_token_file can hold")
	}
	for name := range h.Headers {
		c.header(at.field("headers"), name)
	}
	for name, v := range h.HTTPHeaders {
		where := at.field("http_headers")
		c.header(where, name)
		if v != nil && len(v.Values)+len(v.Files) != 1 && !c.mistyped(where.field(name)) {
			c.fault(where.field(name), "", "want one value or one file")
		}
	}
	if h.ProxyFromEnvironment && h.ProxyURL != "" {
		c.fault(at.field("proxy_from_environment"), "", "proxy_url already names the proxy")
	}
	if h.NoProxy != "" && h.ProxyURL == "" {
		c.fault(at.field("no_proxy"), "", "no_proxy without proxy_url means nothing")
	}
}

// header refuses what would be a secret in clear or would not be sent.
func (c *check) header(headers place, name string) {
	where := headers.field(name)
	where.node = where.key
	switch {
	case strings.EqualFold(name, "Authorization"), strings.EqualFold(name, "Proxy-Authorization"), strings.EqualFold(name, "Cookie"):
		c.fault(where, "use authorization or basic_auth, or http_headers with files", "%s is a secret, which must not stand in this file", name)
	case name == "" || strings.ContainsAny(name, " \t\r\n:"):
		c.fault(where, "", "want the name of a header")
	}
}

func (b *BasicAuth) check(c *check, at place) {
	c.require(at, "username", b.Username != "")
}

func (a *Authorization) check(c *check, at place) {
	if a.CredentialsFile == "" && a.CredentialsEnv == "" && !c.mistyped(at) && at.field("credentials").key == nil {
		c.fault(at, "", "credentials_file or credentials_env is missing")
	}
	if strings.EqualFold(a.Type, "basic") || strings.ContainsAny(a.Type, " \t\r\n") {
		c.fault(at.field("type"), "for basic authentication use basic_auth", "want a scheme such as Bearer")
	}
}

func (t *TLS) check(c *check, at place) {
	if (t.CertFile == "") != (t.KeyFile == "") {
		c.fault(at, "", "a client certificate needs both cert_file and key_file")
	}
	if t.MinVersion != "" {
		c.oneOf(at.field("min_version"), t.MinVersion, "TLS12", "TLS13")
	}
}

// Options are for the clients of sources.
func (h *HTTP) Options() httpclient.Options {
	o := httpclient.Options{
		BearerTokenFile: string(h.BearerTokenFile), BearerTokenEnv: string(h.BearerTokenEnv),
		Headers: map[string]string{}, HeaderFiles: map[string]string{},
		FollowRedirects: h.FollowRedirects, Proxy: h.proxy(), DisableHTTP2: h.EnableHTTP2 != nil && !*h.EnableHTTP2,
	}
	if b := h.BasicAuth; b != nil {
		o.BasicUser, o.BasicPasswordFile, o.BasicPasswordEnv = b.Username, string(b.PasswordFile), string(b.PasswordEnv)
	}
	if a := h.Authorization; a != nil {
		o.BearerTokenFile, o.BearerTokenEnv, o.AuthorizationType = string(a.CredentialsFile), string(a.CredentialsEnv), a.Type
	}
	for name, v := range h.Headers {
		o.Headers[name] = v.Reveal()
	}
	for name, v := range h.HTTPHeaders {
		for _, one := range v.Values {
			o.Headers[name] = one.Reveal()
		}
		for _, f := range v.Files {
			o.HeaderFiles[name] = string(f)
		}
	}
	if t := h.TLS; t != nil {
		o.TLS = httpclient.TLS{
			CAFile: string(t.CAFile), CertFile: string(t.CertFile), KeyFile: string(t.KeyFile),
			ServerName: t.ServerName, InsecureSkipVerify: t.InsecureSkipVerify,
		}
		if t.MinVersion == "TLS13" {
			o.TLS.MinVersion = tls.VersionTLS13
		}
	}
	return o
}

// proxy goes the way that is written down, and straight where none is.
func (h *HTTP) proxy() func(*http.Request) (*url.URL, error) {
	if h.ProxyFromEnvironment {
		return http.ProxyFromEnvironment
	}
	p := httpproxy.Config{HTTPProxy: string(h.ProxyURL), HTTPSProxy: string(h.ProxyURL), NoProxy: h.NoProxy}
	find := p.ProxyFunc()
	return func(r *http.Request) (*url.URL, error) { return find(r.URL) }
}
