// Package otlpreceiver takes traces from OpenTelemetry exporters and collectors, by OTLP over HTTP and over gRPC. What it cannot take
// is refused in a way that says whether to send it again, and counted.
package otlpreceiver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/inferdx/inferdx/internal/evidence/otlp"
)

// Limits bound what is read at once: memory is at most some ten times their product.
type Limits struct {
	// Message is the most bytes of a message, unpacked; Requests how many messages are taken at once.
	Message  int64
	Requests int
}

// Options are what a receiver works with.
type Options struct {
	Limits Limits
	// Take keeps spans; peer is the address that they came from, "" where that is not the server's own. It fails with
	// otlp.ErrFull where nothing more can be kept.
	Take func(b *otlp.Batch, peer string) (otlp.Taken, error)
	// Count is told of every request what became of it, as one of Results.
	Count func(protocol, result string)
	// Patience is how long a message may take to arrive; 15 s if 0.
	Patience time.Duration
}

// The results of requests.
const (
	Accepted    = "accepted"
	Partial     = "partial"     // some spans were refused
	Invalid     = "invalid"     // not OTLP
	Unsupported = "unsupported" // another content type, or packed in another way
	TooLarge    = "too_large"   // beyond Limits.Message
	Overloaded  = "overloaded"  // beyond Limits.Requests: to be sent again
	Full        = "full"        // nothing more can be kept: to be sent again
	TooSlow     = "too_slow"    // it did not arrive in time: to be sent again
	Failed      = "failed"      // a fault of this program
)

// Results are all results of a request.
func Results() []string {
	return []string{Accepted, Partial, Invalid, Unsupported, TooLarge, Overloaded, Full, TooSlow, Failed}
}

// retryAfter is when a sender that was turned away should come again. Exporters wait longer the more often they fail.
const retryAfter = 2 * time.Second

// Receiver takes traces. It is safe for concurrent use.
type Receiver struct {
	o        Options
	limits   atomic.Pointer[Limits]
	under    atomic.Int64 // requests that are being read
	server   atomic.Pointer[grpc.Server]
	patience time.Duration
}

// New makes a receiver.
func New(o Options) *Receiver {
	r := &Receiver{o: o, patience: o.Patience}
	if r.patience <= 0 {
		r.patience = 15 * time.Second
	}
	r.Limit(o.Limits)
	return r
}

// Limit sets other limits, for the requests that follow.
func (r *Receiver) Limit(l Limits) {
	was := r.limits.Swap(&l)
	if was != nil && was.Message == l.Message {
		return
	}
	if old := r.server.Swap(r.newServer(l.Message)); old != nil {
		time.AfterFunc(2*r.patience, old.Stop) // it has no listener of its own, and calls under way, which end before
	}
}

// enter takes a place among the requests that are read at once; leave gives it back.
func (r *Receiver) enter() bool {
	if r.under.Add(1) > int64(r.limits.Load().Requests) {
		r.under.Add(-1)
		return false
	}
	return true
}

func (r *Receiver) leave() { r.under.Add(-1) }

// refusal is why a request was turned away. result is one of Results.
type refusal struct {
	result string
	err    error
}

func (r refusal) Error() string { return r.err.Error() }

func refuse(result, format string, args ...any) error {
	return refusal{result, fmt.Errorf(format, args...)}
}

// resultOf classes an error.
func resultOf(err error) string {
	var r refusal
	switch {
	case err == nil:
		return Accepted
	case errors.As(err, &r):
		return r.result
	case errors.Is(err, otlp.ErrFull):
		return Full
	case errors.Is(err, context.DeadlineExceeded):
		return TooSlow
	}
	return Failed
}

// peer is the address of an exporter in a server's own process, which says so (OpenTelemetry specification, OTLP exporter, User Agent);
// of a collector or a proxy it tells nothing about the server.
func peer(h http.Header, remote string) string {
	agent := h.Get("User-Agent")
	if !strings.HasPrefix(agent, "OTel-OTLP-Exporter-") && !strings.HasPrefix(agent, "OTel OTLP Exporter ") {
		return ""
	}
	if h.Get("X-Forwarded-For") != "" || h.Get("Forwarded") != "" || h.Get("Via") != "" {
		return ""
	}
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return ""
	}
	return host
}

// rejected says of the spans that were refused why; "" where none was.
func rejected(t otlp.Taken) string {
	if t.Strangers == 0 {
		return ""
	}
	return "spans come from more senders than are kept"
}
