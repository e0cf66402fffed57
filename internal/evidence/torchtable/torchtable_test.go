package torchtable

import (
	"bytes"
	"encoding/json"
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

	"github.com/inferdx/inferdx/internal/evidence/kernels"
	"github.com/inferdx/inferdx/internal/evidence/torchtrace"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// cpu.txt is what vLLM 0.32 on the CPU wrote beside its trace, shapes.txt of a script, with a column more and times below zero, both by
// torch 2.13. eager.txt and graph.txt were formatted by the same torch from the events of the traces in corpus/eager-c8 and corpus/base-c8.
func TestRealTables(t *testing.T) {
	for _, name := range []string{"eager", "graph", "cpu", "shapes"} {
		t.Run(name, func(t *testing.T) {
			p, err := Open(filepath.Join("testdata", name+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			if err := p.WriteText(&text); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, text.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), text.String()); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestATableAgreesWithTheTraceOfItsEvents(t *testing.T) {
	for name, recording := range map[string]string{"eager": "eager-c8", "graph": "base-c8"} {
		table, err := Open(filepath.Join("testdata", name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		trace, err := torchtrace.Open(filepath.Join("../../../corpus", recording, "profile.trace.json.gz"))
		if err != nil {
			t.Fatal(err)
		}
		if table.Kernels != trace.GPU.Kernels || *table.Launches+*table.GraphLaunches != trace.LaunchCalls || (*table.GraphLaunches > 0) != (trace.GPU.Graphed > 0) {
			t.Errorf("%s: %d kernels in %d and %d launches, the trace has %d in %d", name, table.Kernels, *table.Launches, *table.GraphLaunches, trace.GPU.Kernels, trace.LaunchCalls)
		}
		for _, c := range trace.Classes {
			if c.Class != kernels.GEMM && c.Class != kernels.Attention {
				continue // a table cuts names, so that small classes are others
			}
			for _, g := range table.Classes {
				if g.Class == c.Class && math.Abs(g.Seconds-c.Seconds) > 0.02*c.Seconds {
					t.Errorf("%s: %s takes %v s, in the trace %v", name, c.Class, g.Seconds, c.Seconds)
				}
			}
		}
	}
}

func TestATableOfTheHostAloneTellsNothingOfGraphs(t *testing.T) {
	p, err := Open("testdata/cpu.txt")
	if err != nil || p.Device != "" || p.Launches != nil || len(p.Facts()) != 0 || p.Spots[1].Name != "aten::mm" || p.Spots[1].Count != 1175 || p.Spots[1].Seconds != 2.455 {
		t.Errorf("%+v, %v", p, err)
	}
}

const head = "----  ----  ----  ----  ----  ----  ----  ----  ----  ----  ----\n" +
	"Name  Self CPU %  Self CPU  CPU total %  CPU total  CPU time avg  Self CUDA  Self CUDA %  CUDA total  CUDA time avg  # of Calls\n" +
	"----  ----  ----  ----  ----  ----  ----  ----  ----  ----  ----\n"

func line(name, host, device string, calls int) string {
	return fmt.Sprintf("%s  1.00%%  %s  1.00%%  %s  1.000us  %s  1.00%%  %s  1.000us  %d\n", name, host, host, device, device, calls)
}

const foot = "----  ----\nSelf CPU time total: 10.000ms\nSelf CUDA time total: 8.000ms\n"

func TestLaunchesThatMayHaveBeenCutOffAreUnknown(t *testing.T) {
	kernels := line("nvjet", "0.000us", "8.000ms", 1500)
	for name, tt := range map[string]struct {
		rows  string
		known bool
	}{
		"all rows":                 {kernels + line("cudaLaunchKernel", "9.950ms", "0.000us", 1500), true},
		"some rows are cut off":    {kernels + line("cudaLaunchKernel", "2.000ms", "0.000us", 700), false},
		"one for each kernel":      {kernels + line("cudaLaunchKernel", "2.000ms", "0.000us", 1500), true},
		"most kernels are cut off": {line("nvjet", "0.000us", "1.000ms", 15) + line("cudaLaunchKernel", "2.000ms", "0.000us", 1500), false},
		"with graphs all the same": {kernels + line("cudaGraphLaunch", "2.000ms", "0.000us", 5), true},
	} {
		p, err := Read(strings.NewReader(head + tt.rows + foot))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := p.Facts()["profile_graph_launches"]; ok != tt.known || p.DeviceSeconds != 8e-3 {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestAnnotationsAreNoKernels(t *testing.T) {
	p, err := Read(strings.NewReader(head + line("execute_context_0(0)_generation_8(8)", "0.000us", "9.000ms", 2) + line("my step", "1.000us", "0.000us", 2) + line("my step", "0.000us", "9.000ms", 2) +
		line("void vllm::awq::gemm_forward_4bit_cuda_m16nXk32<128>", "0.000us", "4.000ms", 7) + line("Memcpy HtoD (Pinned -> Device)", "0.000us", "4.000ms", 7) + foot))
	if err != nil || p.Kernels != 7 || len(p.Top) != 2 || p.Facts()["kernel_unpacking_ratio"].Num != 0.5 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestTheLastTableOfALogCounts(t *testing.T) {
	p, err := Read(strings.NewReader("INFO profiler\n" + head + line("a", "1.000ms", "0.000us", 1) + foot + "more\n" + head + line("b", "2.000ms", "0.000us", 1) + foot + head))
	if err != nil || p.Spots[0].Name != "b" || len(p.Notes) != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err = Read(strings.NewReader(head + line("a", "1.000ms", "0.000us", 1))); err != nil || !strings.Contains(p.Notes[0], "it was cut") {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestWhatIsNoTableIsAnError(t *testing.T) {
	for _, in := range []string{"", "hello\n", head, head + foot, "Name  Self CPU  # of Calls\n", "\x1f\x8bxx", head + line("a", "x", "y", 1)} {
		p, err := Read(strings.NewReader(in))
		if err == nil || !strings.HasPrefix(in, "\x1f") && !strings.Contains(err.Error(), "\nhint: ") {
			t.Errorf("%q: %+v, %v", in, p, err)
		}
	}
	if _, err := Read(strings.NewReader("x")); !errors.Is(err, ErrUnrecognised) {
		t.Error(err)
	}
}

func TestRecognise(t *testing.T) {
	for _, name := range []string{"eager", "cpu", "shapes"} {
		b, err := os.ReadFile("testdata/" + name + ".txt")
		if err != nil || !Recognise(b) {
			t.Errorf("%s is not recognised, %v", name, err)
		}
	}
	for _, s := range []string{"", "Name  a  b  c  d  e\n", `{"traceEvents": []}`} {
		if Recognise([]byte(s)) {
			t.Errorf("%q is recognised", s)
		}
	}
}

// endless is a table of n rows of different names.
type endless struct {
	n, i int
	rest []byte
}

func (e *endless) Read(p []byte) (int, error) {
	for len(e.rest) == 0 {
		switch {
		case e.i == 0:
			e.rest = []byte(head)
		case e.i > e.n:
			return 0, io.EOF
		default:
			e.rest = []byte(line(fmt.Sprint(strings.Repeat("x", 900), e.i), "1.000us", "0.000us", 1))
		}
		e.i++
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

func TestMemoryStaysBounded(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	p, err := Read(&endless{n: 30_000}) // about 30 MB
	if err != nil || len(p.Notes) == 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	runtime.ReadMemStats(&after)
	if held := int64(after.HeapSys) - int64(before.HeapSys); held > 48<<20 {
		t.Errorf("the heap grew by %d MiB", held>>20)
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"eager", "cpu", "shapes"} {
		b, err := os.ReadFile("testdata/" + name + ".txt")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(head + line("a", "-1.000ms", "9999999999999999.0s", 1<<40) + foot))
	f.Fuzz(func(t *testing.T, in []byte) {
		Recognise(in)
		p, err := Read(bytes.NewReader(in))
		if err != nil {
			return
		}
		if err := p.WriteText(io.Discard); err != nil {
			t.Error(err)
		}
		if _, err := json.Marshal(p); err != nil {
			t.Error(err)
		}
		for name, fact := range p.Facts() {
			if math.IsNaN(fact.Num) || math.IsInf(fact.Num, 0) || fact.Num < 0 || strings.HasSuffix(name, "_ratio") && fact.Num > 1 {
				t.Errorf("%s is %+v", name, fact)
			}
		}
	})
}
