package config

import (
	"strings"
	"time"

	prom "github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"
)

// maxSpan is longer than anybody waits and keeps sums of durations far from overflow.
const maxSpan = 10 * 365 * 24 * time.Hour

// Duration is a time longer than nothing, in Prometheus's form: 90s, 1h30m, 15d.
type Duration time.Duration

// Delay is a Duration that may be 0.
type Delay time.Duration

// UnmarshalYAML implements yaml.Unmarshaler.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := parseDuration(n)
	if err == nil && v == 0 {
		err = fault(n, "must be longer than 0", "")
	}
	*d = Duration(v)
	return err
}

// MarshalYAML implements yaml.Marshaler.
func (d Duration) MarshalYAML() (any, error) { return d.String(), nil }

// String writes the duration as Prometheus does.
func (d Duration) String() string { return prom.Duration(d).String() }

// UnmarshalYAML implements yaml.Unmarshaler.
func (d *Delay) UnmarshalYAML(n *yaml.Node) error {
	v, err := parseDuration(n)
	*d = Delay(v)
	return err
}

// MarshalYAML implements yaml.Marshaler.
func (d Delay) MarshalYAML() (any, error) { return d.String(), nil }

// String writes the delay as Prometheus does.
func (d Delay) String() string { return prom.Duration(d).String() }

func parseDuration(n *yaml.Node) (time.Duration, error) {
	const want = "want a duration such as 30s, 1h30m or 15d"
	s := strings.TrimSpace(n.Value)
	switch {
	case n.Kind != yaml.ScalarNode:
		return 0, fault(n, want, "")
	case strings.HasPrefix(s, "-"):
		return 0, fault(n, "must not be negative", "")
	case s != "" && s != "0" && strings.Trim(s, "0123456789") == "":
		return 0, fault(n, want, "write the unit: "+shorten(s)+"s")
	}
	v, err := prom.ParseDuration(s)
	switch {
	case err != nil && strings.Contains(err.Error(), "range"), time.Duration(v) > maxSpan:
		return 0, fault(n, "longer than ten years", "")
	case err != nil:
		return 0, fault(n, want, "units: ms, s, m, h, d, w, y, the longest first")
	}
	return time.Duration(v), nil
}
