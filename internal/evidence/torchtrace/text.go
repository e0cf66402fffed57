package torchtrace

import (
	"bufio"
	"fmt"
	"io"
	"slices"

	"github.com/inferdx/inferdx/internal/evidence/kernels"
	"github.com/inferdx/inferdx/internal/units"
)

// WriteText writes what an engineer wants to know first, then where the time went.
func (p *Profile) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "torch profile%s · %s\n%s\n", p.of(), units.Seconds(p.Seconds), p.finding())
	if p.GPU != nil || p.Decode != nil || p.Prefill != nil {
		fmt.Fprintln(b)
	}
	if g := p.GPU; g != nil {
		fmt.Fprintf(b, " gpu      busy %s; %slongest gap %s\n", units.Percent(g.Busy), g.waits(), units.Seconds(g.LongestGap))
		fmt.Fprintf(b, " graphs   %s\n", p.graphs())
	}
	p.steps(b, " decode ", p.Decode)
	p.steps(b, " prefill", p.Prefill)
	if len(p.Classes) > 0 {
		fmt.Fprint(b, "\n kernels  time     share    count\n")
		for _, c := range p.Classes {
			fmt.Fprintf(b, " %11s %7s %7s %9s\n", units.Seconds(c.Seconds), units.Percent(c.Share), units.Count(c.Count), c.Class)
		}
		fmt.Fprint(b, "\n")
		for _, k := range p.Top[:min(6, len(p.Top))] {
			fmt.Fprintf(b, " %11s %7s  %s\n", units.Seconds(k.Seconds), units.Count(k.Count), kernels.Short(k.Name, 68))
		}
	}
	if h := p.Host; h != nil && len(h.Spots) > 0 {
		fmt.Fprintf(b, "\n host     by itself%s\n", onThread(h.Thread))
		for _, s := range h.Spots[:min(6, len(h.Spots))] {
			fmt.Fprintf(b, " %11s %7s  %s\n", units.Seconds(s.Seconds), units.Count(s.Count), kernels.Short(s.Name, 68))
		}
	}
	if p.GC > 0 {
		fmt.Fprintf(b, "\n gc       %s in Python's garbage collector\n", units.Seconds(p.GC))
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
		return p.hostFinding()
	}
	out := fmt.Sprintf("the GPU is busy %s of the time", units.Percent(p.GPU.Busy))
	if s := p.Decode; s != nil && s.Worked != nil {
		out = fmt.Sprintf("the GPU is busy %s of a decode step of %s", units.Percent(s.Busy), units.Seconds(s.Seconds))
		if s.Launched != nil {
			waits := fmt.Sprintf("of the %s of a decode step the GPU works %s and waits %s for launches", units.Seconds(s.Seconds), units.Seconds(s.Busy*s.Seconds), units.Seconds(s.Wait*s.Seconds))
			switch {
			case s.Kernels < minKernels:
			case s.Busy < late && s.Graphed < 0.05:
				return "no CUDA graphs: " + waits
			case s.Busy < late:
				return "CUDA graphs are on, and the host is late all the same: " + waits
			}
			if s.Graphed >= 0.5 {
				out += ", whose kernels come out of CUDA graphs"
			}
		}
	}
	if share := p.exchange(); share >= much {
		return out + fmt.Sprintf("; %s of the time is exchange between GPUs, most of it %s, waiting for other ranks included", units.Percent(share), p.exchanged())
	}
	if len(p.Classes) > 0 {
		out += fmt.Sprintf("; most of its work is %s (%s of the time)", p.Classes[0].Class, units.Percent(p.Classes[0].Share))
	}
	return out
}

// hostFinding is the finding of a trace that has the host alone.
func (p *Profile) hostFinding() string {
	out := "no kernel of a GPU was seen, only the host"
	if p.LaunchCalls > 0 {
		out = fmt.Sprintf("%s kernels were launched and none is in the trace: it was cut, or profiled without ProfilerActivity.CUDA", units.Count(p.LaunchCalls))
	}
	if p.Decode != nil {
		out += fmt.Sprintf("; a decode step takes %s", units.Seconds(p.Decode.Seconds))
	}
	if h := p.Host; h != nil && h.Seconds > 0 {
		if i := slices.IndexFunc(h.Spots, func(s Spot) bool { return !kernels.Waits(s.Name) }); i >= 0 {
			out += fmt.Sprintf("; apart from waiting it spends most in %s: %s of its time", kernels.Short(h.Spots[i].Name, 68), units.Percent(min(1, h.Spots[i].Seconds/h.Seconds)))
		}
	}
	return out
}

// exchanged is the kind of exchange that takes most.
func (p *Profile) exchanged() kernels.Class {
	for _, c := range p.Classes { // the longest first
		if c.Class.Exchanges() {
			return c.Class
		}
	}
	return kernels.Collective
}

func (g *GPU) waits() string {
	if g.Launched == nil {
		return ""
	}
	return units.Percent(g.Wait) + " it waits for the host to launch; "
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
	switch l := p.GPU.Launched; {
	case l == nil:
		return "unknown: the trace lacks the calls that launched the kernels"
	case l.Graphed == 0:
		return fmt.Sprintf("none: %s kernels were launched one by one, in %s calls", units.Count(p.GPU.Kernels), units.Count(p.LaunchCalls))
	}
	return fmt.Sprintf("%s of %s kernels came out of CUDA graphs, in %s launch calls in all", units.Percent(p.GPU.Graphed), units.Count(p.GPU.Kernels), units.Count(p.LaunchCalls))
}

func (p *Profile) steps(w io.Writer, title string, s *Steps) {
	if s == nil {
		return
	}
	tokens := ""
	if s.Tokens > 0 {
		tokens = fmt.Sprintf(", %s prompt tokens", units.Count(int(s.Tokens)))
	}
	fmt.Fprintf(w, "%s  %s a step (median of %d)%s%s\n", title, units.Seconds(s.Seconds), s.Count, s.worked(), tokens)
}

func (s *Steps) worked() string {
	switch {
	case s.Worked == nil:
		return ""
	case s.Launched == nil:
		return fmt.Sprintf(", GPU busy %s of it, %s kernels", units.Percent(s.Busy), units.Count(int(s.Kernels)))
	}
	return fmt.Sprintf(", GPU busy %s and waiting for launches %s of it, %s kernels", units.Percent(s.Busy), units.Percent(s.Wait), units.Count(int(s.Kernels)))
}

func onThread(name string) string {
	if name == "" {
		return ""
	}
	return ", " + name
}
