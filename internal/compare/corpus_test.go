package compare_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/internal/compare"
	"github.com/inferdx/inferdx/internal/content"
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

func TestExplore(t *testing.T) {
	c := catalogue(t)
	for name, s := range scenarios(t) {
		if s.FixedBy == "" {
			continue
		}
		b, a := whole(t, c, name), whole(t, c, s.FixedBy)
		r, back := compare.Run(b, a, compare.Options{}), compare.Run(a, b, compare.Options{})
		if r.Verdict != compare.Improved || back.Verdict != compare.Worse || name == "seqs5-full" || name[:5] == "long-" {
			fmt.Printf("%-20s %-18s %-11s %-11s\n   %s\n   %s\n   %s | %s\n   %v\n", name, s.FixedBy, r.Verdict, back.Verdict, r.Why, back.Why, r.Load.Note, back.Load.Note, r.Notes)
		}
	}
	why := map[string]int{}
	n := map[compare.Verdict]int{}
	for name, s := range scenarios(t) {
		in := server(t, c, name)
		if len(in.Scrapes) == 0 {
			continue
		}
		self := compare.Run(compare.Read(c, in, compare.All()), compare.Read(c, in, compare.All()), compare.Options{})
		if self.Verdict != compare.Unchanged {
			fmt.Println("SELF", s.Status, name, self.Verdict, self.Why)
		}
		first, last := in.Scrapes[0], in.Scrapes[len(in.Scrapes)-1]
		cut := func(i, j, of int64) compare.Side {
			return compare.Read(c, in, compare.Range{From: first + (last-first)*i/of, To: first + (last-first)*j/of})
		}
		for _, p := range [][2]compare.Side{{cut(0, 1, 2), cut(1, 2, 2)}, {cut(1, 2, 3), cut(2, 3, 3)}, {cut(0, 1, 3), cut(1, 2, 3)}, {cut(0, 1, 3), cut(2, 3, 3)}} {
			for _, q := range [][2]compare.Side{p, {p[1], p[0]}} {
				r := compare.Run(q[0], q[1], compare.Options{})
				if s.Status == "healthy" {
					n[r.Verdict]++
					if r.Verdict == compare.CannotTell {
						w := r.Why
						if len(w) > 50 {
							w = w[:50]
						}
						why[w]++
					}
				}
				if r.Verdict == compare.Improved || r.Verdict == compare.Worse {
					fmt.Println("AA", s.Status, name, r.Verdict, r.Why, "|", r.Load.Note)
				}
			}
		}
	}
	fmt.Println(n)
	for w, k := range why {
		fmt.Println(k, w)
	}
}
