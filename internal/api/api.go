// Package api is /api/v1 of `inferdx serve`: what is seen now, what was, and what people want silenced.
// Every route stands in one table, which is also what the OpenAPI document is made of.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/store"
)

// Now is what is seen at present.
type Now interface {
	// Snapshot gives it; it is not changed afterwards.
	Snapshot() Snapshot
}

// History is what was, and the silences.
type History interface {
	Diagnoses(context.Context, store.Range) ([]store.Record, error)
	Diagnosis(ctx context.Context, id int64) (store.Record, error)
	Transitions(context.Context, store.Range) ([]store.Transition, error)
	Outcomes(context.Context, store.Range) ([]store.Outcome, error)
	Notifications(context.Context, store.NotificationQuery) ([]store.Notification, error)
	Silences(ctx context.Context, after time.Time) ([]store.Silence, error)
	SetSilence(context.Context, store.Silence) error
	EndSilence(ctx context.Context, id string, at time.Time) error
}

// Snapshot is what is seen at one instant.
type Snapshot struct {
	Report  *model.Report `json:"report"`
	Targets []Target      `json:"targets"`
	Rules   []Rule        `json:"rules"`
	Status  Status        `json:"status"`
	Config  string        `json:"-"`
}

// Target is a server or exporter that is scraped.
type Target struct {
	Job        string            `json:"job"`
	URL        string            `json:"url"`
	Labels     map[string]string `json:"labels"`
	Health     string            `json:"health"` // up, down, unknown
	LastScrape *time.Time        `json:"last_scrape"`
	Seconds    float64           `json:"seconds"`
	Error      string            `json:"error"`
}

// Rule is a symptom rule.
type Rule struct {
	ID          string  `json:"id"`
	Title       string  `json:"title"`
	Severity    string  `json:"severity"`
	Scope       string  `json:"scope"`
	ForSeconds  float64 `json:"for_seconds"`
	KeepSeconds float64 `json:"keep_firing_for_seconds"`
	Pending     int     `json:"pending"`
	Firing      int     `json:"firing"`
}

// Source is where samples are read from beside scraping.
type Source struct {
	Name     string     `json:"name"`
	Up       bool       `json:"up"`
	LastOK   *time.Time `json:"last_ok"`
	Failures int        `json:"failures"`
	Error    string     `json:"error"`
}

// Status is how the service itself does.
type Status struct {
	Version        string    `json:"version"`
	Started        time.Time `json:"started"`
	LastEvaluation time.Time `json:"last_evaluation"`
	ConfigHash     string    `json:"config_hash"`
	Sources        []Source  `json:"sources"`
	// StoreError says why the store cannot be written, "" when it can.
	StoreError string   `json:"store_error"`
	Warnings   []string `json:"warnings"`
}

// Options are the API's parts.
type Options struct {
	Now     Now
	History History
	Clock   func() time.Time
	// Changed is told that silences have changed, so that they count at once.
	Changed func()
}

// answer is the envelope of every answer, as in Prometheus's API.
type answer struct {
	Status    string   `json:"status"` // success, error
	Data      any      `json:"data,omitempty"`
	ErrorType string   `json:"errorType,omitempty"`
	Error     string   `json:"error,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
}

// fault is an answer that is no success.
type fault struct {
	code int
	kind string // bad_data, not_found, internal
	err  error
}

func (f *fault) Error() string { return f.err.Error() }

func bad(format string, args ...any) error {
	return &fault{http.StatusBadRequest, "bad_data", fmt.Errorf(format, args...)}
}

// maxBody bounds what is posted here: a silence.
const maxBody = 64 << 10

// Handlers are the routes, by the patterns of http.ServeMux.
func Handlers(o Options) map[string]http.Handler {
	out := map[string]http.Handler{}
	for _, r := range routes() {
		out[r.method+" /api/v1"+r.path] = o.handler(r)
	}
	out["GET /api/v1/openapi.json"] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(Document())
	})
	return out
}

func (o Options) handler(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		req.Body = http.MaxBytesReader(w, req.Body, maxBody)
		q, err := r.query(req)
		var data any
		if err == nil {
			data, err = r.do(o, req, q)
		}
		write(w, data, err)
	})
}

func write(w http.ResponseWriter, data any, err error) {
	w.Header().Set("Content-Type", "application/json")
	a, code := answer{Status: "success", Data: data}, http.StatusOK
	if err != nil {
		f := &fault{http.StatusInternalServerError, "internal", err}
		if !errors.As(err, &f) && errors.Is(err, store.ErrNotFound) {
			f = &fault{http.StatusNotFound, "not_found", err}
		}
		a, code = answer{Status: "error", ErrorType: f.kind, Error: f.Error()}, f.code
	}
	text, err := json.Marshal(a)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(code)
	_, _ = w.Write(append(text, '\n'))
}

// query are the parameters that routes may have.
type query struct {
	from, to time.Time
	entity   string
	status   string
	state    string
	before   int64
	limit    int
}

// query reads those that the route has, and refuses all others: one that is misspelt would select too much.
func (r route) query(req *http.Request) (query, error) {
	var q query
	for name, values := range req.URL.Query() {
		p, ok := r.param(name)
		if !ok {
			return q, bad("unknown parameter %q", name)
		}
		if err := p.set(&q, values[0]); err != nil {
			return q, bad("%s: %w", name, err)
		}
	}
	return q, nil
}

func (q query) rows() store.Range {
	return store.Range{Entity: q.entity, From: q.from, To: q.to, Before: q.before, Limit: q.limit}
}

// moment reads RFC 3339 or seconds since 1970, as Prometheus does.
func moment(s string) (time.Time, error) {
	if f, err := strconv.ParseFloat(s, 64); err == nil && f > 0 && f < 1e11 {
		return time.UnixMilli(int64(f * 1000)), nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return t, fmt.Errorf("want RFC 3339 or seconds since 1970, got %.50q", s)
	}
	return t, nil
}
