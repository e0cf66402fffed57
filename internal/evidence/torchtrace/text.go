package torchtrace

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/inferdx/inferdx/internal/evidence/kernels"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

// WriteText writes what an engineer wants to know first, then where the time went.
func (p *Profile) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "torch profile%s · %s\n%s\n\n", p.of(), seconds(p.Seconds), p.finding())
	if g := p.GPU; g != nil {
		fmt.Fprintf(b, " gpu      busy %s; %s it waits for the host to launch; longest gap %s\n", percent(g.Busy), percent(g.LaunchWait), seconds(g.LongestGap))
		fmt.Fprintf(b, " graphs   %s\n", p.graphs())
	}
	p.steps(b, " decode ", p.Decode)
	p.steps(b, " prefill", p.Prefill)
	if len(p.Classes) > 0 {
		fmt.Fprint(b, "\n kernels  time     share    count\n")
		for _, c := range p.Classes {
			fmt.Fprintf(b, " %11s %7s %7s %9s\n", seconds(c.Seconds), percent(c.Share), count(c.Count), c.Class)
		}
		fmt.Fprint(b, "\n")
		for _, k := range p.Top[:min(6, len(p.Top))] {
			fmt.Fprintf(b, " %11s %7s  %s\n", seconds(k.Seconds), count(k.Count), short(k.Name, 68))
		}
	}
	if h := p.Host; h != nil && len(h.Spots) > 0 {
		fmt.Fprintf(b, "\n host     by itself%s\n", onThread(h.Thread))
		for _, s := range h.Spots[:min(6, len(h.Spots))] {
			fmt.Fprintf(b, " %11s %7s  %s\n", seconds(s.Seconds), count(s.Count), short(s.Name, 68))
		}
	}
	if p.GC > 0 {
		fmt.Fprintf(b, "\n gc       %s in Python's garbage collector\n", seconds(p.GC))
	}
	for _, n := range p.Notes {
		fmt.Fprintf(b, "\n note     %s\n", n)
	}
	return b.Flush()
}

// late is the share of a decode step below which the GPU mostly waits, as where the playbooks draw the line; much is the
// share from which collectives are worth naming.
const late, much = 0.6, 0.25

// finding is the sentence that comes first.
func (p *Profile) finding() string {
	if p.GPU == nil {
		return "no kernel was seen"
	}
	out := fmt.Sprintf("the GPU is busy %s of the time", percent(p.GPU.Busy))
	if s := p.Decode; s != nil {
		worked := seconds(s.Busy * s.Seconds)
		waits := fmt.Sprintf("of the %s of a decode step the GPU works %s and waits %s for launches", seconds(s.Seconds), worked, seconds(s.LaunchWait*s.Seconds))
		switch {
		case s.Kernels < minKernels:
		case s.Busy < late && s.Graphed < 0.05:
			return "no CUDA graphs: " + waits
		case s.Busy < late:
			return "CUDA graphs are on, and the host is late all the same: " + waits
		}
		out = fmt.Sprintf("the GPU is busy %s of a decode step of %s", percent(s.Busy), seconds(s.Seconds))
		if s.Graphed >= 0.5 {
			out += ", whose kernels come out of CUDA graphs"
		}
	}
	if share := p.share(kernels.Collective); share >= much {
		return out + fmt.Sprintf("; %s of the time are collectives, waiting for other ranks included", percent(share))
	}
	if len(p.Classes) > 0 {
		out += fmt.Sprintf("; most of its work is %s (%s of the time)", p.Classes[0].Class, percent(p.Classes[0].Share))
	}
	return out
}

func (p *Profile) of() string {
	var out string
	if p.Device != "" {
		out += " of " + p.Device
	}
	if p.World > 1 {
		out += fmt.Sprintf(", rank %d of %d", p.Rank, p.World)
	}
	return out
}

func (p *Profile) graphs() string {
	if p.GPU.Graphed == 0 {
		return fmt.Sprintf("none: %s kernels were launched one by one, in %s calls", count(p.GPU.Kernels), count(p.LaunchCalls))
	}
	return fmt.Sprintf("%s of %s kernels came out of CUDA graphs, in %s launch calls in all", percent(p.GPU.Graphed), count(p.GPU.Kernels), count(p.LaunchCalls))
}

func (p *Profile) steps(w io.Writer, title string, s *Steps) {
	if s == nil {
		return
	}
	tokens := ""
	if s.Tokens > 0 {
		tokens = fmt.Sprintf(", %s prompt tokens", count(int(s.Tokens)))
	}
	fmt.Fprintf(w, "%s  %s a step (median of %d), GPU busy %s and waiting for launches %s of it, %s kernels%s\n",
		title, seconds(s.Seconds), s.Count, percent(s.Busy), percent(s.LaunchWait), count(int(s.Kernels)), tokens)
}

func onThread(name string) string {
	if name == "" {
		return ""
	}
	return ", " + name
}

func seconds(v float64) string { return units.Format(v, "s", model.Exact) }
func percent(v float64) string { return units.Format(v, "ratio", model.Exact) }
func count(n int) string       { return units.Format(float64(n), "count", model.Exact) }

// short cuts a kernel's name, whose template arguments run to pages.
func short(name string, n int) string {
	name = strings.Join(strings.Fields(name), " ")
	if r := []rune(name); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return name
}
