package torchtable

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/inferdx/inferdx/internal/evidence/kernels"
	"github.com/inferdx/inferdx/internal/units"
)

// shown is how many kernels and calls the text lists, fewLaunches what is too few launches to speak of them.
const shown, fewLaunches = 6, 1000

// WriteText writes the finding, then where the GPU's and the host's time went.
func (p *Profile) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "PyTorch profiler table: %s of the host by itself", units.Seconds(p.HostSeconds))
	if p.Device != "" {
		fmt.Fprintf(&b, ", %s of work on %s in %s kernels", units.Seconds(p.DeviceSeconds), p.Device, units.Count(p.Kernels))
	}
	b.WriteString("\n" + p.finding() + "\n")
	if len(p.Classes) > 0 {
		b.WriteString("\n")
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "class\ttime\tshare\tnumber")
		for _, g := range p.Classes {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", g.Name, units.Seconds(g.Seconds), units.Percent(g.Share), units.Count(g.Count))
		}
		_ = t.Flush() // a Builder takes everything
	}
	list(&b, "longest kernels", p.Top)
	list(&b, "the host, by itself", p.Spots)
	for _, n := range p.Notes {
		b.WriteString("note: " + n + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// finding is the sentence that comes first.
func (p *Profile) finding() string {
	var out []string
	if p.Launches != nil && *p.Launches >= fewLaunches && *p.GraphLaunches == 0 {
		out = append(out, fmt.Sprintf("%s kernels were launched one by one and no CUDA graph", units.Count(*p.Launches)))
	}
	if p.GraphLaunches != nil && *p.GraphLaunches > 0 {
		out = append(out, fmt.Sprintf("CUDA graphs are on: %s were launched, and %s kernels one by one", units.Count(*p.GraphLaunches), units.Count(*p.Launches)))
	}
	if len(p.Classes) > 0 {
		out = append(out, fmt.Sprintf("most of the GPU's work is %s (%s)", p.Classes[0].Name, units.Percent(p.Classes[0].Share)))
	} else if i := slices.IndexFunc(p.Spots, func(g Group) bool { return !kernels.Waits(g.Name) }); i >= 0 {
		s := p.Spots[i]
		out = append(out, fmt.Sprintf("no work of a GPU in it; apart from waiting the host spends most in %s: %s", s.Name, units.Percent(s.Share)))
	}
	if len(out) == 0 {
		return "nothing in it took time"
	}
	return strings.Join(out, "; ")
}

func list(b *strings.Builder, title string, groups []Group) {
	if len(groups) == 0 {
		return
	}
	b.WriteString("\n" + title + "\n")
	for _, g := range groups[:min(len(groups), shown)] {
		fmt.Fprintf(b, "  %s  %s in %s  %s\n", units.Percent(g.Share), units.Seconds(g.Seconds), units.Count(g.Count), g.Name)
	}
}
