package nsight

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/evidence/kernels"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// The pages are of one script on an H200 (a matrix product of 8 rows, one of 8,192 rows and a SiLU, each twice).
func TestRealPages(t *testing.T) {
	for _, name := range []string{"raw", "details"} {
		t.Run(name, func(t *testing.T) {
			p, err := Open("testdata/" + name + ".csv.gz")
			if err != nil {
				t.Fatal(err)
			}
			if p.Page != name {
				t.Errorf("taken for a %s page", p.Page)
			}
			var text bytes.Buffer
			if err := p.WriteText(&text); err != nil {
				t.Fatal(err)
			}
			golden(t, "testdata/"+name+".txt", text.Bytes())
			js, err := json.MarshalIndent(map[string]any{"profile": p, "facts": p.Facts()}, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "testdata/"+name+".json", append(js, '\n'))
		})
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// The details page carries the verdict of NVIDIA's own rule beside the figures.
func TestTheVerdictIsThatOfTheToolsOwnRule(t *testing.T) {
	f, err := os.Open("testdata/details.csv.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, line := range strings.Split(string(text), "\n") {
		if strings.Contains(line, `"SOLBottleneck"`) {
			said = append(said, line)
		}
	}
	var launches []launch
	p := &page{each: func(l *launch) { launches = append(launches, *l) }}
	for _, line := range strings.Split(string(text), "\n") {
		if fields := split(line); len(fields) > 0 {
			p.record(fields)
		}
	}
	p.flush()
	if len(said) != 6 || len(launches) != 6 {
		t.Fatalf("%d verdicts, %d launches", len(said), len(launches))
	}
	for i, l := range launches {
		v := max(l.values[sm], l.values[memory])
		switch b := l.bound(); {
		case strings.Contains(said[i], "Memory is more heavily utilized than Compute"):
			if b != DRAM && b != Memory {
				t.Errorf("launch %d is %s: %s", i, b, said[i])
			}
		case strings.Contains(said[i], "greater than 80.0%"):
			if v <= exhausted || b == Latency || b == Occupancy {
				t.Errorf("launch %d is %s at %v: %s", i, b, v, said[i])
			}
		default:
			t.Errorf("a verdict of another kind: %s", said[i])
		}
	}
}

func TestBound(t *testing.T) {
	tests := []struct {
		name string
		in   map[metric]float64
		want Bound
	}{
		{"arithmetic leads", map[metric]float64{sm: .75, memory: .4}, Compute},
		{"memory leads by DRAM", map[metric]float64{sm: .2, memory: .85, dram: .85}, DRAM},
		{"memory leads by a cache", map[metric]float64{sm: .2, memory: .85, dram: .3}, Memory},
		{"memory leads by an unknown part", map[metric]float64{sm: .2, memory: .85}, Memory},
		{"both, by DRAM", map[metric]float64{sm: .7, memory: .75, dram: .75}, Balanced},
		{"both, and the memory is on the chip", map[metric]float64{sm: .94, memory: .96, dram: .2}, Compute},
		{"neither", map[metric]float64{sm: .59, memory: .59}, Latency},
		{"neither, and few warps fit", map[metric]float64{sm: .3, memory: .4, possible: .25, waves: 4}, Occupancy},
		{"neither, and the grid is too small", map[metric]float64{sm: .3, memory: .4, possible: .25, waves: .4}, Latency},
		{"at the edge", map[metric]float64{sm: .6, memory: .1}, Compute},
		{"only one of them is known", map[metric]float64{sm: .9}, Unknown},
	}
	for _, tt := range tests {
		var l launch
		for m, v := range tt.in {
			l.set(m, v)
		}
		if got := l.bound(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	tests := []struct {
		text, unit string
		metric     metric
		want       float64 // NaN for none
	}{
		{"31,456", "ns", duration, 31456e-9},
		{"31.46", "usecond", duration, 31.46e-6},
		{"31.46", "us", duration, 31.46e-6},
		{"1.2", "msecond", duration, 1.2e-3},
		{"2", "s", duration, 2},
		{"1.5", "Gbyte", dramBytes, 1.5e9},
		{"3.2", "Ghz", dramClock, 3.2e9},
		{"3.2", "cycle/nsecond", dramClock, 3.2e9},
		{"4.8", "Tbyte/second", dramRate, 4.8e12},
		{"4.8", "Kbyte/cycle", dramPeak, 4800},
		{"12", "block", limitWarps, 12},
		{"1.2", "Kinst", waves, 1200},
		{"31456", "nsecond", duration, 31456e-9},
		{"31456", "byte", dramBytes, 31456},
		{"3199481244.39", "hz", dramClock, 3199481244.39},
		{"31'456.5", "ns", duration, 31456.5e-9},
		{"79.42", "%", dram, .7942},
		{"2.1", "Tbyte/second", memory, math.NaN()},
		{"n/a", "%", dram, math.NaN()},
		{"nan", "%", dram, math.NaN()},
		{"-0.04", "%", dram, math.NaN()},
		{"1e999", "", waves, math.NaN()},
	}
	for _, tt := range tests {
		got, ok := (&style{}).number(tt.text, tt.unit, tt.metric)
		if ok == math.IsNaN(tt.want) || ok && math.Abs(got-tt.want) > 1e-9*math.Abs(tt.want) {
			t.Errorf("%s %s is %v, %v, want %v", tt.text, tt.unit, got, ok, tt.want)
		}
	}
}

const (
	rawHeader   = `"ID","Process ID","Process Name","Host Name","Kernel Name","Context","Stream","gpu__time_duration.sum","sm__throughput.avg.pct_of_peak_sustained_elapsed","gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed","gpu__dram_throughput.avg.pct_of_peak_sustained_elapsed"` + "\n"
	rawUnits    = `"","","","","","","","us","%","%","%"` + "\n"
	oldDetails  = `"ID","Process ID","Process Name","Host Name","Kernel Name","Kernel Time","Context","Stream","Section Name","Metric Name","Metric Unit","Metric Value"` + "\n"
	oldOneEntry = `"0","1","python","h","flash_fwd_kernel","2020-Jan-01","1","7","GPU Speed Of Light","%s","%s","%s"` + "\n"
)

func rawRow(id int, name, time, sm, mem, dram string) string {
	return fmt.Sprintf("\"%d\",\"1\",\"python\",\"h\",\"%s\",\"1\",\"7\",\"%s\",\"%s\",\"%s\",\"%s\"\n", id, name, time, sm, mem, dram)
}

func TestClassesAreWeightedByDuration(t *testing.T) {
	p, err := Read(strings.NewReader(rawHeader + rawUnits +
		rawRow(0, "void flash_fwd_kernel<a, b>(x)", "100", "20", "90", "90") +
		rawRow(1, "flash_fwd_splitkv_combine_kernel", "300", "10", "50", "50") +
		rawRow(2, "nvjet_sm90", "600", "95", "40", "30")))
	if err != nil {
		t.Fatal(err)
	}
	a := p.Classes[1]
	if a.Class != kernels.Attention || a.Launches != 2 || !near100(a.Share, .4) || !near100(*a.DRAM, .6) || a.Bound != Latency || !near100(a.Bounds[Latency], .75) {
		t.Errorf("attention: %+v", a)
	}
	if f := p.Facts(); !near100(f["kernel_compute_bound_ratio"].Num, .6) || !near100(f["kernel_dram_bound_ratio"].Num, .1) || !near100(f["kernel_attention_peak_ratio"].Num, .6) {
		t.Errorf("facts: %v", f)
	}
}

// ncu writes numbers by the locale of whoever ran it.
func TestPagesOfOtherLocales(t *testing.T) {
	rows := func(one, two []string) string {
		var b strings.Builder
		b.WriteString(rawHeader + rawUnits)
		for i, v := range [][]string{one, two} {
			b.WriteString(rawRow(i, "nvjet", v[0], v[1], v[2], v[3]))
		}
		return b.String()
	}
	for name, in := range map[string]string{
		"C":      rows([]string{"1379.71", "20.00", "93.82", "93.40"}, []string{"1208", "8.2", "75", "75"}),
		"en_US":  rows([]string{"1,379.71", "20.00", "93.82", "93.40"}, []string{"1,208", "8.2", "75", "75"}),
		"de_DE":  rows([]string{"1.379,71", "20,00", "93,82", "93,40"}, []string{"1.208", "8,2", "75", "75"}),
		"fr_FR":  rows([]string{"1\u202f379,71", "20,00", "93,82", "93,40"}, []string{"1\u202f208", "8,2", "75", "75"}),
		"de_CH":  rows([]string{"1’379.71", "20.00", "93.82", "93.40"}, []string{"1’208", "8.2", "75", "75"}),
		"UTF-16": utf16Of(rows([]string{"1,379.71", "20.00", "93.82", "93.40"}, []string{"1,208", "8.2", "75", "75"})),
	} {
		p, err := Read(strings.NewReader(in))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !near100(p.All.Seconds, 2587.71e-6) || math.Abs(*p.All.DRAM-0.8481) > 1e-4 || p.All.Bound != DRAM {
			t.Errorf("%s: %v s, DRAM %v, bound by %s", name, p.All.Seconds, *p.All.DRAM, p.All.Bound)
		}
	}
	details := func(values ...string) string {
		var b strings.Builder
		b.WriteString(oldDetails)
		for i, m := range []string{"DRAM Frequency", "Elapsed Cycles", "Duration", "SOL SM", "SOL Memory"} {
			fmt.Fprintf(&b, oldOneEntry, m, []string{"cycle/nsecond", "cycle", "usecond", "%", "%"}[i], values[i])
		}
		return b.String()
	}
	for name, in := range map[string]string{
		"details, en": details("3.20", "31,456", "1,379.71", "8.24", "73.88"),
		"details, de": details("3,20", "31.456", "1.379,71", "8,24", "73,88"),
	} {
		if p, err := Read(strings.NewReader(in)); err != nil || !near100(p.All.Seconds, 1379.71e-6) || !near100(*p.All.Memory, .7388) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// utf16Of is text as Windows PowerShell's > writes it.
func utf16Of(s string) string {
	b := []byte("\xff\xfe")
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

func near100(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestALabelOfAnOlderToolIsRead(t *testing.T) {
	in := "==PROF== Connected to process 1\n" + oldDetails +
		fmt.Sprintf(oldOneEntry, "SOL SM", "%", "12.5") + fmt.Sprintf(oldOneEntry, "SOL Memory", "%", "81") + fmt.Sprintf(oldOneEntry, "SOL DRAM", "%", "81") +
		fmt.Sprintf(oldOneEntry, "Duration", "usecond", "8") + fmt.Sprintf(oldOneEntry, "No Eligible", "%", "70") + fmt.Sprintf(oldOneEntry, "Memory Throughput", "Gbyte/second", "900")
	p, err := Read(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	if p.All.Bound != DRAM || p.All.Seconds != 8e-6 || !near100(*p.All.Issue, .3) || *p.All.Memory != .81 {
		t.Errorf("%+v", p.All)
	}
}

func TestWhatAFileDoesNotHaveIsAbsent(t *testing.T) {
	in := oldDetails + fmt.Sprintf(oldOneEntry, "Duration", "usecond", "8")
	p, err := Read(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	for name := range p.Facts() {
		if name != "kernel_unpacking_ratio" {
			t.Errorf("%s was not in the file", name)
		}
	}
	var b bytes.Buffer
	if err := p.WriteText(&b); err != nil || !strings.Contains(b.String(), "no throughputs") {
		t.Errorf("%v: %s", err, b.String())
	}
}

func TestABrokenFileTellsWhatItTold(t *testing.T) {
	whole := rawHeader + rawUnits + rawRow(0, "nvjet", "100", "20", "90", "90") + rawRow(1, "nvjet", "100", "20", "90", "90")
	tests := []struct {
		name, in string
		launches int
		note     string
	}{
		{"in the middle of a field", whole[:len(whole)-3], 1, "breaks off"},
		{"between two fields", whole[:len(whole)-len(`,"90","90"`)-1], 1, "cut short"},
	}
	for _, tt := range tests {
		p, err := Read(strings.NewReader(tt.in))
		if err != nil || p.Launches != tt.launches || !strings.Contains(strings.Join(p.Notes, "\n"), tt.note) {
			t.Errorf("%s: %+v, %v", tt.name, p, err)
		}
	}
	z, err := os.ReadFile("testdata/details.csv.gz")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Read(bytes.NewReader(z[:len(z)/2]))
	if err != nil || p.Launches == 0 || len(p.Notes) == 0 {
		t.Errorf("half a compressed file: %+v, %v", p, err)
	}
}

func TestAFileThatIsNoPageIsAnError(t *testing.T) {
	for _, in := range []string{"", "hello\n", "\x1f\x8bxx", rawHeader + rawUnits, "Time (%),Total Time (ns),Instances,Name\n1,2,3,k\n", "NVRE\x00\x01binary"} {
		p, err := Read(strings.NewReader(in))
		if err == nil {
			t.Errorf("%q was read as %+v", in, p)
		} else if !strings.HasPrefix(in, "\x1f") && !strings.Contains(err.Error(), "\nhint: ") {
			t.Errorf("%q: %v", in, err)
		}
	}
	if _, err := Read(strings.NewReader("x")); !errors.Is(err, ErrUnrecognised) {
		t.Error(err)
	}
}

func TestRecognise(t *testing.T) {
	for _, name := range []string{"raw", "details"} {
		f, err := os.Open("testdata/" + name + ".csv.gz")
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 64<<10)
		if _, err := io.ReadFull(z, head); err != nil {
			t.Fatal(err)
		}
		if !Recognise(head) {
			t.Errorf("%s is not recognised", name)
		}
		if at := bytes.Index(head, []byte(`"ID"`)); !Recognise(head[at:]) {
			t.Errorf("%s is not recognised without what the profiler says", name)
		}
		_ = f.Close()
	}
	for _, s := range []string{"", "ID,Name\n1,2\n", `{"traceEvents": []}`, "Time (%),Total Time (ns),Instances,Name\n"} {
		if Recognise([]byte(s)) {
			t.Errorf("%q is recognised", s)
		}
	}
}

// endless gives a page of n launches, each of another kernel.
type endless struct {
	n, i int
	rest []byte
}

func (e *endless) Read(p []byte) (int, error) {
	for len(e.rest) == 0 {
		switch {
		case e.i == 0:
			e.rest = []byte(rawHeader + rawUnits)
		case e.i > e.n:
			return 0, io.EOF
		default:
			e.rest = []byte(rawRow(e.i, fmt.Sprintf("kernel_%d%s", e.i, strings.Repeat("x", 900)), "10", "20", "30", "30"))
		}
		e.i++
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

func TestMemoryStaysBounded(t *testing.T) {
	const launches = 100_000 // about 100 MB
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	p, err := Read(&endless{n: launches})
	if err != nil || p.Launches != launches || p.Kernels > maxKernels+1 {
		t.Fatalf("%d launches of %d kernels, %v", p.Launches, p.Kernels, err)
	}
	runtime.ReadMemStats(&after)
	if held := int64(after.HeapSys) - int64(before.HeapSys); held > 64<<20 {
		t.Errorf("the heap grew by %d MiB", held>>20)
	}
	if _, err := Read(io.MultiReader(strings.NewReader(rawHeader+`"0","`), zeros{})); err == nil || !strings.Contains(err.Error(), "MiB") {
		t.Errorf("a field without an end: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(rawHeader + rawUnits + rawRow(0, "nvjet", "100", "20", "90", "90")))
	f.Add([]byte(rawHeader + rawUnits + rawRow(0, "nvjet", "-1", "nan", "", "1e308") + rawHeader + rawRow(1, "x", "1e308", "1e308", "5", "5")))
	f.Add([]byte(oldDetails + fmt.Sprintf(oldOneEntry, "SOL SM", "%", "12.5") + `"1","1`))
	f.Add([]byte(`"ID","Kernel Name","Metric Name","Metric Unit","Metric Value"` + "\n" + `"0","a""b","Stall Long Scoreboard","inst","3"` + "\n"))
	f.Add([]byte(`"ID","a","b","c","Kernel Name","sm__ops_path_tensor_op_x.sum","sm__ops_path_tensor_op_x.sum.peak_sustained","sm__cycles_elapsed.avg.per_second","dram__bytes.sum","dram__bytes.sum.peak_sustained","dram__cycles_elapsed.avg.per_second"` + "\n" + `"0","","","","k","5","1","1","9","1","1"` + "\n"))
	f.Add([]byte(`"ID","0","0","0","Kernel Name","sm__ops_path_tensor_.sum","smsp__average_warps_issue_stalled__per_issue_active.ratio"` + "\n00,,,,,00,1"))
	f.Fuzz(func(t *testing.T, in []byte) {
		Recognise(in)
		p, err := Read(bytes.NewReader(in))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := p.WriteText(&b); err != nil {
			t.Error(err)
		}
		if _, err := json.Marshal(p); err != nil {
			t.Error(err)
		}
		for name, fact := range p.Facts() {
			if fact.From != from || math.IsNaN(fact.Num) || math.IsInf(fact.Num, 0) || strings.HasSuffix(name, "_bound_ratio") && (fact.Num < 0 || fact.Num > 1+1e-9) {
				t.Errorf("%s is %+v", name, fact)
			}
		}
		again, err := Read(bytes.NewReader(in))
		if err != nil || !cmp.Equal(p, again) {
			t.Errorf("two readings differ: %s", cmp.Diff(p, again))
		}
	})
}

func BenchmarkRead(b *testing.B) {
	b.SetBytes(1000 * 1000)
	for b.Loop() {
		if _, err := Read(&endless{n: 1000}); err != nil {
			b.Fatal(err)
		}
	}
}
