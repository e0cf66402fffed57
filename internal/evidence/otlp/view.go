package otlp

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
)

// View is what requests show of each target in a window. It is not safe for concurrent use.
type View struct {
	targets []map[string]string
	byKey   map[string]int
	all     []request
	pieces  []piece
	of      map[int]*Traces // by target, summed up when it is asked for
	rows    map[int][]request
	passes  []passage
	notes   map[int][]string
	claims  map[int][]claim        // by target
	unclear map[int]map[string]int // requests that may be of others as well, by target and the sender's name
	// Strange counts requests that fit no target, and Ambiguous those that fit several, by the sender's name.
	Strange, Ambiguous map[string]int
}

func newView(targets []map[string]string) *View {
	v := &View{
		targets: targets, byKey: map[string]int{}, of: map[int]*Traces{}, rows: map[int][]request{}, notes: map[int][]string{},
		Strange: map[string]int{}, Ambiguous: map[string]int{}, claims: map[int][]claim{}, unclear: map[int]map[string]int{},
	}
	for i, t := range targets {
		v.byKey[model.LabelsFrom(t).Key()] = i
	}
	return v
}

// By tells the requests of several targets apart, with all of their labels.
func (t *Traces) By(targets []map[string]string) *View {
	v := newView(targets)
	apart := make([][]request, len(t.senders))
	for _, r := range t.requests {
		apart[r.server] = append(apart[r.server], r)
	}
	for i, rs := range apart {
		v.add(Matcher{}, t.senders[i], rs, nil, false, 0)
	}
	v.finish()
	return v
}

// LeftOut says which requests are nobody's, a line for each kind.
func (v *View) LeftOut() []string {
	var out []string
	for _, x := range []struct {
		of   map[string]int
		fits string
	}{{v.Strange, "fit none"}, {v.Ambiguous, "may be of several"}} {
		n := 0
		for _, k := range x.of {
			n += k
		}
		if n > 0 {
			out = append(out, fmt.Sprintf("%d traced requests of %s %s of the %d servers and were left out", n, few(x.of), x.fits, len(v.targets)))
		}
	}
	return out
}

// add attributes what a sender sent. cut says that requests had to leave early, late how many came too late to be told of.
func (v *View) add(m Matcher, s Sender, rs []request, ps []piece, cut bool, late int) {
	v.pieces = append(v.pieces, ps...)
	if len(rs) == 0 {
		return
	}
	found, server := m.find(s, v.targets), uint32(nobody)
	switch len(found) {
	case 0:
		v.Strange[s.Name()] += len(rs)
	case 1:
		server = uint32(found[0]) //nolint:gosec // an index
		v.claims[found[0]] = append(v.claims[found[0]], claimOf(s, m.sure(s, v.targets[found[0]]), rs, len(v.all)))
		if cut {
			v.note(found[0], "more requests were traced than are kept: only the latest are told of")
		}
		if late > 0 {
			v.note(found[0], fmt.Sprintf("%d traced requests ended long before they arrived and were left out: they are not of this window", late))
		}
	default:
		v.leave(s.Name(), len(rs), found...)
	}
	for i := range rs {
		rs[i].server = server
	}
	v.all = append(v.all, rs...)
}

// leave counts requests that may be of each of some targets, or of none of them.
func (v *View) leave(name string, n int, targets ...int) {
	v.Ambiguous[name] += n
	for _, i := range targets {
		if v.unclear[i] == nil {
			v.unclear[i] = map[string]int{}
		}
		v.unclear[i][name] += n
	}
}

// hintSender says how a sender becomes known.
const hintSender = "start the server with OTEL_RESOURCE_ATTRIBUTES=service.instance.id=HOST:PORT as its metrics have it, or name it in otlp.match"

func (v *View) note(target int, text string) {
	if !slices.Contains(v.notes[target], text) {
		v.notes[target] = append(v.notes[target], text)
	}
}

// finish puts parts together over all senders: a request's stages may come from other processes, and so may its decode.
func (v *View) finish() {
	v.settle()
	ordered(v.all)
	join(v.all, v.pieces)
	v.pieces = nil
	for _, r := range v.all {
		if r.server != nobody {
			v.rows[int(r.server)] = append(v.rows[int(r.server)], r)
		}
	}
	v.passes = slices.DeleteFunc(passages(v.all), func(p passage) bool { return p.from == nobody || p.to == nobody })
	v.all = nil
}

// Traces are those of a target; nil where there are none.
func (v *View) Traces(target model.Labels) *Traces {
	i, ok := v.byKey[target.Key()]
	if !ok || len(v.rows[i]) == 0 {
		return nil
	}
	if v.of[i] == nil {
		t := newTraces(v.rows[i])
		t.passing(slices.DeleteFunc(slices.Clone(v.passes), func(p passage) bool { return int(p.from) != i && int(p.to) != i }))
		v.of[i] = t
	}
	return v.of[i]
}

// Facts are what playbooks weigh of a target; nil where none of its requests was traced.
func (v *View) Facts(target model.Labels) map[string]model.Fact {
	if t := v.Traces(target); t != nil {
		return t.Facts()
	}
	return nil
}

// Notes say what of the traces was left out that may be of an entity, which is a target or a group of them.
func (v *View) Notes(entity map[string]string) []string {
	var out []string
	traced := false
	for i := range v.targets {
		if !has(v.targets[i], entity) {
			continue
		}
		traced = traced || len(v.rows[i]) > 0
		for _, n := range v.notesOf(i) {
			if !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	if len(v.Strange) > 0 && len(v.targets) > 0 && !traced && len(out) == 0 {
		n := 0
		for _, k := range v.Strange {
			n += k
		}
		out = append(out, fmt.Sprintf("%d traced requests of %s fit no server that is watched and were left out; "+hintSender, n, few(v.Strange)))
	}
	return out
}

// notesOf are those of one target.
func (v *View) notesOf(i int) []string {
	of := v.unclear[i]
	if len(of) == 0 {
		return v.notes[i]
	}
	n := 0
	for _, k := range of {
		n += k
	}
	return append(slices.Clip(v.notes[i]), fmt.Sprintf("%d traced requests of %s may be of this server or of another and were left out; "+hintSender, n, few(of)))
}

// few names some of the senders.
func few(of map[string]int) string {
	var names []string
	for n := range of {
		names = append(names, n)
	}
	slices.Sort(names)
	if len(names) > 3 {
		return strings.Join(names[:3], ", ") + fmt.Sprintf(" and %d more", len(names)-3)
	}
	return strings.Join(names, ", ")
}

// has says that a target has all labels of an entity.
func has(target, entity map[string]string) bool {
	for k, want := range entity {
		if target[k] != want {
			return false
		}
	}
	return len(entity) > 0
}

// Examples are the requests of a target, or of a group of targets, that show a harm best.
func (v *View) Examples(entity map[string]string, harm model.Harm, n int) []model.Example {
	var rs []request
	for i := range v.targets {
		if has(v.targets[i], entity) {
			rs = append(rs, v.rows[i]...)
		}
	}
	return examples(rs, harm, n)
}

// unknown says whether a time is not told.
func unknown(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }
