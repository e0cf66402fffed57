package nsys

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

const (
	shownKernels = 5
	shownRanges  = 3
	// starved is the share of busy time below which a server's GPU waits for its host, and fewLaunches what is too
	// few launches to say so.
	starved     = 0.5
	fewLaunches = 1000
)

// WriteText writes the finding, the classes of kernels, the gaps and the longest kernels.
func (p *Profile) WriteText(w io.Writer) error {
	var b strings.Builder
	b.WriteString(p.title() + "\n" + p.finding() + "\n\n")
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "class\ttime\tshare\tnumber")
	for _, g := range p.Classes {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\n", g.Name, seconds(g.Seconds), percent(g.Share), g.Count)
	}
	_ = t.Flush() // a Builder takes everything
	p.gaps(&b)
	p.calls(&b)
	list(&b, "longest kernels", p.Top[:min(len(p.Top), shownKernels)])
	list(&b, "longest ranges", p.Ranges[:min(len(p.Ranges), shownRanges)])
	for _, n := range p.Notes {
		b.WriteString("note: " + n + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (p *Profile) title() string {
	s := "Nsight Systems: "
	if t := p.Timeline; t != nil {
		s += seconds(t.Span)
		if t.Devices > 1 {
			s += fmt.Sprintf(" on %d GPUs together", t.Devices)
		}
		s += ", "
	}
	s += fmt.Sprintf("%d kernels in %s", p.Kernels, seconds(p.KernelSeconds))
	if p.GPU != "" {
		s += " (" + p.GPU + ")"
	}
	return s
}

// finding is the sentence that comes first.
func (p *Profile) finding() string {
	var out []string
	if t := p.Timeline; t != nil && t.Working > 0 {
		out = append(out, fmt.Sprintf("the GPU was busy %s of the time, pauses of %s and more left out", percent(t.Busy/t.Working), seconds(longPause/1e9)))
	}
	if c := p.Calls; c != nil && c.Launches >= fewLaunches && c.GraphLaunches == 0 {
		s := fmt.Sprintf("%d kernels were launched one by one and no CUDA graph", c.Launches)
		if t := p.Timeline; t != nil && t.Working > 0 && t.Busy/t.Working < starved {
			s += ": the host does not launch them fast enough"
		}
		out = append(out, s)
	}
	if len(p.Classes) > 0 {
		out = append(out, fmt.Sprintf("most of the GPU's work is %s (%s)", p.Classes[0].Name, percent(p.Classes[0].Share)))
	}
	if len(out) == 0 {
		return "no kernels were seen"
	}
	return strings.Join(out, "; ")
}

func (p *Profile) gaps(b *strings.Builder) {
	t := p.Timeline
	if t == nil {
		return
	}
	var out []string
	for i, g := range t.Gaps {
		if g.Count == 0 {
			continue
		}
		name := "of " + seconds(g.From) + " and more"
		if i+1 < len(t.Gaps) {
			name = "below " + seconds(t.Gaps[i+1].From)
		}
		out = append(out, fmt.Sprintf("%s in gaps %s (%d)", seconds(g.Seconds), name, g.Count))
	}
	if len(out) > 0 {
		fmt.Fprintf(b, "\nidle: %s; the longest %s\n", strings.Join(out, ", "), seconds(t.Longest))
	}
}

func (p *Profile) calls(b *strings.Builder) {
	c := p.Calls
	if c == nil {
		return
	}
	fmt.Fprintf(b, "host: %d kernel launches and %d graph launches in %s, %s waiting for the GPU, %s in %d allocations\n",
		c.Launches, c.GraphLaunches, seconds(c.LaunchSeconds), seconds(c.SyncSeconds), seconds(c.AllocSeconds), c.Allocs)
}

func list(b *strings.Builder, title string, groups []Group) {
	if len(groups) == 0 {
		return
	}
	b.WriteString("\n" + title + "\n")
	for _, g := range groups {
		name := g.Name
		if len(name) > 80 {
			name = strings.ToValidUTF8(name[:80], "") + "…"
		}
		share := ""
		if g.Share > 0 {
			share = percent(g.Share) + "  "
		}
		fmt.Fprintf(b, "  %s%s in %d  %s\n", share, seconds(g.Seconds), g.Count, name)
	}
}

func percent(v float64) string { return units.Format(v, "ratio", model.Exact) }

func seconds(v float64) string { return units.Format(v, "s", model.Exact) }
