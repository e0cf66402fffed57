package playback_test

import (
	"maps"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/playback"
	"github.com/inferdx/inferdx/internal/source/recording"
)

var t0 = time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)

func read(t *testing.T, name string) playback.Recording {
	t.Helper()
	types := map[string]string{}
	o := recording.Options{Type: func(family, kind string) { types[family] = kind }}
	st, err := o.Open(filepath.Join("..", "..", "corpus", name, "metrics.om.gz"))
	if err != nil {
		t.Fatal(err)
	}
	return playback.Recording{Samples: st, Types: types}
}

func page(t *testing.T, p *playback.Player, job string, after time.Duration) map[string]float64 {
	t.Helper()
	var b strings.Builder
	if !p.Page(&b, job, t0.Add(after)) {
		return nil
	}
	out := map[string]float64{}
	for line := range strings.Lines(b.String()) {
		i := strings.LastIndexByte(line, ' ')
		v, err := strconv.ParseFloat(strings.TrimSpace(line[i:]), 64)
		if err != nil {
			t.Fatal(err)
		}
		out[line[:i]] = v
	}
	return out
}

func TestCountersGrowHoweverOftenARecordingIsRepeated(t *testing.T) {
	p, err := playback.New(t0, playback.Act{Recording: read(t, "seqs8-c64")})
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range p.Jobs() {
		before := page(t, p, job, 0)
		if len(before) == 0 {
			t.Fatalf("%s shows nothing", job)
		}
		for s := 1; s < 200; s += 3 {
			now := page(t, p, job, time.Duration(s)*time.Second)
			for series, v := range now {
				grows := strings.Contains(series, "_total") || strings.Contains(series, "_bucket") || strings.Contains(series, "_count")
				if old, ok := before[series]; ok && grows && v < old {
					t.Fatalf("after %d s %s fell from %v to %v", s, series, old, v)
				}
			}
			maps.Copy(before, now)
		}
	}
}

func TestWhatCountsRequestsStaysWhole(t *testing.T) {
	p, err := playback.New(t0, playback.Act{Recording: read(t, "base-c64")})
	if err != nil {
		t.Fatal(err)
	}
	for _, after := range []time.Duration{0, time.Minute, time.Hour + 7*time.Second} {
		for series, v := range page(t, p, "vllm", after) {
			if strings.Contains(series, "_bucket{") && v != math.Trunc(v) {
				t.Errorf("after %s %s is %v", after, series, v)
			}
		}
	}
}

func TestARepeatedRecordingKeepsItsRate(t *testing.T) {
	p, err := playback.New(t0, playback.Act{Recording: read(t, "seqs8-c64")})
	if err != nil {
		t.Fatal(err)
	}
	sum := func(after time.Duration) (v float64) {
		for series, x := range page(t, p, "vllm", after) {
			if strings.HasPrefix(series, "vllm:generation_tokens_total") {
				v += x
			}
		}
		return v
	}
	once := (sum(34*time.Second) - sum(0)) / 34
	often := (sum(time.Hour) - sum(0)) / 3600
	if ratio := often / once; ratio < 0.95 || ratio > 1.05 {
		t.Errorf("%v tokens/s in an hour, %v in the recording", often, once)
	}
}

func TestAnActThatRestartsAServerBeginsAnewAndLeavesTheHostAlone(t *testing.T) {
	p, err := playback.New(t0,
		playback.Act{Recording: read(t, "seqs8-c64"), Lasts: 5 * time.Minute},
		playback.Act{Recording: read(t, "base-c64"), Restarts: "vllm", Away: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if page(t, p, "vllm", 5*time.Minute+10*time.Second) != nil {
		t.Error("it answers while it is started")
	}
	sum := func(job, prefix string, after time.Duration) (v float64) {
		for series, x := range page(t, p, job, after) {
			if strings.HasPrefix(series, prefix) {
				v += x
			}
		}
		return v
	}
	old, anew := sum("vllm", "vllm:prompt_tokens_total", 299*time.Second), sum("vllm", "vllm:prompt_tokens_total", 321*time.Second)
	if anew >= old {
		t.Errorf("prompt tokens go on from %v to %v", old, anew)
	}
	if a, b := sum("vllm", "process_start_time_seconds", 0), sum("vllm", "process_start_time_seconds", 321*time.Second); b <= a {
		t.Errorf("started at %v, then at %v", a, b)
	}
	if a, b := sum("node", "node_cpu_seconds_total", 299*time.Second), sum("node", "node_cpu_seconds_total", 301*time.Second); b < a {
		t.Errorf("the host's CPU time fell from %v to %v", a, b)
	}
}
