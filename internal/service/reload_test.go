package service

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/setup"
	"github.com/inferdx/inferdx/internal/source/scrape"
	"github.com/inferdx/inferdx/internal/store"
)

// calm watches the cured demo; the configuration may be changed at the path.
func calm(t *testing.T, rest string) (*Service, string) {
	t.Helper()
	pages := play(t, time.Hour)
	path := filepath.Join(t.TempDir(), "inferdx.yml")
	write(t, path, `
global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 200ms, window: 20s}
scrape_configs: [{job_name: vllm, metrics_path: /vllm/metrics, static_configs: [{targets: ['`+pages+`']}]}]
storage: {path: `+t.TempDir()+`}
`+rest)
	return runAt(t, path), path
}

func reload(t *testing.T, s *Service, path string) error {
	t.Helper()
	next, err := setup.Load(path)
	if err != nil {
		return err
	}
	return s.Reload(next)
}

func TestFault02AFaultyConfigurationChangesNothing(t *testing.T) {
	t.Parallel()
	s, path := calm(t, "")
	before := s.Hash()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(text)+"nonsense: 1\n")
	if err := reload(t, s, path); err == nil || !strings.Contains(err.Error(), "inferdx.yml:") || s.Hash() != before {
		t.Errorf("got %v", err)
	}
	write(t, path, string(text)+"disable: [engine-restarted]\n")
	if err := reload(t, s, path); err != nil || s.Hash() == before {
		t.Errorf("a good one: %v", err)
	}
}

func TestFault09AStormOfReloadsLeavesNothingBehind(t *testing.T) {
	s, path := calm(t, "receivers: [{name: bus, webhook: {url: 'http://127.0.0.1:1'}}]\n")
	eventually(t, 20*time.Second, "look", func() bool { return s.Ready() == nil })
	if err := reload(t, s, path); err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 25 {
				if err := reload(t, s, path); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	eventually(t, 10*time.Second, "end of the goroutines of old configurations", func() bool { return runtime.NumGoroutine() <= before+10 })
	was := s.LastLook()
	eventually(t, 10*time.Second, "look after the storm", func() bool { return s.LastLook().After(was) })
}

func TestFault11ARuleThatIsGoneTakesItsSymptomAlong(t *testing.T) {
	w, _ := sick(t)
	if n, _ := held(w); n == 0 {
		t.Fatal("nothing is held")
	}
	text, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w.path, string(text)+"disable: [requests-queueing, ttft-high, e2e-high, gpu-underused, requests-deferred]\n")
	next, err := setup.Load(w.path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.newParts(w.o, next)
	if err != nil {
		t.Fatal(err)
	}
	w.parts.Store(p)
	w.look()
	for key := range w.mind.state {
		if strings.HasPrefix(key, "requests-queueing") {
			t.Errorf("still holds %q", key)
		}
	}
	all, err := w.disk.Transitions(t.Context(), store.Range{})
	if err != nil {
		t.Fatal(err)
	}
	ended := false
	for _, x := range all {
		ended = ended || x.Symptom == "requests-queueing" && x.To == store.Inactive
	}
	if !ended {
		t.Error("its end is not in the history")
	}
}

func TestFault47WhatPanicsInALookEndsTheLookAndNotTheProcess(t *testing.T) {
	w := serve(t, t0, "urls: ['localhost:1']")
	p := *w.parts.Load()
	p.request.Settings = func(model.Labels) map[string]float64 { panic("a bad rule") }
	in, _ := w.world.samples.Instance(model.LabelsFrom(map[string]string{"job": "vllm", "instance": "a:1"}))
	for i := range int64(5) {
		in.Ensure("vllm:num_requests_running", model.LabelsFrom(map[string]string{"model_name": "m", "engine": "0"})).Add(t0.UnixMilli()-i*1000, 1)
		in.Scraped(t0.UnixMilli()-i*1000, true)
	}
	if _, err := w.Service.look(t.Context(), &p, t0, nil, false); err == nil || !strings.Contains(err.Error(), "panicked") {
		t.Errorf("got %v", err)
	}
	w.look() // with good rules all goes on
}

func TestAServiceThatDoesNotRunTakesNoConfiguration(t *testing.T) {
	w := serve(t, t0, "urls: ['localhost:1']")
	if err := w.Reload(w.o.Setup); !errors.Is(err, ErrNotRunning) {
		t.Errorf("got %v", err)
	}
}

func TestFault10AReloadKeepsTheTimersOfWhatIsAboutToBeTold(t *testing.T) {
	w := serve(t, t0, "urls: ['localhost:1']\nreceivers: [{name: r, webhook: {url: 'http://127.0.0.1:1'}}]\nroute: {receiver: r, group_wait: 2m}\n")
	f := &feeder{w: w, p: acts(t, t0, time.Hour, "seqs8-c64"), kept: map[string]any{}, target: map[string]scrape.ArchiveTarget{}}
	for len(w.mind.sent) == 0 { // until a group waits for more
		f.live(15 * time.Second)
	}
	waits := w.wall
	f.live(time.Minute)
	next, err := setup.Load(w.path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.newParts(w.o, next)
	if err != nil {
		t.Fatal(err)
	}
	w.parts.Store(p)
	for len(f.told()) == 0 {
		if w.wall.Sub(waits) > 10*time.Minute {
			t.Fatal("nothing was told")
		}
		f.live(15 * time.Second)
	}
	if d := w.wall.Sub(waits); d > 2*time.Minute+30*time.Second {
		t.Errorf("told %s after the group began to wait: the reload began the wait anew", d)
	}
	f.live(5 * time.Minute)
	if got := f.told(); len(got) != 1 {
		t.Errorf("told %v", got)
	}
}

func TestFault02AReloadThatFailsAtTheStoreLeavesTheReceiversAsTheyWere(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	path := filepath.Join(t.TempDir(), "inferdx.yml")
	config := "urls: ['localhost:1']\nstorage: {path: " + t.TempDir() + "}\nreceivers: [{name: NAME, webhook: {url: '" + b.URL + "'}}]\n"
	write(t, path, strings.ReplaceAll(config, "NAME", "bus"))
	cfg, err := setup.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), Options{Setup: cfg, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { _ = s.Run(ctx) }) // its store is taken away
	t.Cleanup(func() { stop(); all.Wait() })
	eventually(t, 10*time.Second, "start", func() bool { return !errors.Is(reload(t, s, path), ErrNotRunning) })
	if err := s.disk.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, path, strings.ReplaceAll(config, "NAME", "other"))
	if err := reload(t, s, path); err == nil {
		t.Fatal("it was taken")
	}
	now := time.Now()
	if err := s.spare.Enqueue(t.Context(), now, plan.Message{ID: "1", Receiver: "bus", Key: "k", Number: 1, Reason: plan.First, At: now, Deadline: now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "message to the receiver that there was", func() bool { return b.reasons() == "[first]" })
}

func TestAReloadKeepsHistogramsPackedOnDisk(t *testing.T) {
	t.Parallel()
	s, path := calm(t, "")
	appended := func() uint64 { return s.archive.db.Stats().Appended }
	eventually(t, 20*time.Second, "scrape", func() bool { return appended() > 1000 })
	before := s.archive.db.Stats().Series
	if err := reload(t, s, path); err != nil {
		t.Fatal(err)
	}
	was := appended()
	eventually(t, 20*time.Second, "scrape after the reload", func() bool { return appended() > was+1000 })
	if now := s.archive.db.Stats().Series; now > before+before/4 { // a page may have got some new ones
		t.Errorf("%d series are kept of what was %d", now, before)
	}
}
