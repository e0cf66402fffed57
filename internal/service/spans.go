package service

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/evidence/otlp"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/otlpreceiver"
	"github.com/inferdx/inferdx/internal/pipeline"
)

const (
	// maxSpans is how many spans are kept in all, some 100 MB.
	maxSpans = 500_000
	// maxSenders is how many processes that send spans are told apart.
	maxSenders = 4096
)

// spans are the traces that servers send.
type spans struct {
	receiver *otlpreceiver.Receiver
	window   *otlp.Window

	mu        sync.Mutex
	listeners otlpreceiver.Listeners

	targets []map[string]string // of the last look, of the evaluating goroutine
}

func (s *Service) newSpans(o Options) *spans {
	x := &spans{window: otlp.NewWindow(otlp.Limits{}), listeners: otlpreceiver.Listeners{ConfigFile: o.WebConfigFile, Connections: o.Connections, Log: o.Log}}
	if x.listeners.Connections <= 0 {
		x.listeners.Connections = 512
	}
	x.receiver = otlpreceiver.New(otlpreceiver.Options{Take: s.takeSpans, Count: o.Metrics.Exported})
	return x
}

// takeSpans keeps what came, and counts what became of it.
func (s *Service) takeSpans(b *otlp.Batch, peer string) (otlp.Taken, error) {
	t, err := s.spans.window.Add(b, peer, s.o.Now())
	if err != nil {
		return t, err
	}
	s.o.Metrics.Spans(map[string]int{"kept": t.Kept, "duplicate": t.Twice, "other": t.Other, "evicted": t.Evicted, "refused": t.Strangers})
	return t, nil
}

// adoptSpans takes traces as parts say from now on.
func (s *Service) adoptSpans(ctx context.Context, p *parts) error {
	x := s.spans
	x.mu.Lock()
	defer x.mu.Unlock()
	c := p.setup.Config.OTLP
	var want []otlpreceiver.Endpoint
	if c != nil {
		want = ownEndpoints(c)
		x.receiver.Limit(otlpreceiver.Limits{Message: int64(c.MaxMessageSize), Requests: c.MaxConcurrent})
		x.window.Limit(otlp.Limits{Span: p.window + p.offset, PerSender: c.MaxRequests, Total: maxSpans, Senders: maxSenders})
	}
	if err := x.listeners.Apply(ctx, x.receiver, want); err != nil {
		return err
	}
	if c == nil {
		x.window.Clear()
	}
	return nil
}

// ownEndpoints are those with an address of their own.
func ownEndpoints(c *config.OTLP) []otlpreceiver.Endpoint {
	var out []otlpreceiver.Endpoint
	if h := c.Protocols.HTTP; h != nil && h.Address != "" {
		out = append(out, otlpreceiver.Endpoint{Protocol: "http", Address: string(h.Address)})
	}
	if g := c.Protocols.GRPC; g != nil {
		out = append(out, otlpreceiver.Endpoint{Protocol: "grpc", Address: string(g.Address)})
	}
	return out
}

func (x *spans) close(ctx context.Context) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.listeners.Close(ctx)
}

// TraceHandler takes OTLP over HTTP on the web listener, where the configuration says so.
func (s *Service) TraceHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := s.parts.Load().setup.Config.OTLP
		if c == nil || c.Protocols.HTTP == nil || c.Protocols.HTTP.Address != "" {
			http.Error(w, "traces are not taken here: otlp.protocols.http of the configuration says where", http.StatusNotFound)
			return
		}
		s.spans.receiver.ServeHTTP(w, r)
	})
}

// traced is what the spans of the window show, of the targets that the last look saw; nil where none are taken.
func (s *Service) traced(p *parts, at time.Time) *otlp.View {
	c := p.setup.Config.OTLP
	if c == nil {
		return nil
	}
	v := s.spans.window.View(matcherOf(c), s.spans.targets, at.Add(-p.window), at)
	s.o.Metrics.Traced(s.spans.window.Len(), sum(v.Strange), sum(v.Ambiguous))
	return v
}

func sum(of map[string]int) int {
	n := 0
	for _, k := range of {
		n += k
	}
	return n
}

func matcherOf(c *config.OTLP) otlp.Matcher {
	var m otlp.Matcher
	for _, x := range c.Match {
		m.Rules = append(m.Rules, otlp.Rule{Sender: x.Fits, Target: x.Target.Match})
	}
	return m
}

// examplesOf gives requests that show a harm.
func examplesOf(v *otlp.View) func(map[string]string, model.Harm) []model.Example {
	return func(target map[string]string, h model.Harm) []model.Example {
		return v.Examples(target, h, pipeline.MostExamples)
	}
}

// meet remembers the targets of a frame, for the spans of the next one.
func (x *spans) meet(f *model.Frame) {
	x.targets = slices.Collect(func(yield func(map[string]string) bool) {
		for _, e := range f.Entities.All() {
			if e.Scope == model.ScopeTarget && !yield(maps.Clone(e.Labels.Map())) {
				return
			}
		}
	})
}
