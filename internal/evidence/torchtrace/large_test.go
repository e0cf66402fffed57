package torchtrace

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"testing"
)

// again is the real trace many times over, one after the other in time, without being held.
type again struct {
	events [][]byte
	times  int
	period float64 // microseconds
	next   int     // event
	turn   int
	buf    bytes.Buffer
	each   func() // after every turn
}

var ts = regexp.MustCompile(`"ts": ([0-9.]+)`)

// repeat gives a trace of a real server as often as asked.
func repeat(t testing.TB, recording string, times int) *again {
	t.Helper()
	f, err := os.Open("../../../corpus/" + recording + "/profile.trace.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := bytes.Cut(all, []byte(`"traceEvents": [`))
	list = list[:bytes.LastIndexByte(list, ']')]
	return &again{events: bytes.SplitAfter(list, []byte("\n  },\n")), times: times, period: 200e3}
}

func (a *again) Read(p []byte) (int, error) {
	for a.buf.Len() < len(p) && a.turn < a.times {
		if a.next == 0 && a.turn == 0 {
			a.buf.WriteString(`{"traceEvents": [`)
		}
		a.event(a.events[a.next])
		if a.next++; a.next < len(a.events) {
			continue
		}
		if a.turn++; a.turn < a.times {
			a.buf.WriteByte(',')
		} else {
			a.buf.WriteString("]}")
		}
		a.next = 0
		if a.each != nil {
			a.each()
		}
	}
	if a.buf.Len() == 0 {
		return 0, io.EOF
	}
	return a.buf.Read(p)
}

// event writes an event of this turn: later by the turn's periods.
func (a *again) event(e []byte) {
	at := ts.FindSubmatchIndex(e)
	if at == nil {
		a.buf.Write(e)
		return
	}
	was, _ := strconv.ParseFloat(string(e[at[2]:at[3]]), 64) // the expression lets numbers through only
	a.buf.Write(e[:at[2]])
	fmt.Fprintf(&a.buf, "%.3f", was+float64(a.turn)*a.period)
	a.buf.Write(e[at[3]:])
}

func TestATraceOf500MBTakesTensOfMB(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 510 MB")
	}
	in := repeat(t, "base-c8", 54)
	var most uint64
	runtime.GC()
	before := live()
	in.each = func() {
		if in.turn%9 == 0 {
			runtime.GC()
			most = max(most, live()-before)
		}
	}
	c := &counted{r: in}
	p, err := Read(c)
	if err != nil {
		t.Fatal(err)
	}
	if p.GPU.Kernels != 54*9563 || p.Decode.Kernels < 400 || p.Decode.Graphed < 0.8 || len(p.Notes) > 0 {
		t.Errorf("%+v, %+v, notes %v", p.GPU, p.Decode, p.Notes)
	}
	t.Logf("%d MB read, %d MiB live at most", c.n/1e6, most>>20)
	if c.n < 500e6 || most > 64<<20 {
		t.Errorf("%d MB read, %d MiB live at most", c.n/1e6, most>>20)
	}
}

func live() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkRead(b *testing.B) {
	for _, recording := range []string{"base-c8", "eager-c8"} {
		b.Run(recording, func(b *testing.B) {
			raw, err := io.ReadAll(repeat(b, recording, 3))
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Read(bytes.NewReader(raw)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
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
