// Package render writes a report for machines (JSON and its schema) and for people (text, Markdown).
package render

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// JSON writes the report as the contract has it: indented, arrays never null, scores with three
// decimals, other numbers with six significant digits, times in UTC.
func JSON(w io.Writer, r *model.Report) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(Contract(r)); err != nil {
		return fmt.Errorf("write report as JSON: %w", err)
	}
	return nil
}

// Contract returns a copy of the report that marshals as the contract has it. The report itself
// is not changed.
func Contract(r *model.Report) *model.Report {
	out := *r
	out.GeneratedAt = utc(r.GeneratedAt)
	out.WindowSeconds = value(r.WindowSeconds)
	out.Targets = each(r.Targets, diagnosis)
	return &out
}

func diagnosis(d model.Diagnosis) model.Diagnosis {
	if d.Target == nil {
		d.Target = map[string]string{}
	}
	d.UnknownScore = score(d.UnknownScore)
	if d.BoundBy != nil && *d.BoundBy == "" {
		d.BoundBy = nil
	}
	if d.Onset != nil {
		at := utc(*d.Onset)
		d.Onset = &at
	}
	d.Ceiling = ceiling(d.Ceiling)
	d.Changed = each(d.Changed, func(c model.Change) model.Change {
		c.From, c.To, c.At = anyNumber(c.From), anyNumber(c.To), utc(c.At)
		return c
	})
	d.Impact.RequestsPerSecondHurt = valuePtr(d.Impact.RequestsPerSecondHurt)
	d.Impact.TokensPerSecondLost = valuePtr(d.Impact.TokensPerSecondLost)
	d.Symptoms = each(d.Symptoms, func(s model.Symptom) model.Symptom {
		s.Since, s.HeldSeconds = utc(s.Since), value(s.HeldSeconds)
		s.Members = each(s.Members, same)
		s.Evidence = each(s.Evidence, evidence)
		return s
	})
	d.Causes = each(d.Causes, func(c model.Cause) model.Cause {
		c.Score = score(c.Score)
		c.Explains = each(c.Explains, same)
		c.For, c.Against, c.Unseen = each(c.For, evidence), each(c.Against, evidence), each(c.Unseen, evidence)
		c.Changes = each(c.Changes, func(a model.Action) model.Action { return a })
		return c
	})
	d.Missing = each(d.Missing, func(m model.Missing) model.Missing { return m })
	d.Notes = each(d.Notes, same)
	d.Examples = each(d.Examples, example)
	return d
}

func ceiling(c *model.Ceiling) *model.Ceiling {
	if c == nil {
		return nil
	}
	out := *c
	out.StepSeconds, out.FloorSeconds, out.Ratio = value(c.StepSeconds), value(c.FloorSeconds), score(c.Ratio)
	for _, v := range []**float64{&out.MemorySeconds, &out.ComputeSeconds, &out.ExchangeSeconds, &out.DecodeMost, &out.PoolBatch, &out.PoolMost, &out.PrefillMost} {
		*v = valuePtr(*v)
	}
	return &out
}

func evidence(e model.Evidence) model.Evidence {
	e.Value, e.Weight = valuePtr(e.Value), score(e.Weight)
	if e.Value == nil {
		e.Bound, e.Unit = "", ""
	}
	return e
}

func example(x model.Example) model.Example {
	for _, v := range []**float64{&x.TTFT, &x.Queue, &x.Prefill, &x.Decode, &x.E2E, &x.PromptTokens, &x.OutputTokens} {
		*v = valuePtr(*v)
	}
	return x
}

// each maps into a new slice that is empty, not nil, when there is nothing.
func each[T any](in []T, f func(T) T) []T {
	out := make([]T, 0, len(in))
	for _, x := range in {
		out = append(out, f(x))
	}
	return out
}

func same(s string) string { return s }

func utc(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

func isNumber(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func score(v float64) float64 {
	if !isNumber(v) {
		return 0
	}
	return math.Round(v*1000) / 1000
}

func value(v float64) float64 {
	if !isNumber(v) {
		return 0
	}
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	if err != nil {
		return v
	}
	return r
}

// valuePtr drops what is no number: it was not seen.
func valuePtr(v *float64) *float64 {
	if v == nil || !isNumber(*v) {
		return nil
	}
	r := value(*v)
	return &r
}

// anyNumber treats the ends of a change, which hold a number, a text or nothing.
func anyNumber(v any) any {
	switch x := v.(type) {
	case float64:
		if !isNumber(x) {
			return nil
		}
		return value(x)
	case float32:
		return anyNumber(float64(x))
	default:
		return v
	}
}
