package httpclient

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"unicode"
)

// Kind says what went wrong with a request.
type Kind string

// The kinds of failure.
const (
	Refused  Kind = "connection refused"
	Timeout  Kind = "no answer in time"
	Redirect Kind = "redirect not followed"
	TooLarge Kind = "answer too large"
	Status   Kind = "bad status"
	HTML     Kind = "an HTML page instead of data"
	Network  Kind = "request failed"
	Body     Kind = "answer broke off"
)

// Error is a request that failed. Its text holds no secret.
type Error struct {
	Kind   Kind
	Code   int // the HTTP status, where there was one
	Detail string
	err    error
}

// Error gives the kind and the detail.
func (e *Error) Error() string {
	if e.Kind == Status {
		return e.Detail
	}
	if e.Detail == "" {
		return string(e.Kind)
	}
	return string(e.Kind) + ": " + e.Detail
}

// Unwrap gives the cause, for errors.Is(err, context.Canceled) and the like.
func (e *Error) Unwrap() error { return e.err }

// clean turns an error of net/http into one without URL and secrets.
func (c *Client) clean(ctx context.Context, s secret, err error) error {
	var ours *Error
	if errors.As(err, &ours) {
		return ours
	}
	var wrapped *url.Error
	for errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var network net.Error
	switch {
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
		return &Error{Kind: Network, Detail: "cancelled", err: context.Canceled}
	case ctx.Err() != nil, errors.As(err, &network) && network.Timeout():
		return &Error{Kind: Timeout, err: context.DeadlineExceeded}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &Error{Kind: Refused, err: syscall.ECONNREFUSED}
	}
	if errors.Is(err, io.EOF) {
		return &Error{Kind: Network, Detail: "the connection was closed without an answer"}
	}
	return &Error{Kind: Network, Detail: c.scrub(s, err.Error())}
}

// scrub hides secrets in text that a server or a library wrote.
func (c *Client) scrub(s secret, text string) string {
	hide := []string{s.bearer, s.password}
	for _, v := range c.o.Headers {
		hide = append(hide, v)
	}
	for _, v := range s.headers {
		hide = append(hide, v)
	}
	for _, v := range hide {
		if len(v) >= 4 { // shorter ones would tear ordinary words
			text = strings.ReplaceAll(text, v, "***")
		}
	}
	return text
}

// statusError tells a status that is not 2xx, with the start of what the server says to it.
func (c *Client) statusError(s secret, code int, body []byte) error {
	text := "status " + strconv.Itoa(code)
	if name := http.StatusText(code); name != "" {
		text += " " + name
	}
	if said := excerpt(body); said != "" && !LooksLikeHTML(body) {
		text += ": " + c.scrub(s, said)
	}
	return &Error{Kind: Status, Code: code, Detail: text}
}

// excerpt is the start of a text on one line, without control characters.
func excerpt(b []byte) string {
	const most = 200
	cut := len(b) > most
	text := strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, string(b[:min(len(b), most)]))
	text = strings.Join(strings.Fields(text), " ")
	if cut {
		text += "…"
	}
	return text
}

// LooksLikeHTML judges a body by its start.
func LooksLikeHTML(b []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(b, "\ufeff \t\r\n"), []byte("<"))
}
