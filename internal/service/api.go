package service

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/api"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/source/httpclient"
)

// API is /api/v1, by the patterns of its routes.
func (s *Service) API(version string) map[string]http.Handler {
	return api.Handlers(api.Options{Now: present{s, version}, History: s.disk, Clock: s.o.Now, Changed: s.hurry})
}

// present is what the API shows of the present.
type present struct {
	*Service

	version string
}

// Snapshot implements api.Now.
func (p present) Snapshot() api.Snapshot {
	parts := p.parts.Load()
	out := api.Snapshot{Status: api.Status{
		Version: p.version, Started: p.began, LastEvaluation: p.LastLook(), ConfigHash: parts.setup.Hash, Warnings: p.disk.Warnings(),
	}}
	for _, f := range parts.known.launch.Faults() {
		out.Status.Warnings = append(out.Status.Warnings, f.Source+": "+f.Err)
	}
	if err := p.keep.writable(); err != nil {
		out.Status.StoreError = err.Error()
	}
	for _, h := range p.sources.all() {
		out.Status.Sources = append(out.Status.Sources, api.Source{Name: h.Name, Up: h.up(), LastOK: instant(h.LastOK), Failures: h.Failures, Error: h.Err})
	}
	if text, err := parts.setup.Config.YAML(); err == nil {
		out.Config = string(text)
	}
	var ds []model.Diagnosis
	if v := p.view.Load(); v != nil {
		r := *v.report
		r.Targets, ds = v.diagnoses, v.diagnoses
		out.Report = &r
	}
	out.Rules, out.Targets = rulesOf(parts, ds), p.scrapedNow()
	return out
}

// scrapedNow is the health of what is scraped.
func (s *Service) scrapedNow() []api.Target {
	pool := s.scraping.pool.Load()
	if pool == nil {
		return nil
	}
	var out []api.Target
	for _, h := range pool.Targets() {
		t := api.Target{Job: h.Target.Job, URL: httpclient.Display(h.Target.URL), Labels: h.Target.Labels.Map(), Health: "unknown", LastScrape: instant(h.Last.At), Seconds: h.Last.Took.Seconds()}
		switch {
		case h.Last.Err != nil:
			t.Health, t.Error = "down", h.Last.Err.Error()
		case !h.Last.At.IsZero():
			t.Health = "up"
		}
		out = append(out, t)
	}
	return out
}

// rulesOf are the rules and how many servers each of them speaks of.
func rulesOf(p *parts, ds []model.Diagnosis) []api.Rule {
	type state struct {
		id string
		is model.SymptomState
	}
	n := map[state]int{}
	for _, d := range ds {
		for _, x := range d.Symptoms {
			n[state{x.ID, x.State}]++
		}
	}
	var out []api.Rule
	for _, r := range p.setup.Content.Rules.All() {
		out = append(out, api.Rule{
			ID: r.ID, Title: r.Title, Severity: string(r.Severity), Scope: string(r.Scope), ForSeconds: r.For.Seconds(), KeepSeconds: r.KeepFiringFor.Seconds(),
			Pending: n[state{r.ID, model.Pending}], Firing: n[state{r.ID, model.Firing}],
		})
	}
	slices.SortFunc(out, func(a, b api.Rule) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
