package service

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/compare"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/store"
	"github.com/inferdx/inferdx/internal/verify"
)

// trialsPart is the name under which the store keeps what is watched for changes.
const trialsPart = "trials"

// trials is the verification of changes: what is watched, what people pressed, and what came of looks.
type trials struct {
	state   verify.State // of the evaluating goroutine
	written time.Time    // when the state was last given to the store
	memory  verify.Memory

	mu      sync.Mutex
	pressed []verify.Pressed
	looks   []verify.Look // that have come back
	stale   bool          // the memory is not what the store holds
	all     sync.WaitGroup
}

// keepTrials is how often the state is written while nothing happens: it is large, and what is lost of
// it is a few minutes of knowing settings.
const keepTrials = 5 * time.Minute

func (s *Service) loadTrials() {
	if text := s.disk.Parts()[trialsPart]; text != nil {
		if err := json.Unmarshal(text, &s.trials.state); err != nil {
			s.log.Error("what was watched for changes cannot be read: it begins anew", "err", err)
		}
	}
	s.trials.stale = true
}

// observe watches a frame for changes, and has those that are due compared beside the evaluations.
func (s *Service) observe(ctx context.Context, p *parts, f *model.Frame, ds []model.Diagnosis) (due []verify.Trial) {
	t := &s.trials
	t.mu.Lock()
	pressed := t.pressed
	t.pressed = nil
	t.mu.Unlock()
	t.state, due = p.verify.Observe(t.state, verify.Input{At: f.At, Frame: f, Diagnoses: ds, Pressed: pressed})
	if len(due) == 0 {
		return nil
	}
	t.all.Go(func() {
		looks := p.runner.Look(ctx, due)
		t.mu.Lock()
		defer t.mu.Unlock()
		t.looks = append(t.looks, looks...)
	})
	return due
}

// settle takes in what came of looks: what is to be told. What is to be remembered is in the store then.
func (s *Service) settle(ctx context.Context, p *parts, at time.Time) (tell []plan.Outcome, changed bool) {
	t := &s.trials
	t.mu.Lock()
	looks := t.looks
	t.looks = nil
	t.mu.Unlock()
	if len(looks) == 0 {
		return nil, false
	}
	var done []verify.Concluded
	t.state, done = p.verify.Settle(t.state, looks, at)
	for _, c := range done {
		if err := s.keepOutcome(ctx, c.Record); err != nil {
			s.log.Error("what came of a change cannot be kept", "err", err)
		}
		if worthTelling(c) {
			tell = append(tell, c.Outcome)
		}
	}
	t.stale = t.stale || len(done) > 0
	return tell, true
}

// worthTelling leaves out what came of restarts that nobody meant for anything and that changed nothing.
func worthTelling(c verify.Concluded) bool {
	return c.Outcome.Verdict == string(compare.Improved) || c.Trial.Cause != "" || c.Trial.Change.By != "" || len(c.Trial.Change.Turns) > 0 || c.Outcome.Verdict == string(compare.Worse)
}

func (s *Service) keepOutcome(ctx context.Context, r verify.Record) error {
	_, err := s.disk.AddOutcome(ctx, store.Outcome{
		At: r.At, Entity: store.EntityKey(model.ScopeTarget, r.Target), Cause: r.Cause, Change: r.Change,
		Before: store.Span(r.Before), After: store.Span(r.After), Verdict: r.Verdict, Comparison: r.Comparison,
	})
	return err
}

// mostRemembered bounds the outcomes and answers that later diagnoses know of.
const mostRemembered = 1000

// recallOutcomes reads what helped, when something has come to it.
func (s *Service) recallOutcomes(ctx context.Context, at time.Time) {
	t := &s.trials
	t.mu.Lock()
	stale := t.stale
	t.stale = false
	t.mu.Unlock()
	t.memory.Now = at
	if !stale {
		return
	}
	outcomes, err := s.disk.Outcomes(ctx, store.Range{Limit: mostRemembered})
	if err == nil {
		var answers []store.Answer
		if answers, err = s.disk.Answers(ctx, store.Range{Limit: mostRemembered}); err == nil {
			t.memory, err = verify.Recall(kept(outcomes), s.saidOf(ctx, answers), at)
		}
	}
	if err != nil {
		s.log.Error("what helped earlier cannot be read as a whole", "err", err)
	}
}

func kept(all []store.Outcome) []verify.Kept {
	var out []verify.Kept
	for _, o := range all {
		out = append(out, verify.Kept{ID: o.ID, Record: verify.Record{
			At: o.At, Target: targetOf(o.Entity), Cause: o.Cause, Change: o.Change, Before: verify.Span(o.Before), After: verify.Span(o.After),
			Verdict: o.Verdict, Comparison: o.Comparison,
		}})
	}
	return out
}

// targetOf reads the labels of an entity's key.
func targetOf(entity string) map[string]string {
	var out map[string]string
	if i := strings.IndexByte(entity, '{'); i >= 0 {
		_ = json.Unmarshal([]byte(entity[i:]), &out) // store.EntityKey wrote it
	}
	return out
}

// saidOf maps what people said under messages to the targets of those.
func (s *Service) saidOf(ctx context.Context, all []store.Answer) []verify.Said {
	var out []verify.Said
	for _, a := range all {
		m, err := s.message(ctx, a.Key, a.Receiver)
		if err != nil {
			continue
		}
		for _, d := range m.Diagnoses {
			out = append(out, verify.Said{Outcome: a.Outcome, Target: d.Target, Kind: a.Kind, Cause: a.Cause, By: a.User, At: a.At})
		}
	}
	return out
}

// press takes a person's word that a suggestion was applied, to each target of a message.
func (s *Service) press(m plan.Message, cause, user string, at time.Time) {
	s.trials.mu.Lock()
	defer s.trials.mu.Unlock()
	for _, d := range m.Diagnoses {
		if d.Scope == model.ScopeTarget {
			s.trials.pressed = append(s.trials.pressed, verify.Pressed{Target: d.Target, Cause: cause, User: user, Key: m.Key, At: at})
		}
	}
}

// anyPast reads the past as a verification wants it: all metrics.
type anyPast struct{ pasts }

// Read implements verify.Past.
func (p anyPast) Read(ctx context.Context, at time.Time, window time.Duration, only func(model.Labels) bool) (*samples.Store, []model.Fault, error) {
	return p.pasts.Read(ctx, excerpt{at: at, window: window, only: only})
}

// newVerification makes what watches for changes and what compares.
func newVerification(p *parts) (*verify.Watch, verify.Runner) {
	c := p.setup.Content
	return verify.NewWatch(c, verify.Options{}), verify.Runner{
		Past: anyPast{p.past}, Signals: c.Signals,
		Options: func(target map[string]string) compare.Options {
			var o compare.Options
			if p.request.Settings != nil {
				set := p.request.Settings(model.LabelsFrom(target))
				o.TTFT, o.TPOT, o.E2E = set["slo_ttft_p99_s"], set["slo_tpot_p99_s"], set["slo_e2e_p99_s"]
			}
			return o
		},
	}
}
