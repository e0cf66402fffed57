package promadapter_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/samples/promadapter"
)

// put adds one sample per character, 15 s apart: a digit is a value, a dot is a scrape without one.
func put(st *samples.Store, name, values string, labels map[string]string) {
	x := st.Series(name, model.LabelsFrom(labels))
	for i, c := range values {
		if c != '.' {
			x.Add(began+int64(i)*15_000, float64(c-'0'))
		}
	}
}

// seen evaluates a query at every scrape: its value as a digit, a dot where nothing answers.
func seen(t *testing.T, st *samples.Store, query string, n int) string {
	t.Helper()
	e := promadapter.NewEvaluator(st, promadapter.Options{})
	var b strings.Builder
	for i := range n {
		v, err := e.Vector(context.Background(), query, time.UnixMilli(began+int64(i)*15_000))
		if err != nil {
			t.Fatal(err)
		}
		if len(v) == 0 {
			b.WriteByte('.')
		} else {
			b.WriteByte('0' + byte(v[0].F))
		}
	}
	return b.String()
}

func TestSeriesEndWhereAScrapeLacksThem(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"a series that is always there", "12345", "12345"},
		{"a late series", "..345", "..345"},
		{"a series that ends", "12...", "12..."},
		{"a gap", "12.45", "12.45"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st := samples.NewStore()
			put(st, "up", "11111", map[string]string{"instance": "a"})
			put(st, "m", tt.in, map[string]string{"instance": "a"})
			st.Finish()
			if got := seen(t, st, "m", 5); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestAFailedScrapeEndsEverySeriesButUp(t *testing.T) {
	st := samples.NewStore()
	put(st, "up", "11011", map[string]string{"instance": "a"})
	put(st, "m", "12.45", map[string]string{"instance": "a"})
	put(st, "m", "67899", map[string]string{"instance": "b"}) // another server's scrapes end nothing here
	st.Finish()
	if got := seen(t, st, `m{instance="a"}`, 5); got != "12.45" {
		t.Errorf("m is %s, want 12.45", got)
	}
	if got := seen(t, st, "up", 5); got != "11011" {
		t.Errorf("up is %s, want 11011", got)
	}
}

func TestEdgesAreSpeltAsPrometheusSpellsThem(t *testing.T) {
	st := samples.NewStore()
	put(st, "m_bucket", "12...", map[string]string{"instance": "a", "le": "1"})
	put(st, "m_bucket", "..345", map[string]string{"instance": "a", "le": "1.0"})
	st.Finish()
	if got := seen(t, st, `m_bucket{le="1.0"}`, 5); got != "12345" {
		t.Errorf("got %s: the two spellings must be one series", got)
	}
	if got := seen(t, st, `count(m_bucket)`, 5); got != "11111" {
		t.Errorf("got %s series, want one at a time", got)
	}
}

func TestMatchersSelectByEveryLabel(t *testing.T) {
	st := samples.NewStore()
	put(st, "m", "1", map[string]string{"job": "x", "instance": "a", "path": "p"})
	put(st, "m", "2", map[string]string{"job": "x", "instance": "b", "path": "p"})
	put(st, "n", "4", map[string]string{"job": "x", "instance": "b"})
	st.Finish()
	for _, tt := range []struct{ name, in, want string }{
		{"the target's label", `m{instance="b"}`, "2"},
		{"the series' label", `sum(m{path=~"p|q"})`, "3"},
		{"a label that must be missing", `sum({job="x",path=""})`, "4"},
		{"any name", `sum({instance="b"})`, "6"},
		{"none", `m{instance="c"}`, "."},
		{"not that one", `m{instance!="a"}`, "2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := seen(t, st, tt.in, 1); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestAnswersAreKeyedByInstance(t *testing.T) {
	st := samples.NewStore()
	put(st, "m", "1", map[string]string{"job": "x", "instance": "a"})
	put(st, "m", "2", map[string]string{"job": "x", "instance": "b"})
	st.Finish()
	got, err := promadapter.NewEvaluator(st, promadapter.Options{}).ByInstance("m * 2", time.UnixMilli(began))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{}
	for i, in := range st.Instances() {
		want[in.Labels.Key()] = float64(2 * (i + 1))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
