package otlp

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

// WriteText writes where requests spent their time, then the slowest. link is the address of a trace with {trace_id} in it,
// or "".
func (t *Traces) WriteText(w io.Writer, link string) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s requests", count(float64(t.Requests)))
	if len(t.Services) > 0 {
		fmt.Fprintf(b, " of %s", strings.Join(t.Services, ", "))
	}
	if t.Seconds > 0 {
		fmt.Fprintf(b, " over %s, %s in flight on average", seconds(t.Seconds), count(t.InFlight))
	}
	fmt.Fprintf(b, "\n\n %-9s %9s %9s %9s %9s %9s\n", "", "P50", "P90", "P99", "P99.9", "slowest")
	for _, row := range []struct {
		name string
		q    *Times
	}{{"ttft", t.TTFT}, {"queue", t.Queue}, {"prefill", t.Prefill}, {"decode", t.Decode}, {"e2e", t.E2E}, {"handover", t.Handover}, {"KV wait", t.KVWait}} {
		if q := row.q; q != nil {
			fmt.Fprintf(b, " %-9s %9s %9s %9s %9s %9s\n", row.name, cell(q.P50), cell(q.P90), cell(q.P99), cell(q.P999), seconds(q.Max))
		}
	}
	t.tail(b, link)
	for _, n := range t.Notes {
		fmt.Fprintf(b, "\n note  %s\n", n)
	}
	return b.Flush()
}

func (t *Traces) tail(w io.Writer, link string) {
	x := t.Tail
	if x == nil {
		return
	}
	fmt.Fprintf(w, "\n the %d slowest first tokens, from %s on%s\n", x.Count, seconds(x.From), known("", x.Queue, ": %s of it in the queue", percent))
	fmt.Fprintf(w, "   prompts   %s%s\n", known("not told", x.Prompt, "%s tokens in the median", count), known("", x.PromptTimes, ", %s times that of all", count))
	fmt.Fprintf(w, "   beside    %s%s\n", known("not told", x.Neighbours, "%s prompt tokens of others that waited, too", count), known("", x.NeighbourTimes, ", %s times the median of all", count))
	for _, e := range x.Slowest {
		id := e.Trace
		if link != "" {
			id = strings.ReplaceAll(link, "{trace_id}", e.Trace)
		}
		fmt.Fprintf(w, "   %8s  %s%s%s\n", seconds(e.TTFT), id, known("", e.Queue, "  queue %s", seconds), known("", e.Prompt, "  prompt %s", count))
	}
}

func known(unknown string, v float64, format string, write func(float64) string) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return unknown
	}
	return fmt.Sprintf(format, write(v))
}

func cell(v *float64) string {
	if v == nil {
		return "-"
	}
	return seconds(*v)
}

func seconds(v float64) string { return units.Format(v, "s", model.Exact) }
func percent(v float64) string { return units.Format(v, "ratio", model.Exact) }
func count(v float64) string   { return units.Format(v, "count", model.Exact) }
