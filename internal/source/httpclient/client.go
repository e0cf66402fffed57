// Package httpclient is the HTTP client of the sources: authentication, TLS, redirects only where
// they are harmless, answers of bounded size, and errors that name neither secrets nor tokens. Its TLS
// options also serve those who send.
package httpclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/secret"
)

// Options are shared by everything that is read over HTTP. Files are read again for each request
// (certificates for each connection), so that a rotated secret is picked up.
type Options struct {
	BearerTokenFile   string
	BasicUser         string
	BasicPasswordFile string
	TLS               TLS
	// Headers go with every request, such as X-Scope-OrgID.
	Headers map[string]string
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
}

// Client sends requests. It is safe for concurrent use.
type Client struct {
	o    Options
	http *http.Client
}

// New checks the options and makes a client. Close it to drop its idle connections.
func New(o Options) (*Client, error) {
	if o.BearerTokenFile != "" && (o.BasicUser != "" || o.BasicPasswordFile != "") {
		return nil, errors.New("both a bearer token and basic authentication are given")
	}
	conf, err := o.TLS.Config()
	if err != nil {
		return nil, err
	}
	c := &Client{o: o}
	c.http = &http.Client{
		CheckRedirect: c.checkRedirect,
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        conf,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    16,
			IdleConnTimeout:        90 * time.Second,
			TLSHandshakeTimeout:    10 * time.Second,
			MaxResponseHeaderBytes: 1 << 20,
		},
	}
	if _, err := c.secrets(); err != nil { // a missing file is a mistake to report before the first request
		return nil, err
	}
	return c, nil
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Config is the configuration of TLS, at least 1.2. The certificate to identify with is read again for
// each connection; the CA file is read once.
func (t TLS) Config() (*tls.Config, error) {
	conf := &tls.Config{
		MinVersion:         tls.VersionTLS12,
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

// credentials are what authenticate one request.
type credentials struct{ bearer, password string }

func (c *Client) secrets() (credentials, error) {
	var s credentials
	var err error
	if s.bearer, err = secret.ReadFile(c.o.BearerTokenFile); err != nil {
		return s, err
	}
	s.password, err = secret.ReadFile(c.o.BasicPasswordFile)
	return s, err
}

// send puts headers and authentication on a request and sends it.
func (c *Client) send(ctx context.Context, req *http.Request) (*http.Response, credentials, error) {
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
	if s.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+s.bearer)
	}
	if c.o.BasicUser != "" || s.password != "" {
		req.SetBasicAuth(c.o.BasicUser, s.password)
	}
	resp, err := c.http.Do(req)
	return resp, s, err
}
