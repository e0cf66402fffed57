// Package webhook posts messages as JSON, signed as Standard Webhooks asks. docs/webhook.md is its guide.
package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/secret"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/send"
)

// DefaultMaxBytes bounds one body: what servers commonly take, and room for some hundred diagnoses.
const DefaultMaxBytes = 512 << 10

// Texts says a message in words.
type Texts interface {
	// Title is one line.
	Title(plan.Message) string
}

// Options are a receiver's.
type Options struct {
	// URL may hold a token, so it is a secret.
	URL secret.Text
	// Secrets sign the body, each of them: a new one is added before the old one is taken away. They are
	// written whsec_ and base64 of 24 to 64 bytes. Without any the body is not signed.
	Secrets  []secret.Text
	MaxBytes int // 0 means DefaultMaxBytes
	HTTP     send.Options
	Texts    Texts
	Now      func() time.Time // nil means time.Now
}

// Notifier posts to one endpoint. It is safe for concurrent use.
type Notifier struct {
	o    Options
	http *send.Client
}

// New checks the options.
func New(o Options) (*Notifier, error) {
	if !o.URL.Set() {
		return nil, errors.New("webhook: no URL")
	}
	if o.Texts == nil {
		return nil, errors.New("webhook: nobody to write the summary")
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if _, err := keys(o.Secrets); err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	c, err := send.New(o.HTTP)
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	return &Notifier{o: o, http: c}, nil
}

// Close drops idle connections.
func (n *Notifier) Close() { n.http.Close() }

// Notify posts a message. A webhook has no threads: what comes in is given back.
func (n *Notifier) Notify(ctx context.Context, m plan.Message, thread json.RawMessage) (json.RawMessage, error) {
	body, err := encode(m, n.o.Texts.Title(m), n.o.MaxBytes)
	if err != nil {
		return thread, &notifiers.Error{Reason: notifiers.ClientError, Final: true, Err: err}
	}
	ks, err := keys(n.o.Secrets)
	if err != nil {
		return thread, &notifiers.Error{Reason: notifiers.AuthError, Err: err}
	}
	header := http.Header{"Content-Type": {"application/json"}}
	sign(header, m.ID, n.o.Now(), body, ks)
	_, err = n.http.Post(ctx, send.Request{To: n.o.URL, Body: body, Header: header})
	return thread, err
}

// Preview is the body that would be posted.
func (n *Notifier) Preview(m plan.Message) ([]byte, error) {
	return encode(m, n.o.Texts.Title(m), n.o.MaxBytes)
}
