// Package faults_test holds one test for each row of the list of bad input and faults that samples,
// sources and files can cause, named after the row: TestFault20... What belongs to the running service,
// its notifications and its web server is tested beside those.
package faults_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/inferdx/inferdx/corpus"
	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/recording"
)

// loaded is the built-in content, read once.
var loaded = sync.OnceValues(func() (*content.Content, error) { return content.Load(content.Options{}) })

func builtin(t *testing.T) *pipeline.Pipeline {
	t.Helper()
	c, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return pipeline.New(c, corpus.Behind(), engine.Fit{})
}

// values give a series at each scrape; NaN where the sample is not there is written as absent.
type values func(i int) float64

// absent is a sample that the page does not have.
const absent = math.MaxFloat64

func always(v float64) values { return func(int) float64 { return v } }

func growing(start, step float64) values {
	return func(i int) float64 { return start + float64(i)*step }
}

// page is what a server shows: series as written on its page, `name{label="value"}`.
type page map[string]values

const (
	scrapes  = 20
	interval = 15 * time.Second
)

var (
	begin = time.Unix(1_760_000_000, 0)
	end   = begin.Add((scrapes - 1) * interval)
)

// serving is a vLLM that serves four requests at a time well: nobody waits, nothing is slow.
func serving() page {
	p := page{
		"up":                                                 always(1),
		"vllm:num_requests_running":                          always(4),
		"vllm:num_requests_waiting":                          always(0),
		"vllm:kv_cache_usage_perc":                           always(0.3),
		"vllm:num_preemptions_total":                         always(2),
		"vllm:generation_tokens_total":                       growing(9e5, 3000),
		"vllm:prompt_tokens_total":                           growing(2e6, 6000),
		`vllm:request_success_total{finished_reason="stop"}`: growing(4000, 30),
		"process_start_time_seconds":                         always(1_759_000_000),
	}
	for name, edges := range map[string][]float64{
		"vllm:time_to_first_token_seconds": {0.05, 0.1, 0.25, 0.5}, "vllm:inter_token_latency_seconds": {0.01, 0.025, 0.05},
	} {
		for i, le := range edges { // all in the second bucket
			step := 30.0
			if i == 0 {
				step = 0
			}
			p[fmt.Sprintf(`%s_bucket{le="%g"}`, name, le)] = growing(0, step)
		}
		p[name+`_bucket{le="+Inf"}`], p[name+"_count"], p[name+"_sum"] = growing(0, 30), growing(0, 30), growing(0, 30*edges[1]*0.8)
	}
	return p
}

// idle is the same server with nobody there.
func idle() page {
	p := serving()
	for name, v := range p {
		p[name] = always(v(0))
	}
	p["vllm:num_requests_running"], p["vllm:kv_cache_usage_perc"] = always(0), always(0)
	return p
}

// with is the page with some series shown otherwise; nil takes one away.
func (p page) with(other page) page {
	out := page{}
	for name, v := range p {
		out[name] = v
	}
	for name, v := range other {
		if out[name] = v; v == nil {
			delete(out, name)
		}
	}
	return out
}

// labelled puts the labels of a target on a series.
func labelled(series, target string) string {
	name, own, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
	if own != "" {
		own += ","
	}
	if strings.HasPrefix(name, "vllm:") {
		own += `model_name="m",engine="0",`
	}
	return name + "{" + own + target + "}"
}

// om is pages as a recording, by the labels of their targets.
func om(pages map[string]page, n int, every time.Duration) string {
	var b strings.Builder
	for target, p := range pages {
		for series, v := range p {
			for i := range n {
				if x := v(i); x != absent {
					at := begin.Add(time.Duration(i) * every)
					fmt.Fprintf(&b, "%s %s %d\n", labelled(series, target), number(x), at.Unix())
				}
			}
		}
	}
	return b.String() + "# EOF\n"
}

func number(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "+Inf"
	case math.IsInf(v, -1):
		return "-Inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// one is the target that most tests have.
const one = `job="vllm",instance="gpu-0:8000"`

func (p page) store(t *testing.T) *samples.Store {
	t.Helper()
	return read(t, om(map[string]page{one: p}, scrapes, interval))
}

func read(t *testing.T, text string) *samples.Store {
	t.Helper()
	st, err := recording.Read("test.om", strings.NewReader(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func at(when time.Time) pipeline.Request {
	return pipeline.Request{At: when, Window: 5 * time.Minute}
}

// diagnose is what is said of the only target.
func diagnose(t *testing.T, p page) model.Diagnosis {
	t.Helper()
	return only(t, builtin(t).Diagnose(p.store(t), at(end)))
}

func only(t *testing.T, r *model.Report) model.Diagnosis {
	t.Helper()
	var out []model.Diagnosis
	for _, d := range r.Targets {
		if d.Scope == model.ScopeTarget {
			out = append(out, d)
		}
	}
	if len(out) != 1 {
		t.Fatalf("%d targets", len(out))
	}
	return out[0]
}

// recorded is what is said of a recording of a real server.
func recorded(t *testing.T, id string, change func(*pipeline.Request)) model.Diagnosis {
	t.Helper()
	st, err := recording.Open("../../corpus/"+id+"/metrics.om.gz", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, last, _ := st.Bounds()
	r := at(time.UnixMilli(last))
	if change != nil {
		change(&r)
	}
	return only(t, builtin(t).Diagnose(st, r))
}

// symptoms are the ids of what hurts.
func symptoms(d model.Diagnosis) string {
	var out []string
	for _, s := range d.Symptoms {
		out = append(out, s.ID)
	}
	return strings.Join(out, " ")
}

// primary is the cause that a diagnosis names, "" where it abstains.
func primary(d model.Diagnosis) string {
	for _, c := range d.Causes {
		if c.Primary {
			return c.ID
		}
	}
	return ""
}

// signal reads a signal of the only target.
func signal(t *testing.T, st *samples.Store, id string) (model.Value, bool) {
	t.Helper()
	f, _ := builtin(t).Frame(st, at(end))
	for _, e := range f.Entities.All() {
		if e.Scope == model.ScopeTarget {
			return f.Get(e.ID, id)
		}
	}
	t.Fatal("no target")
	return model.Value{}, false
}

// TestTheServerOfTheseTestsIsWell guards all others: what they find must come from their fault.
func TestTheServerOfTheseTestsIsWell(t *testing.T) {
	if d := diagnose(t, serving()); d.Status != model.Healthy || symptoms(d) != "" {
		t.Errorf("serving: %s, %q, %q", d.Status, symptoms(d), d.Notes)
	}
	if d := diagnose(t, idle()); d.Status != model.Idle || symptoms(d) != "" {
		t.Errorf("idle: %s, %q, %q", d.Status, symptoms(d), d.Notes)
	}
	if d := diagnose(t, queueing()); d.Status != model.Degraded || !strings.Contains(symptoms(d), "requests-queueing") {
		t.Errorf("queueing: %s, %q, %q", d.Status, symptoms(d), d.Notes)
	}
}

// queueing is the server with 40 requests that wait.
func queueing() page {
	return serving().with(page{"vllm:num_requests_waiting": always(40), "vllm:num_requests_running": always(8)})
}
