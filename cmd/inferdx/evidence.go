package main

import (
	"maps"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/evidence/otlp"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/playbooks/knobs"
)

// evidence is what the user says of the servers beside their metrics.
type evidence struct {
	args           string
	logs           []string
	model, gpu     string
	gpus           []string
	profiles       []string
	traces         []string
	benchmarks     []string
	traceLink      string
	read           *otlp.Traces // of the traces
	ttft, tpot, e2 time.Duration
	preset         string
}

// objectives are P99 targets of TTFT, TPOT and E2E by kind of workload; E2E 0 means none.
type objectives struct{ ttft, tpot, e2e time.Duration }

var presetNames = []string{"chat", "rag", "agent", "reasoning", "code"}

func presets() map[string]objectives {
	ms := func(ttft, tpot, e2e time.Duration) objectives {
		return objectives{ttft * time.Millisecond, tpot * time.Millisecond, e2e * time.Millisecond}
	}
	return map[string]objectives{
		"chat": ms(1000, 50, 3000), "rag": ms(3000, 50, 8000), "agent": ms(1000, 50, 15000),
		"reasoning": ms(1000, 30, 90000), "code": ms(100, 20, 2000),
	}
}

func (e *evidence) flags(f *pflag.FlagSet) {
	f.StringVar(&e.args, "args", "", "the launch command or arguments of the server, as one quoted text")
	f.StringArrayVar(&e.logs, "log", nil, "log file of the server, its start included, or of the kernel (dmesg); plain or gzip; of one of several servers as INSTANCE=FILE (repeatable)")
	f.StringVar(&e.model, "model-config", "", "config.json of the model, as it lies beside the weights: tells how near the server is to what its GPUs allow")
	f.StringVar(&e.gpu, "gpu-spec", "", "the GPU where metrics do not tell: its name, or 'half: 9.89e14, bandwidth: 4.8e12' (FLOP/s of 16 bits, bytes/s)")
	f.StringArrayVar(&e.profiles, "profile", nil, "profile of the server: PyTorch trace (one for each rank) or table, memory snapshot, Nsight CSV or SQLite (repeatable)")
	f.StringArrayVar(&e.traces, "traces", nil, "OTLP traces of the server's requests: JSON lines, or a protobuf payload (repeatable)")
	f.StringArrayVar(&e.benchmarks, "benchmark", nil, "result file of a benchmark that ran meanwhile: vllm bench, sglang.bench_serving, GuideLLM, AIPerf, inference-perf (repeatable)")
	f.StringVar(&e.traceLink, "trace-link", "", "address of a trace, as https://jaeger.example/trace/{trace_id}")
	f.StringArrayVar(&e.gpus, "gpu", nil, "GPUs of a server where metrics do not tell: INSTANCE=UUID,UUID (repeatable)")
	e.objectiveFlags(f)
}

func (e *evidence) objectiveFlags(f *pflag.FlagSet) {
	f.StringVar(&e.preset, "slo-preset", "", "objectives by workload: "+strings.Join(presetNames, ", "))
	f.DurationVar(&e.ttft, "slo-ttft", 0, "objective for the P99 of time to first token (default 2s)")
	f.DurationVar(&e.tpot, "slo-tpot", 0, "objective for the P99 of time per output token (default 100ms)")
	f.DurationVar(&e.e2, "slo-e2e", 0, "objective for the P99 of the whole request; 0 sets none")
}

// request turns the flags into a request; the time and the faults are the source's to fill in.
func (e *evidence) request(f *pflag.FlagSet) (pipeline.Request, error) {
	var r pipeline.Request
	set, err := e.settings(f)
	if err != nil {
		return r, err
	}
	if len(set) > 0 {
		r.Settings = func(model.Labels) map[string]float64 { return set }
	}
	if r.Join.GPUs, err = gpusOf(e.gpus); err != nil {
		return r, err
	}
	if f.Changed("args") {
		if info, err := os.Stat(e.args); err == nil && info.Mode().IsRegular() {
			return r, usage("give what is in it: --args \"$(cat "+e.args+")\"", "--args %q is the name of a file", e.args)
		}
		if r.Args = knobs.SplitArgs(e.args); r.Args == nil {
			r.Args = []string{}
		}
	}
	if err := e.logged(&r); err != nil {
		return r, err
	}
	if err := e.physics(&r); err != nil {
		return r, err
	}
	if len(e.profiles) > 0 {
		if err := e.profiled(&r); err != nil {
			return r, err
		}
	}
	if e.traceLink != "" {
		if err := config.CheckTraceLink(e.traceLink); err != nil {
			return r, usage("as https://jaeger.example/trace/{trace_id}", "--trace-link: %w", err)
		}
		r.TraceLink = e.traceLink
	}
	if len(e.traces) > 0 {
		if err := e.traced(&r); err != nil {
			return r, err
		}
	}
	if len(e.benchmarks) > 0 {
		if err := e.benchmarked(&r); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (e *evidence) settings(f *pflag.FlagSet) (map[string]float64, error) {
	set := map[string]float64{}
	if e.preset != "" {
		if err := oneOf("slo-preset", e.preset, presetNames...); err != nil {
			return nil, err
		}
		o := presets()[e.preset]
		maps.Copy(set, map[string]float64{
			"slo_ttft_p99_s": o.ttft.Seconds(), "slo_tpot_p99_s": o.tpot.Seconds(), "slo_e2e_p99_s": o.e2e.Seconds(),
		})
	}
	for _, x := range []struct {
		flag, id string
		value    time.Duration
		zero     bool
	}{
		{"slo-ttft", "slo_ttft_p99_s", e.ttft, false},
		{"slo-tpot", "slo_tpot_p99_s", e.tpot, false},
		{"slo-e2e", "slo_e2e_p99_s", e.e2, true},
	} {
		if !f.Changed(x.flag) {
			continue
		}
		if x.value < 0 || x.value == 0 && !x.zero {
			return nil, usage("as 800ms or 2s", "--%s must be above 0", x.flag)
		}
		set[x.id] = x.value.Seconds()
	}
	return set, nil
}

func gpusOf(flags []string) (map[string][]string, error) {
	out := map[string][]string{}
	for _, g := range flags {
		instance, uuids, ok := strings.Cut(g, "=")
		if !ok || instance == "" || uuids == "" {
			return nil, usage("as --gpu host:8000=GPU-1b2c,GPU-3d4e", "--gpu %q is not INSTANCE=UUID,UUID", g)
		}
		for _, id := range strings.Split(uuids, ",") {
			if id = strings.TrimSpace(id); id != "" {
				out[instance] = append(out[instance], id)
			}
		}
	}
	return out, nil
}
