package promapi_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/inferdx/inferdx/internal/require"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/promapi"
	"github.com/inferdx/inferdx/internal/source/recording"
)

// flat gives the points of a store inside a window, by full series, and its metric names.
func flat(st *samples.Store, w samples.Window) (series map[string][]samples.Point, names []string) {
	series = map[string][]samples.Point{}
	for _, in := range st.Instances() {
		for _, name := range in.Names() {
			names = append(names, name)
			for _, s := range in.Named(name) {
				if ps := w.In(s.Points); len(ps) > 0 {
					series[fmt.Sprint(in.Labels, name, s.Labels)] = ps
				}
			}
		}
	}
	slices.Sort(names)
	return series, slices.Compact(names)
}

func TestARealPrometheusGivesWhatTheRecordingHolds(t *testing.T) {
	const path = "../../../corpus/base-c64/metrics.om.gz"
	url := require.Prometheus(t, path)
	want, err := recording.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	first, last, _ := want.Bounds()
	o := promapi.Options{URL: url}
	for name, w := range map[string]samples.Window{
		"all of it":                  {From: first - 1, To: last},
		"a part, with edges on data": {From: want.Instances()[0].Scrapes[3], To: want.Instances()[0].Scrapes[12]},
		"three chunks":               {From: last - 2*3600*1000 - 1000, To: last + 1000},
	} {
		t.Run(name, func(t *testing.T) {
			series, names := flat(want, w)
			begin := time.Now()
			got, faults, err := promapi.Fetch(t.Context(), o, promapi.Selection{At: time.UnixMilli(w.To), Window: time.Duration(w.To-w.From) * time.Millisecond, Names: names})
			if err != nil || len(faults) > 0 {
				t.Fatal(err, faults)
			}
			t.Logf("%d series in %s", len(series), time.Since(begin))
			fetched, _ := flat(got, samples.Window{From: first - 1e9, To: last + 1e9})
			if d := cmp.Diff(series, fetched, cmpopts.EquateNaNs()); d != "" {
				t.Error(d)
			}
		})
	}

	t.Run("discovery and up", func(t *testing.T) {
		found, err := promapi.Discover(t.Context(), o, time.UnixMilli(last), []string{"vllm:num_requests_running"})
		if err != nil || len(found) != 1 || found[0].Get("job") != "vllm" || found[0].Get("instance") == "" {
			t.Fatalf("got %v, %v", found, err)
		}
		got, _, err := promapi.Fetch(t.Context(), o, promapi.Selection{
			At: time.UnixMilli(last), Window: time.Minute, Names: []string{"vllm:num_requests_running"}, Matchers: []string{`engine="0"`},
		})
		if err != nil || len(got.Instances()) != 1 || len(got.Instances()[0].Named("up")) != 1 {
			t.Errorf("no up: %v", err)
		}
	})
}

// A job all of whose servers are down has nothing but `up`, so it cannot be found by their series.
func TestUpOfAJobThatIsDownIsReadByItsName(t *testing.T) {
	const path = "../../../corpus/j_down/metrics.om.gz"
	url := require.Prometheus(t, path)
	st, err := recording.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, last, _ := st.Bounds()
	sel := promapi.Selection{At: time.UnixMilli(last), Window: 20 * time.Second, Names: []string{"vllm:num_requests_running"}}
	without, _, err := promapi.Fetch(t.Context(), promapi.Options{URL: url}, sel)
	if err != nil || len(without.Instances()) != 0 {
		t.Fatalf("got %v, %v", without, err)
	}
	sel.Jobs = []string{"vllm"}
	with, _, err := promapi.Fetch(t.Context(), promapi.Options{URL: url}, sel)
	if err != nil || len(with.Instances()) != 1 || len(with.Instances()[0].Failed) < 3 {
		t.Errorf("got %v, %v", with, err)
	}
}
