package nsys

// line is what runs kernels by itself: a device of a process. Several processes see their own device 0.
type line struct{ pid, device int64 }

// kind is a kind of activity on a GPU.
type kind int

const (
	kernelKind kind = iota
	memcpyKind
	memsetKind
	graphKind
)

func kindOf(n int64) kind {
	if n < int64(kernelKind) || n > int64(graphKind) {
		return kernelKind
	}
	return kind(n)
}

// event is something that ran, in nanoseconds.
type event struct {
	start, end int64
	on         line
	name       int64 // of a kernel the id of its name, of a copy its kind
	graph      bool  // a graph ran the kernel
	kind       kind
}

// tally is a number of things and their time.
type tally struct {
	count int
	ns    float64
}

func (t tally) seconds() float64 { return t.ns / 1e9 }

const (
	maxNames = 1 << 16
	maxLines = 1024
	// longPause is a gap in which there was nothing to do: the host of a server that works is back after some ms.
	longPause = 100e6 // ns
)

// gapEdges are the lower ends of the lengths by which gaps are counted, in ns. Below 10 µs a gap is the hardware's own
// between two kernels, up to 1 ms the host launching kernels, up to 100 ms the host between two steps.
var gapEdges = [...]int64{0, 10e3, 1e6, longPause}

// activity adds events up that come in order of their start.
type activity struct {
	lines        map[line]*busy
	kernels      map[int64]tally
	copies       map[int64]tally
	graphs       tally
	graphKernels int
}

func newActivity() *activity {
	return &activity{lines: map[line]*busy{}, kernels: map[int64]tally{}, copies: map[int64]tally{}}
}

func (a *activity) add(e event) {
	b := a.lines[e.on]
	if b == nil {
		if len(a.lines) >= maxLines {
			return
		}
		b = &busy{first: e.start, until: e.start}
		a.lines[e.on] = b
	}
	b.add(e.start, e.end)
	of := tally{1, float64(e.end - e.start)}
	switch e.kind {
	case kernelKind:
		add(a.kernels, e.name, of)
		if e.graph {
			a.graphKernels++
		}
	case memcpyKind:
		add(a.copies, e.name, of)
	case memsetKind:
		add(a.copies, -1, of)
	case graphKind:
		a.graphs.count++
		a.graphs.ns += of.ns
	}
}

// add adds to a name; those beyond maxNames share one.
func add(m map[int64]tally, name int64, of tally) {
	if _, ok := m[name]; !ok && len(m) >= maxNames {
		name = 0
	}
	t := m[name]
	m[name] = tally{t.count + of.count, t.ns + of.ns}
}

// busy is the time in which at least one thing ran on a device.
type busy struct {
	first, until int64
	ns           float64
	gaps         [len(gapEdges)]tally
	longest      int64
	within       int64 // of the gaps that are no pauses
}

func (b *busy) add(start, end int64) {
	if gap := start - b.until; gap > 0 {
		at := 0
		for i, edge := range gapEdges {
			if gap >= edge {
				at = i
			}
		}
		b.gaps[at].count++
		b.gaps[at].ns += float64(gap)
		b.longest = max(b.longest, gap)
		if gap < longPause {
			b.within = max(b.within, gap)
		}
		b.until = start
	}
	if end > b.until {
		b.ns += float64(end - max(start, b.until))
		b.until = end
	}
}

func (a *activity) timeline() *Timeline {
	t := &Timeline{Devices: len(a.lines), Graphs: a.graphs.count, GraphSeconds: a.graphs.seconds(), GraphKernels: a.graphKernels}
	for _, edge := range gapEdges {
		t.Gaps = append(t.Gaps, Gap{From: float64(edge) / 1e9})
	}
	var span, ran float64 // whole nanoseconds, so that the order of the devices does not matter
	gaps := make([]float64, len(gapEdges))
	for _, b := range a.lines {
		span += float64(b.until - b.first)
		ran += b.ns
		t.Longest, t.Within = max(t.Longest, float64(b.longest)/1e9), max(t.Within, float64(b.within)/1e9)
		for i, g := range b.gaps {
			t.Gaps[i].Count += g.count
			gaps[i] += g.ns
		}
	}
	for i := range gaps {
		t.Gaps[i].Seconds = gaps[i] / 1e9
	}
	t.Span, t.Busy = span/1e9, ran/1e9
	t.Working = (span - gaps[len(gaps)-1]) / 1e9
	return t
}
