package config

import (
	"time"

	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/internal/timeinterval"
)

// TimeInterval is a name for some hours, in Alertmanager's form.
type TimeInterval struct {
	// What routes call it. Required, and given once.
	Name string `yaml:"name,omitempty"`
	// The hours; an instant has to lie in one of the entries. Required.
	Intervals []*Hours `yaml:"time_intervals,omitempty"`
}

func (t *TimeInterval) check(c *check, at place) {
	c.require(at, "name", t.Name != "")
	c.require(at, "time_intervals", len(t.Intervals) > 0)
}

// Contains says whether the instant lies in one of the hours.
func (t *TimeInterval) Contains(at time.Time) bool {
	for _, h := range t.Intervals {
		if h != nil && h.interval().Contains(at) {
			return true
		}
	}
	return false
}

// Hours hold an instant when each of their parts does; a part that is not written holds every instant.
type Hours struct {
	// Times of the day as start_time and end_time, the end not included.
	Times []TimeOfDay `yaml:"times,omitempty"`
	// Such as saturday, or monday:friday.
	Weekdays []Weekdays `yaml:"weekdays,flow,omitempty"`
	// Such as 1, 1:5 or -3:-1; -1 is the last day of a month.
	DaysOfMonth []Days `yaml:"days_of_month,flow,omitempty"`
	// Such as may, january:march or 1:3.
	Months []Months `yaml:"months,flow,omitempty"`
	// Such as 2026 or 2026:2028.
	Years []Years `yaml:"years,flow,omitempty"`
	// The time zone, such as Europe/Berlin. Default UTC.
	Location Location `yaml:"location,omitempty"`
}

func (h *Hours) interval() timeinterval.Interval {
	out := timeinterval.Interval{Location: h.Location.loc}
	for _, t := range h.Times {
		out.Times = append(out.Times, t.span)
	}
	for _, d := range h.Weekdays {
		out.Weekdays = append(out.Weekdays, d.Range)
	}
	for _, d := range h.DaysOfMonth {
		out.Days = append(out.Days, d.Range)
	}
	for _, m := range h.Months {
		out.Months = append(out.Months, m.Range)
	}
	for _, y := range h.Years {
		out.Years = append(out.Years, y.Range)
	}
	return out
}

// TimeOfDay is a part of each day.
type TimeOfDay struct {
	// Where it begins, such as 09:00.
	Start string `yaml:"start_time,omitempty"`
	// Where it ends, such as 17:00; 24:00 is the end of a day.
	End string `yaml:"end_time,omitempty"`

	span timeinterval.Range
}

func (t *TimeOfDay) check(c *check, at place) {
	from, to := c.require(at, "start_time", t.Start != ""), c.require(at, "end_time", t.End != "")
	if !from || !to {
		return
	}
	var err error
	if t.span, err = timeinterval.Times(t.Start, t.End); err != nil {
		c.fault(at.field("end_time"), "", "%s", err)
	}
}

// span is a range with the text it was read from.
type span struct {
	text  string
	Range timeinterval.Range
}

func (w *span) read(n *yaml.Node, parse func(string) (timeinterval.Range, error)) error {
	if n.Kind != yaml.ScalarNode {
		return fault(n, "want a text such as 1:5", "")
	}
	var err error
	if w.Range, err = parse(n.Value); err != nil {
		return fault(n, err.Error(), "")
	}
	w.text = n.Value
	return nil
}

// MarshalYAML implements yaml.Marshaler.
func (w span) MarshalYAML() (any, error) { return w.text, nil }

// Weekdays is a weekday, or one to another.
type Weekdays struct{ span }

// UnmarshalYAML implements yaml.Unmarshaler.
func (w *Weekdays) UnmarshalYAML(n *yaml.Node) error { return w.read(n, timeinterval.Weekday) }

// Days is a day of the month, or one to another.
type Days struct{ span }

// UnmarshalYAML implements yaml.Unmarshaler.
func (d *Days) UnmarshalYAML(n *yaml.Node) error { return d.read(n, timeinterval.Day) }

// Months is a month, or one to another.
type Months struct{ span }

// UnmarshalYAML implements yaml.Unmarshaler.
func (m *Months) UnmarshalYAML(n *yaml.Node) error { return m.read(n, timeinterval.Month) }

// Years is a year, or one to another.
type Years struct{ span }

// UnmarshalYAML implements yaml.Unmarshaler.
func (y *Years) UnmarshalYAML(n *yaml.Node) error { return y.read(n, timeinterval.Year) }

// Location is a time zone.
type Location struct{ loc *time.Location }

// UnmarshalYAML implements yaml.Unmarshaler.
func (l *Location) UnmarshalYAML(n *yaml.Node) error {
	s, err := text(n, "a time zone")
	if err != nil {
		return err
	}
	if l.loc, err = time.LoadLocation(s); err != nil || s == "" {
		return fault(n, "unknown time zone "+shorten(s), "such as Europe/Berlin")
	}
	return nil
}

// MarshalYAML implements yaml.Marshaler.
func (l Location) MarshalYAML() (any, error) { return l.loc.String(), nil }

// IsZero says that none was given.
func (l Location) IsZero() bool { return l.loc == nil }
