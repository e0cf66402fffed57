package nsight

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/inferdx/inferdx/internal/evidence/kernels"
	"github.com/inferdx/inferdx/internal/units"
)

// shownKernels is how many kernels the text lists.
const shownKernels = 6

// idleLanes is the warp efficiency below which a kernel that is bound by arithmetic could do with fewer instructions.
const idleLanes = 0.75

// WriteText writes the finding, the classes and the longest kernels.
func (p *Profile) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Nsight Compute: %d launches of %d kernels", p.Launches, p.Kernels)
	if p.GPU != "" {
		b.WriteString(" on " + p.GPU)
	}
	if p.All.Seconds > 0 {
		b.WriteString(", " + units.Seconds(p.All.Seconds))
	}
	b.WriteString("\n" + p.finding() + "\n\n")
	p.table(&b)
	for i, k := range p.Top[:min(len(p.Top), shownKernels)] {
		if i == 0 {
			b.WriteString("\nlongest kernels\n")
		}
		fmt.Fprintf(&b, "  %s  %s, %d x: %s\n", units.Percent(k.Share), kernels.Short(k.Name, 60), k.Launches, strings.Join(k.words(), "; "))
	}
	for _, n := range p.Notes {
		b.WriteString("note: " + n + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// finding is the sentence that comes first.
func (p *Profile) finding() string {
	a := &p.All
	if a.Bound == Unknown {
		return "the file has no throughputs, so nothing tells what the kernels are bound by; profile with --set full"
	}
	s := fmt.Sprintf("%s of the kernel time is bound by %s", units.Percent(a.Bounds[a.Bound]), a.Bound.words())
	if len(p.Classes) > 1 {
		for _, c := range p.Classes {
			if c.Bound == a.Bound {
				s += fmt.Sprintf(", most of it in %s", c.Name)
				break
			}
		}
	}
	if p.Unpacking >= 0.05 {
		s += fmt.Sprintf("; %s is spent in kernels that unpack quantised weights at every use", units.Percent(p.Unpacking))
	}
	return s
}

func (b Bound) words() string {
	switch b {
	case Compute:
		return "arithmetic"
	case DRAM:
		return "DRAM bandwidth"
	case Memory:
		return "caches or shared memory"
	case Balanced:
		return "arithmetic and memory alike"
	case Latency:
		return "latency: neither arithmetic nor memory is busy"
	case Occupancy:
		return "occupancy: too few warps fit to hide their waiting"
	}
	return "nothing that the file shows"
}

func (p *Profile) table(b *strings.Builder) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "class\tshare\tbound by\tSM\tDRAM\tL1 hit\tL2 hit\toccupancy\ttheoretical\tlanes")
	for _, g := range append(p.Classes, p.All) {
		bound := string(g.Bound)
		if g.Bound == Unknown {
			bound = "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", g.Name, units.Percent(g.Share), bound,
			ratio(g.SM), ratio(g.DRAM), ratio(g.L1Hit), ratio(g.L2Hit), ratio(g.Occupancy), ratio(g.Possible), ratio(g.Lanes))
	}
	_ = t.Flush() // a Builder takes everything
}

// words say of a kernel what it is bound by, its place under the roofline, what limits its warps and what they wait for.
func (g *Group) words() []string {
	var out []string
	switch {
	case g.Bound == Unknown:
		out = append(out, "no throughputs")
	case g.exhausted() && g.Bound == Compute && g.Lanes != nil && *g.Lanes < idleLanes:
		out = append(out, fmt.Sprintf("%s, above 80 %% of its peak, though an instruction runs for only %s of a warp's lanes", g.Bound, ratio(g.Lanes)))
	case g.exhausted():
		out = append(out, string(g.Bound)+", above 80 % of its peak: no more to be had")
	default:
		out = append(out, string(g.Bound))
	}
	if g.Intensity != nil {
		side := "left of the ridge"
		if *g.Intensity >= *g.Ridge {
			side = "right of the ridge"
		}
		out = append(out, fmt.Sprintf("%.3g FLOP/byte, %s at %.3g", *g.Intensity, side, *g.Ridge))
	}
	if g.Possible != nil && *g.Possible < 1 && g.Limiter != "" {
		out = append(out, "warps limited by "+g.Limiter)
	}
	if g.Stall != "" {
		out = append(out, fmt.Sprintf("warps wait for %s (%s)", stallWords(g.Stall), ratio(g.StallShare)))
	}
	return out
}

// stallWords says what a stall reason of the tool means; one that is not common stays as it is.
func stallWords(reason string) string {
	words := map[string]string{
		"long_scoreboard":    "global memory (long scoreboard)",
		"short_scoreboard":   "shared memory (short scoreboard)",
		"barrier":            "other warps at a barrier",
		"math_pipe_throttle": "a busy arithmetic pipe",
		"mio_throttle":       "the shared-memory queue (MIO)",
		"lg_throttle":        "the queue for global memory (LG)",
		"tex_throttle":       "the texture queue",
		"gmma":               "the tensor cores (GMMA)",
		"wait":               "a fixed latency",
		"no_instruction":     "instructions (fetch)",
		"membar":             "a memory barrier",
	}
	if s, ok := words[reason]; ok {
		return s
	}
	return strings.ReplaceAll(reason, "_", " ")
}

// exhausted says whether the unit that leads is used so well that only less work makes the kernel faster.
func (g *Group) exhausted() bool {
	return g.SM != nil && g.Memory != nil && max(*g.SM, *g.Memory) > exhausted
}

func ratio(v *float64) string {
	if v == nil {
		return "-"
	}
	return units.Percent(*v)
}
