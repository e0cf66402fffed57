package service

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/alerts"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/source/scrape"
	"github.com/inferdx/inferdx/internal/store"
)

// listener notes, by the instance of its label, when the alerts that it was sent end.
type listener struct {
	*httptest.Server

	mu   sync.Mutex
	ends map[string]time.Time
}

func newListener(t *testing.T) *listener {
	a := &listener{ends: map[string]time.Time{}}
	a.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var all []struct {
			Labels map[string]string `json:"labels"`
			EndsAt time.Time         `json:"endsAt"`
		}
		if err := json.NewDecoder(r.Body).Decode(&all); err != nil {
			t.Error(err)
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, x := range all {
			a.ends[x.Labels["instance"]] = x.EndsAt
		}
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *listener) of(instance string) (ends time.Time, told bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ends, told = a.ends[instance]
	return ends, told
}

func TestAnAlertmanagerIsNotKeptUpToDateOnWhatItWasNotToldOf(t *testing.T) {
	am := newListener(t)
	w := serve(t, t0, "urls: ['localhost:1']\nreceivers: [{name: am, alertmanager: {urls: ['"+am.URL+"']}}]\nroute: {receiver: am, group_wait: 0s}\n")
	all, err := alerts.Alerts([]byte(`[{"labels":{"alertname":"X","instance":"loud:1"}},{"labels":{"alertname":"X","instance":"hushed:1"}}]`), t0)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.take(alerts.Bounded(all, t0, time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := w.disk.SetSilence(t.Context(), store.Silence{ID: "s", Matchers: json.RawMessage(`["instance=\"hushed:1\""]`), Starts: t0, Ends: t0.Add(time.Hour), CreatedBy: "ann"}); err != nil {
		t.Fatal(err)
	}
	for range warmup + 1 {
		w.look()
		w.pass(15 * time.Second)
	}
	w.keepUp(t.Context())
	if _, told := am.of("loud:1"); !told {
		t.Error("what was told is not kept up")
	}
	if _, told := am.of("hushed:1"); told {
		t.Error("a silenced problem reached the Alertmanager")
	}
}

func TestFault15WhatNobodyCanSeeDoesNotEndAtAnAlertmanager(t *testing.T) {
	am := newListener(t)
	w := serve(t, t0, "urls: ['localhost:1']\nreceivers: [{name: am, alertmanager: {urls: ['"+am.URL+"']}}]\nroute: {receiver: am, group_wait: 0s}\n")
	f := &feeder{w: w, p: acts(t, t0, time.Hour, "seqs8-c64"), kept: map[string]any{}, target: map[string]scrape.ArchiveTarget{}}
	for len(f.told()) == 0 {
		if f.live(15 * time.Second); w.wall.Sub(t0) > 20*time.Minute {
			t.Fatal("nothing was told")
		}
	}
	check := func(when string) {
		t.Helper()
		w.keepUp(t.Context())
		if ends, told := am.of("h200-0:8000"); !told || !ends.After(w.wall) {
			t.Errorf("%s: told %t, ends %s at %s", when, told, ends, w.wall)
		}
	}
	check("while it fires")
	w.world.clear() // as while nothing answers
	w.look()
	if len(w.last.absent) == 0 {
		t.Fatal("the server is seen")
	}
	check("while it is held")
	w = w.again()
	w.look()
	check("after a restart")
}

func TestFault37AMessageThatWaitsDoesNotWaitForAClockThatWasSetBack(t *testing.T) {
	w := serve(t, t0, "urls: ['localhost:1']")
	w.look()
	m := plan.Message{ID: "1", Receiver: "r", Key: "k", Number: 1, Reason: plan.First, At: t0, Deadline: t0.Add(time.Hour)}
	if err := w.disk.Enqueue(t.Context(), t0, m); err != nil {
		t.Fatal(err)
	}
	claim := func() int {
		t.Helper()
		got, err := w.disk.Claim(t.Context(), store.ClaimQuery{Receiver: "r", Now: w.wall, Limit: 1, Owner: "o", Lease: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		return len(got.Ready)
	}
	w.wall = w.wall.Add(-time.Hour)
	w.look()
	if claim() != 1 {
		t.Error("it is not delivered now")
	}
	if w.pass(30 * time.Second); claim() != 0 {
		t.Error("it is claimed twice")
	}
	if w.pass(time.Minute); claim() != 1 {
		t.Error("a lease outlives its process")
	}
}
