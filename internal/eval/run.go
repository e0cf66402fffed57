package eval

import (
	"runtime"
	"slices"
	"sync"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/playbooks"
)

// Ranked is one listed cause.
type Ranked struct {
	ID      string  `json:"id"`
	Score   float64 `json:"score"`
	Primary bool    `json:"primary"`
	// State marks what is no cause: a server that is down, or at its arithmetic limit.
	State bool `json:"state,omitempty"`
}

// Outcome is what came out of one look at one recording.
type Outcome struct {
	R         *Recording   `json:"-"`
	Recording string       `json:"recording"`
	Of        string       `json:"of,omitempty"`
	Status    model.Status `json:"status"`
	Causes    []Ranked     `json:"causes"`
	Symptoms  []string     `json:"symptoms"`
	Unknown   float64      `json:"unknown_score"`
	Notes     []string     `json:"-"`

	actions  []model.Action        // of the named cause
	defaults map[string]model.Fact // of the server's settings, on its machine
}

// Primary is the named cause; "" when the diagnosis abstains. To name a state where there is a cause to
// find is to abstain, too.
func (o Outcome) Primary() string {
	if len(o.Causes) == 0 || !o.Causes[0].Primary {
		return ""
	}
	first := o.Causes[0]
	if first.State && o.R.Faulty() && !o.R.Right(first.ID) {
		return ""
	}
	return first.ID
}

// Rank is the place of the first right cause, from 1; 0 when none is listed.
func (o Outcome) Rank() int {
	for i, c := range o.Causes {
		if o.R.Right(c.ID) {
			return i + 1
		}
	}
	return 0
}

// seen is one look whose frame is built; judging it again with other content is cheap.
type seen struct {
	r     *Recording
	of    string
	frame *model.Frame
	notes []string
	books *playbooks.Set
}

func (s seen) outcome(e *engine.Engine) Outcome {
	_, symptoms := e.Judge(nil, s.frame)
	return s.diagnosed(e, symptoms)
}

func (s seen) diagnosed(e *engine.Engine, symptoms []model.Symptom) Outcome {
	o := Outcome{R: s.r, Recording: s.r.ID, Of: s.of, Status: model.Unknown, Notes: s.notes}
	o.defaults = defaults(s.frame)
	d, ok := about(s.r, e.Diagnose(s.frame, symptoms))
	if !ok {
		return o
	}
	o.Status, o.Unknown = d.Status, d.UnknownScore
	for _, x := range d.Symptoms {
		o.Symptoms = append(o.Symptoms, x.ID)
	}
	if len(d.Causes) > 0 && d.Causes[0].Primary {
		o.actions = d.Causes[0].Changes
	}
	for _, c := range d.Causes {
		p, known := s.books.Get(c.ID)
		o.Causes = append(o.Causes, Ranked{c.ID, c.Score, c.Primary, known && p.State})
	}
	return o
}

// about picks the diagnosis that the truth of a recording is about: its server's; or of a group what is said
// of all together, and where nothing is, the member that fares worst.
func about(r *Recording, all []model.Diagnosis) (model.Diagnosis, bool) {
	order := []model.Status{model.Idle, model.Healthy, model.Unknown, model.Degraded, model.Down}
	var worst model.Diagnosis
	found := false
	for _, d := range all {
		switch {
		case r.Scope == model.ScopeGroup && d.Scope == model.ScopeGroup:
			return d, true
		case d.Scope != model.ScopeTarget:
		case r.Scope != model.ScopeGroup:
			return d, true
		case !found || slices.Index(order, d.Status) > slices.Index(order, worst.Status):
			worst, found = d, true
		}
	}
	return worst, found
}

// Run diagnoses every recording under a condition; all are those whose arguments may be borrowed.
func Run(c *content.Content, fit engine.Fit, cond Condition, rs, all []*Recording) []Outcome {
	p := pipeline.New(c, nil, fit)
	var out []Outcome
	for _, s := range frames(p, cond, rs, all) {
		out = append(out, s.outcome(p.Engine))
	}
	return out
}

// frames builds the looks of a condition, several recordings at a time, in the order of the recordings.
func frames(p *pipeline.Pipeline, cond Condition, rs, all []*Recording) []seen {
	parts := make([][]seen, len(rs))
	each(len(rs), func(i int) {
		for _, v := range cond.Views(rs[i], all) {
			f, notes := p.Frame(v.Store, v.Request)
			parts[i] = append(parts[i], seen{r: rs[i], of: v.Of, frame: f, notes: notes, books: p.Content.Playbooks})
		}
	})
	var out []seen
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// each calls fn for 0 to n-1, as many at a time as there are processors.
func each(n int, fn func(int)) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(runtime.GOMAXPROCS(0), max(n, 1)) {
		wg.Go(func() {
			for i := range next {
				fn(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}
