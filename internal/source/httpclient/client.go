// Package httpclient is the HTTP client of the sources: authentication, TLS, redirects only where
// they are harmless, answers of bounded size, and errors that name neither secrets nor tokens.
package httpclient

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Options are shared by everything that is read over HTTP. Files are read again for each request
// (certificates for each connection), so that a rotated secret is picked up.
type Options struct {
	BearerTokenFile string
	// BearerTokenEnv and BasicPasswordEnv name environment variables, instead of the files.
	BearerTokenEnv string
	// AuthorizationType goes before the bearer token; empty means Bearer.
	AuthorizationType string
	BasicUser         string
	BasicPasswordFile string
	BasicPasswordEnv  string
	TLS               TLS
	// Headers go with every request, such as X-Scope-OrgID; HeaderFiles hold the values of others.
	Headers     map[string]string
	HeaderFiles map[string]string
	// Proxy says how to reach a server; nil takes HTTP_PROXY and its like from the environment.
	Proxy func(*http.Request) (*url.URL, error)
	// DisableHTTP2 stays with HTTP/1.1.
	DisableHTTP2 bool
	// FollowRedirects also follows redirects to other hosts, without credentials and headers.
	// Redirects on the same host are always followed, from HTTPS to HTTP never.
	FollowRedirects bool
}

// TLS says whom to trust and how to identify to the server.
type TLS struct {
	CAFile             string
	CertFile           string
	KeyFile            string
	ServerName         string
	InsecureSkipVerify bool
	// MinVersion is a constant of crypto/tls; 0 means TLS 1.2.
	MinVersion uint16
}

// Client sends requests. It is safe for concurrent use.
type Client struct {
	o    Options
	http *http.Client
}

// New checks the options and makes a client. Close it to drop its idle connections.
func New(o Options) (*Client, error) {
	bearer, basic := o.BearerTokenFile+o.BearerTokenEnv, o.BasicUser+o.BasicPasswordFile+o.BasicPasswordEnv
	if bearer != "" && basic != "" {
		return nil, errors.New("both a bearer token and basic authentication are given")
	}
	conf, err := o.TLS.config()
	if err != nil {
		return nil, err
	}
	if o.Proxy == nil {
		o.Proxy = http.ProxyFromEnvironment
	}
	transport := &http.Transport{
		Proxy:                  o.Proxy,
		TLSClientConfig:        conf,
		ForceAttemptHTTP2:      !o.DisableHTTP2,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
	}
	if o.DisableHTTP2 {
		transport.Protocols = new(http.Protocols)
		transport.Protocols.SetHTTP1(true)
	}
	c := &Client{o: o}
	c.http = &http.Client{CheckRedirect: c.checkRedirect, Transport: transport}
	if _, err := c.secrets(); err != nil { // a missing file is a mistake to report before the first request
		return nil, err
	}
	return c, nil
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func (t TLS) config() (*tls.Config, error) {
	conf := &tls.Config{
		MinVersion:         max(t.MinVersion, tls.VersionTLS12),
		ServerName:         t.ServerName,
		InsecureSkipVerify: t.InsecureSkipVerify, //nolint:gosec // the user asked for it by name
	}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read CA file: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read CA file %s: no certificate in it", t.CAFile)
		}
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		return nil, errors.New("a client certificate needs both its certificate and its key file")
	}
	if t.CertFile != "" {
		load := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			cert, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
			if err != nil {
				return nil, fmt.Errorf("load client certificate %s: %w", t.CertFile, err)
			}
			return &cert, nil
		}
		if _, err := load(nil); err != nil {
			return nil, err
		}
		conf.GetClientCertificate = load
	}
	return conf, nil
}

// secret is what authenticates one request.
type secret struct {
	bearer, password string
	headers          map[string]string // read from files
}

func (c *Client) secrets() (secret, error) {
	var s secret
	var err error
	if s.bearer, err = fileOrEnv(c.o.BearerTokenFile, c.o.BearerTokenEnv); err != nil {
		return s, err
	}
	if s.password, err = fileOrEnv(c.o.BasicPasswordFile, c.o.BasicPasswordEnv); err != nil {
		return s, err
	}
	s.headers = make(map[string]string, len(c.o.HeaderFiles))
	for name, path := range c.o.HeaderFiles {
		if s.headers[name], err = readSecret(path); err != nil {
			return s, err
		}
	}
	return s, nil
}

func fileOrEnv(path, env string) (string, error) {
	if path != "" || env == "" {
		return readSecret(path)
	}
	if s := strings.TrimSpace(os.Getenv(env)); s != "" {
		return s, nil
	}
	return "", fmt.Errorf("read secret: the environment variable %s is not set", env)
}

func readSecret(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	s := strings.TrimSpace(string(b))
	switch {
	case s == "":
		return "", fmt.Errorf("read secret %s: the file is empty", path)
	case strings.ContainsAny(s, "\r\n\x00"):
		return "", fmt.Errorf("read secret %s: more than one line", path)
	}
	return s, nil
}

// send puts headers and authentication on a request and sends it.
func (c *Client) send(ctx context.Context, req *http.Request) (*http.Response, secret, error) {
	s, err := c.secrets()
	if err != nil {
		return nil, s, err
	}
	req = req.Clone(ctx)
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "inferdx")
	}
	for k, v := range c.o.Headers {
		if strings.EqualFold(k, "Host") {
			req.Host = v
			continue
		}
		req.Header.Set(k, v)
	}
	for k, v := range s.headers {
		req.Header.Set(k, v)
	}
	if s.bearer != "" {
		req.Header.Set("Authorization", cmp.Or(c.o.AuthorizationType, "Bearer")+" "+s.bearer)
	}
	if c.o.BasicUser != "" || s.password != "" {
		req.SetBasicAuth(c.o.BasicUser, s.password)
	}
	resp, err := c.http.Do(req)
	return resp, s, err
}
