package scrape

import (
	"fmt"
	"strings"
	"testing"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// alone is a store that nobody else uses.
type alone struct{ *samples.Store }

func (a alone) Do(f func(*samples.Store, int)) { f(a.Store, 0) }

func TestLinesThatLeftThePageForGoodAreForgotten(t *testing.T) {
	st := alone{samples.NewStore()}
	l := &loop{
		pool:   NewPool(t.Context(), PoolOptions{Store: st, Keep: func(m string) bool { return strings.HasPrefix(m, "vllm:") }}),
		target: Target{Labels: model.LabelsFrom(map[string]string{"job": "vllm", "instance": "a:8000"})},
	}
	for i := range 200 {
		var text strings.Builder
		for k := range 100 {
			_, _ = fmt.Fprintf(&text, "vllm:adapter{lora=\"%d-%d\"} 1\n", i, k)
		}
		_, _ = fmt.Fprintf(&text, "vllm:running %d\n", i)
		at := int64(i+1) * 1000
		if err := l.parse(page{[]byte(text.String()), "text/plain"}, at); err != nil {
			t.Fatal(err)
		}
		l.commit(at, true)
		st.Forget(at - 10_000)
		if n := len(l.lines) + len(l.order); n > 2*101+spareLines+101 {
			t.Fatalf("%d lines are known of a page of 101", n)
		}
	}
	in, _ := st.Instance(l.target.Labels)
	if ps := in.Named("vllm:running")[0].Points; len(ps) != 10 || ps[9].V != 199 {
		t.Errorf("what stays on the page: %v", ps)
	}
}

func TestAMetricThatIsWantedFromNowOnIsReadThoughALineOfItIsJustBeingLearnt(t *testing.T) {
	st := alone{samples.NewStore()}
	p := NewPool(t.Context(), PoolOptions{Store: st, Keep: func(string) bool { return false }})
	l := &loop{pool: p, target: Target{Labels: model.LabelsFrom(map[string]string{"job": "vllm", "instance": "a:8000"})}}
	p.loops["a"] = l
	era := p.foreign.era()
	if p.wanted("vllm:running") {
		t.Fatal("wanted")
	}
	p.Keep(func(string) bool { return true }) // between the question and its answer's use
	p.foreign.add("vllm:running", era)
	if err := l.parse(page{[]byte("vllm:running 1\n"), "text/plain"}, 1000); err != nil || len(l.staged) != 1 {
		t.Errorf("%d samples, %v", len(l.staged), err)
	}
}

func TestFault24ASampleOfTheFarFutureDoesNotHideThoseThatFollow(t *testing.T) {
	st := alone{samples.NewStore()}
	l := &loop{
		pool:   NewPool(t.Context(), PoolOptions{Store: st}),
		target: Target{HonorTimestamps: true, Labels: model.LabelsFrom(map[string]string{"job": "vllm", "instance": "a:8000"})},
	}
	for i, stamp := range []string{"", " 999999999999999", ""} {
		at := int64(i+1) * 15_000
		if err := l.parse(page{[]byte(fmt.Sprintf("vllm:running %d%s\n", i, stamp)), "text/plain"}, at); err != nil {
			t.Fatal(err)
		}
		l.commit(at, true)
	}
	in, _ := st.Instance(l.target.Labels)
	if ps := in.Named("vllm:running")[0].Points; len(ps) != 2 || ps[1].T != 45_000 {
		t.Errorf("got %v", ps)
	}
}
