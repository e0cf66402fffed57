package eval

import (
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
)

// Values are engine.Fit as the report writes it.
type Values struct {
	Temperature float64 `json:"temperature"`
	Unknown     float64 `json:"unknown"`
}

// FitRow is how well a fit does on recordings, those it was made on or others.
type FitRow struct {
	Name string `json:"name"`
	// Fits are the values chosen, one unless something was left out in turn.
	Fits []Values `json:"fits"`
	N    int      `json:"n"`
	// NLL is the mean negative log-likelihood of the right answer: the cause, or "unknown" where the
	// right causes were taken out of the catalogue.
	NLL     float64 `json:"nll"`
	Named   Share   `json:"ac1_named"`
	ECE     float64 `json:"ece"`
	Brier   float64 `json:"brier"`
	Abstain Share   `json:"abstained_without_cause"`
}

// fitConditions are the looks that a fit sees: with much and with little known.
var fitConditions = []string{"args", "no-args", "engine-only", "engine-only-no-args"}

// leastLikely bounds what one hopeless look may cost.
const leastLikely = 0.01

// trial is one look with one right answer.
type trial struct {
	seen
	symptoms []model.Symptom
	without  string // causes taken out, joined; "" when the catalogue is whole
}

// Fit searches a grid of temperature and bias by the likelihood of the right answer, with every
// load family left out in turn, and on each rig for the other. rs must not hold held-out recordings.
func Fit(load func() (*content.Content, error), rs []*Recording) ([]FitRow, error) {
	trials, books, err := makeTrials(load, rs)
	if err != nil {
		return nil, err
	}
	grid := fits()
	// results[g][t] is the outcome of trial t under fit g.
	results := make([][]Outcome, len(grid))
	each(len(grid), func(g int) {
		engines := map[string]*engine.Engine{}
		for without, c := range books {
			engines[without] = pipeline.New(c, nil, grid[g]).Engine
		}
		results[g] = make([]Outcome, len(trials))
		for i, t := range trials {
			results[g][i] = t.diagnosed(engines[t.without], t.symptoms)
		}
	})
	all := func(*Recording) bool { return true }
	f := &fitting{grid: grid, trials: trials, results: results}
	out := []FitRow{f.row("present values", slices.Index(grid, engine.DefaultFit), all), f.row("in sample", f.best(all), all), f.leaveOut("families left out", func(r *Recording) string { return r.Family })}
	for _, rig := range f.keys(func(r *Recording) string { return r.Rig }) {
		on := func(r *Recording) bool { return r.Rig == rig }
		off := func(r *Recording) bool { return r.Rig != rig }
		out = append(out, f.row("fitted elsewhere, on "+rig, f.best(off), on))
	}
	return out, nil
}

// fits is the grid; it holds the present values whatever they are.
func fits() []engine.Fit {
	out := []engine.Fit{engine.DefaultFit}
	for t := 2; t <= 20; t++ { // below 0.2 every score is 0 or 1
		for u := 0; u <= 16; u++ {
			f := engine.Fit{Temperature: float64(t) / 10, Unknown: float64(u) / 4}
			if f != engine.DefaultFit {
				out = append(out, f)
			}
		}
	}
	return out
}

// makeTrials looks at every recording with a cause, once with the whole catalogue and once with the
// causes that would be accepted taken out of it, so that "none of these" has something to be right about.
func makeTrials(load func() (*content.Content, error), rs []*Recording) ([]trial, map[string]*content.Content, error) {
	whole, err := load()
	if err != nil {
		return nil, nil, err
	}
	books := map[string]*content.Content{"": whole}
	p := pipeline.New(whole, nil, engine.Fit{})
	conditions, err := Pick(fitConditions...)
	if err != nil {
		return nil, nil, err
	}
	var faulty []*Recording
	for _, r := range rs {
		if r.Faulty() && r.Status != model.Down {
			faulty = append(faulty, r)
		}
	}
	var out []trial
	for _, cond := range conditions {
		for _, l := range frames(p, cond, faulty, rs) {
			_, symptoms := p.Engine.Judge(nil, l.frame)
			without := strings.Join(slices.Sorted(slices.Values(slices.Concat(l.r.Causes, l.r.AlsoAcceptable))), " ")
			if books[without] == nil {
				if books[without], err = contentWithout(load, strings.Fields(without)); err != nil {
					return nil, nil, err
				}
			}
			out = append(out, trial{l, symptoms, ""}, trial{l, symptoms, without})
		}
	}
	return out, books, nil
}

// contentWithout is a content in which the given causes explain nothing.
func contentWithout(load func() (*content.Content, error), causes []string) (*content.Content, error) {
	c, err := load()
	if err != nil {
		return nil, err
	}
	for _, p := range c.Playbooks.All() {
		if slices.Contains(causes, p.ID) {
			p.Explains = nil
		}
	}
	return c, nil
}

type fitting struct {
	grid    []engine.Fit
	trials  []trial
	results [][]Outcome
}

// loss is the surprise at the right answer of one trial.
func (f *fitting) loss(g, t int) float64 {
	o := f.results[g][t]
	if len(o.Symptoms) == 0 {
		return 0 // nothing was seen that a score could be about
	}
	p := leastLikely
	if f.trials[t].without != "" {
		p = max(p, o.Unknown)
	} else {
		for _, c := range o.Causes {
			if o.R.Right(c.ID) {
				p = max(p, c.Score)
			}
		}
	}
	return -math.Log(min(p, 1))
}

// best is the fit of least loss over some recordings.
func (f *fitting) best(use func(*Recording) bool) int {
	best, least := 0, math.Inf(1)
	for g := range f.grid {
		sum := 0.0
		for t := range f.trials {
			if use(f.trials[t].r) {
				sum += f.loss(g, t)
			}
		}
		if sum < least {
			best, least = g, sum
		}
	}
	return best
}

func (f *fitting) row(name string, g int, use func(*Recording) bool) FitRow {
	row := FitRow{Name: name, Fits: []Values{Values(f.grid[g])}}
	row.fill(f, use, func(*Recording) int { return g })
	return row
}

// leaveOut fits once for each value of key on all others and judges that value by it.
func (f *fitting) leaveOut(name string, key func(*Recording) string) FitRow {
	row := FitRow{Name: name}
	chosen := map[string]int{}
	for _, k := range f.keys(key) {
		g := f.best(func(r *Recording) bool { return key(r) != k })
		chosen[k] = g
		if v := Values(f.grid[g]); !slices.Contains(row.Fits, v) {
			row.Fits = append(row.Fits, v)
		}
	}
	row.fill(f, func(*Recording) bool { return true }, func(r *Recording) int { return chosen[key(r)] })
	return row
}

func (f *fitting) keys(key func(*Recording) string) []string {
	var out []string
	for _, t := range f.trials {
		if k := key(t.r); !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	sort.Strings(out)
	return out
}

func (row *FitRow) fill(f *fitting, use func(*Recording) bool, g func(*Recording) int) {
	var whole []Outcome
	var named, abstained float64
	removed := 0
	for t, x := range f.trials {
		if !use(x.r) {
			continue
		}
		row.N++
		row.NLL += f.loss(g(x.r), t)
		o := f.results[g(x.r)][t]
		if x.without != "" {
			removed++
			abstained += yes(o.Primary() == "")
			continue
		}
		whole = append(whole, o)
		named += yes(o.R.Right(o.Primary()))
	}
	row.NLL /= float64(max(row.N, 1))
	row.Named, row.Abstain = share(named, len(whole)), share(abstained, removed)
	row.ECE, row.Brier = calibration(whole)
}
