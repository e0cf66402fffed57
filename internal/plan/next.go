package plan

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// problem is a diagnosis that fires.
type problem struct {
	*model.Diagnosis
	key        string
	labels     map[string]string
	suppressed string // by what, in every row; "" when it may be told
}

// round is one evaluation.
type round struct {
	p    *Policy
	in   Input
	out  Decision
	next Sent

	places   []place
	problems []*problem
	alive    map[string]*model.Diagnosis // all that is seen now, filled where something was told before
	held     map[string]bool
	rows     map[Slot]*row
}

// row is what fires now of one row of messages.
type row struct {
	place    place
	labels   map[string]string
	problems []*problem
}

// Next decides what to send, given what was sent. It changes none of its arguments, and gives the same
// answer each time it is asked the same: a process that dies before it stored the answer decides it again.
func Next(sent Sent, p *Policy, in Input) Decision {
	r := &round{p: p, in: in, next: sent.clone(), rows: map[Slot]*row{}}
	r.out.Suppressed = map[string]int{}
	r.queueOutcomes()
	if !in.Warming {
		r.look()
		r.inhibit()
		r.silence()
		r.route()
		r.decide()
	}
	r.out.Sent = r.next
	return r.out
}

// queueOutcomes lays verified changes where the target's problem was told of.
func (r *round) queueOutcomes() {
	for _, o := range r.in.Outcomes {
		key := entity(model.ScopeTarget, o.Target)
		for slot, e := range r.next {
			if m := e.Members[key]; m != nil && m.Told && e.Number > 0 {
				e = e.clone()
				e.Outcomes = append(e.Outcomes, o)
				r.next[slot] = e
			}
		}
	}
}

// look parts what fires from what was only seen.
func (r *round) look() {
	r.alive = map[string]*model.Diagnosis{}
	r.held = map[string]bool{}
	told := len(r.next) > 0
	for i := range r.in.Diagnoses {
		d := &r.in.Diagnoses[i]
		harm := fires(d)
		if !harm && !told {
			continue
		}
		key := entity(d.Scope, d.Target)
		if r.alive[key] = d; harm {
			r.problems = append(r.problems, &problem{Diagnosis: d, key: key, labels: Labels(*d, r.p.External)})
		}
	}
	for _, h := range r.in.Held {
		r.held[entity(h.Scope, h.Target)] = true
	}
}

func (r *round) inhibit() {
	for i := range r.p.Inhibit {
		rule := &r.p.Inhibit[i]
		sources := map[string]bool{}
		for _, x := range r.problems {
			// What is both source and target must not silence itself, nor two such each other.
			if rule.Source.Match(x.labels) && !rule.Target.Match(x.labels) {
				sources[values(x.labels, rule.Equal)] = true
			}
		}
		if len(sources) == 0 {
			continue
		}
		for _, x := range r.problems {
			if x.suppressed == "" && rule.Target.Match(x.labels) && sources[values(x.labels, rule.Equal)] {
				x.suppressed = byInhibition
			}
		}
	}
}

func (r *round) silence() {
	for _, x := range r.problems {
		if r.silenced(x.labels) {
			x.suppressed = bySilence
		}
	}
}

func (r *round) silenced(labels map[string]string) bool {
	for _, s := range r.in.Silences {
		if !r.in.At.Before(s.From) && r.in.At.Before(s.To) && s.Matchers.Match(labels) {
			return true
		}
	}
	return false
}

// route lays each problem into the rows of messages that it belongs to. Who was told of it stays with it
// until it ends, even where its labels now lead elsewhere: that it rose to critical must not look like an end.
func (r *round) route() {
	root := place{&r.p.Route, ""}
	r.places = root.all()
	pinned := map[string][]Slot{}
	for slot, e := range r.next {
		if !e.Over && e.Number > 0 {
			for key, m := range e.Members {
				if m.Told {
					pinned[key] = append(pinned[key], slot)
				}
			}
		}
	}
	matched := make([][]place, len(r.problems))
	for i, x := range r.problems {
		matched[i] = root.match(x.labels)
	}
	covered := r.covers(matched)
	for i, x := range r.problems {
		var stays []string // the paths that it was told on
		for _, slot := range pinned[x.key] {
			e := r.next[slot]
			r.row(slot, r.place(slot, e), e.Labels).add(x)
			stays = append(stays, slot.Receiver+e.Path)
		}
		for _, pl := range matched[i] {
			if slices.Contains(stays, pl.Receiver+pl.path) {
				continue
			}
			slot, labels := r.slot(pl, x)
			if by, ok := covered.of(pl, x); ok && by != slot {
				continue
			}
			r.row(slot, pl, labels).add(x)
		}
	}
}

func (r *round) row(slot Slot, pl place, labels map[string]string) *row {
	w := r.rows[slot]
	if w == nil {
		w = &row{place: pl, labels: labels}
		r.rows[slot] = w
	}
	return w
}

// add takes a problem once, however many ways lead here.
func (w *row) add(x *problem) {
	if n := len(w.problems); n == 0 || w.problems[n-1] != x {
		w.problems = append(w.problems, x)
	}
}

// place finds the route of an entry; after a reload that took it away, the receiver's first one.
func (r *round) place(slot Slot, e *entry) place {
	first := r.places[0]
	for i := len(r.places) - 1; i >= 0; i-- {
		if pl := r.places[i]; pl.Receiver == slot.Receiver {
			if pl.path == e.Path {
				return pl
			}
			first = pl
		}
	}
	return first
}

// slot names the row of messages of a problem on a route: readable, and the same as long as both are.
func (r *round) slot(pl place, x *problem) (Slot, map[string]string) {
	labels := map[string]string{}
	if slices.Contains(pl.GroupBy, AllLabels) {
		labels = identity(x.Diagnosis, r.p.External)
	} else {
		for _, n := range pl.GroupBy {
			if v := x.labels[n]; v != "" {
				labels[n] = v
			}
		}
	}
	return Slot{pl.Receiver, pl.Receiver + pl.path + ":" + pairs(labels)}, labels
}

// values joins the values of some labels, so that two are equal only when each is.
func values(labels map[string]string, names []string) string {
	var b strings.Builder
	for _, n := range names {
		b.WriteString(labels[n])
		b.WriteByte(0xff)
	}
	return b.String()
}

// decide goes through every row of messages, old and new.
func (r *round) decide() {
	slots := slices.Collect(maps.Keys(r.next))
	for slot := range r.rows {
		if _, ok := r.next[slot]; !ok {
			slots = append(slots, slot)
		}
	}
	slices.SortFunc(slots, func(a, b Slot) int {
		if c := strings.Compare(a.Receiver, b.Receiver); c != 0 {
			return c
		}
		return strings.Compare(a.Key, b.Key)
	})
	for _, slot := range slots {
		old := r.next[slot]
		if _, ok := r.p.Receivers[slot.Receiver]; !ok {
			delete(r.next, slot)
			continue
		}
		s := &step{round: r, slot: slot, row: r.rows[slot]}
		if s.entry = s.begin(old); s.entry == nil {
			continue
		}
		s.update()
		s.send()
		if s.finished() {
			delete(r.next, slot)
			continue
		}
		r.next[slot] = s.entry
	}
}

// earlier bounds an instant of the past by now: after the clock was set back, nothing waits for it to catch up.
func earlier(past, now time.Time) time.Time {
	if past.After(now) {
		return now
	}
	return past
}
