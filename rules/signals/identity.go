package signals

import (
	"slices"
	"sort"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// identity is what the series of an engine say of it beside numbers.
type identity struct {
	d      *dialect
	engine model.Engine
	labels model.Labels
	ranks  []string
	info   map[string]string
	infoOf []*samples.Series
}

// identity reads what the series' names and labels say of an engine.
func (x *bound) identity(d *dialect) *identity {
	if x.self != nil && x.self.d == d {
		return x.self
	}
	x.self = &identity{d: d, engine: version(x.in, d), labels: labelsOf(x.in, d), ranks: ranksOf(x.in, d)}
	return x.self
}

// version infers the engine's version from what it exposes: at least that of the newest mark seen.
func version(in *samples.Instance, d *dialect) model.Engine {
	e := model.Engine{Name: d.Name}
	for _, m := range d.Versions {
		for _, n := range spellings(m.Metric) {
			for _, s := range in.Named(n) {
				if m.Label == "" || s.Labels.Get(m.Label) != "" {
					e.Version, e.AtLeastOnly = m.Since, true
				}
			}
		}
	}
	return e
}

// RoleLabels are labels that name what a worker of a disaggregated service does, where deployments put one: llm-d and Dynamo by
// themselves, others by hand.
func RoleLabels() []string {
	return []string{"role", "worker_type", "llm_d_ai_role", "dynamo_component"}
}

// labelsOf are the labels of the target: the instance's, with the model, the pod and the role that its series name.
func labelsOf(in *samples.Instance, d *dialect) model.Labels {
	labels := slices.Clone(in.Labels)
	if m := firstLabel(in, d, d.Model); m != "" {
		labels = append(labels, model.Label{Name: "model_name", Value: m})
	}
	for _, k := range slices.Concat([]string{"namespace", "pod"}, RoleLabels()) {
		if v := firstLabel(in, d, k); v != "" && labels.Get(k) == "" {
			labels = append(labels, model.Label{Name: k, Value: v})
		}
	}
	labels.Sort()
	return labels
}

func firstLabel(in *samples.Instance, d *dialect, label string) string {
	for _, n := range d.markers {
		for _, s := range in.Named(n) {
			if v := s.Labels.Get(label); v != "" {
				return v
			}
		}
	}
	return ""
}

// ranksOf lists the data-parallel engines of a target; one alone is the target itself.
func ranksOf(in *samples.Instance, d *dialect) []string {
	if d.Rank == "" {
		return nil
	}
	var out []string
	for _, n := range spellings(d.Markers[0]) {
		for _, s := range in.Named(n) {
			if v := s.Labels.Get(d.Rank); v != "" && !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	if len(out) < 2 {
		return nil
	}
	sort.Strings(out)
	return out
}

// infoIn gives the labels of the info series that are there in the window. The map may be shared.
func (x *identity) infoIn(in *samples.Instance, w samples.Window) map[string]string {
	var room [8]*samples.Series
	found := room[:0]
	for _, spelled := range x.d.info {
		for _, v := range spelled {
			before := len(found)
			for _, s := range in.Named(v) {
				if len(w.In(s.Points)) > 0 {
					found = append(found, s)
				}
			}
			if len(found) > before {
				break
			}
		}
	}
	if x.info != nil && slices.Equal(found, x.infoOf) {
		return x.info
	}
	x.info, x.infoOf = map[string]string{}, slices.Clone(found)
	for _, s := range found {
		for _, l := range s.Labels {
			if _, ok := x.info[l.Name]; !ok {
				x.info[l.Name] = l.Value
			}
		}
	}
	return x.info
}
