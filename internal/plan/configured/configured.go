// Package configured makes the notification plan's policy from a configuration file, so that the plan
// itself knows no files.
package configured

import (
	"time"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/matchers"
	"github.com/inferdx/inferdx/internal/plan"
)

// PolicyOf gives the policy of a loaded configuration. One without receivers tells nobody.
func PolicyOf(cfg *config.Config) *plan.Policy {
	p := &plan.Policy{Receivers: map[string]plan.Receiver{}, External: map[string]string{}}
	if every := cfg.Global.EvaluationInterval; every > 0 {
		p.Settle = int(cfg.Global.Window/every) + 1
	}
	for name, v := range cfg.Global.ExternalLabels {
		p.External[string(name)] = v
	}
	for _, r := range cfg.Receivers {
		p.Receivers[r.Name] = plan.Receiver{SendResolved: sendsResolved(r)}
	}
	for _, i := range cfg.InhibitRules {
		rule := plan.Inhibition{Source: matchers.Matchers(i.SourceMatchers), Target: matchers.Matchers(i.TargetMatchers)}
		for _, n := range i.Equal {
			rule.Equal = append(rule.Equal, string(n))
		}
		p.Inhibit = append(p.Inhibit, rule)
	}
	hours := map[string]plan.Hours{}
	for _, t := range cfg.TimeIntervals {
		hours[t.Name] = t
	}
	if cfg.Route != nil {
		p.Route = route(cfg.Route, hours)
	}
	return p
}

func route(r *config.Route, hours map[string]plan.Hours) plan.Route {
	out := plan.Route{
		Receiver: r.Receiver, Matchers: r.Conditions(), Continue: r.Continue,
		GroupInterval: time.Duration(r.GroupInterval), RepeatInterval: time.Duration(r.RepeatInterval),
	}
	if r.GroupBy != nil {
		out.GroupBy = *r.GroupBy
	}
	if r.GroupWait != nil {
		out.GroupWait = time.Duration(*r.GroupWait)
	}
	for _, n := range r.MuteTimeIntervals {
		out.Mute = append(out.Mute, hours[n])
	}
	for _, n := range r.ActiveTimeIntervals {
		out.Active = append(out.Active, hours[n])
	}
	for _, child := range r.Routes {
		out.Routes = append(out.Routes, route(child, hours))
	}
	return out
}

// sendsResolved says that one of the receiver's ways wants to hear of the end; the others are spared by
// whoever delivers.
func sendsResolved(r *config.Receiver) bool {
	var all []*bool
	for _, x := range r.Slack {
		all = append(all, x.SendResolved)
	}
	for _, x := range r.Webhook {
		all = append(all, x.SendResolved)
	}
	for _, x := range r.Alertmanager {
		all = append(all, x.SendResolved)
	}
	for _, x := range r.PagerDuty {
		all = append(all, x.SendResolved)
	}
	for _, x := range r.Shoutrrr {
		all = append(all, x.SendResolved)
	}
	for _, yes := range all {
		if yes == nil || *yes {
			return true
		}
	}
	return false
}
