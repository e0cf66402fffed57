package tsdb_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/require"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/promapi"
	"github.com/inferdx/inferdx/internal/source/tsdb"
)

// What comes out is what a Prometheus that holds the same recording gives, whole windows and parts of
// it, from memory and after a restart from the log, from the service's own folder and from beside it.
func TestKeptSamplesAreThoseAPrometheusWouldGive(t *testing.T) {
	for _, id := range []string{"base-c64", "j_down", "restart"} {
		t.Run(id, func(t *testing.T) {
			want := load(t, id)
			dir := t.TempDir()
			db := open(t, dir, tsdb.Options{})
			replayInto(t, db, want)
			if s := db.Stats(); s.Late > 0 || s.Failed > 0 || s.Appended == 0 {
				t.Fatalf("got %+v", s)
			}
			url := require.Prometheus(t, corpus+id+"/metrics.om.gz")
			first, last, _ := want.Bounds()
			scrapes := times(want.Instances()[0])
			for name, w := range map[string]samples.Window{
				"all of it":                  {From: first - 1, To: last},
				"a part, with edges on data": {From: scrapes[2], To: scrapes[len(scrapes)-3]},
			} {
				at, window := span(w)
				fetched, faults, err := promapi.Fetch(t.Context(), promapi.Options{URL: url}, promapi.Selection{At: at, Window: window, Names: names(want)})
				if err != nil || len(faults) > 0 {
					t.Fatal(err, faults)
				}
				everything := samples.Window{From: first - 1e9, To: last + 1e9}
				got, faults, err := db.Read(t.Context(), at, window, nil)
				if err != nil || len(faults) > 0 {
					t.Fatal(err, faults)
				}
				if d := cmp.Diff(flat(fetched, everything), flat(got, everything), cmpopts.EquateNaNs()); d != "" {
					t.Errorf("%s: %s", name, d)
				}
				if got := beside(t, dir, at, window); cmp.Diff(flat(fetched, everything), flat(got, everything), cmpopts.EquateNaNs()) != "" {
					t.Errorf("%s: from beside: %s", name, cmp.Diff(flat(fetched, everything), flat(got, everything), cmpopts.EquateNaNs()))
				}
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			at, window := span(samples.Window{From: first - 1, To: last})
			again, _, err := open(t, dir, tsdb.Options{}).Read(t.Context(), at, window, nil)
			if err != nil {
				t.Fatal(err)
			}
			w := samples.Window{From: first - 1, To: last}
			if d := cmp.Diff(flat(want, w), flat(again, w), cmpopts.EquateNaNs()); d != "" {
				t.Errorf("after a restart: %s", d)
			}
		})
	}
}

func names(st *samples.Store) []string {
	var out []string
	for _, in := range st.Instances() {
		out = append(out, in.Names()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func beside(t *testing.T, dir string, at time.Time, window time.Duration) *samples.Store {
	t.Helper()
	p, err := tsdb.OpenPast(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	st, faults, err := p.Select(t.Context(), tsdb.Selection{At: at, Window: window})
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	return st
}

// histogram writes one scrape of a histogram, by the texts of its edges.
func histogram(target *tsdb.Target, series map[string]*tsdb.Series, at int64, values map[string]float64) error {
	var batch []tsdb.Sample
	for _, key := range slices.Sorted(func(yield func(string) bool) {
		for k := range values {
			if !yield(k) {
				return
			}
		}
	}) {
		if series[key] == nil {
			name, labels := "h_bucket", model.Labels{{Name: "le", Value: key}, {Name: "model_name", Value: "m"}}
			if key == "sum" || key == "count" {
				name, labels = "h_"+key, labels[1:]
			}
			series[key] = target.Series(name, labels)
		}
		batch = append(batch, tsdb.Sample{Series: series[key], Point: samples.Point{T: at, V: values[key]}})
	}
	return target.Append(at, true, batch)
}

// A histogram that cannot be packed without a loss is kept series by series, scrape by scrape.
func TestEveryHistogramComesOutAsItWentIn(t *testing.T) {
	type scrape = map[string]float64
	plain := scrape{"0.1": 1, "1.0": 2, "+Inf": 3, "sum": 2.5, "count": 3}
	for name, in := range map[string]struct {
		scrapes []scrape
		series  uint64
	}{
		"as most are":                    {[]scrape{plain, {"0.1": 2, "1.0": 2, "+Inf": 4, "sum": 3.5, "count": 4}}, 2},
		"with edges in the short form":   {[]scrape{{"0.1": 1, "1": 2, "+Inf": 3, "sum": 2.5, "count": 3}}, 2},
		"with edges in the plain form":   {[]scrape{{"0.00001": 1, "1": 2, "+Inf": 3, "sum": 2.5, "count": 3}}, 2},
		"with edges of an odd form":      {[]scrape{{"0.10": 1, "1.0": 2, "+Inf": 3, "sum": 2.5, "count": 3}}, 6},
		"with +Inf alone":                {[]scrape{{"+Inf": 3, "sum": 2.5, "count": 3}}, 2},
		"without +Inf":                   {[]scrape{{"0.1": 1, "sum": 2.5, "count": 3}}, 4},
		"without a sum":                  {[]scrape{{"0.1": 1, "+Inf": 3, "count": 3}}, 4},
		"a summary":                      {[]scrape{{"sum": 2.5, "count": 3}}, 3},
		"after a restart":                {[]scrape{{"0.1": 5, "1.0": 9, "+Inf": 9, "sum": 9, "count": 9}, plain}, 2},
		"read while it was counted":      {[]scrape{plain, {"0.1": 4, "1.0": 2, "+Inf": 4, "sum": 3.5, "count": 4}}, 7},
		"with a count that lags":         {[]scrape{plain, {"0.1": 2, "1.0": 3, "+Inf": 4, "sum": 3.5, "count": 3}, plain}, 7},
		"with a sum that is no number":   {[]scrape{{"0.1": 1, "1.0": 2, "+Inf": 3, "sum": math.NaN(), "count": 3}}, 6},
		"with halves":                    {[]scrape{{"0.1": 0.5, "1.0": 2, "+Inf": 3, "sum": 1, "count": 3}}, 6},
		"with a bucket that comes later": {[]scrape{plain, {"0.1": 1, "0.5": 2, "1.0": 2, "+Inf": 3, "sum": 2.5, "count": 3}}, 2},
		"with a bucket that goes":        {[]scrape{plain, {"0.1": 1, "+Inf": 3, "sum": 2.5, "count": 3}}, 6},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, t.TempDir(), tsdb.Options{})
			target, series := db.Target(labelsOf("a:8000")), map[string]*tsdb.Series{}
			want := samples.NewStore()
			start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
			for i, values := range in.scrapes {
				at := start + int64(i)*15_000
				if err := histogram(target, series, at, values); err != nil {
					t.Fatal(err)
				}
				for key, v := range values {
					labels, metric := labelsOf("a:8000").Map(), "h_bucket"
					labels["model_name"], labels["le"] = "m", key
					if key == "sum" || key == "count" {
						metric = "h_" + key
						delete(labels, "le")
					}
					want.Series(metric, model.LabelsFrom(labels)).Add(at, v)
				}
				want.Series("up", labelsOf("a:8000")).Add(at, 1)
			}
			want.Finish()
			if s := db.Stats(); s.Late+s.Failed > 0 || s.Series != in.series {
				t.Errorf("got %+v, want %d series", s, in.series)
			}
			w := samples.Window{From: start - 1, To: start + 1e6}
			at, window := span(w)
			got, _, err := db.Read(t.Context(), at, window, nil)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(flat(want, w), flat(got, w), cmpopts.EquateNaNs()); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestReadingPicksInstancesAndMetrics(t *testing.T) {
	db := open(t, t.TempDir(), tsdb.Options{})
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, host := range []string{"a:8000", "b:8000"} {
		err := histogram(db.Target(labelsOf(host)), map[string]*tsdb.Series{}, start.UnixMilli(), map[string]float64{"0.1": 1, "+Inf": 3, "sum": 2.5, "count": 3})
		if err != nil {
			t.Fatal(err)
		}
	}
	isB := func(ls model.Labels) bool { return ls.Get("instance") == "b:8000" }
	got, _, err := db.Select(t.Context(), tsdb.Selection{At: start, Window: time.Minute, Names: []string{"h_sum"}, Only: isB})
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, in := range got.Instances() {
		if isB(in.Labels) {
			seen = append(seen, in.Names()...)
		} else if len(in.Names()) > 0 {
			t.Errorf("%v was read, too", in.Labels)
		}
	}
	if d := cmp.Diff([]string{"h_sum", "up"}, seen); d != "" {
		t.Error(d)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := db.Read(ctx, start, time.Minute, nil); err == nil {
		t.Error("reading goes on after it was called off")
	}
}

func TestLateAndDoubledSamplesAreCountedAndLeftOut(t *testing.T) {
	db := open(t, t.TempDir(), tsdb.Options{})
	target := db.Target(labelsOf("a:8000"))
	s := target.Series("running", nil)
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	for i, p := range []samples.Point{{T: start + 60_000, V: 1}, {T: start + 60_000, V: 2}, {T: start, V: 3}, {T: start + 75_000, V: 4}} {
		if err := target.Append(p.T, true, []tsdb.Sample{{Series: s, Point: p}}); err != nil {
			t.Fatalf("scrape %d: %v", i, err)
		}
	}
	want := tsdb.Stats{Appended: 5, Late: 3, Series: 2} // `up` of the second scrape says the same again
	if d := cmp.Diff(want, db.Stats()); d != "" {
		t.Error(d)
	}
	got, _, err := db.Read(t.Context(), time.UnixMilli(start+1e6), time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]samples.Point{{T: start + 60_000, V: 1}, {T: start + 75_000, V: 4}}, got.Instances()[0].Named("running")[0].Points); d != "" {
		t.Error(d)
	}
}
