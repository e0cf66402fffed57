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
	"runtime"
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
	if graph.GPU.LaunchWait > 0.3 || eager.GPU.LaunchWait < 0.7 {
		t.Errorf("waiting for launches: %v with graphs, %v eager", graph.GPU.LaunchWait, eager.GPU.LaunchWait)
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
		if g := p.GPU; g.LaunchWait != tt.want || g.Busy != 0.5 || g.LongestGap != 100e-6 {
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
		"execute_context_1(489)_generation_7(7)": "1 489 true",
		"execute_context_0(0)_generation_8(8)":   "0 0 true",
		"step[DECODE bs=8]":                      "0 0 true",
		"step[EXTEND bs=2 toks=812]":             "2 812 true",
		"aten::mm":                               "0 0 false",
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

// endless gives a trace of n events like a real one's, without holding it.
type endless struct {
	left int
	at   int
	buf  []byte
	open bool
}

func (e *endless) Read(p []byte) (int, error) {
	for len(e.buf) < len(p) {
		switch {
		case !e.open:
			e.buf, e.open = append(e.buf, `{"traceEvents":[`...), true
		case e.left == 0:
			e.buf = append(e.buf, `{}]}`...)
			e.left--
		case e.left < 0 && len(e.buf) == 0:
			return 0, io.EOF
		case e.left < 0:
			n := copy(p, e.buf)
			e.buf = e.buf[n:]
			return n, nil
		default:
			e.at += 10
			e.left--
			e.buf = append(e.buf, work("void some_namespace::kernel_with_a_long_name<"+strings.Repeat("template_argument, ", 60)+">", "cudaLaunchKernel", float64(e.at), float64(e.at-5), 8, e.at)...)
			e.buf = append(e.buf, ',')
		}
	}
	n := copy(p, e.buf)
	e.buf = append(e.buf[:0], e.buf[n:]...)
	return n, nil
}

func TestALargeTraceStreams(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 130 MB")
	}
	const n = 100_000 // 1.3 kB each
	p, err := Read(&endless{left: n})
	if err != nil || p.GPU.Kernels != n {
		t.Fatalf("%v, %+v", err, p)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	runtime.KeepAlive(p)
	if m.Sys > 300<<20 {
		t.Errorf("%d MiB taken from the system for %d kernels", m.Sys>>20, n)
	}
}

func BenchmarkRead(b *testing.B) {
	raw := int64(0)
	for b.Loop() {
		c := &counted{r: &endless{left: 20_000}}
		if _, err := Read(c); err != nil {
			b.Fatal(err)
		}
		raw = c.n
	}
	b.SetBytes(raw)
}

type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"traceEvents":[` + work("a", "cudaGraphLaunch", 0, 0, 50, 1) + `]}`))
	f.Add([]byte(`[{"ph":"X","cat":"gpu_user_annotation","name":"execute_context_1(489)_generation_7(7)","ts":1,"dur":2},{"ph":"M","name":"thread_name","args":{"name":3}}]`))
	f.Add([]byte(`{"deviceProperties":[{"name":"NVIDIA H200"}],"distributedInfo":{"rank":0},"traceEvents":[{"ph":"X","cat":"kernel","ts":1e308,"dur":1e308}`))
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
	})
}
