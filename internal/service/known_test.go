package service

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/setup"
	"github.com/inferdx/inferdx/internal/source/canary"
	"github.com/inferdx/inferdx/internal/source/scrape"
)

func TestWhatACanaryFoundEndsWhenNoneIsSentAnyMore(t *testing.T) {
	w := serve(t, t0, `
urls: ['localhost:1']
canary: {enabled: true}
receivers: [{name: r, webhook: {url: 'http://127.0.0.1:1'}}]
route: {receiver: r, group_wait: 0s, group_interval: 1s}
`)
	target := model.LabelsFrom(map[string]string{"job": "vllm", "instance": "h200-0:8000"})
	f := &feeder{w: w, p: acts(t, t0, time.Hour, "base-c64"), kept: map[string]any{}, target: map[string]scrape.ArchiveTarget{}}
	failures := 0
	live := func(d time.Duration, asked bool) {
		for end := w.wall.Add(d); w.wall.Before(end); w.pass(15 * time.Second) {
			f.scrape()
			if asked {
				failures++
				w.asked(canary.Result{Target: target, At: w.wall, Reason: canary.Timeout, Failures: failures, Timeouts: failures})
			}
			w.look()
		}
	}
	told := func() string { return fmt.Sprint((&feeder{w: w}).told()) }
	live(5*time.Minute, true)
	if told() != "[first]" {
		t.Fatalf("told %s", told())
	}
	live(20*time.Minute, false)
	if told() != "[first]" {
		t.Fatalf("while no canary came back it was told %s", told())
	}
	text, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w.path, strings.Replace(string(text), "enabled: true", "enabled: false", 1))
	next, err := setup.Load(w.path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.newParts(w.o, next)
	if err != nil {
		t.Fatal(err)
	}
	w.parts.Store(p)
	live(10*time.Minute, false)
	if told() != "[first resolved]" {
		t.Errorf("told %s", told())
	}
}
