// Package send posts to receivers over HTTP: authentication and TLS by receiver, no redirects, addresses
// checked when they are dialled, answers of bounded size, and failures classed for the next try.
package send

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/inferdx/inferdx/internal/secret"
	"github.com/inferdx/inferdx/internal/source/httpclient"
	"github.com/inferdx/inferdx/notifiers"
)

// DefaultTimeout bounds one delivery.
const DefaultTimeout = 15 * time.Second

// bodyLimit is how much of an answer is read: receivers say little, and that only in errors.
const bodyLimit = 64 << 10

// Options are a receiver's http_config. Files are read anew for each request.
type Options struct {
	Basic         Basic
	Authorization Authorization
	TLS           httpclient.TLS
	// Proxy is the proxy's URL, which may hold a password. Without it there is none, unless
	// ProxyFromEnvironment asks for HTTP_PROXY and its kin.
	Proxy                secret.Text
	ProxyFromEnvironment bool
	// NoProxy are hosts and networks to reach without Proxy, separated by commas.
	NoProxy string
	// DisableHTTP2 stays with HTTP/1.1.
	DisableHTTP2 bool
	// Headers go with every request. The notifier's own win.
	Headers map[string]secret.Text
	Network Network
	Timeout time.Duration // of one delivery; 0 means DefaultTimeout
}

// Basic is basic authentication.
type Basic struct{ User, Password secret.Text }

// Authorization is an Authorization header; Type defaults to Bearer.
type Authorization struct {
	Type        string
	Credentials secret.Text
}

// Request is one body for a receiver.
type Request struct {
	To     secret.Text // a URL
	Body   []byte
	Header http.Header
	// Hide are secrets in the body, which no error may show although the receiver may quote them.
	Hide []string
}

// Response is an answer of status 2xx. Its body may be cut.
type Response struct {
	Code   int
	Header http.Header
	Body   []byte
}

// Client posts to one receiver. It is safe for concurrent use.
type Client struct {
	o     Options
	proxy func(*http.Request) (*url.URL, error)

	mu  sync.Mutex
	ca  string // the CA file's content that the transports trust
	via transports
}

// transports reach a receiver directly, with every address checked, or by a proxy, which may be private.
type transports struct{ direct, proxied *http.Transport }

// New checks the options and makes a client. Close it to drop its idle connections.
func New(o Options) (*Client, error) {
	if (o.Basic.User.Set() || o.Basic.Password.Set()) && o.Authorization.Credentials.Set() {
		return nil, errors.New("both basic authentication and an authorization are given")
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	for name := range o.Headers {
		if err := checkHeader(name); err != nil {
			return nil, err
		}
	}
	c := &Client{o: o}
	if o.ProxyFromEnvironment {
		c.proxy = http.ProxyFromEnvironment
	}
	if o.Proxy.Set() {
		c.proxy = o.through
		if _, err := readURL("proxy", o.Proxy); err != nil {
			return nil, err
		}
	}
	if _, err := c.secrets(); err != nil { // a missing file is a mistake to report before the first message
		return nil, err
	}
	if _, err := c.transports(); err != nil {
		return nil, err
	}
	return c, nil
}

// through is the proxy for a request, nil for what NoProxy names.
func (o Options) through(r *http.Request) (*url.URL, error) {
	u, err := readURL("proxy", o.Proxy)
	if err != nil || o.NoProxy == "" {
		return u, err
	}
	p := httpproxy.Config{HTTPProxy: u.String(), HTTPSProxy: u.String(), NoProxy: o.NoProxy}
	return p.ProxyFunc()(r.URL)
}

// Close drops idle connections.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.via.close()
}

func (t transports) close() {
	for _, x := range []*http.Transport{t.direct, t.proxied} {
		if x != nil {
			x.CloseIdleConnections()
		}
	}
}

// readURL reads an absolute HTTP URL. Its errors don't quote it.
func readURL(what string, text secret.Text) (*url.URL, error) {
	s, err := text.Read()
	if err != nil {
		return nil, fmt.Errorf("read %s URL: %w", what, err)
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%s URL (%s): not a URL of http or https", what, text)
	}
	return u, nil
}

// transports gives those that trust what the CA file holds now.
func (c *Client) transports() (transports, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ca, err := readCA(c.o.TLS.CAFile)
	if err != nil {
		return transports{}, err
	}
	if c.via.direct != nil && ca == c.ca {
		return c.via, nil
	}
	direct, err := c.transport(c.o.Network)
	if err != nil {
		return transports{}, err
	}
	proxied, err := c.transport(Network{}) // who names a proxy wants it reached
	if err != nil {
		return transports{}, err
	}
	proxied.Proxy = c.proxy
	proxied.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, r *http.Response) error {
		if r.StatusCode != http.StatusOK {
			return &proxyRefusal{r.StatusCode}
		}
		return nil
	}
	c.via.close()
	c.via, c.ca = transports{direct, proxied}, ca
	return c.via, nil
}

func (c *Client) transport(n Network) (*http.Transport, error) {
	conf, err := c.o.TLS.Config()
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: c.o.Timeout, KeepAlive: 30 * time.Second, Control: n.control}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(!c.o.DisableHTTP2)
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        conf,
		Protocols:              protocols,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}, nil
}

// Post sends a body. A status that is not 2xx is an error; a redirect is one, and is not followed. Every
// error is a *notifiers.Error that names neither the URL's path nor a secret.
func (c *Client) Post(ctx context.Context, r Request) (*Response, error) {
	u, err := readURL("receiver's", r.To)
	if err != nil {
		return nil, &notifiers.Error{Reason: notifiers.Other, Err: err} // the file may come back
	}
	s, err := c.secrets()
	if err != nil {
		return nil, &notifiers.Error{Reason: notifiers.AuthError, Err: err}
	}
	via, err := c.transports()
	if err != nil {
		return nil, &notifiers.Error{Reason: notifiers.TLSError, Err: err}
	}
	s.hide = append(append(s.hide, secret.InURL(u)...), r.Hide...)
	ctx, stop := context.WithTimeoutCause(ctx, c.o.Timeout, errTimeout)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, s.failure(ctx, false, u, err)
	}
	s.put(req)
	for name, vs := range r.Header {
		req.Header[http.CanonicalHeaderKey(name)] = vs
	}
	transport, proxied, err := c.choose(via, req)
	if err != nil {
		return nil, s.failure(ctx, proxied, u, err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, s.failure(ctx, proxied, u, err)
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, bodyLimit)) // the status decides, whatever became of the body
	if resp.StatusCode/100 != 2 {
		return nil, s.refusal(resp, said)
	}
	return &Response{Code: resp.StatusCode, Header: resp.Header, Body: said}, nil
}

// choose says how to reach a request's host. An address in the URL is checked even where a proxy would
// connect to it.
func (c *Client) choose(via transports, req *http.Request) (t *http.Transport, proxied bool, err error) {
	if c.proxy == nil {
		return via.direct, false, nil
	}
	proxy, err := c.proxy(req)
	if err != nil {
		return nil, true, err
	}
	if proxy == nil {
		return via.direct, false, nil
	}
	if a, err := netip.ParseAddr(req.URL.Hostname()); err == nil {
		if err := c.o.Network.Check(a); err != nil {
			return nil, false, err
		}
	}
	return via.proxied, true, nil
}

// checkHeader refuses headers that are not for a user to set.
func checkHeader(name string) error {
	switch strings.ToLower(name) {
	case "authorization", "connection", "content-encoding", "content-length", "content-type", "host", "keep-alive",
		"proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade":
		return fmt.Errorf("header %s: not to be set here", name)
	}
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r) }) {
		return fmt.Errorf("header %q: not a name of a header", name)
	}
	return nil
}
