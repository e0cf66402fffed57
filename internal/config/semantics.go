package config

import (
	"reflect"
	"time"
)

// at0 is a field at the top of the file.
func at0(c *check, name string) place { return c.root.field(name) }

// run fills in the defaults and checks what the decoder could not.
func (c *check) run() {
	c.defaults()
	c.walk(reflect.ValueOf(c.cfg), c.root)
	c.names()
	c.global()
	c.sources()
	c.routes()
}

func (c *check) defaults() {
	g := &c.cfg.Global
	fill(&g.ScrapeInterval, Duration(15*time.Second))
	fill(&g.ScrapeTimeout, min(Duration(10*time.Second), g.ScrapeInterval))
	fill(&g.EvaluationInterval, Duration(15*time.Second))
	fill(&g.Window, Duration(5*time.Minute))
	fill(&g.ResolveTimeout, Duration(5*time.Minute))
	fill(&c.cfg.Storage.Path, "data")
	fill(&c.cfg.Storage.Retention, Duration(15*24*time.Hour))
	fill(&c.cfg.Canary.Interval, Duration(time.Minute))
	fill(&c.cfg.Canary.Timeout, min(Duration(30*time.Second), c.cfg.Canary.Interval))
	fill(&c.cfg.Canary.MaxTokens, 1)
	if c.cfg.OTLP != nil {
		c.cfg.OTLP.defaults()
	}
	t := &c.cfg.Targets
	if len(t.Identity) == 0 {
		t.Identity = []Label{"job", "instance"}
	}
	for _, s := range c.cfg.ScrapeConfigs {
		if s != nil {
			s.defaults(*g)
		}
	}
	for _, p := range c.cfg.Prometheus {
		if p != nil {
			p.defaults()
		}
	}
}

// names collects what can be referred to and refuses what has the name of something else.
func (c *check) names() {
	first := map[string]place{}
	for i, s := range c.cfg.ScrapeConfigs {
		if s != nil {
			c.once(first, "job", s.JobName, at0(c, "scrape_configs").item(i).field("job_name"))
		}
	}
	first = map[string]place{}
	for i, p := range c.cfg.Prometheus {
		if p != nil {
			here := at0(c, "prometheus").item(i)
			if name := here.field("name"); name.key != nil {
				here = name
			} else {
				here = here.field("url")
			}
			c.once(first, "server", p.Name, here)
		}
	}
	first = map[string]place{}
	for i, r := range c.cfg.Receivers {
		if r != nil {
			r.defaults()
			c.receivers = append(c.receivers, r.Name)
			c.once(first, "receiver", r.Name, at0(c, "receivers").item(i).field("name"))
		}
	}
	first = map[string]place{}
	for i, t := range c.cfg.TimeIntervals {
		if t != nil {
			c.intervals = append(c.intervals, t.Name)
			c.once(first, "time interval", t.Name, at0(c, "time_intervals").item(i).field("name"))
		}
	}
	first = map[string]place{}
	for i, l := range c.cfg.LogFiles {
		if l != nil {
			c.once(first, "log file", string(l.Path), at0(c, "log_files").item(i))
		}
	}
	first = map[string]place{}
	for i, u := range c.cfg.URLs {
		c.once(first, "the page", URL(u).String(), at0(c, "urls").item(i))
	}
}

func (c *check) global() {
	g, at := c.cfg.Global, at0(c, "global")
	if t := at.field("scrape_timeout"); t.key != nil && g.ScrapeTimeout > g.ScrapeInterval {
		c.fault(t, "", "a scrape may take %s, longer than the interval of %s", g.ScrapeTimeout, g.ScrapeInterval)
	}
	slowest, where := g.ScrapeInterval, at.field("scrape_interval")
	for i, s := range c.cfg.ScrapeConfigs {
		if s != nil && s.ScrapeInterval > slowest {
			slowest, where = s.ScrapeInterval, at0(c, "scrape_configs").item(i).field("scrape_interval")
		}
	}
	if w := at.field("window"); w.key != nil {
		where = w
	}
	switch {
	case g.Window < 2*slowest:
		c.fault(where, "", "a window of %s does not hold two scrapes that are %s apart", g.Window, slowest)
	case g.Window < 4*slowest:
		c.warn(where, "a window of %s holds few scrapes that are %s apart: one that fails leaves little to go by", g.Window, slowest)
	}
	if g.EvaluationInterval > g.Window {
		c.warn(at.field("evaluation_interval"), "what happens between one look and the next is not seen: evaluation_interval is %s, window is %s", g.EvaluationInterval, g.Window)
	}
}

func (c *check) sources() {
	n := len(c.cfg.URLs) + len(c.cfg.ScrapeConfigs) + len(c.cfg.Prometheus)
	if n > 0 || c.mistyped(c.root) {
		return
	}
	c.fault(c.root, "such as: urls: [http://10.0.0.1:8000/metrics]", "there is nothing to look at: give urls, scrape_configs or prometheus")
}

func (c *check) routes() {
	r := c.cfg.Route
	switch {
	case r != nil:
		c.route(r, at0(c, "route"))
	case len(c.cfg.Receivers) == 1 && c.cfg.Receivers[0] != nil:
		c.cfg.Route = &Route{Receiver: c.cfg.Receivers[0].Name}
		c.route(c.cfg.Route, place{around: c.root.node})
	case len(c.cfg.Receivers) > 1 && !c.mistyped(c.root):
		c.fault(at0(c, "receivers"), "", "route is missing: with several receivers it says who gets what")
	}
}
