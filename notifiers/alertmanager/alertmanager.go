// Package alertmanager hands diagnoses to Alertmanagers as alerts, so that their routes, silences and
// inhibitions apply.
//
// One diagnosis is one alert. Its identity is the target, so that the alert stays the same while causes
// and scores move: those are annotations. The severity is a label all the same, because Alertmanager
// routes by labels and tells nobody of a changed annotation: a problem that grows worse must be able to
// page. So that a problem which wavers does not page each time, the label only rises while the problem
// lasts; when it rises, the alert of the lower severity is resolved in the same request. Options.Severity
// pins it for those who want one alert whatever happens.
package alertmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/secret"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/send"
)

// DefaultResend is how often Keep is to be called.
const DefaultResend = time.Minute

// batch is how many alerts go in one request, as Prometheus does.
const batch = 256

// Options are a receiver's.
type Options struct {
	// URLs are the Alertmanagers' addresses, each of which is sent everything: they share what they said,
	// not what they were told.
	URLs []secret.Text
	// Labels are added to every alert, such as the cluster.
	Labels map[string]string
	// Severity pins the label; empty means the worst since the problem began.
	Severity string
	// Resend is how often Keep is called; 0 means DefaultResend. An alert ends by itself four times as
	// long after it was sent last.
	Resend      time.Duration
	ExternalURL string // where the alert's source link leads
	HTTP        send.Options
	// Failed hears of an Alertmanager that did not take what another one did; may be nil.
	Failed func(alertmanager string, err error)
	Now    func() time.Time // nil means time.Now
}

// Notifier sends to a set of Alertmanagers. It is safe for concurrent use.
type Notifier struct {
	o    Options
	http *send.Client

	// turn holds one token, whose holder alone may use known and send: alerts computed first must not
	// arrive last.
	turn  chan struct{}
	known known
}

// New checks the options.
func New(o Options) (*Notifier, error) {
	if len(o.URLs) == 0 {
		return nil, errors.New("alertmanager: no URL")
	}
	for i, text := range o.URLs {
		if _, err := endpoint(text); err != nil {
			return nil, fmt.Errorf("alertmanager %d: %w", i+1, err)
		}
	}
	if o.Resend == 0 {
		o.Resend = DefaultResend
	}
	if o.Failed == nil {
		o.Failed = func(string, error) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c, err := send.New(o.HTTP)
	if err != nil {
		return nil, fmt.Errorf("alertmanager: %w", err)
	}
	return &Notifier{o: o, http: c, turn: make(chan struct{}, 1), known: newKnown(o)}, nil
}

// Close drops idle connections.
func (n *Notifier) Close() { n.http.Close() }

// endpoint is where alerts are posted.
func endpoint(text secret.Text) (*url.URL, error) {
	s, err := text.Read()
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%s: not a URL of http or https", text)
	}
	return u.JoinPath("api/v2/alerts"), nil
}

// Notify sends a message's alerts: firing ones until Keep says otherwise, or the end of those of a message
// that resolves. What comes in as thread is given back.
func (n *Notifier) Notify(ctx context.Context, m plan.Message, thread json.RawMessage) (json.RawMessage, error) {
	if err := n.take(ctx); err != nil {
		return thread, err
	}
	defer n.release()
	now := n.o.Now()
	var alerts []alert
	switch {
	case m.Reason == plan.Test:
		alerts = []alert{n.known.test(m, now)}
	case m.Firing():
		for _, d := range m.Diagnoses {
			if severity(d) != "" {
				alerts = append(alerts, n.known.fire(d, m.Outcome, now)...)
			}
		}
	default:
		for _, d := range m.Diagnoses {
			alerts = append(alerts, n.known.end(d, m.At, now)...)
		}
	}
	return thread, n.send(ctx, alerts)
}

// Keep tells the Alertmanagers what fires now, so that those alerts don't end by themselves, and that
// everything else which was sent has ended. It is to be called every Options.Resend. When inferdx dies,
// its alerts end four times as long after.
func (n *Notifier) Keep(ctx context.Context, firing []model.Diagnosis, now time.Time) error {
	if err := n.take(ctx); err != nil {
		return err
	}
	defer n.release()
	return n.send(ctx, n.known.keep(firing, now))
}

func (n *Notifier) take(ctx context.Context) error {
	select {
	case n.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		reason := notifiers.DeadlineReached
		if errors.Is(ctx.Err(), context.Canceled) {
			reason = notifiers.Canceled
		}
		return &notifiers.Error{Reason: reason, Err: fmt.Errorf("wait for the delivery before: %w", ctx.Err())}
	}
}

func (n *Notifier) release() { <-n.turn }

// send gives the alerts to every Alertmanager; one that takes them is enough.
func (n *Notifier) send(ctx context.Context, alerts []alert) error {
	if len(alerts) == 0 {
		return nil
	}
	var bodies [][]byte
	for start := 0; start < len(alerts); start += batch {
		b, err := json.Marshal(alerts[start:min(start+batch, len(alerts))])
		if err != nil {
			return &notifiers.Error{Reason: notifiers.ClientError, Final: true, Err: fmt.Errorf("write alerts: %w", err)}
		}
		bodies = append(bodies, b)
	}
	errs := make([]error, len(n.o.URLs))
	var wait sync.WaitGroup
	for i, text := range n.o.URLs {
		wait.Go(func() { errs[i] = n.post(ctx, text, bodies) })
	}
	wait.Wait()
	taken := false
	for _, err := range errs {
		taken = taken || err == nil
	}
	if !taken {
		return together(errs)
	}
	for i, err := range errs {
		if err != nil {
			n.o.Failed(display(n.o.URLs[i]), err)
		}
	}
	return nil
}

func (n *Notifier) post(ctx context.Context, to secret.Text, bodies [][]byte) error {
	u, err := endpoint(to)
	if err != nil {
		return &notifiers.Error{Reason: notifiers.Other, Err: err} // the file may come back
	}
	for _, b := range bodies {
		_, err := n.http.Post(ctx, send.Request{To: secret.Text{Value: u.String()}, Body: b, Header: http.Header{"Content-Type": {"application/json"}}})
		if err != nil {
			return err
		}
	}
	return nil
}

func display(text secret.Text) string {
	u, err := endpoint(text)
	if err != nil {
		return text.String()
	}
	return u.Scheme + "://" + u.Host
}

// together is one error for all: worth another try when one of them is.
func together(errs []error) error {
	var out *notifiers.Error
	for _, err := range errs {
		var e *notifiers.Error
		if !errors.As(err, &e) {
			e = &notifiers.Error{Reason: notifiers.Other, Err: err}
		}
		switch {
		case out == nil || out.Final && !e.Final:
			out = &notifiers.Error{Reason: e.Reason, Final: e.Final, Disable: e.Disable, RetryAfter: e.RetryAfter}
		case !e.Final:
			out.RetryAfter = min(out.RetryAfter, e.RetryAfter)
		default:
			out.Disable = out.Disable && e.Disable
		}
	}
	if out == nil {
		return nil
	}
	out.Err = errors.Join(errs...)
	if len(errs) == 1 {
		out.Err = errors.Unwrap(errs[0])
	}
	return out
}
