package samples_test

import (
	"slices"
	"testing"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

func fetched(t *testing.T, ups map[int64]float64, running map[int64]float64) *samples.Store {
	t.Helper()
	st := samples.NewStore()
	own := model.LabelsFrom(map[string]string{"job": "vllm", "instance": "a:8000"})
	for at, v := range ups {
		st.Series("up", own).Add(at, v)
	}
	for at, v := range running {
		st.Series("vllm:num_requests_running", own).Add(at, v)
	}
	st.Finish()
	return st
}

func points(st *samples.Store, name string) []samples.Point {
	return st.Instances()[0].Named(name)[0].Points
}

func TestAbsorbTakesOnlyWhatIsYounger(t *testing.T) {
	kept := samples.NewStore()
	kept.Absorb(fetched(t, map[int64]float64{10: 1, 20: 1}, map[int64]float64{10: 1, 20: 2}))
	kept.Absorb(fetched(t, map[int64]float64{20: 1, 30: 0, 40: 1}, map[int64]float64{20: 9, 40: 4}))
	in := kept.Instances()[0]
	if !slices.Equal(in.Scrapes, []int64{10, 20, 40}) || !slices.Equal(in.Failed, []int64{30}) {
		t.Errorf("scrapes %v, failed %v", in.Scrapes, in.Failed)
	}
	if got := points(kept, "vllm:num_requests_running"); !slices.Equal(got, []samples.Point{{T: 10, V: 1}, {T: 20, V: 2}, {T: 40, V: 4}}) {
		t.Errorf("got %v", got)
	}
}

func TestASeriesThatArrivesLateIsNotLostToOneThatIsAhead(t *testing.T) {
	kept := samples.NewStore()
	kept.Absorb(fetched(t, map[int64]float64{10: 1, 20: 1}, map[int64]float64{10: 1}))
	kept.Absorb(fetched(t, map[int64]float64{10: 1, 20: 1}, map[int64]float64{10: 1, 20: 2}))
	if got := points(kept, "vllm:num_requests_running"); len(got) != 2 {
		t.Errorf("got %v", got)
	}
}

func TestAbsorbingKeepsNothingOfTheOther(t *testing.T) {
	kept, other := samples.NewStore(), fetched(t, map[int64]float64{10: 1}, map[int64]float64{10: 1})
	kept.Absorb(other)
	other.Instances()[0].Named("vllm:num_requests_running")[0].Points[0].V = 99
	if got := points(kept, "vllm:num_requests_running"); got[0].V != 1 {
		t.Errorf("got %v", got)
	}
}
