package render_test

import (
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

var at = time.Date(2026, 11, 3, 3, 12, 44, 0, time.UTC)

func ptr[T any](v T) *T { return &v }

func span(d time.Duration, n int) model.Span {
	return model.Span{First: at.Add(-d), Last: at, Scrapes: n}
}

func trend(every time.Duration, vs ...float64) []model.Point {
	var out []model.Point
	for i, v := range vs {
		out = append(out, model.Point{T: at.Add(-time.Duration(len(vs)-1-i) * every), V: v})
	}
	return out
}

func report(ds ...model.Diagnosis) *model.Report {
	return &model.Report{Version: "1", GeneratedAt: at.Add(2 * time.Second), WindowSeconds: 300, Targets: ds}
}

func says(text string) model.Evidence { return model.Evidence{Text: text} }

// degraded is a sequence cap that was set too low, with all that can be said about it.
func degraded() model.Diagnosis {
	return model.Diagnosis{
		Name: "h200-0:8000", Target: map[string]string{"job": "vllm", "instance": "h200-0:8000", "model_name": "Qwen/Qwen3-8B"},
		Scope: model.ScopeTarget, Engine: model.EngineInfo{Name: "vllm", Version: "0.25.1"}, Status: model.Degraded,
		Summary: "53 requests wait because at most 8 may run", UnknownScore: 0.0104, Fingerprint: "9f2c",
		Onset: ptr(at.Add(-30 * time.Second)), Span: span(34*time.Second, 17), BoundBy: ptr("latency"),
		Impact: model.Impact{RequestsPerSecondHurt: ptr(3.1234567), TokensPerSecondLost: ptr(4612.0)},
		Examples: []model.Example{
			{
				TraceID: "fe13a156f97f517270466fc1fb9ffe2d", Link: "https://jaeger.example/trace/fe13a156f97f517270466fc1fb9ffe2d", Shows: model.SlowFirstToken,
				At: ptr(at.Add(-20 * time.Second)), TTFT: ptr(12.97), Queue: ptr(12.9), Prefill: ptr(0.05), PromptTokens: ptr(250.0),
			},
			{TraceID: "ce397b1113d8f895834027fcb5c57083", Shows: model.SlowFirstToken, TTFT: ptr(12.7)},
		},
		Trends: map[string][]model.Point{
			"waiting": trend(2*time.Second, 0, 1, 36, 48, 50, 53, 52, 53, 53, 52, 53, 53, 54, 53, 52, 53, 53),
			"running": trend(2*time.Second, 0, 0, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8),
		},
		Symptoms: []model.Symptom{
			{
				ID: "queue-growing", Title: "Requests queue", Severity: model.Critical, State: model.Firing, Since: at.Add(-30 * time.Second),
				HeldSeconds: 30, Scope: model.ScopeTarget,
				Evidence: []model.Evidence{{Text: "53 requests wait", Signal: "waiting", Value: ptr(53.0), Bound: "exact", Unit: "requests"}},
			},
			{
				ID: "ttft-slow", Title: "First tokens are late", Severity: model.Warning, State: model.Pending, Since: at.Add(-24 * time.Second),
				HeldSeconds: 24, Scope: model.ScopeTarget,
				Evidence: []model.Evidence{says("TTFT P50 8.4 s"), {Text: "TTFT P99 13 s", Signal: "ttft_p99_s", Value: ptr(13.04567891), Bound: "exact", Unit: "s"}},
			},
		},
		Causes: []model.Cause{
			{
				ID: "max-num-seqs-too-low", Title: "sequence cap too low", Layer: "system", Score: 0.9712, Primary: true,
				Explains: []string{"queue-growing", "ttft-slow"}, RecordingsBehind: 5,
				For: []model.Evidence{
					{Text: "KV cache 1 % used: room for about 800 more sequences of this length", Weight: 2, Signal: "kv_used_ratio", Value: ptr(0.0098765432), Bound: "exact", Unit: "ratio"},
					{Text: "running stays at 7 to 8 while 53 wait", Weight: 4},
					{Text: "5.0 ms a token: the GPU is not what is full", Weight: 1},
				},
				Unseen: []model.Evidence{says("max_num_seqs is not exported by vllm 0.25; taken from --args")},
				Changes: []model.Action{
					{
						Kind: "knob", When: "rollout", Knob: "max_num_seqs", Flag: "--max-num-seqs", From: ptr("8"), FromSource: "args", To: ptr("64"),
						Why: "the KV cache has room for them", Cost: "about 0.6 GiB more KV in use; ITL 5.0 -> about 6.5 ms", Rollback: "set 8 again",
						Restart: true, Verify: &model.Verify{Signal: "waiting", Expect: "down"},
					},
					{
						Kind: "scale", When: "now", Text: "add a replica until the next rollout", Why: "a second server halves the queue", Cost: "one more GPU",
						Verify: &model.Verify{Signal: "waiting", Expect: "down"},
					},
				},
			},
			{ID: "client-timeouts", Title: "clients give up and retry", Layer: "business", Score: 0.31, ConsequenceOf: "max-num-seqs-too-low"},
			{ID: "over-capacity", Title: "more load than the server can carry", Layer: "business", Score: 0.0212},
		},
	}
}

// inferred is a cause whose knob is known only by what the server does, beside an older change.
func inferred() model.Diagnosis {
	d := degraded()
	d.Name, d.Target["instance"] = "h200-3:8000", "h200-3:8000"
	d.Engine.Version = ">=0.24"
	d.Span = model.Span{First: at.Add(-20 * time.Minute), Last: at, Scrapes: 78, Failed: 2}
	d.Onset = ptr(at.Add(-8 * time.Minute))
	d.Changed = []model.Change{
		{What: "prompt_tokens_mean", From: 250.0, To: 3900.0, At: at.Add(-8 * time.Minute)},
		{What: "version", From: "0.24.0", To: "0.25.1", At: at.Add(-9 * time.Minute)},
	}
	d.Symptoms = d.Symptoms[:1]
	d.Causes = d.Causes[:1]
	d.Causes[0].RecordingsBehind = 1
	d.Causes[0].Against = []model.Evidence{says("running reached 9 once")}
	d.Causes[0].Changes = []model.Action{
		{Kind: "knob", When: "rollout", Knob: "max_num_seqs", Flag: "--max-num-seqs", From: ptr("8"), FromSource: "inferred", To: ptr("64"), Restart: true, Verify: &model.Verify{Signal: "ttft_p99_s", Expect: "down"}},
		{Kind: "knob", When: "now", Knob: "max_running_requests", To: ptr("64"), ChangesOutput: true, Verify: &model.Verify{Signal: "waiting", Expect: "down"}},
	}
	d.UnknownScore = 0.12
	d.Notes = []string{"the version is inferred from which series exist"}
	return d
}

// abstained has two causes that nothing seen tells apart.
func abstained() model.Diagnosis {
	d := degraded()
	d.Name, d.Target = "l4-2:8000", map[string]string{"instance": "l4-2:8000"}
	d.Onset = ptr(d.Span.First)
	d.Symptoms = []model.Symptom{{
		ID: "itl-slow", Title: "Tokens come slowly", Severity: model.Warning, State: model.Firing, Since: d.Span.First, HeldSeconds: 34,
		Scope: model.ScopeTarget, Evidence: []model.Evidence{says("61 ms a token at a batch of 4")},
	}}
	d.Impact, d.BoundBy, d.UnknownScore, d.Examples = model.Impact{}, nil, 0.22, nil
	d.Trends = map[string][]model.Point{"waiting": trend(8*time.Second, 0, 0, 0, 0), "running": trend(8*time.Second, 4, 4, 4, 4)}
	d.Causes = []model.Cause{
		{
			ID: "gpu-throttled", Title: "the GPU's clocks are held down", Layer: "operator", Score: 0.41, RecordingsBehind: 2,
			For:    []model.Evidence{says("tokens became slower at the same batch")},
			Unseen: []model.Evidence{says("SM clock and throttle reasons: run dcgm-exporter on this host")},
		},
		{
			ID: "gpu-contention", Title: "another process uses the GPU", Layer: "operator", Score: 0.35,
			For:     []model.Evidence{says("tokens became slower at the same batch")},
			Against: []model.Evidence{says("no second server is known on this host")},
			Unseen:  []model.Evidence{says("processes on the GPU: run dcgm-exporter on this host")},
		},
	}
	d.Missing = []model.Missing{
		{Signal: "sm_clock_mhz", Needs: "dcgm-exporter on the host of this target"},
		{Signal: "sm_active_ratio", Needs: "dcgm-exporter on the host of this target"},
		{Signal: "kv_blocks", Needs: "vllm 0.26 or --kv-cache-metrics"},
	}
	return d
}

func healthy(name string) model.Diagnosis {
	return model.Diagnosis{
		Name: name, Target: map[string]string{"instance": name}, Scope: model.ScopeTarget,
		Engine: model.EngineInfo{Name: "vllm", Version: "0.25.1"}, Status: model.Healthy, Span: span(34*time.Second, 17),
		Summary: "212 requests answered at 6.2 requests/s, TTFT P99 below 0.3 s, nobody waits",
		Trends:  map[string][]model.Point{"waiting": trend(4*time.Second, 0, 0, 0, 0), "running": trend(4*time.Second, 3, 4, 3, 4)},
		Notes:   []string{"KV cache 93 % used, which is healthy: nothing was preempted"},
	}
}

func idle() model.Diagnosis {
	d := healthy("h200-7:8000")
	d.Status, d.Summary, d.Notes, d.Trends = model.Idle, "", nil, nil
	return d
}

func down() model.Diagnosis {
	return model.Diagnosis{
		Name: "h200-5:8000", Target: map[string]string{"instance": "h200-5:8000"}, Scope: model.ScopeTarget,
		Engine: model.EngineInfo{Name: "vllm"}, Status: model.Down, Summary: "it does not answer: connection refused",
		Onset: ptr(at.Add(-260 * time.Second)),
		Span:  model.Span{First: at.Add(-10 * time.Minute), Last: at.Add(-260 * time.Second), Scrapes: 22, Failed: 17},
		Causes: []model.Cause{{
			ID: "out-of-memory", Title: "the server ran out of GPU memory", Layer: "system", Score: 0.999, Primary: true, RecordingsBehind: 4,
			For: []model.Evidence{says("log 03:08:22: torch.OutOfMemoryError: tried to allocate 2.31 GiB")},
			Changes: []model.Action{{
				Kind: "fix", When: "now", Text: "start it again with --gpu-memory-utilization 0.90 instead of 0.97", Restart: true,
			}},
		}},
	}
}

func unknown() model.Diagnosis {
	return model.Diagnosis{
		Name: "tgi-0:80", Target: map[string]string{"instance": "tgi-0:80"}, Scope: model.ScopeTarget,
		Status: model.Unknown, Summary: "it answers, but exports nothing that says how requests fare", Span: span(30*time.Second, 3),
		Missing: []model.Missing{
			{Signal: "waiting", Needs: "start the server without --disable-log-stats"},
			{Signal: "running", Needs: "start the server without --disable-log-stats"},
			{Signal: "sm_active_ratio", Needs: "dcgm-exporter on the host of this target"},
		},
	}
}

// unnamed is harm that fits no cause of the catalogue.
func unnamed() model.Diagnosis {
	d := abstained()
	d.Causes, d.UnknownScore, d.Missing = nil, 1, nil
	return d
}

// hostile is what a server would send that wants to own the reader's terminal or tracker.
func hostile() model.Diagnosis {
	d := degraded()
	evil := "\x1b[2J\x1b]0;owned\x07a\nHEALTHY\r\u202egnp\u200b \xff<img src=x> | `rm` [x](http://evil) @everyone #1 www.evil.com <!channel> *b* __c__ <script>"
	d.Name, d.Target = evil+string(make([]byte, 300)), map[string]string{"instance": evil}
	d.Engine.Version = evil
	d.Symptoms[0].Evidence[0].Text = evil
	d.Symptoms[0].Members = []string{evil, "b"}
	d.Causes[0].Title = evil
	d.Causes[0].For[0].Text = "1. " + evil
	d.Causes[0].Changes[0].From = ptr("`8`\n")
	d.Causes[0].Changes[0].To = ptr("日本語のとても長い値日本語のとても長い値日本語のとても長い値日本語のとても長い値")
	d.Notes = []string{evil, "# heading", "- item", "---"}
	d.Missing = []model.Missing{{Signal: evil, Needs: evil}}
	return d
}

func samples() map[string]*model.Report {
	several := report(healthy("h200-1:8000"), degraded(), healthy("h200-2:8000"), idle(), unknown(), down())
	several.Partial = true
	several.Faults = []string{"http://h200-9:8000/metrics: dial tcp: lookup h200-9: no such host"}
	return map[string]*model.Report{
		"degraded": report(degraded()), "inferred": report(inferred()), "abstained": report(abstained()),
		"healthy": report(healthy("h200-1:8000")), "idle": report(idle()), "down": report(down()), "unknown": report(unknown()),
		"unnamed": report(unnamed()), "hostile": report(hostile()), "several": several, "nothing": report(),
	}
}
