package compare

import (
	"math"
	"sort"

	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/rules/signals"
)

// The signals whose series a side is made of. What a server does not export is left out.
const (
	running     = "running"
	waiting     = "waiting"
	tokens      = "gen_tokens"
	prompts     = "prompt_tokens_per_s"
	finished    = "requests_finished"
	failed      = "requests_failed"
	answered    = "http_completed"
	succeeded   = "http_succeeded"
	preemptions = "preemptions"
	arrivals    = "arrivals" // first tokens and what the queue grew by; no signal of the catalogue
	ttft        = "ttft_mean_s"
	itl         = "itl_mean_s"
	tpot        = "tpot_p50_s"
	e2e         = "e2e_mean_s"
	promptLen   = "prompt_mean"
	outputLen   = "output_mean"
)

var (
	counterSignals   = []string{tokens, prompts, finished, failed, answered, succeeded, preemptions}
	gaugeSignals     = []string{running, waiting}
	histogramSignals = []string{ttft, itl, tpot, e2e, promptLen, outputLen}
)

// Source finds the series that a signal of an instance is read from; signals.Catalog does.
type Source interface {
	Origin(in *samples.Instance, signal string) (signals.Origin, bool)
	Engine(in *samples.Instance) (string, bool)
}

// Range is a stretch of time in milliseconds since 1970, both ends included.
type Range struct{ From, To int64 }

// All is the range that leaves nothing out.
func All() Range { return Range{math.MinInt64, math.MaxInt64} }

// mostSteps bounds the work on long stretches: neighbouring scrapes are joined to this many steps,
// which are still far more than the blocks that the resampling makes of them.
const mostSteps = 240

// Read makes a side of what an instance was seen doing in a range.
func Read(from Source, in *samples.Instance, r Range) Side {
	s := Side{Target: in.Labels, Gains: map[string][]float64{}, Levels: map[string][]float64{}, Histograms: map[string]Histogram{}}
	s.Engine, _ = from.Engine(in)
	scrapes, lost := within(in.Scrapes, r), within(in.Failed, r)
	s.Scrapes, s.Failed = len(scrapes), len(lost)
	s.Down = len(lost) > 0 && (len(scrapes) == 0 || lost[len(lost)-1] > scrapes[len(scrapes)-1])
	generation, ok := from.Origin(in, tokens)
	if !ok {
		return s
	}
	s.steps(scrapes, generation.Series)
	for _, id := range counterSignals {
		if o, ok := from.Origin(in, id); ok {
			s.Gains[id] = s.gains(o.Series, in)
		}
	}
	for _, id := range gaugeSignals {
		if o, ok := from.Origin(in, id); ok {
			s.Levels[id] = s.levels(o.Series)
		}
	}
	for _, id := range histogramSignals {
		if o, ok := from.Origin(in, id); ok {
			s.histogram(id, o)
		}
	}
	s.arrivals(from, in)
	s.EmptyAtStart = s.Len() > 0 && levelAtOf(from, in, running, s.From[0])+levelAtOf(from, in, waiting, s.From[0]) == 0
	return s
}

func within(ts []int64, r Range) []int64 {
	lo := sort.Search(len(ts), func(i int) bool { return ts[i] >= r.From })
	hi := sort.Search(len(ts), func(i int) bool { return ts[i] > r.To })
	return ts[lo:max(lo, hi)]
}

// steps lie between adjacent scrapes that both show the engine.
func (s *Side) steps(scrapes []int64, generation []*samples.Series) {
	var seen []int64
	for _, t := range scrapes {
		for _, x := range generation {
			if _, ok := valueAt(x, t); ok {
				seen = append(seen, t)
				break
			}
		}
	}
	every := max(1, (len(seen)-1+mostSteps-1)/mostSteps)
	for i := every; i < len(seen); i += every {
		from, to := seen[i-every], seen[i]
		fell := 0
		for _, x := range generation {
			fell += samples.Resets(span(from, to).In(x.Points))
		}
		s.From, s.To = append(s.From, from), append(s.To, to)
		s.Restarted = append(s.Restarted, fell > 0)
	}
}

// span is the window that holds both ends of a step.
func span(from, to int64) samples.Window { return samples.Window{From: from - 1, To: to} }

func valueAt(x *samples.Series, t int64) (float64, bool) {
	if ps := span(t, t).In(x.Points); len(ps) > 0 && !math.IsNaN(ps[0].V) {
		return ps[0].V, true
	}
	return 0, false
}

func (s *Side) gains(list []*samples.Series, in *samples.Instance) []float64 {
	out := make([]float64, s.Len())
	for _, x := range list {
		for i := range out {
			out[i] += growth(x, in, s.From[i], s.To[i])
		}
	}
	return out
}

// growth is a counter's over a step. One that appears in it, on an instance that answered before,
// counted up from 0: a label value is often exported from its first event on.
func growth(x *samples.Series, in *samples.Instance, from, to int64) float64 {
	ps := span(from, to).In(x.Points)
	inc, _, _ := samples.Increase(ps)
	if len(ps) > 0 && ps[0].T == x.Points[0].T && ps[0].T > from && len(in.Scrapes) > 0 && in.Scrapes[0] < ps[0].T && !math.IsNaN(ps[0].V) {
		inc += ps[0].V
	}
	return inc
}

func (s *Side) levels(list []*samples.Series) []float64 {
	out := make([]float64, s.Len())
	for i := range out {
		out[i] = levelAt(list, s.To[i])
	}
	return out
}

func levelAt(list []*samples.Series, t int64) float64 {
	total, seen := 0.0, false
	for _, x := range list {
		if v, ok := valueAt(x, t); ok {
			total, seen = total+v, true
		}
	}
	if !seen {
		return math.NaN()
	}
	return total
}

func levelAtOf(from Source, in *samples.Instance, signal string, t int64) float64 {
	o, ok := from.Origin(in, signal)
	if !ok {
		return 0
	}
	return levelAt(o.Series, t)
}

// histogram reads the buckets of every step onto one list of edges.
func (s *Side) histogram(id string, o signals.Origin) {
	h := Histogram{Counts: make([][]float64, s.Len())}
	if s.Len() == 0 {
		return
	}
	whole, ok := samples.Gain(o.Series, nil, span(s.From[0], s.To[s.Len()-1]))
	if !ok {
		return
	}
	h.Edges = whole.Edges
	if len(o.Sums) > 0 {
		h.Sums = make([]float64, s.Len())
	}
	for i := range s.From {
		h.Counts[i] = make([]float64, len(h.Edges))
		step, ok := samples.Gain(o.Series, o.Sums, span(s.From[i], s.To[i]))
		if !ok {
			continue
		}
		below := 0.0
		for j, e := range step.Edges {
			h.Counts[i][sort.SearchFloat64s(h.Edges, e)] += step.Cum[j] - below
			below = step.Cum[j]
		}
		if h.Sums != nil {
			h.Sums[i] = step.Sum
		}
	}
	s.Histograms[id] = h
}

// arrivals are the requests that came in each step: those that got their first token and those by
// which the queue grew.
func (s *Side) arrivals(from Source, in *samples.Instance) {
	if _, ok := s.Histograms[ttft]; !ok {
		return
	}
	queue, ok := from.Origin(in, waiting)
	if !ok {
		return
	}
	out := make([]float64, s.Len())
	for i := range out {
		out[i] = s.observations(ttft, i)
		if d := levelAt(queue.Series, s.To[i]) - levelAt(queue.Series, s.From[i]); !math.IsNaN(d) {
			out[i] += d
		}
	}
	s.Gains[arrivals] = out
}
