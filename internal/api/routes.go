package api

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/store"
)

// route is one of the API.
type route struct {
	method, path, says string
	params             []param
	body               any // what is posted; nil where nothing is
	data               any // an example of the type of data
	do                 func(Options, *http.Request, query) (any, error)
}

type param struct {
	name, says, kind string
	set              func(*query, string) error
}

func (r route) param(name string) (param, bool) {
	i := slices.IndexFunc(r.params, func(p param) bool { return p.name == name })
	if i < 0 {
		return param{}, false
	}
	return r.params[i], true
}

func span() []param {
	return []param{
		{"from", "the earliest time, as RFC 3339 or seconds since 1970", "string", func(q *query, s string) (err error) { q.from, err = moment(s); return err }},
		{"to", "the latest time, not included", "string", func(q *query, s string) (err error) { q.to, err = moment(s); return err }},
		{"entity", `whose, as target{"instance":"a:8000","job":"vllm"}`, "string", func(q *query, s string) error { q.entity = s; return nil }},
		{"before", "the id of the last row of the page before", "integer", func(q *query, s string) (err error) {
			q.before, err = strconv.ParseInt(s, 10, 64)
			return err
		}},
		limit(),
	}
}

func limit() param {
	return param{"limit", "the most rows, 100 by default and 1000 at most", "integer", func(q *query, s string) (err error) {
		if q.limit, err = strconv.Atoi(s); err == nil && (q.limit < 1 || q.limit > 1000) {
			err = fmt.Errorf("want 1 to 1000")
		}
		return err
	}}
}

func oneOf(name, says string, into func(*query) *string, words ...string) param {
	return param{name, says, "string", func(q *query, s string) error {
		if !slices.Contains(words, s) {
			return fmt.Errorf("want one of %v", words)
		}
		*into(q) = s
		return nil
	}}
}

// routes is the table. Its order is that of the document.
func routes() []route {
	states := oneOf("state", "pending or firing", func(q *query) *string { return &q.state }, string(model.Pending), string(model.Firing))
	statuses := oneOf("status", "of the server", func(q *query) *string { return &q.status },
		string(model.Healthy), string(model.Idle), string(model.Degraded), string(model.Down), string(model.Unknown))
	messages := oneOf("state", "of the message", func(q *query) *string { return &q.state },
		string(store.Waiting), string(store.Delivered), string(store.Folded), string(store.Dead))
	return []route{
		{"GET", "/targets", "What is scraped, and how that went", nil, nil, []Target{}, func(o Options, _ *http.Request, _ query) (any, error) {
			return full(o.Now.Snapshot().Targets), nil
		}},
		{"GET", "/diagnoses", "What is thought of every server now, as `inferdx diagnose --format json` gives it", []param{statuses}, nil, model.Report{}, current},
		{"GET", "/diagnoses/history", "Diagnoses as they changed, newest first", span(), nil, []record{}, func(o Options, r *http.Request, q query) (any, error) {
			all, err := o.History.Diagnoses(r.Context(), q.rows())
			return mapped(all, recordOf), err
		}},
		{"GET", "/diagnoses/history/{id}", "One of them", nil, nil, record{}, func(o Options, r *http.Request, _ query) (any, error) {
			id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
			if err != nil {
				return nil, bad("id: want a number")
			}
			x, err := o.History.Diagnosis(r.Context(), id)
			return recordOf(x), err
		}},
		{"GET", "/symptoms", "What hurts now", []param{states}, nil, []symptom{}, symptoms},
		{"GET", "/symptoms/history", "When symptoms began, fired and ended, newest first", span(), nil, []transition{}, func(o Options, r *http.Request, q query) (any, error) {
			all, err := o.History.Transitions(r.Context(), q.rows())
			return mapped(all, transitionOf), err
		}},
		{"GET", "/outcomes", "What came of changes, newest first", span(), nil, []outcome{}, func(o Options, r *http.Request, q query) (any, error) {
			all, err := o.History.Outcomes(r.Context(), q.rows())
			return mapped(all, outcomeOf), err
		}},
		{"GET", "/notifications", "Messages, newest first: those that wait by state=waiting, those given up by state=dead", []param{messages, limit()}, nil, []notification{}, func(o Options, r *http.Request, q query) (any, error) {
			all, err := o.History.Notifications(r.Context(), store.NotificationQuery{State: store.MessageState(q.state), Limit: q.limit})
			return mapped(all, notificationOf), err
		}},
		{"GET", "/silences", "Silences that have not ended", nil, nil, []silence{}, func(o Options, r *http.Request, _ query) (any, error) {
			all, err := o.History.Silences(r.Context(), o.Clock())
			return mapped(all, silenceOf), err
		}},
		{"POST", "/silences", "Keep messages back for a while", nil, newSilence{}, created{}, addSilence},
		{"DELETE", "/silence/{id}", "End a silence now", nil, nil, created{}, func(o Options, r *http.Request, _ query) (any, error) {
			id := r.PathValue("id")
			err := o.History.EndSilence(r.Context(), id, o.Clock())
			if err == nil && o.Changed != nil {
				o.Changed()
			}
			return created{id}, err
		}},
		{"GET", "/rules", "The symptom rules, and what each of them says now", nil, nil, []Rule{}, func(o Options, _ *http.Request, _ query) (any, error) {
			return full(o.Now.Snapshot().Rules), nil
		}},
		{"GET", "/status", "How inferdx itself does", nil, nil, Status{}, func(o Options, _ *http.Request, _ query) (any, error) {
			s := o.Now.Snapshot().Status
			s.Sources, s.Warnings = full(s.Sources), full(s.Warnings)
			return s, nil
		}},
		{"GET", "/status/config", "The configuration as it is used, secrets hidden", nil, nil, config{}, func(o Options, _ *http.Request, _ query) (any, error) {
			return config{o.Now.Snapshot().Config}, nil
		}},
	}
}

// full is a list that is written as [] where it is empty.
func full[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func mapped[A, B any](list []A, f func(A) B) []B {
	out := make([]B, 0, len(list))
	for _, x := range list {
		out = append(out, f(x))
	}
	return out
}

func current(o Options, _ *http.Request, q query) (any, error) {
	r := o.Now.Snapshot().Report
	if r == nil {
		return nil, &fault{http.StatusServiceUnavailable, "unavailable", fmt.Errorf("nothing has been looked at yet")}
	}
	out := *r
	out.Targets = full(slices.Clone(r.Targets))
	if q.status != "" {
		out.Targets = slices.DeleteFunc(out.Targets, func(d model.Diagnosis) bool { return string(d.Status) != q.status })
	}
	return out, nil
}

// symptom is one of one server.
type symptom struct {
	Target map[string]string `json:"target"`
	model.Symptom
}

func symptoms(o Options, _ *http.Request, q query) (any, error) {
	out := []symptom{}
	if r := o.Now.Snapshot().Report; r != nil {
		for _, d := range r.Targets {
			for _, s := range d.Symptoms {
				if q.state == "" || string(s.State) == q.state {
					out = append(out, symptom{d.Target, s})
				}
			}
		}
	}
	return out, nil
}
