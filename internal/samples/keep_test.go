package samples_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

func labels(instance, le string) model.Labels {
	return model.LabelsFrom(map[string]string{"job": "j", "instance": instance, "le": le})
}

func TestAStoreThatIsScrapedOnKeepsWhatIsYoung(t *testing.T) {
	st := samples.NewStore()
	steady, passing := st.Series("m_bucket", labels("a", "1")), st.Series("m_bucket", labels("a", "2"))
	in := st.Instances()[0]
	for at := int64(1); at <= 40; at++ {
		steady.Add(at, float64(at))
		if at <= 10 {
			passing.Add(at, 1)
		}
		in.Scraped(at, at != 30)
		st.Forget(at - 20)
	}
	if n := len(steady.Points); n != 20 || steady.Points[0].T != 21 || steady.Points[19].V != 40 {
		t.Errorf("got %v", steady.Points)
	}
	if n := cap(steady.Points); n > 30 {
		t.Errorf("room for %d samples is kept for 20", n)
	}
	if got := in.Named("m_bucket"); len(got) != 1 || got[0] != steady {
		t.Errorf("got %v, want the series that is still exported", got)
	}
	if d := cmp.Diff([]int64{30}, in.Failed); d != "" || len(in.Scrapes) != 19 || in.Scrapes[0] != 21 {
		t.Errorf("scrapes %v, %s", in.Scrapes, d)
	}
}

func TestASeriesThatComesBackIsANewOneBesideThoseThatStayed(t *testing.T) {
	st := samples.NewStore()
	first, other := st.Series("m", labels("a", "")), st.Series("m", labels("a", "2"))
	first.Add(1, 1)
	other.Add(5, 1)
	in := st.Instances()[0]
	shape := in.Shape()
	st.Forget(3)
	if in.Shape() == shape {
		t.Error("the shape is as before though a series went")
	}
	if again := st.Series("m", labels("a", "")); again == first {
		t.Error("what was dropped is handed out again")
	}
	if st.Series("m", labels("a", "2")) != other || len(in.Named("m")) != 2 {
		t.Errorf("got %v", in.Named("m"))
	}
}

func TestAnInstanceWithNothingLeftIsForgotten(t *testing.T) {
	st := samples.NewStore()
	st.Series("m", labels("gone", "")).Add(1, 1)
	st.Series("m", labels("failing", ""))
	st.Instances()[0].Scraped(1, true)
	st.Instances()[1].Scraped(9, false)
	st.Forget(5)
	if got := st.Instances(); len(got) != 1 || got[0].Labels.Get("instance") != "failing" {
		t.Errorf("got %v, want the one whose scrapes fail", got)
	}
	if in, _ := st.Instance(labels("gone", "")); len(in.Names()) != 0 || len(st.Instances()) != 2 {
		t.Error("the instance did not start anew")
	}
}

func TestReplicasShareTheirLabels(t *testing.T) {
	st := samples.NewStore()
	a, b := st.Series("m", labels("a", "1")), st.Series("n", labels("b", "1"))
	if &a.Labels[0] != &b.Labels[0] {
		t.Error("equal label sets are held twice")
	}
}

func TestAWindowLeavesOlderAndYoungerSamplesOut(t *testing.T) {
	var ps []samples.Point
	for at := range int64(30) {
		ps = append(ps, samples.Point{T: at})
	}
	for _, w := range []samples.Window{{-1, 40}, {2, 40}, {7, 40}, {8, 40}, {20, 25}, {3, 5}, {7, 7}, {29, 40}, {40, 50}, {-9, -2}} {
		var want []samples.Point
		for _, p := range ps {
			if p.T > w.From && p.T <= w.To {
				want = append(want, p)
			}
		}
		if got := w.In(ps); len(got) != len(want) || len(got) > 0 && got[0] != want[0] {
			t.Errorf("%v: got %v, want %v", w, got, want)
		}
	}
}
