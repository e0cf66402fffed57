package slack

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxResponse is how much of an answer is read.
const maxResponse = 1 << 20

// doer makes requests whose answers are capped and whose errors hold no address: a webhook's URL is
// its secret.
type doer struct{ client *http.Client }

func newDoer(c *http.Client) *doer {
	own := http.Client{Timeout: 30 * time.Second}
	if c != nil {
		own = *c
	}
	// A redirect would carry the token to another host.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &doer{&own}
}

// Do implements what slack-go asks of a client.
func (d *doer) Do(r *http.Request) (*http.Response, error) {
	res, err := d.client.Do(r)
	if err != nil {
		return nil, bare(err)
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(res.Body, maxResponse), res.Body}
	return res, nil
}

// bare takes the URL off an error.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// hidden is an error whose text had a secret in it.
type hidden struct {
	text string
	err  error
}

func (h hidden) Error() string { return h.text }

// Is keeps telling timeouts apart without giving the text away.
func (h hidden) Is(target error) bool { return errors.Is(h.err, target) }

// hide takes secrets out of an error's text.
func hide(err error, secrets ...string) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "<secret>")
			text = strings.ReplaceAll(text, url.QueryEscape(s), "<secret>")
		}
	}
	if text == err.Error() {
		return err
	}
	return hidden{text, err}
}
