package template

import (
	"cmp"
	"fmt"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/render"
)

// Data is what a template is given of a message.
type Data struct {
	Reason, Severity string
	Firing           bool
	Key, Receiver    string
	Number           int
	At, Onset        time.Time
	Lasted           time.Duration // from the onset to this message
	Labels           map[string]string
	// Worst is the first of Targets; its Name is empty where there is none, in a test. Others counts all diagnoses but it.
	Worst  Target
	Others int
	// Targets are told in full, the worst first; Rest are the others by cause, RestCount of them.
	Targets   []Target
	Rest      []Rest
	RestCount int
	Recovered []string
	Outcome   *Outcome
	// Gone says that the targets left, which is not the same as having recovered.
	Gone bool
	// AckBy and AckAt say who took the problem on; AckBy is empty where nobody did.
	AckBy string
	AckAt time.Time
	Link  string
}

// Target is one diagnosis in words.
type Target struct {
	render.Words
	Labels map[string]string
	// Harm is what hurts most, in a few words, for a title; Likely the cause's title, "" when none is named.
	Harm, Likely string
	CauseID      string
}

// Rest are targets that are only named.
type Rest struct {
	Cause string // "" where no cause could be named
	Names []string
	// More counts the names left out.
	More int
}

// Outcome is what came of a change.
type Outcome struct {
	Name, Cause, Change, Verdict, Why string
	Lines                             []string
}

// How many of the rest are named, and how many causes; the others are counted.
const (
	maxNames  = 20
	maxCauses = 8
)

// Data puts a message into words. The first full diagnoses are told in full, the others are named.
func (s *Set) Data(m plan.Message, full int) Data {
	d := Data{
		Reason: string(m.Reason), Severity: string(m.Severity), Firing: m.Firing(), Key: m.Key, Receiver: m.Receiver, Number: m.Number,
		At: m.At, Onset: m.Onset, Labels: m.GroupLabels, Recovered: named(m.Recovered), Gone: m.Gone,
	}
	d.Worst.Labels = map[string]string{}
	if d.Labels == nil {
		d.Labels = map[string]string{}
	}
	if !m.Onset.IsZero() && m.At.After(m.Onset) {
		d.Lasted = m.At.Sub(m.Onset)
	}
	if a := m.Acknowledged; a != nil {
		d.AckBy, d.AckAt = cmp.Or(a.By, "somebody"), a.At
	}
	if s.link != nil {
		d.Link = s.link(m)
	}
	full = min(full, len(m.Diagnoses))
	for _, x := range m.Diagnoses[:full] {
		d.Targets = append(d.Targets, newTarget(x, m.At))
	}
	d.rest(m.Diagnoses[full:])
	if len(d.Targets) > 0 {
		d.Worst = d.Targets[0]
	} else if len(m.Diagnoses) > 0 {
		d.Worst = newTarget(m.Diagnoses[0], m.At)
	}
	d.Others = max(0, len(m.Diagnoses)-1)
	if o := m.Outcome; o != nil {
		d.Outcome = &Outcome{Name: nameOf(o.Target), Cause: o.Cause, Change: o.Change, Verdict: o.Verdict, Why: o.Why, Lines: o.Lines}
	}
	return d
}

func newTarget(x model.Diagnosis, at time.Time) Target {
	t := Target{Words: render.Describe(x, at), Labels: x.Target}
	if t.Labels == nil {
		t.Labels = map[string]string{}
	}
	t.Harm = t.Summary
	rank := -1
	for _, s := range x.Symptoms {
		if r := s.Severity.Rank(); r > rank {
			t.Harm, rank = render.Clean(cmp.Or(s.Title, s.ID)), r
		}
	}
	if t.Cause != nil {
		t.Likely, t.CauseID = t.Cause.Title, t.Cause.ID
	}
	return t
}

// rest names the others by cause: the same fault on thirty servers is one thing to know.
func (d *Data) rest(ds []model.Diagnosis) {
	d.RestCount = len(ds)
	index, left := map[string]int{}, maxNames
	for _, x := range ds {
		who, cause := render.Heading(x)
		if _, ok := index[cause]; !ok && len(index) >= maxCauses {
			cause = "other causes"
		}
		i, ok := index[cause]
		if !ok {
			i = len(d.Rest)
			index[cause] = i
			d.Rest = append(d.Rest, Rest{Cause: cause})
		}
		if left > 0 {
			d.Rest[i].Names = append(d.Rest[i].Names, who)
			left--
		} else {
			d.Rest[i].More++
		}
	}
}

// String lists the named ones and counts the others.
func (r Rest) String() string {
	s := say(r.Names)
	switch {
	case r.More == 0:
		return s
	case s == "":
		return plural("server", r.More)
	default:
		return fmt.Sprintf("%s and %d more", s, r.More)
	}
}

func named(in []string) []string {
	if len(in) <= maxNames {
		return in
	}
	return append(append([]string{}, in[:maxNames]...), fmt.Sprintf("%d more", len(in)-maxNames))
}

func nameOf(labels map[string]string) string {
	return cmp.Or(render.Clean(model.Entity{Labels: model.LabelsFrom(labels)}.Name()), "a target")
}
