package nsys

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/inferdx/inferdx/internal/evidence/kernels"
	"github.com/inferdx/inferdx/internal/units"
)

const (
	shownKernels = 5
	shownRanges  = 3
	// starved is the share of busy time below which a server's GPU waits for its host, and fewLaunches what is too
	// few launches to say so.
	starved     = 0.5
	fewLaunches = 1000
	// launchGap is the length, in seconds, that a gap between two launches does not reach; between two steps it does.
	launchGap = 1e-3
)

// WriteText writes the finding, the classes of kernels, the gaps and the longest kernels.
func (p *Profile) WriteText(w io.Writer) error {
	var b strings.Builder
	b.WriteString(p.title() + "\n" + p.finding() + "\n\n")
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "class\ttime\tshare\tnumber")
	for _, g := range p.Classes {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", g.Name, units.Seconds(g.Seconds), units.Percent(g.Share), units.Count(g.Count))
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
		s += units.Seconds(t.Span)
		if t.Devices > 1 {
			s += fmt.Sprintf(" on %d GPUs together", t.Devices)
		}
		s += ", "
	}
	s += fmt.Sprintf("%s kernels in %s", units.Count(p.Kernels), units.Seconds(p.KernelSeconds))
	if p.GPU != "" {
		s += " (" + p.GPU + ")"
	}
	return s
}

// finding is the sentence that comes first.
func (p *Profile) finding() string {
	var out []string
	if t := p.Timeline; t != nil && t.Working > 0 {
		out = append(out, fmt.Sprintf("the GPU was busy %s of the time, pauses of %s and more left out", units.Percent(t.Busy/t.Working), units.Seconds(longPause/1e9)))
	}
	if c := p.Calls; c != nil && c.Launches >= fewLaunches && c.GraphLaunches == 0 {
		s := fmt.Sprintf("%s kernels were launched one by one and no CUDA graph", units.Count(c.Launches))
		if t := p.Timeline; t != nil && t.Working > 0 && t.Busy/t.Working < starved {
			s += t.between()
		}
		out = append(out, s)
	}
	if len(p.Classes) > 0 {
		out = append(out, fmt.Sprintf("most of the GPU's work is %s (%s)", p.Classes[0].Name, units.Percent(p.Classes[0].Share)))
	}
	if len(out) == 0 {
		return "no kernels were seen"
	}
	return strings.Join(out, "; ")
}

// between says why a GPU idles beside launches one by one, where gaps as between two launches make up most of its idle time.
func (t *Timeline) between() string {
	short, all := 0.0, 0.0
	for _, g := range t.Gaps {
		if g.From < float64(longPause)/1e9 {
			all += g.Seconds
		}
		if g.From < launchGap {
			short += g.Seconds
		}
	}
	if short < all/2 {
		return ""
	}
	return fmt.Sprintf(": it idles between them (%s of its idle time in gaps below %s), the host does not launch them fast enough", units.Percent(short/all), units.Seconds(launchGap))
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
		name := "of " + units.Seconds(g.From) + " and more"
		if i+1 < len(t.Gaps) {
			name = "below " + units.Seconds(t.Gaps[i+1].From)
		}
		out = append(out, fmt.Sprintf("%s in gaps %s (%s)", units.Seconds(g.Seconds), name, units.Count(g.Count)))
	}
	if len(out) > 0 {
		fmt.Fprintf(b, "\nidle: %s; the longest %s\n", strings.Join(out, ", "), units.Seconds(t.Longest))
	}
}

func (p *Profile) calls(b *strings.Builder) {
	c := p.Calls
	if c == nil {
		return
	}
	fmt.Fprintf(b, "host: %s kernel launches and %s graph launches in %s, %s waiting for the GPU, %s in %s allocations\n",
		units.Count(c.Launches), units.Count(c.GraphLaunches), units.Seconds(c.LaunchSeconds), units.Seconds(c.SyncSeconds), units.Seconds(c.AllocSeconds), units.Count(c.Allocs))
}

func list(b *strings.Builder, title string, groups []Group) {
	if len(groups) == 0 {
		return
	}
	b.WriteString("\n" + title + "\n")
	for _, g := range groups {
		share := ""
		if g.Share > 0 {
			share = units.Percent(g.Share) + "  "
		}
		fmt.Fprintf(b, "  %s%s in %s  %s\n", share, units.Seconds(g.Seconds), units.Count(g.Count), kernels.Short(g.Name, 80))
	}
}
