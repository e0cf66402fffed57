package compare_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/internal/compare"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/recording"
	"github.com/inferdx/inferdx/rules/signals"
)

const corpus = "../../corpus"

type scenario struct {
	Status  string `yaml:"status"`
	FixedBy string `yaml:"fixed_by"`
}

func scenarios(t testing.TB) map[string]scenario {
	t.Helper()
	paths, err := filepath.Glob(corpus + "/*/scenario.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal("no recordings", err)
	}
	out := map[string]scenario{}
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		var s scenario
		if err := yaml.Unmarshal(text, &s); err != nil {
			t.Fatal(p, err)
		}
		out[filepath.Base(filepath.Dir(p))] = s
	}
	return out
}

func catalogue(t testing.TB) *signals.Catalog {
	t.Helper()
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c.Signals
}

// server opens a recording and finds its inference server.
func server(t testing.TB, c *signals.Catalog, name string) *samples.Instance {
	t.Helper()
	names := map[string]bool{}
	for _, n := range c.Metrics() {
		names[n] = true
	}
	st, err := recording.Open(filepath.Join(corpus, name, "metrics.om.gz"), func(m string) bool { return names[m] })
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range st.Instances() {
		if _, ok := c.Engine(in); ok {
			return in
		}
	}
	t.Fatalf("%s: no inference server", name)
	return nil
}

func whole(t testing.TB, c *signals.Catalog, name string) compare.Side {
	t.Helper()
	return compare.Read(c, server(t, c, name), compare.All())
}

// Each fault has a recording of the same load with the one setting put right.
func TestEveryCureInTheCorpusIsSeenAndEveryRelapse(t *testing.T) {
	c := catalogue(t)
	pairs := 0
	for name, s := range scenarios(t) {
		if s.FixedBy == "" {
			continue
		}
		pairs++
		fault, cure := whole(t, c, name), whole(t, c, s.FixedBy)
		if r := compare.Run(fault, cure, compare.Options{}); r.Verdict != compare.Improved || !r.Load.Matched {
			t.Errorf("%s -> %s is %s: %s (%s)", name, s.FixedBy, r.Verdict, r.Why, r.Load.Note)
		}
		if r := compare.Run(cure, fault, compare.Options{}); r.Verdict != compare.Worse {
			t.Errorf("%s -> %s is %s: %s (%s)", s.FixedBy, name, r.Verdict, r.Why, r.Load.Note)
		}
	}
	t.Logf("%d pairs", pairs)
	if pairs < 15 {
		t.Errorf("only %d pairs", pairs)
	}
}

func TestARecordingAgainstItselfIsUnchangedOrTooShort(t *testing.T) {
	c := catalogue(t)
	n := map[compare.Verdict]int{}
	for name := range scenarios(t) {
		s := whole(t, c, name)
		r := compare.Run(s, s, compare.Options{})
		n[r.Verdict]++
		if r.Verdict == compare.CannotTell && r.Before.Scrapes > 6 && r.Before.FirstTokens >= 20 && !s.Down {
			t.Errorf("%s against itself: %s", name, r.Why)
		}
	}
	t.Log(n)
	if n[compare.Improved]+n[compare.Worse] > 0 {
		t.Error("a recording is better or worse than itself")
	}
}

// Halves and thirds of a healthy recording are the same server under the same load.
func TestPartsOfAHealthyRecordingAreNeverImprovedOrWorse(t *testing.T) {
	c := catalogue(t)
	all, short := 0, 0
	n := map[compare.Verdict]int{}
	for name, s := range scenarios(t) {
		if s.Status != "healthy" {
			continue
		}
		in := server(t, c, name)
		first, last := in.Scrapes[0], in.Scrapes[len(in.Scrapes)-1]
		part := func(i, of int64) compare.Side {
			return compare.Read(c, in, compare.Range{From: first + (last-first)*i/of, To: first + (last-first)*(i+1)/of})
		}
		for _, p := range [][2]compare.Side{{part(0, 2), part(1, 2)}, {part(0, 3), part(1, 3)}, {part(1, 3), part(2, 3)}, {part(0, 3), part(2, 3)}} {
			for _, q := range [][2]compare.Side{p, {p[1], p[0]}} {
				r := compare.Run(q[0], q[1], compare.Options{})
				all++
				n[r.Verdict]++
				if min(r.Before.Scrapes, r.After.Scrapes) < 6 || min(r.Before.FirstTokens, r.After.FirstTokens) < 20 {
					short++
				}
				if r.Verdict == compare.Improved || r.Verdict == compare.Worse {
					t.Errorf("%s: %s: %s (%s)", name, r.Verdict, r.Why, r.Load.Note)
				}
			}
		}
	}
	t.Logf("%d comparisons, %d of them too short to tell: %v", all, short, n)
	if all-short < 40 {
		t.Errorf("only %d comparisons had enough to tell", all-short)
	}
}

// Eight clients instead of 64 at the same cap wait less and finish as many requests a second; that is no cure.
func TestFewerClientsAreNoImprovement(t *testing.T) {
	c := catalogue(t)
	r := compare.Run(whole(t, c, "seqs8-c64"), whole(t, c, "base-c8"), compare.Options{})
	if r.Verdict != compare.CannotTell || r.Load.Matched {
		t.Errorf("%s: %s (%s)", r.Verdict, r.Why, r.Load.Note)
	}
}

func TestABoundStaysABound(t *testing.T) {
	c := catalogue(t)
	r := compare.Run(whole(t, c, "seqs8-c64"), whole(t, c, "base-c64"), compare.Options{})
	for _, m := range r.Metrics {
		if m.Signal != "tpot_p99_s" {
			continue
		}
		if m.BeforeBound != model.AtMost || *m.Before != 0.01 {
			t.Errorf("TPOT P99 before is %v %v, want at most 0.01", m.BeforeBound, *m.Before)
		}
		if m.RatioBound != model.AtLeast || m.Interval == nil || m.Interval[1] != nil {
			t.Errorf("what came from the floor is a ratio of %v, interval %v: want at least, open above", m.RatioBound, m.Interval)
		}
	}
}

func TestTheSameInputGivesTheSameAnswer(t *testing.T) {
	c := catalogue(t)
	b, a := whole(t, c, "smallkv-kv"), whole(t, c, "base-kv")
	if diff := cmp.Diff(compare.Run(b, a, compare.Options{}), compare.Run(b, a, compare.Options{})); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyWhatCameAfterTheRestartCounts(t *testing.T) {
	c := catalogue(t)
	r := compare.Run(whole(t, c, "chat3"), whole(t, c, "restart"), compare.Options{})
	if !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "after: the server restarted") }) {
		t.Errorf("the restart is not told: %q", r.Notes)
	}
	if r.Verdict == compare.Worse {
		t.Errorf("a restart alone is %s: %s", r.Verdict, r.Why)
	}
}

func TestAServerThatStoppedAnsweringIsWorse(t *testing.T) {
	c := catalogue(t)
	up, down := whole(t, c, "chat3"), whole(t, c, "down")
	if r := compare.Run(up, down, compare.Options{}); r.Verdict != compare.Worse {
		t.Errorf("%s: %s", r.Verdict, r.Why)
	}
	if r := compare.Run(down, up, compare.Options{}); r.Verdict != compare.Improved {
		t.Errorf("%s: %s", r.Verdict, r.Why)
	}
}

func TestNobodyAskedIsNoVerdict(t *testing.T) {
	c := catalogue(t)
	r := compare.Run(whole(t, c, "chat3"), whole(t, c, "h_idle"), compare.Options{})
	if r.Verdict != compare.CannotTell || !strings.Contains(r.Why, "after saw no request") {
		t.Errorf("%s: %s", r.Verdict, r.Why)
	}
}

func BenchmarkCompare(b *testing.B) {
	c := catalogue(b)
	before, after := server(b, c, "seqs8-c64"), server(b, c, "base-c64")
	for b.Loop() {
		compare.Run(compare.Read(c, before, compare.All()), compare.Read(c, after, compare.All()), compare.Options{})
	}
}
