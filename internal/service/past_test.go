package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// shelf is a reader that notes what is read.
type shelf struct {
	asked []string
	fails bool
}

// Read implements reader.
func (s *shelf) Read(_ context.Context, w excerpt) (*samples.Store, []model.Fault, error) {
	what := "all"
	if w.sparse {
		what = "sparse"
	}
	s.asked = append(s.asked, fmt.Sprint(what, " ", w.window))
	if s.fails {
		return nil, nil, errors.New("out of order")
	}
	return samples.NewStore(), nil, nil
}

// TestLongWindowsAreReadSeldom counts what an hour of updates reads.
func TestLongWindowsAreReadSeldom(t *testing.T) {
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &shelf{}
	h := &history{plan: c.History(), from: s, window: 5 * time.Minute}
	begin := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	for i := range 60 {
		if faults := h.update(t.Context(), begin.Add(time.Duration(i)*refresh)); len(faults) > 0 {
			t.Fatal(faults)
		}
		var lengths []time.Duration
		for _, e := range h.windows(begin.Add(time.Duration(i)*refresh + 30*time.Second)) {
			if e.Length > 0 {
				lengths = append(lengths, e.Length)
			}
		}
		if d := cmp.Diff([]time.Duration{30 * time.Minute, time.Hour, 6 * time.Hour}, lengths); d != "" {
			t.Fatalf("after %d minutes: %s", i, d)
		}
	}
	times := map[string]int{}
	for _, a := range s.asked {
		times[a]++
	}
	if d := cmp.Diff(map[string]int{"sparse 30m0s": 60, "sparse 1h0m0s": 30, "sparse 6h0m0s": 5, "all 7m0s": 120}, times); d != "" {
		t.Error(d)
	}
	if slices.Contains(s.asked, "sparse 5m0s") {
		t.Error("the present is read from history")
	}
}

func TestAWindowThatCannotBeReadAnewIsGone(t *testing.T) {
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &shelf{}
	h := &history{plan: c.History(), from: s, window: 5 * time.Minute}
	begin := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	h.update(t.Context(), begin)
	s.fails = true
	h.update(t.Context(), begin.Add(refresh))
	if got := len(h.windows(begin.Add(refresh))); got != 2 { // an hour and six hours stand
		t.Errorf("%d windows after a minute", got)
	}
	h.update(t.Context(), begin.Add(20*refresh))
	if got := h.windows(begin.Add(20 * refresh)); len(got) > 0 {
		t.Errorf("%d windows after 20 minutes without an answer", len(got))
	}
}
