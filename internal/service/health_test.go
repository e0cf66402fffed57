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
