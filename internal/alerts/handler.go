package alerts

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// ErrFull says that there is no room for more alerts now.
var ErrFull = errors.New("too many alerts are active")

// Options are a handler's parts. Take must be set.
type Options struct {
	// Take keeps a batch, all of it or none. With ErrFull, or any other error, the sender is asked to come
	// again: Alertmanager gives a batch up on 429, and tries again on 503.
	Take func([]Alert) error
	// Token, where it is set, has to stand in the Authorization header as a bearer token.
	Token func() (string, error)
	// ResolveTimeout ends an alert of Prometheus that has no end and is not said again.
	ResolveTimeout func() time.Duration
	// MaxBytes bounds a body, packed and unpacked; 8 MiB if 0: Alertmanager's batches of 10,000 alerts are smaller.
	MaxBytes int64
	// AtOnce bounds the posts that are worked on at once; 16 if 0.
	AtOnce int
	Now    func() time.Time
	// Told is told of every post: how many alerts were taken, how many were our own, and why it was refused.
	Told func(format string, taken, dropped int, refused string)
}

// webhookLives is how long an alert of Alertmanager's webhook lasts that is not said again: it is
// repeated by repeat_interval, which is 4 h by default and seldom longer than a day, and its end is said.
const webhookLives = 25 * time.Hour

// Handler takes both formats. Each post is taken as a whole or refused as a whole; the same post again
// changes nothing.
func Handler(o Options) map[string]http.Handler {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 8 << 20
	}
	if o.AtOnce <= 0 {
		o.AtOnce = 16
	}
	if o.Told == nil {
		o.Told = func(string, int, int, string) {}
	}
	slots := make(chan struct{}, o.AtOnce)
	h := func(format string, read func([]byte, time.Time) ([]Alert, string, error)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			refuse := func(code int, why, text string) {
				o.Told(format, 0, 0, why)
				if code == http.StatusServiceUnavailable {
					w.Header().Set("Retry-After", "5")
				}
				w.Header().Set("Connection", "close") // the rest of a body that is not wanted need not be read
				http.Error(w, text, code)
			}
			if !o.allowed(r) {
				refuse(http.StatusUnauthorized, "unauthorized", "a bearer token is needed")
				return
			}
			if r.ContentLength > o.MaxBytes {
				refuse(http.StatusRequestEntityTooLarge, "too large", fmt.Sprintf("a body of %d bytes is beyond the limit of %d", r.ContentLength, o.MaxBytes))
				return
			}
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			default:
				refuse(http.StatusServiceUnavailable, "busy", "too many posts at once: come again")
				return
			}
			body, err := o.body(w, r)
			var large *http.MaxBytesError
			switch {
			case errors.As(err, &large):
				refuse(http.StatusRequestEntityTooLarge, "too large", fmt.Sprintf("the body is beyond the limit of %d bytes, unpacked", o.MaxBytes))
				return
			case err != nil:
				refuse(http.StatusBadRequest, "malformed", err.Error())
				return
			}
			all, note, err := read(body, o.Now())
			if err != nil {
				refuse(http.StatusBadRequest, "malformed", "nothing was taken: "+err.Error())
				return
			}
			wanted, dropped := Foreign(all)
			if err := o.Take(wanted); err != nil {
				refuse(http.StatusServiceUnavailable, "full", "nothing was taken: "+err.Error())
				return
			}
			o.Told(format, len(wanted), dropped, "")
			_, _ = fmt.Fprintf(w, "%d alerts were taken, %d were inferdx's own%s\n", len(wanted), dropped, note)
		})
	}
	return map[string]http.Handler{
		"POST /api/v1/alertmanager": h("alertmanager", func(b []byte, now time.Time) ([]Alert, string, error) {
			all, truncated, err := Webhook(b, now)
			note := ""
			if truncated > 0 {
				note = fmt.Sprintf("; Alertmanager left %d out, see max_alerts of its webhook_configs", truncated)
			}
			return Bounded(all, now, webhookLives), note, err
		}),
		"POST /api/v2/alerts": h("prometheus", func(b []byte, now time.Time) ([]Alert, string, error) {
			all, err := Alerts(b, now)
			return Bounded(all, now, o.ResolveTimeout()), "", err
		}),
	}
}

// allowed compares in constant time, and hashes first, as the lengths would tell something.
func (o Options) allowed(r *http.Request) bool {
	if o.Token == nil {
		return true
	}
	want, err := o.Token()
	if err != nil || want == "" {
		return false
	}
	got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && ok
}

func (o Options) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var in io.Reader = http.MaxBytesReader(w, r.Body, o.MaxBytes)
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("unpack the body: %w", err)
		}
		in = &limited{z, o.MaxBytes}
	default:
		return nil, fmt.Errorf("the body is packed as %q: want gzip, or none", encoding)
	}
	var b bytes.Buffer
	if n := r.ContentLength; n > 0 && n <= o.MaxBytes {
		b.Grow(int(n))
	}
	_, err := b.ReadFrom(in)
	return b.Bytes(), err
}

// limited ends what unpacks to more than its limit.
type limited struct {
	io.Reader

	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n, &http.MaxBytesError{}
	}
	return n, err
}
