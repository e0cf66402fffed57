package bench

import (
	"math"
	"slices"
	"strings"
)

// maxRequests is how many single requests are kept of a run, 32 bytes each; the figures of the file itself are of all.
const maxRequests = 1_000_000

// Requests are the completed requests of a run, one beside the other; NaN where a file does not say.
type Requests struct {
	TTFT, TPOT, E2E, Start []float64
	// Dropped were left out beyond the first million.
	Dropped int
}

// Len is how many there are.
func (r *Requests) Len() int {
	if r == nil {
		return 0
	}
	return len(r.E2E)
}

func (r *Requests) add(ttft, tpot, e2e, start float64) {
	if len(r.E2E) >= maxRequests {
		r.Dropped++
		return
	}
	r.TTFT, r.TPOT = append(r.TTFT, ttft), append(r.TPOT, tpot)
	r.E2E, r.Start = append(r.E2E, e2e), append(r.Start, start)
}

// columns are lists with an entry for each request, as vLLM and SGLang write them.
type columns struct {
	ttft, e2e, output, start, held []float64
	// gaps are the sums of the inter-token times of each request.
	gaps   []float64
	failed []bool
	// long is how many entries were left out beyond maxRequests.
	long int
}

func (c *columns) wants(key string) bool {
	switch key {
	case "ttfts", "itls", "latencies", "output_lens", "start_times", "queue_times", "errors":
		return true
	}
	return false
}

func (c *columns) read(s *scanner, key string) error {
	into := map[string]*[]float64{
		"ttfts": &c.ttft, "latencies": &c.e2e, "output_lens": &c.output, "start_times": &c.start, "queue_times": &c.held, "itls": &c.gaps,
	}[key]
	if into != nil {
		*into = nil // a name that comes twice counts once
	}
	return s.list(func(i int) error {
		if i >= maxRequests {
			c.long = max(c.long, i+1-maxRequests)
			return s.skip()
		}
		switch key {
		case "errors":
			failed, err := s.failed()
			c.failed = append(c.failed[:min(i, len(c.failed))], failed)
			return err
		case "itls":
			sum, err := s.sum()
			*into = append(*into, sum)
			return err
		}
		v, err := s.number()
		*into = append(*into, v)
		return err
	})
}

// failed takes the text of an error; an empty one is none.
func (s *scanner) failed() (bool, error) {
	if s.peek() != '"' {
		return false, s.skip()
	}
	t, err := s.token()
	return err == nil && strings.TrimSpace(t.String()) != "", err
}

// sum adds a list of numbers up.
func (s *scanner) sum() (float64, error) {
	if s.peek() != '[' {
		return math.NaN(), s.skip()
	}
	sum := 0.0
	err := s.list(func(int) error {
		v, err := s.number()
		if !math.IsNaN(v) {
			sum += v
		}
		return err
	})
	return sum, err
}

// requests puts the columns together; nil where they tell no times.
func (c *columns) requests() *Requests {
	n := max(len(c.ttft), len(c.e2e))
	if n == 0 {
		return nil
	}
	r := &Requests{Dropped: c.long}
	for i := range n {
		if i < len(c.failed) && c.failed[i] {
			continue
		}
		ttft, e2e := at(c.ttft, i), at(c.e2e, i)
		if math.IsNaN(e2e) {
			e2e = ttft + at(c.gaps, i)
		}
		if ttft <= 0 { // neither failed nor answered by a stream
			ttft = math.NaN()
		}
		if e2e <= 0 || math.IsNaN(e2e) && math.IsNaN(ttft) {
			continue
		}
		tpot := math.NaN()
		if out := at(c.output, i); out > 1 {
			tpot = (e2e - ttft) / (out - 1)
		}
		r.add(ttft, tpot, e2e, at(c.start, i))
	}
	return r
}

func at(list []float64, i int) float64 {
	if i >= len(list) || !(math.Abs(list[i]) < beyond) {
		return math.NaN()
	}
	return list[i]
}

// rows are requests that a file lists as objects.
type rows struct {
	of Requests
}

// rowsAt says whether a path is a list of completed requests: GuideLLM's.
func rowsAt(path string) bool {
	return strings.HasPrefix(path, "benchmarks.") && strings.HasSuffix(path, ".requests.successful")
}

// row is one of them as the file has it.
type row struct{ ttft, tpot, e2e, start float64 }

func newRow() row { return row{math.NaN(), math.NaN(), math.NaN(), math.NaN()} }

// field is where a field of a request belongs; nil leaves it out.
func (r *row) field(key string) *float64 {
	switch key {
	case "time_to_first_token_ms":
		return &r.ttft
	case "inter_token_latency_ms":
		return &r.tpot
	case "request_latency":
		return &r.e2e
	case "request_start_time", "start_time":
		return &r.start
	}
	return nil
}

func (r *rows) add(x row) {
	r.of.add(positive(x.ttft)/1000, positive(x.tpot)/1000, positive(x.e2e), x.start)
}

func (r *rows) read(s *scanner) error {
	return s.list(func(int) error {
		if s.peek() != '{' {
			return s.skip()
		}
		x := newRow()
		err := s.object(func(key string) (err error) {
			into := x.field(key)
			if into == nil {
				return s.skip()
			}
			*into, err = s.number()
			return err
		})
		r.add(x)
		return err
	})
}

// positive is NaN for what a tool writes where it has nothing to say.
func positive(v float64) float64 {
	if v > 0 && v < beyond {
		return v
	}
	return math.NaN()
}

// times are exact, of the values that are known, and with as many behind each quantile as it needs: 20 for the median, 50 for P90,
// 100 for P95 and P99.
func times(values []float64) *Times {
	vs := slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return !(math.Abs(v) < beyond) })
	if len(vs) == 0 {
		return nil
	}
	slices.Sort(vs)
	sum := 0.0
	for _, v := range vs {
		sum += v
	}
	mean := sum / float64(len(vs))
	return &Times{Mean: &mean, P50: enough(vs, 0.5, 20), P90: enough(vs, 0.9, 50), P95: enough(vs, 0.95, 100), P99: enough(vs, 0.99, 100)}
}

// enough gives a quantile of sorted values where n values carry it, between neighbours as numpy does.
func enough(vs []float64, p float64, n int) *float64 {
	if len(vs) < n {
		return nil
	}
	at := p * float64(len(vs)-1)
	i := int(at)
	v := vs[i]
	if i+1 < len(vs) {
		v += (at - float64(i)) * (vs[i+1] - vs[i])
	}
	return &v
}

// complete takes what a summary left out from the single requests.
func (t *Times) complete(from *Times) *Times {
	switch {
	case t.empty():
		return from
	case from == nil:
		return t
	}
	fill := func(v **float64, w *float64) {
		if *v == nil {
			*v = w
		}
	}
	fill(&t.Mean, from.Mean)
	fill(&t.P50, from.P50)
	fill(&t.P90, from.P90)
	fill(&t.P95, from.P95)
	fill(&t.P99, from.P99)
	return t
}
