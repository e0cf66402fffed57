package tsdb_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/recording"
	"github.com/inferdx/inferdx/internal/source/tsdb"
)

const corpus = "../../../corpus/"

func open(t testing.TB, dir string, o tsdb.Options) *tsdb.DB {
	t.Helper()
	db, err := tsdb.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func load(t testing.TB, id string) *samples.Store {
	t.Helper()
	st, err := recording.Open(corpus+id+"/metrics.om.gz", nil)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// replayInto writes a recording scrape by scrape, as a service would have.
func replayInto(t testing.TB, db *tsdb.DB, st *samples.Store) {
	t.Helper()
	for _, in := range st.Instances() {
		target := db.Target(in.Labels)
		type cursor struct {
			series *tsdb.Series
			points []samples.Point
		}
		var all []*cursor
		for _, name := range in.Names() {
			for _, s := range in.Named(name) {
				if name != "up" {
					all = append(all, &cursor{target.Series(name, s.Labels), s.Points})
				}
			}
		}
		for _, at := range times(in) {
			var batch []tsdb.Sample
			for _, c := range all {
				if len(c.points) > 0 && c.points[0].T == at {
					batch = append(batch, tsdb.Sample{Series: c.series, Point: c.points[0]})
					c.points = c.points[1:]
				}
			}
			if err := target.Append(at, slices.Contains(in.Scrapes, at), batch); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func times(in *samples.Instance) []int64 {
	all := slices.Concat(in.Scrapes, in.Failed)
	slices.Sort(all)
	return all
}

// flat gives the points of a store in a window by full series, and when its instances answered.
func flat(st *samples.Store, w samples.Window) map[string][]samples.Point {
	out := map[string][]samples.Point{}
	for _, in := range st.Instances() {
		for _, name := range in.Names() {
			for _, s := range in.Named(name) {
				if ps := w.In(s.Points); len(ps) > 0 {
					out[fmt.Sprint(in.Labels, name, s.Labels)] = ps
				}
			}
		}
		for what, ts := range map[string][]int64{"scrapes": in.Scrapes, "failed": in.Failed} {
			for _, t := range ts {
				if t > w.From && t <= w.To {
					key := fmt.Sprint(in.Labels, what)
					out[key] = append(out[key], samples.Point{T: t})
				}
			}
		}
	}
	return out
}

func labelsOf(instance string) model.Labels {
	return model.LabelsFrom(map[string]string{"instance": instance, "job": "vllm"})
}

func span(w samples.Window) (at time.Time, window time.Duration) {
	return time.UnixMilli(w.To), time.Duration(w.To-w.From) * time.Millisecond
}
