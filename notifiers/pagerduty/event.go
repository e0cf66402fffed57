package pagerduty

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
)

// The limits of PagerDuty's Events API: https://developer.pagerduty.com/docs/send-alert-event.
const (
	maxSummary = 1024
	maxKey     = 255
	maxEvent   = 512_000
)

type event struct {
	RoutingKey string   `json:"routing_key"`
	Action     string   `json:"event_action"` // trigger, resolve
	DedupKey   string   `json:"dedup_key"`
	Payload    *payload `json:"payload,omitempty"`
	Links      []Link   `json:"links,omitempty"`
}

type payload struct {
	Summary   string    `json:"summary"`
	Source    string    `json:"source"`
	Severity  string    `json:"severity"`
	Timestamp time.Time `json:"timestamp"`
	Component string    `json:"component,omitempty"`
	Group     string    `json:"group,omitempty"`
	Class     string    `json:"class,omitempty"`
	Details   details   `json:"custom_details"`
}

type details struct {
	Reason      plan.Reason   `json:"reason"`
	Number      int           `json:"number"`
	Onset       time.Time     `json:"onset"`
	Targets     []target      `json:"targets"`
	LeftOut     int           `json:"targets_left_out,omitempty"`
	Recovered   []string      `json:"recovered,omitempty"`
	Outcome     *plan.Outcome `json:"outcome,omitempty"`
	GroupLabels string        `json:"group_labels,omitempty"`
}

// target is a diagnosis as somebody with a phone in hand reads it.
type target struct {
	Target   string   `json:"target"`
	Hurts    string   `json:"hurts"`
	Symptoms []string `json:"symptoms"`
	Cause    string   `json:"cause"`
	For      []string `json:"for,omitempty"`
	Against  []string `json:"against,omitempty"`
	Change   string   `json:"change,omitempty"`
	Cost     string   `json:"cost,omitempty"`
	Unseen   []string `json:"unseen,omitempty"`
}

// encode writes an event that PagerDuty takes: targets are left out from the end, and counted, until it fits.
func encode(m plan.Message, incident, key, title string, links []Link) ([]byte, error) {
	e := event{RoutingKey: key, Action: "trigger", DedupKey: incident}
	if !m.Firing() {
		e.Action = "resolve"
		return marshal(e)
	}
	e.Links, e.Payload = links, describe(m, title)
	all := e.Payload.Details.Targets
	for keep := len(all); ; keep /= 2 {
		e.Payload.Details.Targets, e.Payload.Details.LeftOut = all[:keep], len(all)-keep
		body, err := marshal(e)
		switch {
		case err != nil:
			return nil, err
		case len(body) <= maxEvent:
			return body, nil
		case keep == 0:
			return nil, fmt.Errorf("message %s has %d bytes without any target, more than the %d that PagerDuty takes", m.ID, len(body), maxEvent)
		}
	}
}

func marshal(e event) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return nil, fmt.Errorf("write event: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// dedupKey is one incident for one onset of a group. A test opens an incident of its own.
func dedupKey(m plan.Message) string {
	key := "inferdx/" + m.Key + "/" + m.Onset.UTC().Format(time.RFC3339)
	if m.Reason == plan.Test {
		key = "inferdx/test/" + m.ID
	}
	if len(key) > maxKey {
		sum := sha256.Sum256([]byte(key))
		key = "inferdx/" + hex.EncodeToString(sum[:])
	}
	return key
}

func severity(s model.Severity) string {
	switch s {
	case model.Critical, model.Warning, model.Info:
		return string(s)
	}
	return "error" // PagerDuty takes nothing empty, and a problem of unknown weight is not to be slept through
}

func describe(m plan.Message, title string) *payload {
	p := &payload{
		Summary: cut(title, maxSummary), Source: "inferdx", Severity: severity(m.Severity), Timestamp: m.At.UTC(), Group: cut(m.Key, maxSummary),
		Details: details{
			Reason: m.Reason, Number: m.Number, Onset: m.Onset.UTC(), Targets: []target{}, Recovered: m.Recovered, Outcome: m.Outcome,
			GroupLabels: labels(m.GroupLabels),
		},
	}
	if p.Summary == "" {
		p.Summary = "inferdx: " + string(m.Reason)
	}
	for _, d := range m.Diagnoses {
		p.Details.Targets = append(p.Details.Targets, about(d))
	}
	if len(m.Diagnoses) > 0 {
		worst := m.Diagnoses[0]
		p.Source, p.Component = cut(name(worst), maxSummary), worst.Engine.Name
		if len(worst.Symptoms) > 0 {
			p.Class = worst.Symptoms[0].ID
		}
	}
	return p
}

func about(d model.Diagnosis) target {
	t := target{Target: cut(name(d), maxSummary), Hurts: cut(d.Summary, maxSummary), Symptoms: []string{}, Cause: "not known"}
	for _, s := range d.Symptoms {
		t.Symptoms = append(t.Symptoms, fmt.Sprintf("%s (%s, %s)", s.Title, s.Severity, s.State))
	}
	for _, miss := range d.Missing {
		t.Unseen = append(t.Unseen, miss.Signal+": "+miss.Needs)
	}
	i := slices.IndexFunc(d.Causes, func(c model.Cause) bool { return c.Primary })
	switch {
	case i < 0 && len(d.Causes) > 0:
		t.Cause = fmt.Sprintf("not known; at most %s (%.2f)", d.Causes[0].Title, d.Causes[0].Score)
		return t
	case i < 0:
		return t
	}
	c := d.Causes[i]
	t.Cause = fmt.Sprintf("%s (%.2f)", c.Title, c.Score)
	t.For, t.Against = texts(c.For), texts(c.Against)
	t.Unseen = append(texts(c.Unseen), t.Unseen...)
	if len(c.Changes) > 0 {
		t.Change, t.Cost = change(c.Changes[0]), c.Changes[0].Cost
	}
	return t
}

func texts(es []model.Evidence) []string {
	var out []string
	for _, e := range es {
		out = append(out, cut(e.Text, maxSummary))
	}
	return out
}

func change(a model.Action) string {
	if a.Flag == "" {
		return a.Text
	}
	from, to := "?", "(see why)"
	if a.From != nil {
		from = *a.From
	}
	if a.To != nil {
		to = *a.To
	}
	return a.Flag + " " + from + " -> " + to
}

func name(d model.Diagnosis) string {
	if d.Name != "" {
		return d.Name
	}
	if l := labels(d.Target); l != "" {
		return l
	}
	return "inferdx"
}

func labels(m map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+"="+m[k])
	}
	return strings.Join(out, ", ")
}

// cut shortens a text to a number of bytes, between two runes, and marks it.
func cut(s string, most int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) <= most {
		return s
	}
	s = s[:most-len("…")]
	for len(s) > 0 {
		if r, n := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || n != 1 {
			break
		}
		s = s[:len(s)-1]
	}
	return s + "…"
}
