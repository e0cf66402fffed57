package signals

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/recording"
)

// TestAKeptBindingChangesNoFrame scrapes recordings on, sample by sample, with series and servers that
// come and go, and looks with the binding of the last time and with none.
func TestAKeptBindingChangesNoFrame(t *testing.T) {
	c, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dp2", "restart", "down", "base-c64"} {
		t.Run(name, func(t *testing.T) {
			from, err := recording.Open("../../corpus/"+name+"/metrics.om.gz", nil)
			if err != nil {
				t.Fatal(err)
			}
			first, last, _ := from.Bounds()
			st, kept, entities := samples.NewStore(), NewBinding(), 0
			const steps = 12
			for i := range int64(steps) {
				w := samples.Window{From: first - 1 + (last-first+1)*i/steps, To: first + (last-first)*(i+1)/steps}
				scrape(st, from, w, int(i))
				st.Forget(w.To - (last-first)/3)
				req := Request{At: time.UnixMilli(w.To), Window: 5 * time.Minute, Binding: kept}
				got := flatten(c, c.Frame(st, req))
				req.Binding = nil
				if d := cmp.Diff(flatten(c, c.Frame(st, req)), got); d != "" {
					t.Fatalf("step %d: without (-) and with (+) the binding:\n%s", i, d)
				}
				if len(kept.instances) != len(st.Instances()) {
					t.Errorf("step %d: %d instances are bound, %d are there", i, len(kept.instances), len(st.Instances()))
				}
				entities += len(got)
			}
			if entities == 0 {
				t.Error("no frame had an entity")
			}
		})
	}
}

// scrape appends what a recording holds of a window. Every third metric comes at the fourth step only,
// another third ends there.
func scrape(st, from *samples.Store, w samples.Window, step int) {
	for _, in := range from.Instances() {
		into, _ := st.Instance(in.Labels)
		for i, name := range in.Names() {
			if i%3 == 1 && step < 4 || i%3 == 2 && step >= 4 {
				continue
			}
			for _, s := range in.Named(name) {
				if ps := w.In(s.Points); len(ps) > 0 {
					x := into.Ensure(name, s.Labels)
					for _, p := range ps {
						x.Add(p.T, p.V)
					}
				}
			}
		}
		for _, at := range in.Scrapes {
			if at > w.From && at <= w.To {
				into.Scraped(at, true)
			}
		}
		for _, at := range in.Failed {
			if at > w.From && at <= w.To {
				into.Scraped(at, false)
			}
		}
	}
}

// flatten lists every value, trend and missing signal by entity.
func flatten(c *Catalog, f *model.Frame) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, e := range f.Entities.All() {
		all := map[string]any{"engine": e.Engine, "missing": f.Missing(e.ID), "span": f.Span(e.ID)}
		for _, id := range append(c.IDs(), f.Signals()...) {
			if v, ok := f.Get(e.ID, id); ok {
				all[id] = v
			}
			if ps := f.Trend(e.ID, id); ps != nil {
				all["trend of "+id] = ps
			}
		}
		out[string(e.Scope)+" "+e.Labels.Key()] = all
	}
	return out
}

func TestAServerThatLeftIsDroppedFromTheBinding(t *testing.T) {
	c, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	st, kept := samples.NewStore(), NewBinding()
	for i, instance := range []string{"old:8000", "new:8000"} {
		at := int64(i+1) * 60_000
		in, _ := st.Instance(model.LabelsFrom(map[string]string{"job": "vllm", "instance": instance}))
		in.Ensure("vllm:num_requests_running", nil).Add(at, 1)
		in.Scraped(at, true)
		st.Forget(at - 30_000)
		f := c.Frame(st, Request{At: time.UnixMilli(at), Window: time.Minute, Binding: kept})
		if f.Entities.Len() != 1 || f.Entities.Get(0).Name() != instance || len(kept.instances) != 1 {
			t.Errorf("at %d: entities %v, %d bound", at, f.Entities.All(), len(kept.instances))
		}
	}
}
