package send

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/inferdx/inferdx/internal/secret"
	"github.com/inferdx/inferdx/internal/source/httpclient"
	"github.com/inferdx/inferdx/notifiers"
)

// maxRetryAfter caps what a receiver may ask for: an hour later nobody needs the message.
const maxRetryAfter = time.Hour

var urls = regexp.MustCompile(`[a-z+]+://[^\s"]+`)

var errTimeout = errors.New("no answer in time")

// proxyRefusal is a proxy that does not connect.
type proxyRefusal struct{ code int }

func (p *proxyRefusal) Error() string {
	return "the proxy does not connect: status " + statusText(p.code)
}

func statusText(code int) string {
	return strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
}

// refusal classes an answer that is not 2xx.
func (s credentials) refusal(resp *http.Response, body []byte) error {
	e := &notifiers.Error{}
	code := resp.StatusCode
	switch {
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusProxyAuthRequired:
		e.Reason, e.Final = notifiers.AuthError, true
	case code == http.StatusGone:
		e.Reason, e.Final, e.Disable = notifiers.ClientError, true, true
	case code == http.StatusTooManyRequests:
		e.Reason = notifiers.RateLimited
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly: // the server asks for it again
		e.Reason = notifiers.ClientError
	case code/100 == 5:
		e.Reason = notifiers.ServerError
	case code/100 == 4, code/100 == 3:
		e.Reason, e.Final = notifiers.ClientError, true
	default:
		e.Reason = notifiers.Other
	}
	if !e.Final {
		e.RetryAfter = retryAfter(resp.Header, time.Now())
	}
	text := "status " + statusText(code)
	if code/100 == 3 {
		text += ", and redirects are not followed"
	}
	if said := secret.Excerpt([]byte(secret.Hide(string(body), s.hide...))); said != "" && !httpclient.LooksLikeHTML(body) {
		text += ": " + said
	}
	e.Err = errors.New(text)
	return e
}

// retryAfter reads the header of that name: seconds, or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	var wait time.Duration
	if n, err := strconv.ParseFloat(v, 64); err == nil && n == n {
		wait = time.Duration(min(max(n, 0), maxRetryAfter.Seconds()) * float64(time.Second))
	} else if at, err := http.ParseTime(v); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}

// failure classes a request that got no answer, in words without URL and secrets.
func (s credentials) failure(ctx context.Context, proxied bool, u *url.URL, err error) error {
	var wrapped *url.Error
	for errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	host := u.Hostname()
	var refused *denied
	if errors.As(err, &refused) {
		return &notifiers.Error{Reason: notifiers.Other, Final: true, Err: fmt.Errorf("connect to %s: %w", host, refused)}
	}
	if e := stopped(ctx, err); e != nil {
		return e
	}
	reason, text := s.classify(host, err)
	var op *net.OpError
	var proxy *proxyRefusal
	switch {
	case errors.As(err, &proxy):
		return &notifiers.Error{Reason: notifiers.ProxyError, Final: proxy.code == http.StatusProxyAuthRequired, Err: proxy}
	case proxied && errors.As(err, &op) && (op.Op == "proxyconnect" || op.Op == "dial"):
		reason, text = notifiers.ProxyError, "reach the proxy: "+text
	}
	return &notifiers.Error{Reason: reason, Err: errors.New(text)}
}

// Failure classes what a library said of a delivery to a host, in words without URLs and what is to be hidden.
// It serves notifiers that don't post by a Client.
func Failure(ctx context.Context, host string, err error, hide ...string) error {
	return credentials{hide: hide}.failure(ctx, false, &url.URL{Host: host}, err)
}

// stopped tells the end of the context, our own timeout and a timeout of the network apart.
func stopped(ctx context.Context, err error) error {
	var timeout net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return &notifiers.Error{Reason: notifiers.Canceled, Err: fmt.Errorf("cancelled: %w", context.Canceled)}
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), errTimeout):
		return &notifiers.Error{Reason: notifiers.DeadlineReached, Err: fmt.Errorf("%w: %w", errTimeout, context.DeadlineExceeded)}
	case ctx.Err() != nil:
		return &notifiers.Error{Reason: notifiers.DeadlineReached, Err: fmt.Errorf("the delivery's time is over: %w", context.DeadlineExceeded)}
	}
	var dns *net.DNSError
	if errors.As(err, &timeout) && timeout.Timeout() && !errors.As(err, &dns) {
		return &notifiers.Error{Reason: notifiers.DeadlineReached, Err: fmt.Errorf("%w: %w", errTimeout, context.DeadlineExceeded)}
	}
	return nil
}

func (s credentials) classify(host string, err error) (notifiers.Reason, string) {
	var (
		dns     *net.DNSError
		invalid x509.CertificateInvalidError
		verify  *tls.CertificateVerificationError
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		record  tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return notifiers.DNSError, "cannot resolve " + dns.Name + ": no such host"
	case errors.As(err, &dns):
		return notifiers.DNSError, "cannot resolve " + dns.Name + ": " + secret.Hide(dns.Err, s.hide...)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return notifiers.TLSError, fmt.Sprintf("the certificate of %s is expired or not yet valid (%s to %s)", host,
			invalid.Cert.NotBefore.UTC().Format(time.DateOnly), invalid.Cert.NotAfter.UTC().Format(time.DateOnly))
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return notifiers.TLSError, host + " does not speak TLS"
	case errors.As(err, &verify), errors.As(err, &unknown), errors.As(err, &name), errors.As(err, &invalid),
		strings.Contains(err.Error(), "tls: "): // an alert has no type of its own
		return notifiers.TLSError, secret.Hide(err.Error(), s.hide...)
	case errors.Is(err, syscall.ECONNREFUSED):
		return notifiers.Other, "connection to " + host + " refused"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return notifiers.Other, "the connection was closed without an answer"
	}
	return notifiers.Other, secret.Excerpt([]byte(urls.ReplaceAllString(secret.Hide(err.Error(), s.hide...), "<url>")))
}
