package service

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/playback"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/recording"
	"github.com/inferdx/inferdx/internal/source/scrape"
	"github.com/inferdx/inferdx/internal/store"
	"github.com/inferdx/inferdx/notifiers"
)

// acts are recordings that follow each other, the server started anew in between.
func acts(t *testing.T, begin time.Time, lasts time.Duration, names ...string) *playback.Player {
	t.Helper()
	var all []playback.Act
	for i, name := range names {
		types := map[string]string{}
		st, err := recording.Options{Type: func(f, k string) { types[f] = k }}.Open(filepath.Join("..", "..", "corpus", name, "metrics.om.gz"))
		if err != nil {
			t.Fatal(err)
		}
		a := playback.Act{Recording: playback.Recording{Samples: st, Types: types}, Lasts: lasts, Skip: 8 * time.Second}
		if i > 0 {
			a.Restarts, a.Away = "vllm", 30*time.Second
		}
		all = append(all, a)
	}
	p, err := playback.New(begin, all...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// feeder scrapes a player without a network, at whatever time the test tells.
type feeder struct {
	w      *watched
	p      *playback.Player
	kept   map[string]any
	target map[string]scrape.ArchiveTarget
}

func (f *feeder) scrape() {
	at := f.w.wall.UnixMilli()
	for _, job := range f.p.Jobs() {
		in, _ := f.w.world.samples.Instance(model.LabelsFrom(map[string]string{"job": job, "instance": "h200-0:8000"}))
		if f.target[job] == nil {
			f.target[job] = f.w.archive.Target(in.Labels)
		}
		var page strings.Builder
		answered := f.p.Page(&page, job, f.w.wall)
		var series []any
		var points []samples.Point
		for line := range strings.Lines(page.String()) {
			i := strings.LastIndexByte(line, ' ')
			v, err := strconv.ParseFloat(strings.TrimSpace(line[i:]), 64)
			if err != nil {
				f.w.t.Fatal(err)
			}
			name, labels := split(line[:i])
			x := in.Ensure(name, labels)
			x.Add(at, v)
			if f.kept[job+line[:i]] == nil {
				f.kept[job+line[:i]] = f.target[job].Series(name, labels)
			}
			series, points = append(series, f.kept[job+line[:i]]), append(points, samples.Point{T: at, V: v})
		}
		in.Scraped(at, answered)
		f.target[job].Append(at, answered, series, points)
	}
}

func split(series string) (string, model.Labels) {
	name, rest, _ := strings.Cut(series, "{")
	labels := map[string]string{}
	for pair := range strings.SplitSeq(strings.TrimSuffix(rest, "}"), `",`) {
		if k, v, ok := strings.Cut(pair, `="`); ok {
			labels[k] = strings.TrimSuffix(v, `"`)
		}
	}
	return name, model.LabelsFrom(labels)
}

// live lets time go by, with a scrape and a look every 15 s.
func (f *feeder) live(d time.Duration) {
	f.w.t.Helper()
	for end := f.w.wall.Add(d); f.w.wall.Before(end); f.w.pass(15 * time.Second) {
		f.scrape()
		f.w.look()
		f.w.trials.all.Wait()
	}
}

func (f *feeder) told() []string {
	all, err := f.w.disk.Notifications(f.w.t.Context(), store.NotificationQuery{})
	if err != nil {
		f.w.t.Fatal(err)
	}
	var out []string
	for _, n := range slices.Backward(all) {
		out = append(out, string(n.Message.Reason))
	}
	return out
}

func TestACureIsVerifiedToldAndRememberedWhenTheProblemComesBack(t *testing.T) {
	w := serve(t, t0, "urls: ['localhost:1']\nreceivers: [{name: r, webhook: {url: 'http://127.0.0.1:1'}}]\n")
	f := &feeder{w: w, p: acts(t, t0, 20*time.Minute, "seqs8-c64", "base-c64", "seqs8-c64"), kept: map[string]any{}, target: map[string]scrape.ArchiveTarget{}}
	f.live(20 * time.Minute)
	first, err := w.disk.Notifications(t.Context(), store.NotificationQuery{})
	if err != nil || len(first) != 1 {
		t.Fatalf("%d messages, %v", len(first), err)
	}
	m := first[0].Message
	if err := w.Answer(t.Context(), notifiers.Answer{Kind: notifiers.Applied, Key: m.Key, Receiver: m.Receiver, Cause: "max-num-seqs-too-low", User: "ann", At: w.wall}); err != nil {
		t.Fatal(err)
	}
	f.live(20 * time.Minute)
	if got := fmt.Sprint(f.told()); !strings.Contains(got, "verified") || !strings.Contains(got, "resolved") {
		t.Fatalf("told: %s", got)
	}
	outcomes, err := w.disk.Outcomes(t.Context(), store.Range{})
	if err != nil || len(outcomes) != 1 || outcomes[0].Verdict != "improved" || outcomes[0].Cause != "max-num-seqs-too-low" {
		t.Fatalf("outcomes: %+v, %v", outcomes, err)
	}
	f.live(15 * time.Minute)
	for _, d := range w.last.diagnoses {
		if strings.Contains(strings.Join(d.Notes, "\n"), "improved it here") {
			return
		}
	}
	t.Errorf("what helped is not said again: %v", w.last.diagnoses[0].Notes)
}
