package config

import (
	"strings"

	prom "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/relabel"
)

// Relabel is a step of relabelling, in Prometheus's form.
type Relabel struct {
	// The labels whose values are joined and looked at.
	SourceLabels []Label `yaml:"source_labels,flow,omitempty"`
	// What joins them. Default ;
	Separator *string `yaml:"separator,omitempty"`
	// What the joined value has to match. Default (.*)
	Regex *Regex `yaml:"regex,omitempty"`
	// By what hashmod divides.
	Modulus uint64 `yaml:"modulus,omitempty"`
	// The label that is written.
	TargetLabel string `yaml:"target_label,omitempty"`
	// What is written. Default $1
	Replacement *string `yaml:"replacement,omitempty"`
	// replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep, lowercase or uppercase. Default replace.
	Action string `yaml:"action,omitempty"`
}

// Config is the step as Prometheus's relabel package runs it.
func (r *Relabel) Config() *relabel.Config {
	out := relabel.DefaultRelabelConfig
	out.Modulus, out.TargetLabel = r.Modulus, r.TargetLabel
	for _, l := range r.SourceLabels {
		out.SourceLabels = append(out.SourceLabels, prom.LabelName(l))
	}
	if r.Separator != nil {
		out.Separator = *r.Separator
	}
	if r.Regex != nil {
		if re, err := relabel.NewRegexp(r.Regex.String()); err == nil {
			out.Regex = re
		}
	}
	if r.Replacement != nil {
		out.Replacement = *r.Replacement
	}
	if r.Action != "" {
		out.Action = relabel.Action(strings.ToLower(r.Action))
	}
	out.NameValidationScheme = prom.UTF8Validation
	return &out
}

func (r *Relabel) check(c *check, at place) {
	actions := []string{
		"replace", "keep", "drop", "keepequal", "dropequal", "hashmod", "labelmap", "labeldrop", "labelkeep", "lowercase", "uppercase",
	}
	if r.Action != "" && !c.oneOf(at.field("action"), strings.ToLower(r.Action), actions...) || c.mistyped(at) {
		return
	}
	if err := r.Config().Validate(prom.UTF8Validation); err != nil {
		where := at
		if a := at.field("action"); a.written() {
			where = a
		}
		c.fault(where, "", "%s", strings.TrimPrefix(err.Error(), "relabel configuration for "))
	}
}
