package service

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/setup"
	"github.com/inferdx/inferdx/internal/source/canary"
	"github.com/inferdx/inferdx/internal/source/httpclient"
	"github.com/inferdx/inferdx/internal/source/launch"
	"github.com/inferdx/inferdx/internal/source/scrape"
	"github.com/inferdx/inferdx/internal/source/serverinfo"
)

// known is what is asked of the targets beside their metrics, under one configuration.
type known struct {
	launch *launch.Finder
	info   *serverinfo.Watch
	canary *canary.Prober // nil where it is off

	canaries map[string]bool // the rules that only a canary's answer can decide
	match    func(map[string]string) bool
}

// canaries are the rules that name what only canaries bring.
func canaries(c *content.Content) map[string]bool {
	out := map[string]bool{}
	for _, r := range c.Rules.All() {
		for _, n := range r.When.Names() {
			for _, x := range c.Signals.Sources(n.ID) {
				out[r.ID] = out[r.ID] || slices.ContainsFunc(x.Metrics, func(m string) bool { return strings.HasPrefix(m, canary.Prefix) })
			}
		}
	}
	return out
}

// unasked ends what only a canary's answer would end, where none is sent any more: nobody would ever know.
func (k known) unasked(s engine.State) engine.State {
	gone := func(rule string, _ model.Scope, labels model.Labels) bool {
		return k.canaries[rule] && (k.canary == nil || !k.match(labels.Map()))
	}
	found := false
	s.Each(func(rule string, scope model.Scope, labels model.Labels, _ engine.Held) {
		found = found || gone(rule, scope, labels)
	})
	if !found {
		return s
	}
	return s.Without(gone)
}

func newKnown(s *setup.Setup, report func(canary.Result)) (known, error) {
	c := s.Config
	client, err := httpclient.New(httpclient.Options{})
	if err != nil {
		return known{}, err
	}
	identity := texts(c.Targets.Identity)
	o := launch.Options{Launch: c.Launch, Client: client, Identity: identity}
	if cluster, ok := launch.InCluster(os.Getenv); ok {
		o.Pods = cluster
	}
	k := known{launch: launch.New(o), info: serverinfo.NewWatch(serverinfo.WatchOptions{Client: client, Identity: identity}, s.Content.Knobs)}
	k.canaries, k.match = canaries(s.Content), c.Canary.Match.Match
	if c.Canary.Enabled {
		own, err := httpclient.New(c.Canary.HTTP.Options())
		if err != nil {
			return known{}, err
		}
		k.canary, err = canary.New(canary.Options{
			Client: own, Interval: time.Duration(c.Canary.Interval), Timeout: time.Duration(c.Canary.Timeout), Model: c.Canary.Model,
			MaxTokens: c.Canary.MaxTokens, Match: c.Canary.Match.Match, Report: report,
		})
		if err != nil {
			return known{}, err
		}
	}
	return k, nil
}

// run asks until ctx ends.
func (k known) run(ctx context.Context, all *sync.WaitGroup) {
	all.Go(func() { k.launch.Run(ctx) })
	all.Go(func() { k.info.Run(ctx) })
	if k.canary != nil {
		all.Go(func() { k.canary.Run(ctx) })
	}
}

// sync says which targets there are.
func (k known) sync(targets []scrape.Target) {
	var ls []launch.Target
	var is []serverinfo.Target
	var cs []canary.Target
	for _, t := range targets {
		u := t.URL.String()
		ls = append(ls, launch.Target{Labels: t.Labels, Meta: t.Meta, URL: u})
		is = append(is, serverinfo.Target{Labels: t.Labels, URL: u, Client: t.Client})
		cs = append(cs, canary.Target{Labels: t.Labels, URL: u})
	}
	k.launch.Sync(ls)
	k.info.Sync(is)
	if k.canary != nil {
		k.canary.Sync(cs)
	}
}

// restarted says that what was known of a target was of the process before.
func (k known) restarted(target model.Labels) {
	k.launch.Restarted(target)
	k.info.Restarted(target)
}

// asked puts what a canary saw beside what the target itself shows.
func (s *Service) asked(r canary.Result) {
	if f, failed := r.Fault(); failed {
		s.log.Debug("a canary could not look", "target", r.Target.Get("instance"), "err", f.Err)
	}
	s.world.Lock()
	defer s.world.Unlock()
	in, rest := s.world.samples.Instance(r.Target)
	for _, x := range r.Samples() {
		add(in.Ensure(x.Name, rest), r.At.UnixMilli(), x.Value)
	}
}

func add(x *samples.Series, at int64, v float64) {
	if n := len(x.Points); n == 0 || x.Points[n-1].T < at {
		x.Add(at, v)
	}
}
