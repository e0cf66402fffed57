package promapi

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	common "github.com/prometheus/common/model"

	"github.com/inferdx/inferdx/internal/model"
)

// ups are the queries for `up` of the jobs that the first round found. Matchers that a target's own
// series need not have (model_name) would hide its `up`: for those a second query asks for the
// instances found, while the first, with all matchers, also shows instances that are down for long.
func (f *fetch) ups() []query {
	own, others := f.split()
	if len(f.jobs) == 0 && len(own) == 0 {
		return nil
	}
	var job []string
	if len(f.jobs) > 0 {
		names := make([]string, 0, len(f.jobs))
		for j := range f.jobs {
			names = append(names, j)
		}
		slices.Sort(names)
		job = []string{"job=~" + anyOf(names)}
	}
	var out []query
	for _, sp := range f.sel.spans(f.at) {
		q := query{names: []string{"up"}, span: sp, matchers: slices.Concat(job, f.sel.Matchers)}
		out = append(out, q)
		if others && len(job) > 0 {
			q.matchers = slices.Concat(job, own)
			q.accept = f.found()
			out = append(out, q)
		}
	}
	return out
}

// split gives the matchers on labels that every series of a target has, and whether there are others.
func (f *fetch) split() (own []string, others bool) {
	for _, m := range f.sel.Matchers {
		name := strings.TrimSpace(m)
		if end := strings.IndexAny(name, "=!~ "); end >= 0 {
			name = name[:end]
		}
		if name == "job" || name == "instance" || slices.Contains(f.sel.Identity, name) {
			own = append(own, m)
		} else {
			others = true
		}
	}
	return own, others
}

// found accepts the series of instances that the first round saw.
func (f *fetch) found() func(common.Metric) bool {
	known := map[string]bool{}
	for _, in := range f.store.Instances() {
		known[in.Labels.Key()] = true
	}
	identity := f.sel.Identity
	if len(identity) == 0 {
		identity = []string{"instance", "job"}
	}
	return func(m common.Metric) bool {
		var own model.Labels
		for _, l := range toLabels(m) {
			if slices.Contains(identity, l.Name) {
				own = append(own, l)
			}
		}
		return known[own.Key()]
	}
}

// Discover lists the instances that expose any of the marker metrics at a time, by the identity
// labels given (none means job and instance), in order.
func Discover(ctx context.Context, o Options, at time.Time, markers []string, identity ...string) ([]model.Labels, error) {
	s, err := connect(o)
	if err != nil {
		return nil, err
	}
	defer s.http.Close()
	if len(markers) == 0 {
		return nil, fmt.Errorf("%s: %w", s.name, ErrNoMarkers)
	}
	if len(identity) == 0 {
		identity = []string{"job", "instance"}
	}
	query := "count by (" + strings.Join(identity, ", ") + ") (" + selector(markers, nil) + ")"
	v, _, err := s.ask(ctx, query, at.Add(-o.Offset))
	if err != nil {
		return nil, fmt.Errorf("%s: find targets: %w", s.name, err)
	}
	vector, ok := v.(common.Vector)
	if !ok {
		return nil, fmt.Errorf("%s: find targets: asked for a vector, got %s", s.name, resultType(v))
	}
	var out []model.Labels
	for _, x := range vector {
		if ls := toLabels(x.Metric); len(ls) > 0 {
			out = append(out, ls)
		}
	}
	slices.SortFunc(out, func(a, b model.Labels) int { return strings.Compare(a.Key(), b.Key()) })
	return out, nil
}
