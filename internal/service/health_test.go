package service

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

func TestASourceThatFailsOnceIsNotDead(t *testing.T) {
	var s sources
	fail := errors.New("connection refused")
	s.told("prod", t0, nil, nil)
	for i := range patience - 1 {
		s.told("prod", t0.Add(time.Duration(i+1)*time.Minute), nil, fail)
	}
	if s.all()[0].dead() {
		t.Error("dead too early")
	}
	s.told("prod", t0.Add(time.Hour), nil, fail)
	h := s.all()[0]
	if !h.dead() || !h.Since.Equal(t0.Add(time.Minute)) || !h.LastOK.Equal(t0) {
		t.Errorf("got %+v", h)
	}
	s.told("prod", t0.Add(2*time.Hour), nil, nil)
	if h := s.all()[0]; h.dead() || !h.Since.IsZero() {
		t.Errorf("it answers again: %+v", h)
	}
}

func TestADeadSourceIsAFindingThatSaysSinceWhenAndWhy(t *testing.T) {
	d := blind(sourceHealth{Name: "prod", LastOK: t0, Since: t0.Add(time.Minute), Failures: 3, Err: "connection refused"}, t0.Add(5*time.Minute))
	if d.Status != model.Down || d.Symptoms[0].State != model.Firing || !d.Onset.Equal(t0.Add(time.Minute)) {
		t.Errorf("got %+v", d)
	}
	if all := d.Summary + d.Symptoms[0].Evidence[0].Text + d.Symptoms[0].Evidence[1].Text; !strings.Contains(all, "connection refused") || !strings.Contains(all, "03:00:00Z") {
		t.Errorf("got %s", all)
	}
}

func TestFault15ASourceThatWasDeadBeforeARestartIsNotResolvedUntilItIsRead(t *testing.T) {
	w := serve(t, t0, "prometheus: http://127.0.0.1:1\nreceivers: [{name: r, webhook: {url: 'http://127.0.0.1:1'}}]\nroute: {receiver: r, group_wait: 0s, group_interval: 1s}\n")
	begin := func() { w.sources.only(w.parts.Load().sourceNames()) }
	told := func() string { return strings.Join((&feeder{w: w}).told(), " ") }
	evaluate := func() {
		t.Helper()
		w.pass(15 * time.Second)
		if err := w.evaluate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	begin()
	for range warmup + 1 {
		w.look()
		w.pass(15 * time.Second)
	}
	if told() != "first" {
		t.Fatalf("told %q", told())
	}
	w = w.again()
	begin()
	for range 2 * warmup {
		evaluate() // the first read hangs
	}
	if told() != "first" {
		t.Errorf("before the first read it was told %q", told())
	}
	for range 2 * patience {
		w.poll(t.Context(), w.parts.Load(), w.parts.Load().servers[0])
		evaluate()
	}
	if told() != "first" {
		t.Errorf("while its reads failed it was told %q", told())
	}
	w.sources.told(w.sources.all()[0].Name, w.wall, nil, nil)
	evaluate()
	if told() != "first resolved" {
		t.Errorf("after it was read it was told %q", told())
	}
}
