package nsys

import (
	"bytes"
	"compress/gzip"
	"database/sql"
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
)

var update = flag.Bool("update", false, "rewrite the goldens")

// export is a database that a test writes.
type export struct {
	t       testing.TB
	db      *sql.DB
	path    string
	strings map[string]int
}

func newExport(t testing.TB, schema string) *export {
	path := filepath.Join(t.TempDir(), "a b.sqlite")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	e := &export{t: t, db: db, path: path, strings: map[string]int{}}
	t.Cleanup(func() { _ = db.Close() })
	e.exec("PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF;" + schema)
	return e
}

func (e *export) exec(query string, args ...any) {
	e.t.Helper()
	if _, err := e.db.Exec(query, args...); err != nil {
		e.t.Fatal(err)
	}
}

func (e *export) id(s string) int {
	if e.strings[s] == 0 {
		e.strings[s] = len(e.strings) + 1
		e.exec("INSERT INTO StringIds VALUES (?, ?)", e.strings[s], s)
	}
	return e.strings[s]
}

func (e *export) kernel(us, length float64, device int, name string, node any) {
	e.t.Helper()
	e.exec(`INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL (start, end, deviceId, contextId, streamId, correlationId, globalPid, demangledName, shortName, registersPerThread, gridX, gridY, gridZ,
		blockX, blockY, blockZ, staticSharedMemory, dynamicSharedMemory, localMemoryPerThread, localMemoryTotal, gridId, graphNodeId)
		VALUES (?, ?, ?, 1, 7, 1, ?, ?, ?, 32, 1, 1, 1, 128, 1, 1, 0, 0, 0, 0, 1, ?)`,
		int(us*1000), int((us+length)*1000), device, int64(device+1)<<24, e.id(name), e.id(name), node)
}

func (e *export) call(us, length float64, name string, times int) {
	for range times {
		e.exec("INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (?, ?, 0, 1, 1, ?, 0, NULL)", int(us*1000), int((us+length)*1000), e.id(name))
	}
}

func (e *export) read() (*Profile, error) {
	return Open(e.path)
}

// eager is two steps of a server without graphs, 2 ms apart, each of ten layers.
func eager(t testing.TB) *export {
	e := newExport(t, released)
	e.exec("BEGIN")
	for step := range 2 {
		at := 5000.0 + float64(step)*4000
		e.exec("INSERT INTO NVTX_EVENTS (start, end, eventType, textId, globalTid) VALUES (?, ?, 59, ?, 1)", int(at*1000), int((at+2000)*1000), e.id("execute_model"))
		e.exec("INSERT INTO CUPTI_ACTIVITY_KIND_MEMCPY VALUES (?, ?, 0, 1, NULL, 7, 1, ?, 1024, 1, NULL)", int((at-10)*1000), int((at-8)*1000), int64(1)<<24)
		for layer := range 10 {
			from := at + float64(layer)*200
			e.kernel(from, 20, 0, "nvjet_sm90_tst_128x8_64x12_2x1_v_bz_TNT", nil)
			e.kernel(from+70, 20, 0, "void cutlass::device_kernel<flash::enable_sm90_or_later<flash::FlashAttnFwdSm90<flash::CollectiveMainloopFwdSm90<2>>>>", nil)
			e.kernel(from+80, 20, 0, "void vllm::fused_add_rms_norm_kernel<c10::BFloat16, 8, true>", nil) // on another stream, half of it beside the attention
		}
	}
	e.call(5000, 6, "cudaLaunchKernel_v7000", 1200)
	e.call(5000, 500, "cudaStreamSynchronize_v3020", 2)
	e.call(100, 900, "cudaMalloc_v3020", 1)
	e.exec("COMMIT")
	return e
}

func TestAServerWithoutGraphs(t *testing.T) {
	p, err := eager(t).read()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := p.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	js, err := json.MarshalIndent(map[string]any{"profile": p, "facts": p.Facts()}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/eager.txt", append(text.Bytes(), append(js, '\n')...))
	tl := p.Timeline
	// Ten layers of 20 µs and 30 µs in union, and a copy of 2 µs, twice; from the first copy to the last kernel.
	if !near(tl.Busy, 2*(10*50+2)*1e-6) || !near(tl.Span, (9000+9*200+100-4990)*1e-6) || tl.GraphKernels != 0 || tl.Devices != 1 {
		t.Errorf("%+v", tl)
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-12+1e-9*math.Abs(b) }

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

func TestKernelsOfGraphsAreCountedAgainstLaunches(t *testing.T) {
	e := newExport(t, released)
	for i := range 40 {
		e.kernel(float64(i)*30, 25, 0, "nvjet", 1000+i)
	}
	e.kernel(2000, 10, 0, "_gumbel_sample_kernel", nil)
	e.call(0, 10, "cudaGraphLaunch_v10000", 1)
	e.call(0, 10, "cudaLaunchKernelExC_v11060", 1)
	p, err := e.read()
	if err != nil {
		t.Fatal(err)
	}
	f := p.Facts()
	if p.Timeline.GraphKernels != 40 || f["profile_kernels_per_launch"].Num != 20.5 || f["profile_graph_launches"].Num != 1 {
		t.Errorf("%+v %v", p.Timeline, f)
	}
}

func TestWholeGraphsHideTheirKernels(t *testing.T) {
	e := newExport(t, released)
	e.kernel(0, 10, 0, "_gumbel_sample_kernel", nil)
	e.exec("INSERT INTO CUPTI_ACTIVITY_KIND_GRAPH_TRACE VALUES (20000, 90000, 0, 1, NULL, 7, 1, ?, 1, 1)", int64(1)<<24)
	e.call(0, 10, "cudaGraphLaunch_v10000", 1)
	p, err := e.read()
	if err != nil {
		t.Fatal(err)
	}
	f := p.Facts()
	if _, ok := f["profile_sampling_ratio"]; ok || p.Timeline.Graphs != 1 || !near(p.Timeline.Busy, 80e-6) || len(p.Notes) != 1 {
		t.Errorf("%+v %v %v", p.Timeline, f, p.Notes)
	}
}

func TestPausesAreNoIdleTimeOfAStep(t *testing.T) {
	e := newExport(t, released)
	e.kernel(0, 1000, 0, "nvjet", nil)
	e.kernel(1005, 1000, 0, "nvjet", nil)
	e.kernel(3_000_000, 1000, 0, "nvjet", nil)
	p, err := e.read()
	if err != nil {
		t.Fatal(err)
	}
	want := []int{1, 0, 0, 1}
	for i, g := range p.Timeline.Gaps {
		if g.Count != want[i] {
			t.Errorf("gaps from %v: %d", g.From, g.Count)
		}
	}
	f := p.Facts()
	if busy, gap := f["profile_gpu_busy_ratio"].Num, f["profile_gap_longest_s"].Num; !near(busy, 3000.0/3005) || !near(gap, 5e-6) || p.Timeline.Longest < 2.9 {
		t.Errorf("busy %v, longest gap %v", busy, gap)
	}
}

// A GPU that has little to do idles between steps, and no graph would help.
func TestIdleTimeBetweenStepsIsNotBlamedOnLaunches(t *testing.T) {
	for name, tt := range map[string]struct {
		apart float64
		want  bool
	}{"between launches": {50, true}, "between steps": {5000, false}} {
		e := newExport(t, released)
		for i := range 20 {
			e.kernel(float64(i)*tt.apart, 5, 0, "nvjet", nil)
		}
		e.call(0, 5, "cudaLaunchKernel_v7000", 1200)
		p, err := e.read()
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := p.WriteText(&text); err != nil || strings.Contains(text.String(), "does not launch them fast enough") != tt.want {
			t.Errorf("%s: %v\n%s", name, err, text.String())
		}
	}
}

func TestDevicesAreAddedUp(t *testing.T) {
	e := newExport(t, released)
	e.kernel(0, 100, 0, "nvjet", nil)
	e.kernel(50, 50, 1, "ncclDevKernel_AllReduce_Sum_bf16_RING_LL", nil)
	e.kernel(150, 50, 1, "ncclDevKernel_AllReduce_Sum_bf16_RING_LL", nil)
	p, err := e.read()
	if err != nil || p.Timeline.Devices != 2 || !near(p.Timeline.Busy, 200e-6) || !near(p.Timeline.Span, 250e-6) {
		t.Errorf("%+v, %v", p.Timeline, err)
	}
	if f := p.Facts(); !near(f["profile_collective_ratio"].Num, 0.4) {
		t.Errorf("%v", f)
	}
}

func TestAnOlderExportHasFewerTables(t *testing.T) {
	e := newExport(t, older)
	e.exec("INSERT INTO StringIds VALUES (1, 'nvjet'); INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES (0, 5, 0, 1, 7, 1, 1, 1, 1)")
	p, err := e.read()
	if err != nil || p.Calls != nil || p.Kernels != 1 || p.Classes[0].Class != kernels.GEMM || len(p.Notes) != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestADatabaseComesOutOfAStream(t *testing.T) {
	file, err := os.ReadFile(eager(t).path)
	if err != nil {
		t.Fatal(err)
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write(file)
	_ = w.Close()
	left := func() int {
		names, _ := filepath.Glob(filepath.Join(os.TempDir(), "inferdx-nsys-*"))
		return len(names)
	}
	before := left()
	for _, r := range []io.Reader{bytes.NewReader(file), &z} {
		if p, err := Read(r); err != nil || p.Kernels != 60 {
			t.Errorf("%+v, %v", p, err)
		}
	}
	if left() != before {
		t.Error("the copy was left behind")
	}
}

func TestADatabaseFromElsewhereDoesNoHarm(t *testing.T) {
	for name, schema := range map[string]string{
		"of another program":    "CREATE TABLE t (x)",
		"without kernels":       released,
		"a view without an end": "CREATE VIEW CUPTI_ACTIVITY_KIND_KERNEL AS WITH RECURSIVE n(start) AS (SELECT 1 UNION ALL SELECT start + 1 FROM n) SELECT start, start AS end, 0 AS deviceId FROM n",
	} {
		if p, err := newExport(t, schema).read(); err == nil || !strings.Contains(err.Error(), "\nhint: ") {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	file, err := os.ReadFile(eager(t).path)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{20, 5000, len(file) / 2, len(file) - 4096} {
		p, err := Read(bytes.NewReader(file[:n]))
		if err == nil && len(p.Notes) == 0 {
			t.Errorf("%d bytes of %d are read as whole", n, len(file))
		}
	}
}

const kernelTableCSV = `Generating SQLite file /tmp/a.sqlite from /tmp/a.nsys-rep
Processing [/tmp/a.sqlite] with [/opt/nsys/reports/cuda_gpu_kern_sum.py]...
Time (%),Total Time (ns),Instances,Avg (ns),Med (ns),Min (ns),Max (ns),StdDev (ns),Name
75.0,3000000,300,10000.0,1.0,1,2,0.0,"void flash_fwd_splitkv_kernel<Flash_fwd_kernel_traits<128, 64>>(params)"
25.0,1000000,1200,10000.0,1.0,1,2,0.0,nvjet_sm90_tst_128x8_64x12_2x1_v_bz_TNT
`

const callTableCSV = `
Processing [/tmp/a.sqlite] with [/opt/nsys/reports/cuda_api_sum.py]...
Time (%),Total Time (ns),Num Calls,Avg (ns),Med (ns),Min (ns),Max (ns),StdDev (ns),Name
90.0,9000000,1500,6000.0,1.0,1,2,0.0,cudaLaunchKernel
10.0,1000000,10,100000.0,1.0,1,2,0.0,cudaStreamSynchronize
`

const otherTablesCSV = `
Time (%),Total Time (us),Count,Avg (us),Med (us),Min (us),Max (us),StdDev (us),Operation
100.0,500,7,1,1,1,1,0,[CUDA memcpy Host-to-Device]

Time (%),Total Time (ns),Instances,Avg (ns),Med (ns),Min (ns),Max (ns),StdDev (ns),Style,Range
100.0,2000,2,1,1,1,1,0,PushPop,:execute_model
`

func TestTables(t *testing.T) {
	p, err := Read(strings.NewReader(kernelTableCSV + callTableCSV + otherTablesCSV))
	if err != nil {
		t.Fatal(err)
	}
	want := []Group{
		{Name: "attention", Class: kernels.Attention, Count: 300, Seconds: 3e-3, Share: 3 / 4.5},
		{Name: "gemm", Class: kernels.GEMM, Count: 1200, Seconds: 1e-3, Share: 1 / 4.5},
		{Name: "copy", Class: kernels.Copy, Count: 7, Seconds: 5e-4, Share: .5 / 4.5},
	}
	if diff := cmp.Diff(want, p.Classes); diff != "" {
		t.Error(diff)
	}
	if p.Kernels != 1500 || p.Calls.Launches != 1500 || p.Calls.SyncSeconds != 1e-3 || p.Ranges[0].Name != "execute_model" || p.Timeline != nil {
		t.Errorf("%+v", p)
	}
	f := p.Facts()
	if _, ok := f["profile_attention_ratio"]; ok || f["profile_kernels_per_launch"].Num != 1 || f["profile_graph_launches"].Num != 0 {
		t.Errorf("%v", f)
	}
	var text bytes.Buffer
	if err := p.WriteText(&text); err != nil || !strings.Contains(text.String(), "1,500 kernels were launched one by one and no CUDA graph") {
		t.Errorf("%v\n%s", err, text.String())
	}
}

// Releases of 2020 and 2021 had other names for some columns.
func TestTablesOfOlderReleases(t *testing.T) {
	p, err := Read(strings.NewReader("Time(%),Total Time (ns),Instances,Average,Minimum,Maximum,StdDev,Name\n75.0,3000000,300,10000.0,1,2,0.0,nvjet\n\n" +
		"\"Time(%)\",\"Total Time (ns)\",\"Num Calls\",\"Average\",\"Minimum\",\"Maximum\",\"StdDev\",\"Name\"\n\"90.0\",\"9000000\",\"1500\",\"6000.0\",\"1\",\"2\",\"0\",\"cudaLaunchKernel\"\n"))
	if err != nil || p.Kernels != 300 || p.Calls.Launches != 1500 || len(p.Notes) != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestATableOfCallsAloneSaysWhatIsMissing(t *testing.T) {
	p, err := Read(strings.NewReader(callTableCSV))
	if err != nil || len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "cuda_gpu_kern_sum") {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestAFileThatIsNeitherIsAnError(t *testing.T) {
	for _, in := range []string{"", "hello\n", "a,b\n1,2\n", "\x1f\x8bxx", "NVRE\x00", "Time (%),Total Time (ns),Instances,Name\n", strings.Repeat("x", 2*maxLine)} {
		p, err := Read(strings.NewReader(in))
		if err == nil || !strings.HasPrefix(in, "\x1f") && !strings.Contains(err.Error(), "\nhint: ") {
			t.Errorf("%.40q: %+v, %v", in, p, err)
		}
	}
	if _, err := Read(strings.NewReader("x")); !errors.Is(err, ErrUnrecognised) {
		t.Error(err)
	}
}

func TestRecognise(t *testing.T) {
	file, err := os.ReadFile(eager(t).path)
	if err != nil {
		t.Fatal(err)
	}
	for _, head := range [][]byte{file[:min(len(file), 64<<10)], []byte(kernelTableCSV), []byte(callTableCSV), []byte(otherTablesCSV)} {
		if !Recognise(head) {
			t.Errorf("%.60q is not recognised", head)
		}
	}
	for _, s := range []string{"", magic, `"ID","Process ID","Process Name","Host Name","Kernel Name"` + "\n", "Name,Count\n"} {
		if Recognise([]byte(s)) {
			t.Errorf("%q is recognised", s)
		}
	}
}

func TestMemoryStaysBounded(t *testing.T) {
	e := newExport(t, older)
	e.exec("INSERT INTO StringIds VALUES (1, 'nvjet')")
	// Half a million kernels, the last first, so that they must be sorted.
	e.exec(`WITH RECURSIVE n(i) AS (SELECT 500000 UNION ALL SELECT i - 1 FROM n WHERE i > 1)
		INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL SELECT i * 10, i * 10 + 5, 0, 1, 7, i, 1, 1, 1 FROM n`)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	p, err := e.read()
	if err != nil || p.Kernels != 500000 || !near(p.Timeline.Busy, 500000*5e-9) {
		t.Fatalf("%+v, %v", p, err)
	}
	runtime.ReadMemStats(&after)
	if held := int64(after.HeapSys) - int64(before.HeapSys); held > 64<<20 {
		t.Errorf("the heap grew by %d MiB", held>>20)
	}
}

// FuzzDatabase has few and slow runs: each one is a database's. FuzzRead has the tables.
func FuzzDatabase(f *testing.F) {
	e := newExport(f, older)
	e.exec("INSERT INTO StringIds VALUES (1, 'nvjet'); INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES (0, 5, 0, 1, 7, 1, 1, 1, 1)")
	file, err := os.ReadFile(e.path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add(file[:len(file)/2])
	f.Fuzz(func(t *testing.T, in []byte) { survives(t, append([]byte(magic), in[min(len(in), len(magic)):]...)) })
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(kernelTableCSV + callTableCSV + otherTablesCSV))
	f.Add([]byte("Total Time (s),Count,Operation,Category\n1e300,1,\"x\n,y,z\n-1,99999999999999999999,a,CUDA_KERNEL\n1,2,b,CUDA_KERNEL\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if !bytes.HasPrefix(in, []byte(magic)) {
			survives(t, in)
		}
	})
}

// survives reads anything, twice.
func survives(t *testing.T, in []byte) {
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
		if math.IsNaN(fact.Num) || math.IsInf(fact.Num, 0) || fact.Num < 0 || strings.HasSuffix(name, "_ratio") && fact.Num > 1+1e-9 {
			t.Errorf("%s is %+v", name, fact)
		}
	}
	again, err := Read(bytes.NewReader(in))
	if err != nil || fmt.Sprint(p.Facts()) != fmt.Sprint(again.Facts()) {
		t.Errorf("two readings differ: %v", cmp.Diff(p, again))
	}
}
