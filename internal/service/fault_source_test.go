package service

import (
	"net/http"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// sick watches the demo's recording through a Prometheus until its symptoms fire.
func sick(t *testing.T) (*watched, *ill) {
	t.Helper()
	p := prometheus(t, "seqs8-c64")
	w := serve(t, p.first.Add(10*time.Second), "global: {evaluation_interval: 2s, window: 30s}\nprometheus: "+p.URL)
	for range 11 {
		w.look()
		w.pass(2 * time.Second)
	}
	if got := w.look(); got.diagnoses[0].Status != model.Degraded || len(got.diagnoses[0].Symptoms) == 0 {
		t.Fatalf("the server is %v", status(got.diagnoses))
	}
	return w, p
}

// held lists the rules that are remembered, firing or not.
func held(w *watched) (all int, firing int) {
	for _, h := range w.mind.state {
		all++
		if h.Firing {
			firing++
		}
	}
	return all, firing
}

func sourceFails(t *testing.T, how http.HandlerFunc) {
	w, p := sick(t)
	all, firing := held(w)
	p.fails(how)
	for range 60 { // far beyond the window, and beyond what is held of an entity that is merely gone
		w.pass(30 * time.Second)
		w.look()
	}
	if a, f := held(w); a != all || f != firing {
		t.Errorf("held %d symptoms, %d firing; before the source failed %d and %d", a, f, all, firing)
	}
	if len(w.last.absent) == 0 {
		t.Error("nobody is told that the server is not seen")
	}
	if d := w.sources.all()[0]; !d.dead() || d.Err == "" {
		t.Errorf("the source is no finding: %+v", d)
	}
}

func TestFault15APrometheusThatIsDownNeitherFiresNorResolves(t *testing.T) {
	sourceFails(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusServiceUnavailable) })
}

func TestFault16ALoginPageNeitherFiresNorResolves(t *testing.T) {
	sourceFails(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>Sign in</title>"))
	})
}

func TestFault17TruncatedJSONNeitherFiresNorResolves(t *testing.T) {
	sourceFails(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up"`))
	})
}

func TestFault18AnAnswerOfTheWrongKindNeitherFiresNorResolves(t *testing.T) {
	sourceFails(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`))
	})
}

func TestFault22AnEmptyAnswerEndsWhatWasHeldAfterAWhile(t *testing.T) {
	w, p := sick(t)
	p.fails(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"matrix","result":[]}}`))
	})
	w.pass(time.Minute)
	w.look()
	if a, _ := held(w); a == 0 || len(w.last.absent) == 0 {
		t.Error("a server that was not seen for a minute was taken for gone")
	}
	for range 20 {
		w.pass(30 * time.Second)
		w.look()
	}
	if a, _ := held(w); a != 0 || len(w.last.absent) != 0 {
		t.Errorf("still held %d symptoms of a server that is gone", a)
	}
	if w.sources.all()[0].dead() {
		t.Error("an empty answer is an answer")
	}
}

func TestFault38AClockSetForwardEndsAndFiresNothing(t *testing.T) {
	w, _ := sick(t)
	all, firing := held(w)
	w.wall = w.wall.Add(time.Hour)
	w.look()
	if a, f := held(w); a != all || f != firing {
		t.Errorf("held %d symptoms, %d firing; before the jump %d and %d", a, f, all, firing)
	}
}

func TestFault37AClockSetBackEndsAndFiresNothing(t *testing.T) {
	w, _ := sick(t)
	all, firing := held(w)
	w.wall = w.wall.Add(-time.Hour)
	w.look()
	if a, f := held(w); a != all || f != firing {
		t.Errorf("held %d symptoms, %d firing; before the jump %d and %d", a, f, all, firing)
	}
	for _, h := range w.mind.state {
		if h.Since.After(w.wall) || h.Observed < 0 {
			t.Errorf("began in the future: %+v", h)
		}
	}
}

func TestFault39AMachineThatSleptLooksOnceAndHolds(t *testing.T) {
	w, _ := sick(t)
	all, firing := held(w)
	w.pass(10 * time.Minute)
	w.look()
	if a, f := held(w); a != all || f != firing {
		t.Errorf("held %d symptoms, %d firing; before it slept %d and %d", a, f, all, firing)
	}
}

func TestFault40WhatWasPendingGoesOnAfterARestart(t *testing.T) {
	w, _ := sick(t)
	before := w.mind.state
	w.pass(20 * time.Second)
	w = w.again()
	w.look()
	if len(before) == 0 {
		t.Fatal("nothing was held")
	}
	for key, h := range before { // clocks that merely run on are written every 30 s
		now, ok := w.mind.state[key]
		if !ok || !now.Since.Equal(h.Since) || now.Observed < h.Observed-30*time.Second || now.Firing != h.Firing && !now.Firing {
			t.Errorf("%q was %+v, is %+v", key, h, now)
		}
	}
}
