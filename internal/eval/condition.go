package eval

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/samples"
)

// View is one look at a recording under a condition.
type View struct {
	// Of tells several looks of one condition apart: whose arguments, which instant.
	Of      string
	Store   *samples.Store
	Request pipeline.Request
}

// Condition is a named way of seeing a recording: with less of it, or with what should not matter changed.
type Condition struct {
	Name string
	Is   string
	// Views makes the looks at one recording; the others of the corpus are there for their arguments.
	Views func(r *Recording, all []*Recording) []View
}

// window is what every look asks for; the recordings are shorter.
const window = 5 * time.Minute

func request(r *Recording, args []string) pipeline.Request {
	return pipeline.Request{At: r.Last, Window: window, Args: args}
}

// one is a condition of a single look over a changed store.
func one(name, is string, args bool, change func(*samples.Store) *samples.Store) Condition {
	return Condition{Name: name, Is: is, Views: func(r *Recording, _ []*Recording) []View {
		st := r.Store
		if change != nil {
			st = change(st)
		}
		v := View{Store: st, Request: request(r, nil)}
		if args {
			v.Request.Args = r.Args
		}
		if _, last, ok := st.Bounds(); ok && change != nil {
			v.Request.At = time.UnixMilli(last)
		}
		return []View{v}
	}}
}

// Accuracy are the conditions of the accuracy table: what is known, from everything to the engine alone.
func Accuracy() []Condition {
	return []Condition{
		one("args", "everything, with the launch arguments", true, nil),
		one("no-args", "everything but the launch arguments", false, nil),
		{Name: "foreign-args", Is: "the launch arguments of other servers of the rig", Views: foreignArgs},
		one("dcgm-default", "dcgm-exporter's default counters, no process-exporter, with arguments", true, dcgmDefault),
		one("dcgm-default-no-args", "the same without arguments", false, dcgmDefault),
		one("engine-only", "the server's own page, with arguments", true, engineOnly),
		one("engine-only-no-args", "the same without arguments", false, engineOnly),
		beside("log", "the server's log in place of the arguments", nil, withLog),
		beside("engine-only-log", "the server's own page and its log", engineOnly, withLog),
		beside("profile", "a PyTorch profile in place of the arguments", nil, withProfile),
		beside("engine-only-profile", "the server's own page and a PyTorch profile", engineOnly, withProfile),
	}
}

// beside is a condition without arguments of the recordings that have evidence of a kind beside their metrics.
func beside(name, is string, change func(*samples.Store) *samples.Store, add func(*Recording, *pipeline.Request) bool) Condition {
	base := one(name, is, false, change)
	return Condition{Name: name, Is: is, Views: func(r *Recording, all []*Recording) []View {
		views := base.Views(r, all)
		if !add(r, &views[0].Request) {
			return nil
		}
		return views
	}}
}

func withLog(r *Recording, to *pipeline.Request) bool {
	to.Log = r.Log
	return r.Log != nil
}

func withProfile(r *Recording, to *pipeline.Request) bool {
	to.Measured = r.Profile
	return r.Profile != nil
}

// Coarse are the conditions under which less is seen, or by older names.
func Coarse() []Condition {
	var out []Condition
	for _, phase := range []int64{0, 5, 10} {
		out = append(out, one(fmt.Sprintf("thinned-15s@%d", phase), "one scrape per 15 s", true,
			func(st *samples.Store) *samples.Store { return thinned(st, 15_000, phase*1000) }))
	}
	out = append(out, one("second-half", "the second half of the recording", true, secondHalf))
	for _, v := range olderReleases {
		out = append(out, one("vllm-"+v.String(), "by the names of that release", true,
			func(st *samples.Store) *samples.Store { return older(st, v) }))
	}
	return append(out,
		one("underscores", "names with _ for :", true, underscored),
		Condition{Name: "last-five", Is: "at each of the last five scrapes", Views: lastFive})
}

// Neutral are the conditions that must change nothing.
func Neutral() []Condition {
	return []Condition{
		one("shuffled", "series and samples in another order", true, func(st *samples.Store) *samples.Store { return shuffled(st, 7) }),
		one("relabelled", "other hosts, jobs, model names, one more label", true, relabelled),
		one("time-shifted", "two years later", true, func(st *samples.Store) *samples.Store { return shifted(st, 63_072_000_137) }),
		one("counter-reset", "the server's counters begin again in the middle", true, reset),
	}
}

// Conditions lists all of them.
func Conditions() []Condition { return slices.Concat(Accuracy(), Coarse(), Neutral()) }

// Pick returns the conditions of the given names.
func Pick(names ...string) ([]Condition, error) {
	var out []Condition
	var known []string
	for _, c := range Conditions() {
		known = append(known, c.Name)
		if slices.Contains(names, c.Name) {
			out = append(out, c)
		}
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil, fmt.Errorf("unknown condition %s; known are %s", n, strings.Join(known, ", "))
		}
	}
	return out, nil
}

func secondHalf(st *samples.Store) *samples.Store {
	first, last, _ := st.Bounds()
	return between(st, (first+last)/2, last)
}

// foreignArgs looks once with every other argument list of the rig.
func foreignArgs(r *Recording, all []*Recording) []View {
	var out []View
	seen := map[string]bool{strings.Join(r.Args, "\x00"): true}
	for _, o := range all {
		key := strings.Join(o.Args, "\x00")
		if o.Rig != r.Rig || o.Split == Heldout && r.Split != Heldout || seen[key] {
			continue
		}
		seen[key] = true
		out = append(out, View{Of: "args of " + o.ID, Store: r.Store, Request: request(r, o.Args)})
	}
	return out
}

func lastFive(r *Recording, _ []*Recording) []View {
	var out []View
	times := r.Scrapes[max(len(r.Scrapes)-5, 0):]
	for i, at := range times {
		v := View{Of: fmt.Sprintf("%d scrapes before the last", len(times)-1-i), Store: r.Store, Request: request(r, r.Args)}
		v.Request.At = at
		out = append(out, v)
	}
	return out
}
