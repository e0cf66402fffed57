package service

import (
	"time"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/plan/configured"
	"github.com/inferdx/inferdx/internal/receivers"
	"github.com/inferdx/inferdx/internal/setup"
	"github.com/inferdx/inferdx/internal/source/tail"
	"github.com/inferdx/inferdx/internal/verify"
)

// parts is everything that is made of one configuration. A reload makes new ones.
type parts struct {
	setup    *setup.Setup
	pipeline *pipeline.Pipeline
	request  pipeline.Request // what of a request does not change from look to look
	servers  []*server
	logs     []tail.Source
	past     pasts
	history  *history
	policy   *plan.Policy

	receivers *receivers.Set
	known     known
	verify    *verify.Watch
	runner    verify.Runner

	window, interval time.Duration
	// offset is how much earlier than now everything is looked at, so that the slowest source has it.
	offset time.Duration
}

func (s *Service) newParts(o Options, next *setup.Setup) (*parts, error) {
	c := next.Config
	rs, err := receivers.Build(c, next.Templates, receivers.Options{ExternalURL: o.ExternalURL, Log: o.Log, Now: o.Now})
	if err != nil {
		return nil, err
	}
	k, err := newKnown(next, s.asked)
	if err != nil {
		rs.Close()
		return nil, err
	}
	p := &parts{
		setup: next, policy: configured.PolicyOf(c), receivers: rs, known: k, pipeline: pipeline.New(next.Content, o.Recordings, engine.DefaultFit),
		window: time.Duration(c.Global.Window), interval: time.Duration(c.Global.EvaluationInterval),
		request: pipeline.Request{Settings: objectives(c.SLO), Group: texts(c.Targets.Group)},
	}
	p.request.TraceLink = string(c.TraceLink)
	p.request.Join.GPULabels, p.request.Join.HostLabels = texts(c.Targets.GPU.Match), texts(c.Targets.Host.Match)
	p.request.Model, p.request.GPU = shapes(c.Models, next.Shapes), devices(c.Models)
	p.request.ArgsOf, p.request.Server = k.launch.ArgsOf, k.info.Of
	if p.logs = logSources(c); len(p.logs) > 0 {
		p.request.LogOf = s.logs.FactsOf
	}
	names, identity := next.Content.Signals.Metrics(), texts(c.Targets.Identity)
	all := pasts{identity: identity}
	if s.archive != nil {
		all.readers = append(all.readers, s.archive)
	}
	for _, x := range c.Prometheus {
		srv := newServer(x, names, identity, p.window, p.interval)
		p.servers, all.readers = append(p.servers, srv), append(all.readers, srv)
		p.offset = max(p.offset, time.Duration(x.Offset))
	}
	p.past = all
	p.history = &history{plan: p.pipeline.History(), from: all, window: p.window, own: len(next.Content.Signals.Own()) > 0}
	p.verify, p.runner = newVerification(p)
	return p, nil
}

// severity of a symptom rule; a rule that is gone was a warning.
func (p *parts) severity(rule string) model.Severity {
	if r, ok := p.setup.Content.Rules.Get(rule); ok {
		return r.Severity
	}
	return model.Warning
}

// sourceNames lists the sources whose health is watched.
func (p *parts) sourceNames() []string {
	var out []string
	for _, s := range p.servers {
		out = append(out, s.name)
	}
	return append(out, p.logNames()...)
}

// logNames lists those of them that are log files.
func (p *parts) logNames() []string {
	var out []string
	for _, l := range p.logs {
		out = append(out, l.Name())
	}
	return out
}
