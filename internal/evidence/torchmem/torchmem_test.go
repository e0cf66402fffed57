package torchmem

import (
	"bytes"
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

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// Snapshot and summary are of one process on an H200 at the same moment.
func TestRealFiles(t *testing.T) {
	for _, name := range []string{"memory_snapshot.pickle", "memory_summary.txt"} {
		t.Run(name, func(t *testing.T) {
			m, err := Open("testdata/" + name)
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			if err := m.WriteText(&text); err != nil {
				t.Fatal(err)
			}
			js, err := json.MarshalIndent(map[string]any{"memory": m, "facts": m.Facts()}, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "testdata/"+name+".golden", append(text.Bytes(), append(js, '\n')...))
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

func TestASnapshotAndTheSummaryOfItsMomentAgree(t *testing.T) {
	snapshot, err := Open("testdata/memory_snapshot.pickle")
	if err != nil {
		t.Fatal(err)
	}
	summary, err := Open("testdata/memory_summary.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2]int64{
		"allocated": {snapshot.Allocated, summary.Allocated}, "active": {snapshot.Active, summary.Active}, "reserved": {snapshot.Reserved, summary.Reserved},
		"split": {snapshot.Split, summary.Split}, "cached": {snapshot.Cached, summary.Cached}, "segments": {int64(snapshot.Segments), int64(summary.Segments)},
		"peak in MiB": {*snapshot.Peak >> 20, *summary.Peak >> 20},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %d in the snapshot, %d in the summary", name, pair[0], pair[1])
		}
	}
}

// pickler writes what Python's pickle writes of plain containers, without the memo.
type pickler struct{ bytes.Buffer }

func (p *pickler) value(v any) {
	switch v := v.(type) {
	case string:
		p.WriteByte('X')
		_ = binary.Write(p, binary.LittleEndian, uint32(len(v)))
		p.WriteString(v)
	case int:
		p.WriteString("\x8a\x08")
		_ = binary.Write(p, binary.LittleEndian, int64(v))
	case [2]int:
		p.value(v[0])
		p.value(v[1])
		p.WriteByte(0x86)
	case []any:
		p.WriteString("](")
		for _, x := range v {
			p.value(x)
		}
		p.WriteByte('e')
	case map[string]any:
		p.WriteString("}(")
		for _, k := range []string{
			"filename", "line", "name", "frames", "history", "size", "requested_size", "state", "device", "total_size", "segment_pool_id", "blocks", "action", "device_free", "segments", "device_traces",
		} {
			if x, ok := v[k]; ok {
				p.value(k)
				p.value(x)
			}
		}
		p.WriteByte('u')
	default:
		panic(fmt.Sprintf("%T", v))
	}
}

func pickled(v any) []byte {
	p := &pickler{}
	p.WriteString("\x80\x04")
	p.value(v)
	p.WriteByte('.')
	return p.Bytes()
}

type obj = map[string]any

func frames(code ...string) []any {
	var out []any
	for _, c := range code {
		file, name, _ := strings.Cut(c, " ")
		out = append(out, obj{"filename": file, "line": 7, "name": name})
	}
	return out
}

func blockOf(size int, state string, code ...string) obj {
	return obj{"size": size, "requested_size": size, "state": state, "frames": frames(code...)}
}

func segmentOf(blocks ...any) obj {
	total := 0
	for _, b := range blocks {
		total += b.(obj)["size"].(int)
	}
	return obj{"device": 0, "total_size": total, "segment_pool_id": [2]int{0, 0}, "blocks": blocks}
}

const gib = 1 << 30

// engine is a snapshot as of a vLLM worker; the stacks are those of release 0.33.
func engine() obj {
	worker := "/v/vllm/v1/worker/gpu_worker.py "
	runner := "/v/vllm/v1/worker/gpu_model_runner.py "
	private := segmentOf(blockOf(gib/2, "active_allocated"))
	private["segment_pool_id"] = [2]int{0, 3}
	return obj{
		"segments": []any{
			segmentOf(blockOf(16*gib, "active_allocated", "?? at::empty", "/v/vllm/model_executor/layers/linear.py create_weights", "/v/vllm/model_executor/model_loader/base_loader.py load_model", runner+"load_model", worker+"load_model")),
			segmentOf(blockOf(40*gib, "active_allocated", "/v/torch/utils/_device.py __torch_function__", runner+"allocate_kv_cache", runner+"initialize_kv_cache_tensors", worker+"initialize_from_config")),
			segmentOf(blockOf(gib, "active_allocated", "/v/vllm/model_executor/models/llama.py forward", runner+"_dummy_run", runner+"capture_model")),
			segmentOf(blockOf(2*gib, "active_pending_free", "/v/vllm/model_executor/models/llama.py forward", runner+"execute_model"), blockOf(3*gib, "inactive")),
			segmentOf(blockOf(gib/4, "active_allocated", "/v/somebody.py helper")),
			private,
		},
		"device_traces": []any{[]any{
			obj{"action": "alloc", "size": 6 * gib},
			obj{"action": "free_completed", "size": 4 * gib},
			obj{"action": "oom", "size": 2 * gib, "device_free": 100 << 20, "frames": frames("/v/vllm/model_executor/models/llama.py forward", runner+"execute_model")},
		}},
	}
}

func TestMemoryIsToldByWhatAllocatedIt(t *testing.T) {
	m, err := Read(bytes.NewReader(pickled(engine())))
	if err != nil {
		t.Fatal(err)
	}
	want := []KindBytes{{Weights, 16 * gib}, {KV, 40 * gib}, {Activations, 2 * gib}, {Graphs, gib + gib/2}, {Other, gib / 4}}
	if diff := cmp.Diff(want, m.Kinds); diff != "" {
		t.Error(diff)
	}
	if m.Split != 3*gib || m.Cached != 0 || m.LargestFree != 3*gib || m.OOMs != 1 || m.OOMRequested != 2*gib || *m.OOMFree != 100<<20 || *m.Peak != m.Allocated+4*gib {
		t.Errorf("%+v", m)
	}
	if a := m.Largest[0]; a.Kind != KV || a.Bytes != 40*gib || a.Code[0] != "gpu_model_runner.py:7 allocate_kv_cache" {
		t.Errorf("largest: %+v", a)
	}
	f := m.Facts()
	if f["memory_oom_free_ratio"].Num != 1.5 || f["memory_ooms"].Num != 1 || math.Abs(f["memory_kv_ratio"].Num-40/59.75) > 1e-9 {
		t.Errorf("facts: %v", f)
	}
	var text bytes.Buffer
	if err := m.WriteText(&text); err != nil || !strings.Contains(text.String(), "out of memory once, the last time for 2 GiB with 100 MiB free on the GPU and 3 GiB free in pieces of the allocator: fragmented, at llama.py:7 forward") {
		t.Errorf("%v\n%s", err, text.String())
	}
}

func TestABlockOfAnOlderTorchHasItsStackInAHistory(t *testing.T) {
	b := obj{"size": gib, "state": "active_allocated", "history": []any{obj{"frames": frames("/s/sglang/srt/mem_cache/memory_pool.py _create_buffers")}}}
	m, err := Read(bytes.NewReader(pickled(obj{"segments": []any{segmentOf(b)}})))
	if err != nil || len(m.Kinds) != 1 || m.Kinds[0].Kind != KV {
		t.Errorf("%+v, %v", m, err)
	}
	if _, ok := m.Facts()["memory_ooms"]; ok {
		t.Error("a snapshot without a history says that nothing ran out")
	}
}

func TestSharedStacksComeOutOfTheMemo(t *testing.T) {
	const list = "](" + "}(\x8c\x08filename\x8c\x04m.py\x8c\x04lineK\x07\x8c\x04name\x8c\x0aload_model" + "ue\x94" // remembered when it is filled
	block := func(stack string) string {
		return "}(\x8c\x04sizeK\x09\x8c\x05state\x8c\x10active_allocated\x8c\x06frames" + stack + "u"
	}
	in := "\x80\x04}(\x8c\x08segments](}(\x8c\x0atotal_sizeK\x12\x8c\x06blocks](" + block(list) + block("h\x00") + "eueu."
	m, err := Read(strings.NewReader(in))
	if err != nil || m.Largest[0].Bytes != 18 || m.Largest[0].Blocks != 2 || m.Kinds[0] != (KindBytes{Weights, 18}) {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestNothingIsRun(t *testing.T) {
	snapshot := string(pickled(engine()))
	tests := []struct{ name, in, want string }{
		{"a call of a global", "\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.", `"os.system"`},
		{"a global by the stack", "\x80\x04\x8c\x08builtins\x8c\x04eval\x93.", `"builtins.eval"`},
		{"behind a whole snapshot", snapshot[:len(snapshot)-1] + "cposix\nsystem\n(X\x02\x00\x00\x00idtR.", `"posix.system"`},
		{"an object", "\x80\x02)\x81.", "NEWOBJ"},
		{"the state of an object", "\x80\x02}}b.", "BUILD"},
		{"an instance of old", "\x80\x02(X\x02\x00\x00\x00idios\nsystem\n.", `"os.system"`},
		{"an extension", "\x80\x02\x82\x01.", "EXT1"},
		{"a persistent id", "\x80\x02K\x01Q.", "BINPERSID"},
		{"the call of what is no global", "\x80\x02X\x01\x00\x00\x00x)R.", "refused"},
		{"a harmless one with arguments of its own", "\x80\x02ccollections\nOrderedDict\n]\x85R.", "refused"},
		{"a name without an end", "\x80\x02c" + strings.Repeat("x", 5000), "refused"},
	}
	for _, tt := range tests {
		m, err := Read(strings.NewReader(tt.in))
		if !errors.Is(err, errRefused) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "\nhint: ") || m != nil {
			t.Errorf("%s: %+v, %v", tt.name, m, err)
		}
	}
}

func TestHarmlessGlobalsAreContainers(t *testing.T) {
	in := "\x80\x02ccollections\nOrderedDict\n)R(X\x08\x00\x00\x00segments](}(X\x0a\x00\x00\x00total_sizeK\x09X\x06\x00\x00\x00blocks]ueu."
	if m, err := Read(strings.NewReader(in)); err != nil || m.Reserved != 9 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestABrokenFileTellsWhatItTold(t *testing.T) {
	whole := pickled(engine())
	m, err := Read(bytes.NewReader(whole[:len(whole)-40]))
	if err != nil || m.Reserved == 0 || !strings.Contains(strings.Join(m.Notes, "\n"), "breaks off") {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestAFileThatIsNeitherIsAnError(t *testing.T) {
	for _, in := range []string{
		"", "hello\n", "\x80\x04}.", "\x80\x04", "\x80\x04]\x94\x8c", "\x80\x04h\x07.", "\x80\x04e.", "\x80\x04a.", "\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7f", "\x80\x04r\xff\xff\xff\xff.",
		"\x80\x04" + strings.Repeat("(", 1000), "\x80\x04" + strings.Repeat("N", maxStack+1), "\x80\x04K\x01K\x01a.", "\x80\x04}(K\x01u.", "\x80\x04\xff",
		"| PyTorch CUDA memory summary, device ID 0 |\n", "{\"traceEvents\": []}",
	} {
		if m, err := Read(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), "\nhint: ") {
			t.Errorf("%.40q: %+v, %v", in, m, err)
		}
	}
}

func TestSizesOfASummary(t *testing.T) {
	tests := map[string]int64{"672032 KiB": 672032 << 10, "    880 MiB": 880 << 20, "0 B  ": 0, " 688128 B  ": 688128, "12 GB": 12 << 30, "7": 7, "12 K": 12000, "3 M": 3000000, "x": -1, "-1 B": -1, "99999999999999999999 B": -1, "9999999 PiB": -1}
	for in, want := range tests {
		if got, ok := size(in); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q is %d, %v", in, got, ok)
		}
	}
}

func TestTheLastSummaryCounts(t *testing.T) {
	text, err := os.ReadFile("testdata/memory_summary.txt")
	if err != nil {
		t.Fatal(err)
	}
	later := strings.NewReplacer("OOMs: 0", "OOMs: 2", "retries: 0", "retries: 5").Replace(string(text))
	m, err := Read(strings.NewReader("torch.OutOfMemoryError: CUDA out of memory\n" + string(text) + later))
	if err != nil || m.OOMs != 2 || *m.Retries != 5 || len(m.Notes) != 1 || m.Facts()["memory_retries"].Num != 5 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestRecognise(t *testing.T) {
	for _, name := range []string{"memory_snapshot.pickle", "memory_summary.txt"} {
		head, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !Recognise(head) {
			t.Errorf("%s is not recognised", name)
		}
	}
	for _, s := range []string{"", "\x80\x04}.", "{}", "segments"} {
		if Recognise([]byte(s)) {
			t.Errorf("%q is recognised", s)
		}
	}
}

// history is a snapshot whose history has n events, each with a stack of its own, as Python writes it: everything is remembered.
type history struct {
	n, i int
	rest []byte
}

func (h *history) Read(p []byte) (int, error) {
	for len(h.rest) == 0 {
		if h.i > h.n {
			return 0, io.EOF
		}
		h.next()
	}
	n := copy(p, h.rest)
	h.rest = h.rest[n:]
	return n, nil
}

func (h *history) next() {
	var b bytes.Buffer
	str := func(s string) {
		b.WriteString("X")
		_ = binary.Write(&b, binary.LittleEndian, uint32(len(s)))
		b.WriteString(s + "\x94")
	}
	switch h.i {
	case 0:
		b.WriteString("\x80\x04}\x94(")
		str("segments")
		b.WriteString("]\x94(}\x94(X\x0a\x00\x00\x00total_size\x94K\x09X\x06\x00\x00\x00blocks]\x94ue")
		str("device_traces")
		b.WriteString("]\x94(]\x94(")
	case h.n:
		b.WriteString("eeu.")
	default:
		b.WriteString("}\x94(X\x06\x00\x00\x00actionX\x05\x00\x00\x00allocX\x04\x00\x00\x00sizeK\x07X\x06\x00\x00\x00frames]\x94(")
		for range 8 {
			b.WriteString("}(X\x08\x00\x00\x00filename")
			b.WriteString("X\x05\x00\x00\x00a.cppX\x04\x00\x00\x00lineM")
			_ = binary.Write(&b, binary.LittleEndian, uint16(h.i))
			b.WriteString("X\x04\x00\x00\x00nameX\x01\x00\x00\x00fu")
		}
		b.WriteString("eu")
		if h.i%1000 == 0 {
			b.WriteString("e(")
		}
	}
	h.rest = b.Bytes()
	h.i++
}

func TestMemoryStaysBounded(t *testing.T) {
	const events = 100_000 // about 50 MB
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	m, err := Read(&history{n: events})
	if err != nil || m.Events != events-1 || len(m.Notes) > 0 {
		t.Fatalf("%+v, %v", m, err)
	}
	runtime.ReadMemStats(&after)
	if held := int64(after.HeapSys) - int64(before.HeapSys); held > 96<<20 {
		t.Errorf("the heap grew by %d MiB", held>>20)
	}
}

// endless is a line without an end.
type endless struct{ n int }

func (e *endless) Read(p []byte) (int, error) {
	if e.n -= len(p); e.n < 0 {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestALineWithoutAnEndIsNotKept(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	summary, err := os.ReadFile("testdata/memory_summary.txt")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Read(io.MultiReader(bytes.NewReader(summary), &endless{n: 200 << 20}))
	if err != nil || m.Reserved == 0 {
		t.Errorf("%+v, %v", m, err)
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.TotalAlloc) - int64(before.TotalAlloc); grown > 16<<20 {
		t.Errorf("%d MiB were taken for a line of 200", grown>>20)
	}
}

func FuzzRead(f *testing.F) {
	real, err := os.ReadFile("testdata/memory_snapshot.pickle")
	if err != nil {
		f.Fatal(err)
	}
	summary, err := os.ReadFile("testdata/memory_summary.txt")
	if err != nil {
		f.Fatal(err)
	}
	whole := pickled(engine())
	f.Add(real)
	f.Add([]byte("\x80\x04NN)0(C\b00000000220(\x8610"))
	f.Add(summary)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte("\x80\x02ccollections\nOrderedDict\n)R(X\x08\x00\x00\x00segments](}(X\x0a\x00\x00\x00total_sizeK\x09X\x06\x00\x00\x00blocks]ueu."))
	f.Add([]byte("\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R."))
	f.Add([]byte("\x80\x04]\x94h\x00ah\x00h\x00\x86220(l(d1q\x00j\x00\x00\x00\x00."))
	f.Fuzz(func(t *testing.T, in []byte) {
		Recognise(in)
		m, err := Read(bytes.NewReader(in))
		if err != nil {
			return
		}
		if err := m.WriteText(io.Discard); err != nil {
			t.Error(err)
		}
		if _, err := json.Marshal(m); err != nil {
			t.Error(err)
		}
		for name, fact := range m.Facts() {
			if !strings.HasPrefix(name, "memory_") || math.IsNaN(fact.Num) || math.IsInf(fact.Num, 0) || fact.Num < 0 {
				t.Errorf("%s is %+v", name, fact)
			}
		}
		again, err := Read(bytes.NewReader(in))
		if err != nil || !cmp.Equal(m, again) {
			t.Errorf("two readings differ: %s", cmp.Diff(m, again))
		}
	})
}

func BenchmarkRead(b *testing.B) {
	b.SetBytes(1000 * 500)
	for b.Loop() {
		if _, err := Read(&history{n: 1000}); err != nil {
			b.Fatal(err)
		}
	}
}
