package service

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/store"
	"github.com/inferdx/inferdx/internal/verify"
)

// evaluate looks once and keeps what came of it.
func (s *Service) evaluate(ctx context.Context) error {
	begin := time.Now()
	err := s.evaluateOnce(ctx)
	if ctx.Err() == nil {
		s.o.Metrics.Evaluated(s.o.Now(), time.Since(begin), err)
	}
	return err
}

func (s *Service) evaluateOnce(ctx context.Context) error {
	p := s.parts.Load()
	at, jump := s.clock.look()
	old, hold := s.mind.state, s.mind.at.IsZero() || at.Sub(s.mind.at).Abs() > gap || jump != 0
	if jump != 0 {
		s.o.Metrics.ClockJumped()
		s.log.Warn("the clock was set: nothing that was remembered ends by that", "by", jump)
	}
	if jump < 0 { // samples of the future would be taken for those of now
		s.world.Lock()
		s.world.clear()
		s.world.Unlock()
		old = old.Shift(jump)
		s.post.shift(ctx, jump, s.log)
	}
	got, err := s.look(ctx, p, at, old, hold)
	if err != nil {
		return err
	}
	return s.remember(ctx, p, at, got)
}

// remember writes what a look gave, and tells what is to be told.
func (s *Service) remember(ctx context.Context, p *parts, at time.Time, got seen) error {
	outcomes, settled := s.settle(ctx, p, at)
	s.recallOutcomes(ctx, at)
	got.diagnoses = verify.Annotate(got.diagnoses, s.trials.memory)
	figures := len(got.diagnoses)
	got.diagnoses = s.enrich(ctx, p, at, got.diagnoses)
	got.figures = append(got.figures, make([]map[string]float64, len(got.diagnoses)-figures)...)
	told := s.decide(ctx, p, at, got, outcomes)
	sent, err := plan.Stored[store.SentKey](told.Sent)
	if err != nil {
		return err
	}
	t := store.Tick{At: at, State: got.state, Sent: sent, Transitions: got.changes, Diagnoses: observed(got), Messages: lanes(p, told.Messages)}
	ends, err := json.Marshal(p.receivers.Fingerprints())
	if err != nil {
		return err
	}
	t.Parts = map[string]json.RawMessage{endpoints: ends}
	watched := settled || got.trials || at.Sub(s.trials.written).Abs() >= keepTrials
	if watched {
		if t.Parts[trialsPart], err = json.Marshal(s.trials.state); err != nil {
			return err
		}
	}
	if err := s.tickWithAlerts(ctx, t); err != nil {
		return err
	}
	s.count(p, got, told)
	s.journal.write(ctx, s.log, slices.Concat(got.diagnoses, got.sources))
	for _, key := range s.started.follow(got.started, at) {
		p.known.restarted(model.LabelsOfKey(key))
	}
	s.mind = mind{at: at, state: got.state, sent: told.Sent, looks: s.mind.looks + 1}
	if s.last = got; watched {
		s.trials.written = at
	}
	s.view.Store(&view{at: at, report: got.report, diagnoses: slices.Concat(got.diagnoses, got.sources), sent: told.Sent})
	for _, key := range told.Ended {
		s.forgive(ctx, key)
	}
	if len(told.Messages) > 0 {
		s.post.wake()
	}
	return nil
}

// warmup is how many looks it takes until something is told: rates need two scrapes, and what was going
// on when the service was stopped has to be seen again.
const warmup = 4

// decide says what to tell. While what people said cannot be read, what was known of it last holds.
func (s *Service) decide(ctx context.Context, p *parts, at time.Time, got seen, outcomes []plan.Outcome) plan.Decision {
	silences, acks, err := said(ctx, s.disk, at)
	if err != nil {
		s.log.Error("silences and acknowledgements cannot be read: the last ones known hold", "err", err)
		silences, acks = s.said.silences, s.said.acks
	}
	s.said.silences, s.said.acks = silences, acks
	return plan.Next(s.mind.sent, p.policy, plan.Input{
		At: at, Diagnoses: slices.Concat(got.diagnoses, got.sources), Held: got.absent, Outcomes: outcomes, Silences: silences, Taken: acks,
		Warming: s.mind.looks < warmup,
	})
}

// forgive ends an acknowledgement with its problem.
func (s *Service) forgive(ctx context.Context, key string) {
	if err := s.disk.Unacknowledge(ctx, key); err != nil {
		s.log.Error("an acknowledgement cannot be ended", "of", key, "err", err)
	}
}

// observed are the diagnoses worth keeping, with the figures behind them.
func observed(got seen) []store.Observed {
	out := make([]store.Observed, 0, len(got.diagnoses)+len(got.sources))
	for i, d := range got.diagnoses {
		out = append(out, store.Observed{Diagnosis: d, Signals: got.figures[i]})
	}
	for _, d := range got.sources {
		out = append(out, store.Observed{Diagnosis: d})
	}
	return out
}

// lanes are the messages for each way of their receivers: the plan knows receivers only.
func lanes(p *parts, ms []plan.Message) []plan.Message {
	var out []plan.Message
	for _, m := range ms {
		out = append(out, p.receivers.Fan(m)...)
	}
	return out
}
