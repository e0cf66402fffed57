package torchtrace

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// The same load on the same H200 (vLLM 0.25.1, 8 requests at a time), with CUDA graphs and with --enforce-eager.
func TestGraphsAndEagerAreToldApart(t *testing.T) {
	read := func(name, recording string) *Profile {
		p, err := Open(filepath.Join("../../../corpus", recording, "profile.trace.json.gz"))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := p.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name+".txt")
		if *update {
			if err := os.WriteFile(golden, b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), b.String()); d != "" {
			t.Error(d)
		}
		return p
	}
	graph, eager := read("graph", "base-c8"), read("eager", "eager-c8")
	if g, e := graph.Decode, eager.Decode; g.Graphed < 0.8 || e.Graphed != 0 || e.Seconds < 5*g.Seconds || math.Abs(g.Kernels-e.Kernels) > 20 {
		t.Errorf("with graphs %+v, eager %+v: the same kernels, in a sixth of the time", g, e)
	}
	if f := eager.Facts(); graph.GPU.Kernels != 9563 || eager.GPU.Kernels != 2127 || eager.LaunchCalls != 2127 || f["profile_kernels_per_launch"].Num != 1 {
		t.Errorf("%d and %d kernels, copies and fills not among them", graph.GPU.Kernels, eager.GPU.Kernels)
	}
	together := Together([]*Profile{eager, graph})
	if v := together.Versus; v == nil || math.Abs(v.Cost-26.4e-3) > 0.1e-3 || together.Finding() != "a decode step takes 31 ms without CUDA graphs and 5.1 ms with them: eager mode costs 26 ms a step; the GPU works 4.9 ms and 4.9 ms of it, and waits 25 ms and 0 s for launches" {
		t.Errorf("%+v %s", v, together.Finding())
	}
	if graph.GPU.Wait > 0.3 || eager.GPU.Wait < 0.7 {
		t.Errorf("waiting for launches: %v with graphs, %v eager", graph.GPU.Wait, eager.GPU.Wait)
	}
}

// vLLM 0.32 on the CPU, ten steps with detailed_trace_annotation and without stacks.
func TestATraceOfAServerOnTheCPUHasStepsAndSpotsAndNoGPU(t *testing.T) {
	p, err := Open("testdata/cpu.pt.trace.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/cpu.txt", b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/cpu.txt")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Error(d)
	}
	for name := range p.Facts() {
		if name != "profile_step_s" && name != "profile_prefill_step_s" && name != "profile_world_size" && name != "profile_gc_ratio" {
			t.Errorf("%s is said of a server without a GPU", name)
		}
	}
	if p.Decode == nil || p.Decode.Worked != nil || p.Host.Spots[0].Name != "aten::mm" || p.Rank != 0 {
		t.Errorf("%+v %+v", p.Decode, p.Host)
	}
}

// work is a kernel on the GPU in microseconds, with the call that launched it.
func work(name string, call string, at, launched, dur float64, correlation int) string {
	return fmt.Sprintf(`{"ph":"X","cat":"kernel","name":%q,"pid":0,"tid":7,"ts":%g,"dur":%g,"args":{"device":0,"correlation":%d}},
		{"ph":"X","cat":"cuda_runtime","name":%q,"pid":1,"tid":1,"ts":%g,"dur":1,"args":{"correlation":%d}}`, name, at, dur, correlation, call, launched, correlation)
}

func trace(t *testing.T, events ...string) *Profile {
	t.Helper()
	p, err := Read(strings.NewReader(`{"schemaVersion":1,"traceEvents":[` + strings.Join(events, ",") + `],"traceName":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAGapIsTheHostsOnlyWhereItLaunchedTooLate(t *testing.T) {
	for _, tt := range []struct {
		name     string
		launched float64
		want     float64
	}{
		{"launched long before", 0, 0},
		{"launched after the GPU had run dry", 150, 0.5},
	} {
		p := trace(t, work("a", "cudaLaunchKernel", 0, 0, 50, 1), work("b", "cudaLaunchKernel", 150, tt.launched, 50, 2), work("b", "cudaLaunchKernel", 160, 0, 20, 3))
		if g := p.GPU; g.Wait != tt.want || g.Busy != 0.5 || g.LongestGap != 100e-6 {
			t.Errorf("%s: %+v, want to wait for launches %v", tt.name, g, tt.want)
		}
	}
}

func TestKernelsOfAGraphShareItsLaunch(t *testing.T) {
	p := trace(t, work("a", "cudaGraphLaunch", 10, 0, 10, 1), work("b", "cudaGraphLaunch", 25, 0, 10, 1), work("c", "cudaLaunchKernel", 40, 2, 10, 2), work("d", "cudaLaunchKernel", 50, 3, 10, 3))
	if p.GPU.Graphed != 0.5 {
		t.Errorf("%v of the kernels came out of graphs, want half", p.GPU.Graphed)
	}
}

func TestNamesOfSteps(t *testing.T) {
	for name, want := range map[string]string{
		"execute_context_1(489)_generation_7(7)":                                                 "1 489 true",
		"execute_context_0(0)_generation_8(8)":                                                   "0 0 true",
		"execute_193_context_1(sq190sk190sqsq36100sqsk36100)_generation_3(sq3sk812sqsq3sqsk812)": "1 190 true",
		"execute_4_context_0(sq0sk0sqsq0sqsk0)_generation_4(sq4sk812sqsq4sqsk812)":               "0 0 true",
		"execute_new_2_cached_3":                                                                 "2 0 true",
		"step[DECODE bs=8]":                                                                      "0 0 true",
		"step[EXTEND bs=2 toks=812]":                                                             "2 812 true",
		"aten::mm":                                                                               "0 0 false",
	} {
		if got := fmt.Sprint(stepOf(name)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestTimeOfACalleeIsNotTheCallers(t *testing.T) {
	op := func(name string, at, dur float64) string {
		return fmt.Sprintf(`{"ph":"X","cat":"cpu_op","name":%q,"pid":1,"tid":1,"ts":%g,"dur":%g}`, name, at, dur)
	}
	p := trace(t, op("outer", 0, 100), op("inner", 10, 30), op("inner", 50, 30), op("after", 120, 10))
	want := []Spot{{"inner", 60e-6, 2}, {"outer", 40e-6, 1}, {"after", 10e-6, 1}}
	got := p.Host.Spots
	for i := range got {
		got[i].Seconds = math.Round(got[i].Seconds*1e6) / 1e6
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if p.GPU != nil || len(p.Notes) == 0 || len(p.Facts()) != 0 {
		t.Errorf("no kernel was seen: %+v, facts %v", p, p.Facts())
	}
}

// The profiler writes operators, calls of CUDA, collections and Python's functions one kind after another.
func TestCallsOfTheHostNeedNotComeInOrder(t *testing.T) {
	host := func(cat, name string, at, dur float64) string {
		return fmt.Sprintf(`{"ph":"X","cat":%q,"name":%q,"pid":1,"tid":1,"ts":%g,"dur":%g,"args":{"Ev Idx":1}}`, cat, name, at, dur)
	}
	p := trace(t, host("cpu_op", "aten::mm", 30, 40), host("python_function", "Python GC", 80, 15), host("python_function", "model.py(12): forward", 0, 100),
		host("cuda_runtime", "cudaLaunchKernel", 40, 10))
	got := map[string]float64{}
	for _, s := range p.Host.Spots {
		got[s.Name] = math.Round(s.Seconds * 1e6)
	}
	want := map[string]float64{"model.py(12): forward": 45, "aten::mm": 30, "Python GC": 15, "cudaLaunchKernel": 10}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if math.Abs(p.GC-15e-6) > 1e-12 {
		t.Errorf("%v s of collections", p.GC)
	}
}

func TestTheThreadThatLaunchesIsShown(t *testing.T) {
	p := trace(t, `{"ph":"M","name":"thread_name","pid":1,"tid":1,"args":{"name":"EngineCore"}}`, `{"ph":"M","name":"thread_name","pid":1,"tid":2,"args":{"name":"waits"}}`,
		work("a", "cudaLaunchKernel", 0, 0, 50, 1), `{"ph":"X","cat":"python_function","name":"threading.py(1): wait","pid":1,"tid":2,"ts":0,"dur":100000}`)
	if p.Host.Thread != "EngineCore" {
		t.Errorf("the thread is %q", p.Host.Thread)
	}
}

// torch.profiler's annotations are recorded from inside their own __enter__, which ends first.
func TestACallThatItsCalleeOutlivesKeepsOnlyItsOwnTime(t *testing.T) {
	op := func(name string, at, dur float64) string {
		return fmt.Sprintf(`{"ph":"X","cat":"python_function","name":%q,"pid":1,"tid":1,"ts":%g,"dur":%g}`, name, at, dur)
	}
	p := trace(t, op("main", 0, 200), op("__enter__", 10, 20), op("decode", 25, 100), op("aten::mm", 40, 80))
	got := map[string]float64{}
	for _, s := range p.Host.Spots {
		got[s.Name] = math.Round(s.Seconds * 1e6)
	}
	if d := cmp.Diff(map[string]float64{"main": 85, "__enter__": 15, "decode": 20, "aten::mm": 80}, got); d != "" {
		t.Error(d)
	}
	if math.Abs(p.Host.Seconds-200e-6) > 1e-12 {
		t.Errorf("%v s in all", p.Host.Seconds)
	}
}

func TestKernelsWithoutTheirLaunchesTellNothingOfGraphs(t *testing.T) {
	events := []string{}
	for step := range 3 {
		events = append(events, fmt.Sprintf(`{"ph":"X","cat":"gpu_user_annotation","name":"execute_context_0(0)_generation_8(8)","ts":%d,"dur":900}`, 1000*step))
		for i := range 110 {
			events = append(events, fmt.Sprintf(`{"ph":"X","cat":"kernel","name":"gemm","ts":%d,"dur":1,"args":{"correlation":%d}}`, 1000*step+9*i, 110*step+i+1))
		}
	}
	events = append(events, `{"ph":"X","cat":"cuda_runtime","name":"cudaLaunchKernel","ts":0,"dur":1,"args":{"correlation":1}}`)
	p := trace(t, events...)
	f := p.Facts()
	for _, name := range []string{"profile_graph_kernel_ratio", "profile_launch_wait_ratio", "profile_step_launch_wait_s", "profile_kernels_per_launch"} {
		if v, ok := f[name]; ok {
			t.Errorf("%s is %v", name, v.Num)
		}
	}
	var b strings.Builder
	if err := p.WriteText(&b); err != nil || strings.Contains(b.String(), "no CUDA graphs") || f["profile_step_busy_ratio"].Num != 0.11 {
		t.Errorf("%v\n%s", err, b.String())
	}
}

func TestExchangeIsToldApart(t *testing.T) {
	one := func(i int, name, collective string, dur float64) string {
		return fmt.Sprintf(`{"ph":"X","cat":"kernel","name":%q,"ts":%d,"dur":%g,"args":{"correlation":%d,"Collective name":%q}}`, name, 100*i, dur, i+1, collective)
	}
	var events []string
	for i := range 100 {
		name, collective, dur := "nvjet", "", 40.0
		switch i % 5 {
		case 1:
			name, dur = "void vllm::cross_device_reduce_1stage<half, 4>", 30
		case 2:
			name, collective, dur = "ncclDevKernel_SendRecv(a)", "all_to_allv", 20
		case 3:
			name, collective, dur = "ncclDevKernel_SendRecv(b)", "send", 10
		case 4:
			name, dur = "ncclDevKernel_AllGather_RING_LL", 100
		}
		events = append(events, one(i, name, collective, dur))
	}
	f := trace(t, events...).Facts()
	for name, want := range map[string]float64{"profile_all_reduce_ratio": 0.06, "profile_all_to_all_ratio": 0.04, "profile_collective_ratio": 0.32, "profile_gemm_ratio": 0.08} {
		if math.Abs(f[name].Num-want) > 1e-9 {
			t.Errorf("%s is %v, want %v", name, f[name].Num, want)
		}
	}
}

// vLLM's API server writes a trace beside those of the ranks.
func TestATraceWithoutAGPUIsLeftOutWhereOthersHaveOne(t *testing.T) {
	server := trace(t, `{"ph":"X","cat":"python_function","name":"Python GC","pid":1,"tid":1,"ts":0,"dur":10}`, `{"ph":"X","cat":"cpu_op","name":"a","ts":90,"dur":10}`)
	r := Together([]*Profile{server, steps(t, 0, 0, 2), steps(t, 1, 50, 6)})
	if r.Apart != "" || r.Straggler != 1 || len(r.Profiles) != 2 || r.Facts()["profile_gc_ratio"].Num != 0.1 {
		t.Errorf("%+v, %v", r, r.Facts())
	}
	if both := Together([]*Profile{server, server}); both.Finding() != "" || len(both.Profiles) != 2 {
		t.Errorf("%q", both.Finding())
	}
}

func TestCollectionsAreShareOfTheProfiledTime(t *testing.T) {
	events := []string{`{"ph":"X","cat":"python_function","name":"Python GC","pid":1,"tid":1,"ts":100,"dur":2000}`}
	for i := range 100 {
		events = append(events, work("a", "cudaLaunchKernel", float64(100*i+10), float64(100*i), 90, i+1))
	}
	if got := trace(t, events...).Facts()["profile_gc_ratio"].Num; math.Abs(got-0.2) > 0.001 {
		t.Errorf("%v of the time is garbage collection, want 0.2", got)
	}
	if _, ok := trace(t, events[1:]...).Facts()["profile_gc_ratio"]; ok {
		t.Error("a profile without collections does not tell that there were none")
	}
}

// steps are decode steps of 1 ms, each with 120 kernels, of which a share is experts'; the clock is that of a rank.
func steps(t *testing.T, rank int, late, expert float64) *Profile {
	t.Helper()
	var events []string
	for i := range 10 {
		at := float64(i)*1000 + late
		events = append(events, fmt.Sprintf(`{"ph":"X","cat":"gpu_user_annotation","name":"execute_context_0(0)_generation_8(8)","pid":0,"tid":7,"ts":%g,"dur":900}`, at))
		for k := range 120 {
			kernel, dur := "gemm", 5.0
			switch k % 3 {
			case 1:
				kernel, dur = "fused_moe_kernel", expert
			case 2:
				kernel, dur = "ncclDevKernel_AllReduce", 7-expert
			}
			events = append(events, work(kernel, "cudaGraphLaunch", at+7*float64(k), at, dur, 10+i))
		}
	}
	p, err := Read(strings.NewReader(fmt.Sprintf(`{"distributedInfo":{"rank":%d,"world_size":2},"baseTimeNanoseconds":1790857026000000000,"traceEvents":[%s]}`, rank, strings.Join(events, ","))))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRanksWithUnevenExperts(t *testing.T) {
	r := Together([]*Profile{steps(t, 1, 50, 6), steps(t, 0, 0, 2)})
	f := r.Facts()
	if r.Straggler != 1 || math.Abs(f["profile_expert_spread_ratio"].Num-3) > 0.05 || math.Abs(f["profile_step_skew_s"].Num-50e-6) > 1e-6 || f["profile_world_size"].Num != 2 {
		t.Errorf("%s\n%v", r.Finding(), f)
	}
	if len(r.Profiles) != 2 || r.Profiles[0].Rank != 0 {
		t.Error("ranks are not in order")
	}
}

func TestWhatCannotBeComparedIsNot(t *testing.T) {
	a := steps(t, 0, 0, 2)
	for name, other := range map[string]*Profile{
		"two of them are of rank 0":          steps(t, 0, 0, 6),
		"they were taken at different times": steps(t, 1, 1e6, 6),
	} {
		r := Together([]*Profile{a, other})
		if r.Straggler != -1 || !strings.Contains(r.Finding(), name) {
			t.Errorf("%s: %q", name, r.Finding())
		}
		if _, ok := r.Facts()["profile_rank_wait_ratio"]; ok {
			t.Errorf("%s: still a fact", name)
		}
	}
}

func TestRankInAFilesName(t *testing.T) {
	for name, want := range map[string]int{
		"dp0_pp0_tp3_dcp0_ep3_rank3.1795459181.pt.trace.json.gz": 3,
		"1795459181.2-TP-11.trace.json.gz":                       11,
		"trace.json":                                             -1,
		"http-8.json":                                            -1,
	} {
		if got := rankIn(name); got != want {
			t.Errorf("%s: rank %d, want %d", name, got, want)
		}
	}
}

func TestManyNamesAndLongOnesAreBounded(t *testing.T) {
	var events []string
	long := strings.Repeat("template_argument, ", 500)
	for i := range maxNames + 50 {
		events = append(events, fmt.Sprintf(`{"ph":"X","cat":"kernel","name":"k%d","ts":%d,"dur":1}`, i, 2*i))
	}
	events = append(events, fmt.Sprintf(`{"ph":"X","cat":"kernel","name":%q,"ts":1e7,"dur":1}`, long))
	p := trace(t, events...)
	if len(p.Top) > maxNames || !strings.Contains(strings.Join(p.Notes, " "), "different names") || p.GPU.Kernels != maxNames+51 {
		t.Errorf("%d names, notes %v", len(p.Top), p.Notes)
	}
	if p = trace(t, events[len(events)-1]); len(p.Top[0].Name) > maxName {
		t.Errorf("a name of %d bytes is kept", len(p.Top[0].Name))
	}
}

func TestTheRankThatComesLastIsWaitedFor(t *testing.T) {
	rank := func(n int, collective float64) *Profile {
		events := []string{}
		for i := range 60 {
			at := float64(i) * 100
			events = append(events, work("gemm", "cudaLaunchKernel", at, at, 99-collective, 2*i+1), work("ncclDevKernel_AllReduce", "cudaLaunchKernel", at+99-collective, at, collective, 2*i+2))
		}
		p, err := Read(strings.NewReader(fmt.Sprintf(`{"distributedInfo":{"rank":%d,"world_size":3},"traceEvents":[%s]}`, n, strings.Join(events, ","))))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	r := Together([]*Profile{rank(2, 40), rank(0, 38), rank(1, 5)})
	if r.Straggler != 1 || math.Abs(r.Wait-0.35) > 0.02 || r.Facts()["profile_straggler_rank"].Num != 1 {
		t.Errorf("straggler %d, wait %v", r.Straggler, r.Wait)
	}
	if one := Together([]*Profile{rank(0, 40)}); one.Straggler != -1 || one.Finding() != "" {
		t.Error("one rank tells nothing of others")
	}
}

func TestWhatIsBroken(t *testing.T) {
	whole := work("a", "cudaLaunchKernel", 0, 0, 50, 1)
	for name, in := range map[string]string{
		"nothing":        "",
		"another file":   "hello",
		"no events":      `{"traceEvents":[]}`,
		"other JSON":     `{"a":1}`,
		"a number":       "3",
		"a giant string": `{"traceEvents":[{"name":"` + strings.Repeat("x", 5<<20),
	} {
		if _, err := Read(strings.NewReader(in)); !errors.Is(err, ErrNoTrace) || !strings.Contains(err.Error(), "hint") {
			t.Errorf("%s: %v", name, err)
		}
	}
	p, err := Read(strings.NewReader(`{"traceEvents":[` + whole + `,{"ph":"X","na`))
	if err != nil || !strings.Contains(strings.Join(p.Notes, " "), "breaks off after 2 events") {
		t.Errorf("cut off: %v, %+v", err, p)
	}
	if p, err = Read(strings.NewReader("[" + whole + "]")); err != nil || p.GPU == nil {
		t.Errorf("a bare list of events: %v", err)
	}
}

// Kineto writes inf and nan for what it could not compute, which is no JSON.
func TestAnEventThatIsNoJSONIsLeftOutAlone(t *testing.T) {
	bad := func(value string) string {
		return `{
    "ph": "X", "cat": "kernel", "name": "b", "ts": 60, "dur": 5, "args": {"device": 0, "blocks per SM": ` + value + `, "correlation": 9}
  }`
	}
	for _, open := range []string{`{"deviceProperties":[{"name":"H"}],"traceEvents":[`, "["} {
		for name, value := range map[string]string{"inf": "inf", "NaN": "NaN", "-nan": "-nan(ind)", "a quote in a name": `"a"b"`, "a path of Windows": `"C:\x\y"`, "nothing": ""} {
			in := open + bad(value) + "," + work("a", "cudaLaunchKernel", 0, 0, 50, 1) + ",\n  " + bad(value) + "," + bad("1.5") + ",\n  " + work("c", "cudaLaunchKernel", 100, 0, 50, 2) + "]"
			if open[0] == '{' {
				in += `,"traceName":"x"}`
			}
			p, err := Read(strings.NewReader(in))
			if err != nil || p.GPU.Kernels != 3 || p.LaunchCalls != 2 || strings.Join(p.Notes, ";") != "events that are no JSON were left out: 2;no step is marked in it, so nothing is said of one step" {
				t.Errorf("%s behind %s: %+v, %v", name, open, p, err)
			}
		}
	}
	p, err := Read(strings.NewReader("[" + bad("inf") + "," + work("a", "cudaLaunchKernel", 0, 0, 50, 1) + `,{"ph":"X","na`))
	if err != nil || !strings.Contains(strings.Join(p.Notes, " "), "breaks off") {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestAnEventWithoutAReadableTimeIsNone(t *testing.T) {
	p := trace(t, work("a", "cudaLaunchKernel", 100, 90, 50, 1), `{"ph":"X","cat":"kernel","name":"b","ts":1e400,"dur":5}`, `{"ph":"X","cat":"kernel","name":"b","dur":5}`,
		`{"ph":"X","cat":"kernel","name":"b","ts":5,"dur":1e400}`, `{"ph":"X","cat":"kernel","name":"b","ts":-5,"dur":1}`, `{"ph":"X","cat":"kernel","name":"b","ts":"7","dur":1}`)
	if p.GPU.Kernels != 1 || p.Seconds != 60e-6 {
		t.Errorf("%+v", p)
	}
}

// A file that breaks off before the kernels, which the profiler writes behind the calls of the host.
func TestLaunchesWithoutKernelsAreNoServerOnTheCPU(t *testing.T) {
	p := trace(t, `{"ph":"X","cat":"cuda_runtime","name":"cudaLaunchKernel","ts":1,"dur":1,"args":{"correlation":1}}`)
	var b strings.Builder
	if err := p.WriteText(&b); err != nil || !strings.Contains(b.String(), "1 kernels were launched and none is in the trace") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// The profiler writes a step's kernels behind the marks of the steps: what lies behind the break was not idle.
func TestStepsWithoutTheirKernelsSayNothingOfTheGPU(t *testing.T) {
	mark := func(at int) string {
		return fmt.Sprintf(`{"ph":"X","cat":"gpu_user_annotation","name":"execute_context_0(0)_generation_8(8)","ts":%d,"dur":900,"args":{"device":0}}`, at)
	}
	p, err := Read(strings.NewReader(`{"traceEvents":[` + mark(1000) + "," + mark(2000) + "," + mark(3000) + "," + work("a", "cudaLaunchKernel", 100, 90, 50, 1) + `,{"ph":"X","na`))
	if err != nil || p.Decode == nil || p.Decode.Worked != nil || !p.Cut {
		t.Fatalf("%+v, %v", p, err)
	}
	if f, ok := p.Facts()["profile_step_busy_ratio"]; ok {
		t.Errorf("busy %v", f)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"traceEvents":[` + work("a", "cudaGraphLaunch", 0, 0, 50, 1) + `]}`))
	f.Add([]byte(`[{"ph":"X","cat":"gpu_user_annotation","name":"execute_context_1(489)_generation_7(7)","ts":1,"dur":2},{"ph":"M","name":"thread_name","args":{"name":3}}]`))
	f.Add([]byte(`{"deviceProperties":[{"name":"NVIDIA H200"}],"distributedInfo":{"rank":0},"traceEvents":[{"ph":"X","cat":"kernel","ts":1e308,"dur":1e308}`))
	f.Add([]byte(`{"baseTimeNanoseconds":1,"host_name":7,"traceEvents":[{"ph":"X","cat":"python_function","name":"Python GC","pid":"a","tid":[1],"ts":"x","dur":1},{"name":"\ud800","args":[]},3,null]}`))
	f.Add([]byte(`[{"ph":"X","cat":"kernel","args":{"a":inf}},{"ph":"X","cat":"kernel","name":"a","ts":1,"dur":2},{"ph":nan},{ "ph":"X"}]`))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := Read(bytes.NewReader(in))
		if err != nil {
			return
		}
		for name, v := range p.Facts() {
			if math.IsNaN(v.Num) || math.IsInf(v.Num, 0) || v.Num < 0 {
				t.Errorf("%s is %v", name, v.Num)
			}
			if strings.HasSuffix(name, "busy_ratio") && v.Num > 1.0001 {
				t.Errorf("%s is %v", name, v.Num)
			}
		}
		if err := p.WriteText(io.Discard); err != nil {
			t.Error(err)
		}
		q := *p
		q.Rank++
		_ = Together([]*Profile{p, &q}).Finding()
	})
}
