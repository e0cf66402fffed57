package eval

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/rules"
)

func TestOrderLabelsTimeAndCounterResetsChangeNothing(t *testing.T) {
	rs := all(t)
	base := run(t, "args", rs)
	for _, cond := range Neutral() {
		t.Run(cond.Name, func(t *testing.T) {
			for i, o := range Run(builtin(t), engine.Fit{}, cond, rs, rs) {
				diff := differs(base[i], o)
				if cond.Name == "counter-reset" {
					diff = differsByRestart(base[i], o)
				}
				if diff != "" {
					t.Error(unlessHeldOut(o.R, o.name()+": "+diff))
				}
			}
		})
	}
}

// unlessHeldOut keeps the details of a held-out recording back, so that nobody tunes to them.
func unlessHeldOut(r *Recording, details string) string {
	if r.Split == Heldout {
		return "a held-out recording changes, too"
	}
	return details
}

// differsByRestart compares without what a restart says of itself: that it happened is reported and
// may stand beside the causes, but it accuses nobody and takes no cause's place.
func differsByRestart(want, got Outcome) string {
	const restart = "engine-restarted"
	drop := func(ids []string) []string {
		return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == restart })
	}
	switch {
	case !slices.Equal(drop(want.Symptoms), drop(got.Symptoms)):
		return "symptoms " + strings.Join(got.Symptoms, " ") + ", were " + strings.Join(want.Symptoms, " ")
	case want.Primary() != got.Primary() && got.Primary() != restart:
		return "names " + got.got() + ", was " + want.got()
	case want.Primary() != got.Primary() && want.Primary() != "":
		return "a restart takes the place of " + want.Primary()
	case got.R.Quiet() && len(got.Causes) > 0 && slices.ContainsFunc(got.Causes, func(c Ranked) bool { return c.ID != restart && !got.R.Accepts(c.ID) }):
		return "lists " + got.got()
	}
	return ""
}

func differs(want, got Outcome) string {
	ids := func(o Outcome) string {
		var out []string
		for _, c := range o.Causes {
			out = append(out, c.ID)
		}
		return strings.Join(out, " ")
	}
	switch {
	case want.Status != got.Status:
		return "status " + string(got.Status) + ", was " + string(want.Status)
	case !slices.Equal(want.Symptoms, got.Symptoms):
		return "symptoms " + strings.Join(got.Symptoms, " ") + ", were " + strings.Join(want.Symptoms, " ")
	case ids(want) != ids(got):
		return "causes " + got.got() + ", were " + want.got()
	case want.Primary() != got.Primary():
		return "names " + got.Primary() + ", named " + want.Primary()
	}
	for i, c := range want.Causes {
		if math.Abs(c.Score-got.Causes[i].Score) > 1e-6 {
			return "scores " + got.got() + ", were " + want.got()
		}
	}
	return ""
}

// Fewer scrapes may cost an answer, not make a wrong one.
func TestFewerScrapesNameNoWrongCause(t *testing.T) {
	base := run(t, "args", open(t))
	for _, condition := range []string{"thinned-15s@0", "thinned-15s@5", "thinned-15s@10", "second-half"} {
		t.Run(condition, func(t *testing.T) {
			os := run(t, condition, open(t))
			for i, o := range os {
				if p := o.Primary(); p != "" && !o.R.Accepts(p) {
					t.Errorf("%s: names %s (%.2f), the truth is %s %v", o.name(), p, o.Causes[0].Score, o.R.Status, o.R.Causes)
				}
				if c := o.unwanted(0); c != "" {
					t.Errorf("%s: lists %s on a healthy or idle server", o.name(), c)
				}
				if base[i].Status == model.Healthy && o.Status == model.Degraded {
					t.Errorf("%s: degraded by %v, was healthy", o.name(), o.Symptoms)
				}
			}
			if s := Summarize(condition, os); s.First.P < 0.85 {
				t.Errorf("AC@1 is %s, want 0.85", s.First)
				explain(t, os, func(o Outcome) bool { return o.R.Faulty() && o.Rank() != 1 })
			}
		})
	}
}

func TestOlderNamesNameTheSameCause(t *testing.T) {
	rs := open(t)
	base := run(t, "args", rs)
	for _, cond := range Coarse() {
		if !strings.HasPrefix(cond.Name, "vllm-") && cond.Name != "underscores" {
			continue
		}
		t.Run(cond.Name, func(t *testing.T) {
			for i, o := range Run(builtin(t), engine.Fit{}, cond, rs, rs) {
				if o.Primary() != base[i].Primary() {
					t.Errorf("%s: names %q, by its own names %q", o.name(), o.Primary(), base[i].Primary())
				}
				if o.Status != base[i].Status {
					t.Errorf("%s: %s, by its own names %s", o.name(), o.Status, base[i].Status)
				}
			}
		})
	}
}

func TestTheLastFiveInstantsAgree(t *testing.T) {
	named := map[string]string{}
	for _, o := range run(t, "args", open(t)) {
		named[o.Recording] = o.Primary()
	}
	for _, o := range run(t, "last-five", open(t)) {
		if want := named[o.Recording]; o.Primary() != want {
			t.Errorf("%s: names %q, at the last scrape %q", o.name(), o.Primary(), want)
		}
	}
}

// A condition that loses a name becomes unknown or stays; evidence for a cause never appears.
func TestHiddenSignalsOnlyMakeConditionsUnknown(t *testing.T) {
	c := builtin(t)
	looks := frames(pipeline.New(c, nil, engine.Fit{}), Accuracy()[0], all(t), all(t))
	reported := map[string]bool{}
	for _, s := range slots(c) {
		if p, ok := c.Playbooks.Get(s.owner); ok && p.State {
			continue // a state may be about what is missing
		}
		x := *s.at
		for _, l := range looks {
			for _, e := range scoped(l.frame, s.scope) {
				env := expression.Of(l.frame, e.ID)
				was := x.Truth(env)
				for _, n := range x.Names() {
					is := x.Truth(hidden{env, []string{n.ID, expression.Member(n.Over, n.ID)}})
					key := s.owner + s.field + n.ID
					if worse(x.Source(), n.ID, was, is) && !reported[key] {
						reported[key] = true
						t.Errorf("%s, %s: without %s it is %s, was %s on %s: %s", s.owner, s.field, n.ID, is, was, l.r.ID, x.Source())
					}
				}
			}
		}
	}
}

// worse says whether a hidden name changed a condition in a way it must not. `seen` and `explicit`
// ask for presence: what asks so may turn false.
func worse(src, name string, was, is expression.Truth) bool {
	presence := strings.Contains(src, "seen("+name+")") || strings.Contains(src, "explicit("+name+")")
	return is != was && is != expression.Unknown && (!presence || is == expression.True)
}

// The same with the catalogue's own fallbacks at work: a signal that nobody exports may cost symptoms
// and evidence, and never adds any.
func TestMissingSignalsAddNoSupport(t *testing.T) {
	c := builtin(t)
	p := pipeline.New(c, nil, engine.Fit{})
	rs := all(t)
	faults := make([][]string, len(rs))
	each(len(rs), func(i int) {
		r := rs[i]
		req := request(r, r.Args)
		whole, _ := p.Frame(r.Store, req)
		before := support(c, whole)
		for _, id := range whole.Signals() {
			if m, _ := c.Signals.Meaning(id); m.Formula.S != "" {
				continue
			}
			req.Without = []string{id}
			f, _ := p.Frame(r.Store, req)
			for key, truth := range support(c, f) {
				if truth == expression.True && before[key] != expression.True {
					faults[i] = append(faults[i], unlessHeldOut(r, r.ID+": without "+id+" there is new support: "+key))
				}
			}
		}
	})
	for _, f := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(faults...)))) {
		t.Error(f)
	}
}

// support are the truths of everything that speaks for harm or for a cause.
func support(c *content.Content, f *model.Frame) map[string]expression.Truth {
	out := map[string]expression.Truth{}
	for _, r := range c.Rules.All() {
		for _, x := range scoped(f, r.Scope) {
			if !noteOnly(r) {
				out["symptom "+r.ID+" of "+x.Name()] = r.When.Truth(expression.Of(f, x.ID))
			}
		}
	}
	for _, p := range c.Playbooks.All() {
		if p.State { // it may be about what is missing
			continue
		}
		for _, x := range scoped(f, p.Scope) {
			env := expression.Of(f, x.ID)
			for _, it := range p.For {
				out["cause "+p.ID+": "+it.When.Source()+" of "+x.Name()] = it.When.Truth(env)
			}
		}
	}
	return out
}

func noteOnly(r *rules.Rule) bool { return r.Note }

// No number of the content may decide so narrowly that a fifth more or less of it costs an answer.
func TestThresholdsMayMoveByAFifth(t *testing.T) {
	own, err := content.Load(content.Options{}) // it is changed on the way
	if err != nil {
		t.Fatal(err)
	}
	for _, cond := range Accuracy()[:2] {
		broken, n, err := Moved(own, cond, open(t), 0.8, 1.2)
		if err != nil {
			t.Fatal(err)
		}
		if n < 100 {
			t.Fatalf("found only %d thresholds", n)
		}
		for _, b := range broken {
			if len(b.Lost) > 0 || len(b.Gained) > 0 {
				t.Errorf("%s: %s", cond.Name, b)
			}
		}
	}
}
