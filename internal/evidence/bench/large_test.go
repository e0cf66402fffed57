package bench_test

import (
	"fmt"
	"io"
	"math"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/evidence/bench"
)

// detailed writes a result of vllm bench serve --save-detailed: each request has its gaps and its text.
func detailed(w io.Writer, requests, tokens int) error {
	list := func(name string, entry func(i int) string) error {
		if _, err := fmt.Fprintf(w, `, "%s": [`, name); err != nil {
			return err
		}
		for i := range requests {
			sep := ", "
			if i == 0 {
				sep = ""
			}
			if _, err := io.WriteString(w, sep+entry(i)); err != nil {
				return err
			}
		}
		_, err := io.WriteString(w, "]")
		return err
	}
	gaps, text := "[", `"`
	for i := range tokens - 1 {
		if i > 0 {
			gaps += ", "
		}
		gaps += "0.0200000000000001"
		text += " token"
	}
	gaps, text = gaps+"]", text+`"`
	if _, err := fmt.Fprintf(w, `{"date": "20261130-120000", "backend": "vllm", "model_id": "m", "num_prompts": %d, "request_rate": "inf", "max_concurrency": 100, "duration": 600.0, "completed": %d, "failed": 0, "request_throughput": %g`,
		requests, requests, float64(requests)/600); err != nil {
		return err
	}
	for _, l := range []struct {
		name  string
		entry func(i int) string
	}{
		{"input_lens", func(int) string { return "200" }},
		{"output_lens", func(int) string { return fmt.Sprint(tokens) }},
		{"ttfts", func(i int) string { return fmt.Sprint(0.1 + float64(i%100)/1000) }},
		{"itls", func(int) string { return gaps }},
		{"generated_texts", func(int) string { return text }},
		{"errors", func(int) string { return `""` }},
	} {
		if err := list(l.name, l.entry); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, `, "mean_ttft_ms": 149.5}`)
	return err
}

func TestADetailedResultOf300MBStreams(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const requests, tokens = 12_000, 1_000
	r, w := io.Pipe()
	counted := &counter{w: w}
	go func() { _ = w.CloseWithError(detailed(counted, requests, tokens)) }()
	var f *bench.File
	start := time.Now()
	peak := heap(t, func() {
		var err error
		if f, err = bench.Read(r); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("%d MB in %.1f s, %d MiB of heap at most", counted.n/1e6, time.Since(start).Seconds(), peak>>20)
	if counted.n < 300e6 {
		t.Fatalf("the file has %d bytes only", counted.n)
	}
	if peak > 64<<20 {
		t.Errorf("took %d MiB", peak>>20)
	}
	run := f.Runs[0]
	if got := run.Requests.Len(); got != requests {
		t.Errorf("%d single requests, want %d", got, requests)
	}
	if got := *run.TPOT.Mean; math.Abs(got-0.02) > 1e-6 {
		t.Errorf("TPOT %g, want 0.02", got)
	}
}

type counter struct {
	w io.Writer
	n int
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += n
	return n, err
}
