package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// Input is what is known at one instant.
type Input struct {
	At time.Time
	// Diagnoses are those of everything that is seen now, healthy or not.
	Diagnoses []model.Diagnosis
	// Held are the targets (see TargetID) that cannot be seen for now: nothing is told of them, neither
	// that they recovered nor that they are gone. A target that is in neither list is gone.
	Held map[string]bool
	// Outcomes are those of changes, to be told to who was told of the target.
	Outcomes []Outcome
	Silences []Silence
	// Acknowledged are those who took a problem on, by the message's key, with its severity then.
	Acknowledged map[string]Ack
	// Warming says that too little has been seen since the start: nothing is decided.
	Warming bool
}

// Ack is an acknowledgement and what it is good for: repeats stay away until it gets worse than that.
type Ack struct {
	Acknowledgement
	Severity model.Severity
}

// Suppression says why nobody was told of a problem.
type Suppression string

// The suppressions, as Alertmanager names them; Acknowledged keeps back reminders alone.
const (
	Silenced     Suppression = "silence"
	Inhibited    Suppression = "inhibition"
	Muted        Suppression = "mute_time_interval"
	Inactive     Suppression = "active_time_interval"
	Acknowledged Suppression = "acknowledged"
)

// Decision is what to do now.
type Decision struct {
	Messages []Message
	// Sent is to be given to the next call. Until it is stored with the messages, deciding again gives
	// the same messages.
	Sent Sent
	// Suppressed counts the problems that nobody was told of, or groups not reminded of, by reason.
	Suppressed map[Suppression]int
}

// Next decides. It is pure, and what it is given stays as it is.
func Next(sent Sent, p *Policy, in Input) Decision {
	d := Decision{Sent: maps.Clone(sent), Suppressed: map[Suppression]int{}}
	if d.Sent == nil {
		d.Sent = Sent{}
	}
	if in.Warming {
		return d
	}
	all := p.problems(in)
	w := &work{in: in, hurt: map[string]bool{}, seen: map[string]bool{}, groups: map[GroupID]*gathering{}, suppressed: d.Suppressed}
	for i := range in.Diagnoses {
		w.seen[TargetID(in.Diagnoses[i].Scope, in.Diagnoses[i].Target)] = true
	}
	for _, x := range all {
		w.hurt[x.id] = true
		if x.kept != "" {
			d.Suppressed[x.kept]++
		}
		for _, r := range p.routes(x.labels) {
			w.gather(x, r)
		}
	}
	for id := range sent {
		if w.groups[id] == nil {
			w.groups[id] = &gathering{}
		}
	}
	ids := slices.SortedFunc(maps.Keys(w.groups), func(a, b GroupID) int {
		return strings.Compare(a.Receiver+"\x00"+a.Key, b.Receiver+"\x00"+b.Key)
	})
	for _, id := range ids {
		g, ms, keep := w.step(id, sent[id], w.groups[id])
		if keep {
			d.Sent[id] = g
		} else {
			delete(d.Sent, id)
		}
		d.Messages = append(d.Messages, ms...)
	}
	return d
}

// work is one decision under way.
type work struct {
	in         Input
	hurt, seen map[string]bool // targets that hurt, and that are seen at all
	groups     map[GroupID]*gathering
	suppressed map[Suppression]int
}

// gathering is what one group has now.
type gathering struct {
	route  *Route // nil when nothing leads here any more
	labels map[string]string
	open   []*problem // to be told
	kept   []*problem // not to be told
}

func (w *work) gather(x *problem, r *Route) {
	labels := r.group(x)
	id := GroupID{r.Receiver, key(labels)}
	g := w.groups[id]
	if g == nil {
		g = &gathering{route: r, labels: labels}
		w.groups[id] = g
	}
	same := func(y *problem) bool { return y == x }
	switch {
	case slices.ContainsFunc(g.open, same) || slices.ContainsFunc(g.kept, same): // by two routes
	case x.kept != "":
		g.kept = append(g.kept, x)
	default:
		g.open = append(g.open, x)
	}
}

// group are the labels that a problem is told under.
func (r *Route) group(x *problem) map[string]string {
	if r.ByAll {
		return maps.Clone(x.Target)
	}
	out := map[string]string{}
	for _, name := range r.GroupBy {
		if v := x.labels[name]; v != "" {
			out[name] = v
		}
	}
	return out
}

// key writes group labels as people can read them.
func key(labels map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, fmt.Sprintf("%s=%q", name, labels[name]))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// id is the same whenever the same message is decided.
func (m Message) id() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d\x00%s\x00%d", m.Receiver, m.Key, m.Onset.UnixMicro(), m.Reason, m.Number))
	return hex.EncodeToString(sum[:16])
}
