package service

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/playback"
	"github.com/inferdx/inferdx/internal/source/recording"
)

// BenchmarkLook is one evaluation of 1,000 servers, every one of them under the demo's fault or cured.
func BenchmarkLook(b *testing.B) {
	for _, name := range []string{"base-c64", "seqs8-c64"} {
		b.Run(name, func(b *testing.B) {
			w := serve(b, t0, "urls: localhost:1")
			fill(b, w, name, 1000)
			w.pass(5 * time.Minute)
			if err := w.evaluate(b.Context()); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				w.pass(15 * time.Second)
				w.mind.at = w.wall
				if _, err := w.Service.look(b.Context(), w.parts.Load(), t0.Add(5*time.Minute), w.mind.state, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fill puts five minutes of a recording into the world, for many servers.
func fill(b *testing.B, w *watched, name string, servers int) {
	b.Helper()
	types := map[string]string{}
	st, err := recording.Options{Type: func(f, k string) { types[f] = k }}.Open("../../corpus/" + name + "/metrics.om.gz")
	if err != nil {
		b.Fatal(err)
	}
	p, err := playback.New(t0.Add(-time.Hour), playback.Act{Recording: playback.Recording{Samples: st, Types: types}})
	if err != nil {
		b.Fatal(err)
	}
	wanted := map[string]bool{}
	for _, m := range w.parts.Load().setup.Content.Signals.Metrics() {
		wanted[m] = true
	}
	for at := t0; !at.After(t0.Add(5 * time.Minute)); at = at.Add(15 * time.Second) {
		var page strings.Builder
		p.Page(&page, "vllm", at)
		for i := range servers {
			in, _ := w.world.samples.Instance(model.LabelsFrom(map[string]string{"job": "vllm", "instance": fmt.Sprintf("10.0.%d.%d:8000", i/250, i%250)}))
			for line := range strings.Lines(page.String()) {
				series, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
				metric, labels, ok := strings.Cut(series, "{")
				if !ok || !wanted[metric] {
					continue
				}
				ls := map[string]string{}
				for pair := range strings.SplitSeq(labels, `",`) {
					k, v, _ := strings.Cut(pair, `="`)
					ls[k] = strings.TrimSuffix(v, `"`)
				}
				v, err := strconv.ParseFloat(value, 64)
				if err != nil {
					b.Fatal(err)
				}
				in.Ensure(metric, model.LabelsFrom(ls)).Add(at.UnixMilli(), v)
			}
			in.Scraped(at.UnixMilli(), true)
		}
	}
}
