package torchmem

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

// WriteText writes the finding, what the memory is for, and the largest allocations.
func (m *Memory) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "PyTorch memory %s: %s allocated, %s reserved in %d segments", m.From, units.Bytes(m.Allocated), units.Bytes(m.Reserved), m.Segments)
	if m.Peak != nil {
		fmt.Fprintf(&b, ", at most %s allocated", units.Bytes(*m.Peak))
	}
	b.WriteString("\n" + m.finding() + "\n\n")
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(name string, n int64) {
		fmt.Fprintf(t, "%s\t%s\t%s\n", name, units.Bytes(n), share(n, m.Reserved))
	}
	for _, k := range m.Kinds {
		row(string(k.Kind), k.Bytes)
	}
	if len(m.Kinds) == 0 {
		row("in use", m.Active)
	}
	row("free, cannot be given back", m.Split)
	row("free, could be given back", m.Cached)
	row("reserved", m.Reserved)
	_ = t.Flush() // a Builder takes everything
	for i, a := range m.Largest[:min(len(m.Largest), 6)] {
		if i == 0 {
			b.WriteString("\nlargest allocations\n")
		}
		fmt.Fprintf(&b, "  %s in %d, %s: %s\n", units.Bytes(a.Bytes), a.Blocks, a.Kind, code(a.Code))
	}
	for _, n := range m.Notes {
		b.WriteString("note: " + n + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// finding is the sentence that comes first: out of memory, fragmented, or what takes most.
func (m *Memory) finding() string {
	switch {
	case m.OOMs > 0 && m.OOMRequested > 0:
		s := fmt.Sprintf("out of memory %s, the last time for %s", times(m.OOMs), units.Bytes(m.OOMRequested))
		if m.OOMFree != nil {
			s += fmt.Sprintf(" with %s free on the GPU", units.Bytes(*m.OOMFree))
		}
		if free := m.Split + m.Cached; free >= m.OOMRequested {
			s += fmt.Sprintf(" and %s free in pieces of the allocator: fragmented", units.Bytes(free))
		}
		if len(m.OOMCode) > 0 {
			s += ", at " + code(m.OOMCode)
		}
		return s
	case m.OOMs > 0:
		return "out of memory " + times(m.OOMs)
	case m.Retries != nil && *m.Retries > 0:
		return fmt.Sprintf("%s an allocation had to give cached memory back first: memory is about to run out", times(*m.Retries))
	case m.Reserved > 0 && m.Split*5 > m.Reserved:
		return fmt.Sprintf("fragmented: %s of the reserved memory is free in pieces that cannot be given back", share(m.Split, m.Reserved))
	}
	var most KindBytes
	for _, k := range m.Kinds {
		if k.Bytes > most.Bytes {
			most = k
		}
	}
	if most.Bytes > 0 {
		return fmt.Sprintf("most of it are %s: %s of what is reserved; nothing ran out", most.Kind.words(), share(most.Bytes, m.Reserved))
	}
	return "nothing ran out"
}

func (k Kind) words() string {
	switch k {
	case KV:
		return "KV caches"
	case Graphs:
		return "CUDA graphs"
	case Other:
		return "allocations of code that is not known"
	}
	return string(k)
}

func code(lines []string) string {
	if len(lines) == 0 {
		return "without a recorded stack"
	}
	return strings.Join(lines, " < ")
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func share(n, of int64) string {
	if of <= 0 {
		return "-"
	}
	return units.Format(float64(n)/float64(of), "ratio", model.Exact)
}
