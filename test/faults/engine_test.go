package faults_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/recording"
	"github.com/inferdx/inferdx/playbooks/knobs"
)

// judging looks at one store again and again, as the service does, and says whether a symptom is there.
type judging struct {
	t     *testing.T
	p     *pipeline.Pipeline
	state engine.State
}

func (j *judging) look(st *samples.Store, when time.Time, id string) string {
	j.t.Helper()
	f, _ := j.p.Frame(st, at(when))
	var found []model.Symptom
	j.state, found = j.p.Engine.Judge(j.state, f)
	for _, s := range found {
		if s.ID == id {
			return string(s.State)
		}
	}
	for key := range j.state {
		if strings.HasPrefix(key, id+"\xff") {
			return "held"
		}
	}
	return "inactive"
}

// from begins with a server whose requests queue, seen until the symptom fires.
func from(t *testing.T, st *samples.Store) *judging {
	t.Helper()
	j := &judging{t: t, p: builtin(t)}
	got := ""
	for when := begin.Add(time.Minute); !when.After(end); when = when.Add(interval) {
		got = j.look(st, when, "requests-queueing")
	}
	if got != string(model.Firing) {
		t.Fatalf("it is %s before anything happens", got)
	}
	return j
}

func TestFault22AFalseConditionResolvesAnAbsentMetricDoesNot(t *testing.T) {
	later := func(v float64) page { // after the first 20 scrapes
		return queueing().with(page{"vllm:num_requests_waiting": func(i int) float64 {
			if i < scrapes {
				return 40
			}
			return v
		}})
	}
	watch := func(p page) []string {
		st := read(t, om(map[string]page{one: p}, 4*scrapes, interval))
		j := from(t, st)
		var got []string
		for i := scrapes; i < 4*scrapes; i++ {
			s := j.look(st, begin.Add(time.Duration(i)*interval), "requests-queueing")
			if len(got) == 0 || got[len(got)-1] != s {
				got = append(got, s)
			}
		}
		return got
	}
	if got := watch(later(0)); got[len(got)-1] != "inactive" || !slices.Contains(got, "firing") {
		t.Errorf("nobody waits any more: %v, want firing for a while, then inactive", got)
	}
	if got := watch(later(absent)); !slices.Equal(got, []string{"firing"}) {
		t.Errorf("the server lives and does not say who waits: %v, want firing", got)
	}
	if got := from(t, queueing().store(t)).look(samples.NewStore(), end.Add(interval), "requests-queueing"); got != "held" {
		t.Errorf("the source shows nothing at all: %s, want held", got)
	}
}

func TestFault30APodThatIsReplacedLeavesNoGhost(t *testing.T) {
	const old, young = `job="vllm",instance="10.0.0.1:8000"`, `job="vllm",instance="10.0.0.2:8000"`
	until := func(v values) values {
		return func(i int) float64 {
			if i >= scrapes {
				return absent
			}
			return v(i)
		}
	}
	after := func(v values) values {
		return func(i int) float64 {
			if i < scrapes {
				return absent
			}
			return v(i)
		}
	}
	first, second := page{}, page{}
	for name, v := range queueing() {
		first[name] = until(v)
	}
	for name, v := range serving() {
		second[name] = after(v)
	}
	st := read(t, om(map[string]page{old: first, young: second}, 4*scrapes, interval))
	j := from(t, st)
	last := begin.Add(4 * scrapes * interval)
	for when := end.Add(interval); when.Before(last); when = when.Add(interval) {
		j.look(st, when, "requests-queueing")
	}
	f, _ := j.p.Frame(st, at(last.Add(-interval)))
	for _, e := range f.Entities.All() {
		if e.Scope == model.ScopeTarget && e.Labels.Get("instance") != "10.0.0.2:8000" {
			t.Errorf("%s is still there", e.Name())
		}
	}
	if got := j.look(st, last, "requests-queueing"); got != "inactive" {
		t.Errorf("%s a quarter of an hour after the pod left", got)
	}
	// With an identity that survives the move, the state does, too.
	stable := func(instance string) string { return `pod="chat-0",namespace="llm",` + instance }
	text := om(map[string]page{stable(old): first, stable(young): queueing().with(nil)}, scrapes+3, interval)
	moved, err := recording.Options{Identity: []string{"namespace", "pod"}}.Read("moved.om", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	j = from(t, moved)
	if got := j.look(moved, end.Add(interval), "requests-queueing"); got != string(model.Firing) || len(moved.Instances()) != 1 {
		t.Errorf("the same pod under another address: %s, %d instances", got, len(moved.Instances()))
	}
}

func TestFault54HotButHealthyIsSilent(t *testing.T) {
	if d := diagnose(t, serving().with(page{"vllm:kv_cache_usage_perc": always(0.95)})); d.Status != model.Healthy || symptoms(d) != "" || len(d.Causes) > 0 {
		t.Errorf("%s, %q", d.Status, symptoms(d))
	}
	if d := recorded(t, "hotkv", nil); d.Status != model.Healthy || symptoms(d) != "" {
		t.Errorf("a real one: %s, %q", d.Status, symptoms(d))
	}
}

// canaries are the series of a canary that is answered once a minute, and what its requests do to the
// series of a server.
func canaries(p page) page {
	answered := func(v float64) values {
		return func(i int) float64 {
			if i%4 == 1 {
				return v
			}
			return absent
		}
	}
	asked := func(per float64) values { return func(i int) float64 { return 1000 + per*float64((i+2)/4) } }
	out := p.with(page{
		"inferdx_canary_up": answered(1), "inferdx_canary_duration_seconds": answered(0.08), "inferdx_canary_failures": answered(0),
		"inferdx_canary_timeouts": answered(0), "inferdx_canary_tokens": answered(1),
		"vllm:generation_tokens_total": asked(1), "vllm:prompt_tokens_total": asked(2), `vllm:request_success_total{finished_reason="length"}`: asked(1),
		"vllm:num_requests_running": func(i int) float64 { // one scrape happens to see it
			if i == 9 {
				return 1
			}
			return 0
		},
	})
	for series := range out {
		if strings.HasPrefix(series, "vllm:time_to_first_token_seconds_") && !strings.Contains(series, `le="0.05"`) {
			out[series] = asked(1)
		}
	}
	return out
}

func TestFault55AnIdleServerHasNoTrafficAndTheCanaryIsNone(t *testing.T) {
	for name, d := range map[string]model.Diagnosis{
		"nobody":          diagnose(t, idle()),
		"a real one":      recorded(t, "h_idle", nil),
		"only the canary": diagnose(t, canaries(idle())),
	} {
		if d.Status != model.Idle || symptoms(d) != "" || len(d.Causes) > 0 {
			t.Errorf("%s: %s, %q, %q", name, d.Status, symptoms(d), d.Notes)
		}
		if strings.Contains(strings.Join(d.Notes, " "), "load") {
			t.Errorf("%s: %q", name, d.Notes)
		}
	}
	users := canaries(idle()).with(page{"vllm:num_requests_running": always(2), "vllm:generation_tokens_total": growing(0, 500)})
	if d := diagnose(t, users); d.Status == model.Idle {
		t.Errorf("users beside the canary: %s", d.Status)
	}
}

func TestFault56AStalledEngineIsFoundThoughItsPagesAnswer(t *testing.T) {
	if d := recorded(t, "k_engine_hung", nil); primary(d) != "engine-stalled" || d.Status != model.Degraded {
		t.Errorf("a real one: %s, %s, %q", d.Status, primary(d), symptoms(d))
	}
	frozen := serving()
	for name, v := range frozen {
		frozen[name] = func(i int) float64 { return v(min(i, 8)) }
	}
	if d := diagnose(t, frozen); primary(d) != "engine-stalled" {
		t.Errorf("every series froze: %s, %q", primary(d), symptoms(d))
	}
	// Nobody is there to hang up on: only the canary finds out.
	hung := canaries(idle())
	late := func(from, v float64) values { // answered twice, then given up after 30 s each
		return func(i int) float64 {
			switch i {
			case 1, 5:
				return from
			case 11, 15, 19:
				return v * float64((i-7)/4)
			}
			return absent
		}
	}
	hung = hung.with(page{
		"inferdx_canary_up": late(1, 0), "inferdx_canary_failures": late(0, 1), "inferdx_canary_timeouts": late(0, 1), "inferdx_canary_tokens": late(1, 0),
		"vllm:num_requests_running": always(0),
	})
	for name, v := range hung {
		if strings.HasPrefix(name, "vllm:") {
			hung[name] = func(i int) float64 { return v(min(i, 6)) }
		}
	}
	d := diagnose(t, hung)
	if symptoms(d) != "canary-unanswered" || d.Symptoms[0].Severity != model.Critical || primary(d) != "engine-stalled" {
		t.Errorf("%s, %q, %s", d.Status, symptoms(d), primary(d))
	}
	text := fmt.Sprint(d.Causes)
	if !strings.Contains(text, "3 requests of our own in a row were given up") {
		t.Errorf("the canary is the evidence: %s", text)
	}
}

func TestFault57WhatWasNotSeenIsUnknownAndNamed(t *testing.T) {
	for _, name := range []string{"vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:generation_tokens_total", "vllm:num_preemptions_total"} {
		d := diagnose(t, serving().with(page{name: nil}))
		if d.Status != model.Unknown && d.Status != model.Degraded {
			t.Errorf("without %s: %s", name, d.Status)
		}
		if len(d.Notes) == 0 || !strings.Contains(strings.Join(d.Notes, " "), "was not seen") {
			t.Errorf("without %s: %q", name, d.Notes)
		}
	}
	// A cause that only the GPU or the host could decide is not decided without them.
	d := recorded(t, "base-cpu-starved", func(r *pipeline.Request) {
		for _, id := range builtin(t).Content.Signals.IDs() {
			for _, part := range []string{"host_", "gpu_", "core_cpu", "worker_cpu", "container_", "active_ratio"} {
				if strings.Contains(id, part) {
					r.Without = append(r.Without, id)
				}
			}
		}
	})
	if primary(d) == "cpu-bottleneck" {
		t.Error("the host was not seen, and still it is the cause")
	}
	if len(d.Missing) == 0 {
		t.Error("nobody says what would tell")
	}
}

func TestFault58WhatIsSetAlreadyIsNotSuggestedAndARestartIsSaid(t *testing.T) {
	knob := func(d model.Diagnosis, flag string) *model.Action {
		for _, c := range d.Causes {
			for i := range c.Changes {
				if c.Primary && c.Changes[i].Flag == flag {
					return &c.Changes[i]
				}
			}
		}
		return nil
	}
	args := func(text string) func(*pipeline.Request) {
		return func(r *pipeline.Request) { r.Args = knobs.SplitArgs(text) }
	}
	capped := recorded(t, "seqs8-c64", args("--max-num-seqs 8"))
	c := knob(capped, "--max-num-seqs")
	if c == nil || c.From == nil || *c.From != "8" || c.To == nil || *c.To == "8" || !c.Restart {
		t.Fatalf("%s: %+v", primary(capped), c)
	}
	for _, own := range []string{
		"--max-num-seqs 8 --enforce-eager", "--max-num-seqs 8 --gpu-memory-utilization 0.95", "--max-num-seqs 256", "--max-num-seqs=8 --enable-prefix-caching",
	} {
		for _, id := range []string{"seqs8-c64", "base-kv", "eager-c8", "base-overload"} {
			for _, c := range recorded(t, id, args(own)).Causes {
				for _, x := range c.Changes {
					if x.From != nil && x.To != nil && *x.From == *x.To {
						t.Errorf("%s with %s: %s says %s -> %s", id, own, c.ID, *x.From, *x.To)
					}
				}
			}
		}
	}
}
