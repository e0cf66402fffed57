// Package alerts takes alerts that others have raised: from Alertmanager's webhook, and from Prometheus
// or vmalert themselves. They become symptoms of the servers that they are about. It is pure but for its
// HTTP handler.
package alerts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Alert is one that somebody else has raised.
type Alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations,omitempty"`
	StartsAt    time.Time         `json:"starts_at"`
	// EndsAt is when it ended, or will end unless it is said again; zero where nobody said.
	EndsAt time.Time `json:"ends_at,omitzero"`
	// Source is who said it, in words for people.
	Source string `json:"source"`
	// Looked says that it has been looked at, and Then what was found for the time at which it began,
	// where that is not seen any more.
	Looked bool   `json:"looked,omitempty"`
	Then   string `json:"then,omitempty"`
}

// ID tells alerts apart as Prometheus does, by their labels.
func (a Alert) ID() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
		b.WriteString(name + "\x1e" + a.Labels[name] + "\x1f")
	}
	return b.String()
}

// Limits of one alert. Prometheus's own default is no limit; these are far beyond what rules make.
const (
	maxLabels = 64
	maxText   = 16 << 10
)

// webhook is what Alertmanager's webhook receiver is sent (notify/webhook, version 4).
type webhook struct {
	Version   string      `json:"version"`
	Receiver  string      `json:"receiver"`
	Truncated uint64      `json:"truncatedAlerts"`
	Alerts    *[]incoming `json:"alerts"`
}

type incoming struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
}

// Webhook reads what Alertmanager sends: all of it, or nothing and an error that names the place. Fields
// that it does not know are passed over; truncated counts the alerts that Alertmanager left out.
func Webhook(body []byte, now time.Time) (out []Alert, truncated uint64, err error) {
	var w webhook
	if err := decode(body, &w); err != nil {
		return nil, 0, err
	}
	switch {
	case w.Version != "4":
		return nil, 0, fmt.Errorf("version: want \"4\", as Alertmanager sends since 0.6, got %q", w.Version)
	case w.Alerts == nil:
		return nil, 0, errors.New("alerts: missing")
	}
	for i, x := range *w.Alerts {
		a, err := x.alert(fmt.Sprintf("alerts[%d]", i), now)
		if err != nil {
			return nil, 0, err
		}
		a.Source = "Alertmanager, receiver " + w.Receiver
		switch x.Status {
		case "resolved":
			if a.EndsAt.IsZero() || a.EndsAt.After(now) {
				a.EndsAt = now
			}
		case "firing":
			a.EndsAt = time.Time{} // what stands there is when Alertmanager would forget it
		default:
			return nil, 0, fmt.Errorf("alerts[%d].status: want firing or resolved, got %q", i, x.Status)
		}
		out = append(out, a)
	}
	return out, w.Truncated, nil
}

// Alerts reads what Prometheus and vmalert send to an Alertmanager (POST /api/v2/alerts).
func Alerts(body []byte, now time.Time) ([]Alert, error) {
	var in []incoming
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	var out []Alert
	for i, x := range in {
		a, err := x.alert(fmt.Sprintf("[%d]", i), now)
		if err != nil {
			return nil, err
		}
		a.Source = "Prometheus"
		out = append(out, a)
	}
	return out, nil
}

// decode reads one JSON value, and says where it is wrong.
func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	err := d.Decode(into)
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &kind):
		return fmt.Errorf("%s: want %s, got %s", orRoot(kind.Field), kind.Type, kind.Value)
	case errors.As(err, &syntax):
		return fmt.Errorf("byte %d: %s", syntax.Offset, syntax.Error())
	case err != nil:
		return fmt.Errorf("read the body: %w", err)
	case d.More():
		return errors.New("more follows after the JSON value")
	}
	return nil
}

func orRoot(field string) string {
	if field == "" {
		return "the body"
	}
	return field
}

func (x incoming) alert(at string, now time.Time) (Alert, error) {
	a := Alert{Labels: x.Labels, Annotations: x.Annotations, StartsAt: x.StartsAt, EndsAt: x.EndsAt}
	switch {
	case len(x.Labels) == 0:
		return a, fmt.Errorf("%s.labels: an alert needs labels", at)
	case x.Labels["alertname"] == "":
		return a, fmt.Errorf("%s.labels.alertname: missing", at)
	case len(x.Labels) > maxLabels || len(x.Annotations) > maxLabels:
		return a, fmt.Errorf("%s: more than %d labels or annotations", at, maxLabels)
	}
	for _, m := range []map[string]string{x.Labels, x.Annotations} {
		for name, v := range m {
			if len(v) > maxText || !utf8.ValidString(v) {
				return a, fmt.Errorf("%s: the value of %.100q is longer than %d bytes, or not UTF-8", at, name, maxText)
			}
		}
	}
	if a.StartsAt.IsZero() || a.StartsAt.After(now) {
		a.StartsAt = now
	}
	if a.EndsAt.Year() <= 1 {
		a.EndsAt = time.Time{}
	}
	if x.StartsAt.IsZero() && !a.EndsAt.IsZero() && a.EndsAt.Before(now) {
		a.StartsAt = a.EndsAt // as Alertmanager reads an end that does not say when it began
	}
	if !a.EndsAt.IsZero() && a.EndsAt.Before(a.StartsAt) {
		return a, fmt.Errorf("%s.endsAt: before startsAt", at)
	}
	return a, nil
}

// own is the label by which inferdx's own alerts are known when they come back.
const own = "inferdx"

// Foreign leaves out inferdx's own alerts, and counts them.
func Foreign(all []Alert) (out []Alert, dropped int) {
	for _, a := range all {
		if a.Labels[own] == "true" {
			dropped++
			continue
		}
		out = append(out, a)
	}
	return out, dropped
}
