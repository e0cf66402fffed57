package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/promapi"
	"github.com/inferdx/inferdx/internal/units"
)

// ownMetrics asks whether it was the engine that was read.
const ownMetrics = "is this the engine's own /metrics, and was it started without --disable-log-stats?"

// noEngine is the error where a recording or pages hold no server.
func noEngine(st *samples.Store) error {
	found := foreign(st)
	if found == "" {
		return &failure{
			code: exitUnknown, hints: []string{ownMetrics},
			err: fmt.Errorf("not enough to tell: none of the metrics read is one of an inference engine, a GPU or a host that inferdx knows"),
		}
	}
	return &failure{
		code: exitUnknown, hints: []string{"record the engine's own /metrics as well", ownMetrics},
		err: fmt.Errorf("not enough to tell: no series of a known engine were read, only %s", found),
	}
}

// foreign counts what was read of everything but engines: "2 instances with 40 metrics that inferdx
// knows (node_load1, …)".
func foreign(st *samples.Store) string {
	var names []string
	for _, in := range st.Instances() {
		for _, n := range in.Names() {
			if n != "up" && !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	instances := len(st.Instances())
	switch {
	case instances == 0:
		return ""
	case len(names) == 0:
		return "whether " + count(instances, "instance") + " answered"
	}
	slices.Sort(names)
	return count(instances, "instance") + " with " + count(len(names), "known metric") + " (" + few(names, 3) + ")"
}

// few names the first of a list and says how many there are beside.
func few(all []string, most int) string {
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return strings.Join(all[:most], ", ") + fmt.Sprintf(" and %d more", len(all)-most)
}

// nobody is the error where a Prometheus-compatible API has no server that matches. It asks the API
// once more for what it does have, as the reason is hardly ever seen from here.
func (p *prometheus) nobody(ctx context.Context, o promapi.Options, st *samples.Store, markers []string, at time.Time, window time.Duration) error {
	asked := "no series of a known engine"
	if len(p.match) > 0 {
		asked += " with {" + strings.Join(p.match, ", ") + "}"
	}
	err := fmt.Errorf("no target could be read: --prometheus has %s in the %s before %s",
		asked, units.Duration(window), at.Add(-p.offset).UTC().Format(time.RFC3339))
	if found := foreign(st); found != "" {
		err = fmt.Errorf("%w, only %s", err, found)
	}
	f := &failure{code: exitFailure, err: err}
	if len(p.match) > 0 {
		if others, err := promapi.Discover(ctx, o, at, markers); err == nil && len(others) > 0 {
			var names []string
			for _, ls := range others {
				names = append(names, "job="+ls.Get("job")+" instance="+ls.Get("instance"))
			}
			f.hints = append(f.hints, "without --match it has "+count(len(others), "engine")+": "+few(names, 5))
			return f
		}
	}
	jobs, err := promapi.Discover(ctx, o, at, []string{"up"}, "job")
	if err != nil || len(jobs) == 0 {
		f.hints = append(f.hints,
			"it has no `up` of any job at that time either: another --at, or a tenant header that is missing (--header X-Scope-OrgID=…)?",
			"where samples become visible late, --query-offset 1m reads everything that much earlier")
		return f
	}
	var names []string
	for _, ls := range jobs {
		names = append(names, ls.Get("job"))
	}
	f.hints = append(f.hints, "jobs that it scrapes then: "+few(names, 12)+"; is the engine's own /metrics scraped by one of them?")
	return f
}
