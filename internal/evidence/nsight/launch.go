package nsight

import (
	"maps"
	"slices"
	"strings"
)

// launch is one profiled launch of a kernel.
type launch struct {
	name   string
	values [metrics]float64
	seen   [metrics]bool
	stalls map[string]float64 // warps that wait per issued instruction, by reason
	ops    map[string]tensorOp
}

type tensorOp struct{ done, peak float64 }

func (l *launch) set(m metric, v float64) {
	l.values[m], l.seen[m] = v, true
}

func (l *launch) get(m metric) (float64, bool) {
	if m == issue && !l.seen[issue] && l.seen[noIssue] {
		return max(0, 1-l.values[noIssue]), true
	}
	return l.values[m], l.seen[m]
}

func (l *launch) stall(reason string, v float64) {
	if l.stalls == nil {
		l.stalls = map[string]float64{}
	}
	if len(l.stalls) < maxStalls {
		l.stalls[reason] = v
	}
}

func (l *launch) tensorOps(op string, v float64, peak bool) {
	if l.ops == nil {
		l.ops = map[string]tensorOp{}
	}
	o := l.ops[op]
	if peak {
		o.peak = v
	} else {
		o.done = v
	}
	l.ops[op] = o
}

// flop is the launch's arithmetic and the highest rate of the pipe that did most of it, in FLOP and FLOP per second.
// It counts as NVIDIA's rooflines do: fused multiply-adds are two, half precision instructions work on two numbers.
func (l *launch) flop() (done, peak float64, ok bool) {
	clock, hasClock := l.get(smClock)
	tensorDone, tensorPeak := l.tensorFlop()
	scalar, hasScalar := l.scalarFlop()
	if !hasClock || len(l.ops) == 0 && !hasScalar {
		return 0, 0, false
	}
	done = tensorDone + scalar
	peak = tensorPeak * clock
	if scalar > tensorDone || tensorDone == 0 {
		peak = 2 * l.values[ffmaPeak] * clock
	}
	return done, peak, done > 0 && peak > 0
}

// tensorFlop adds up the tensor pipes' operations. The counters by instruction ("op_hgmma_src_bf16…") split those by
// type ("src_bf16…") further, so only one kind counts; a type's peak without "sparsity" in its name is that of sparse
// operands, which is twice the dense one.
func (l *launch) tensorFlop() (done, peak float64) {
	byInstruction := false
	for op := range l.ops {
		byInstruction = byInstruction || strings.HasPrefix(op, "op_")
	}
	most := 0.0
	for _, op := range slices.Sorted(maps.Keys(l.ops)) {
		o := l.ops[op]
		if strings.HasPrefix(op, "op_") != byInstruction || o.done <= 0 {
			continue
		}
		done += o.done
		if o.done > most {
			most, peak = o.done, o.peak
			if !strings.Contains(op, "sparsity") && !strings.Contains(op, "fp64") {
				peak /= 2
			}
		}
	}
	return done, peak
}

func (l *launch) scalarFlop() (float64, bool) {
	cycles, ok := l.get(smCycles)
	if !ok || !l.seen[ffma] {
		return 0, false
	}
	v := &l.values
	return cycles * (v[fadd] + v[fmul] + 2*v[ffma] + 2*v[hadd] + 2*v[hmul] + 4*v[hfma]), true
}

// traffic is the launch's DRAM traffic in bytes and the highest rate in bytes per second.
func (l *launch) traffic() (bytes, peak float64, ok bool) {
	rate, hasRate := l.get(dramPeak)
	clock, hasClock := l.get(dramClock)
	if !hasRate || !hasClock {
		return 0, 0, false
	}
	switch {
	case l.seen[dramBytes]:
		bytes = l.values[dramBytes]
	case l.seen[dramRead] && l.seen[dramWritten]:
		bytes = l.values[dramRead] + l.values[dramWritten]
	default:
		bytes = l.values[dramRate] * l.values[duration]
	}
	return bytes, rate * clock, bytes > 0 && rate*clock > 0
}

// limiter names what allows the fewest blocks on a multiprocessor.
func (l *launch) limiter() string {
	limits := []struct {
		metric metric
		name   string
	}{{limitRegisters, "registers"}, {limitShared, "shared memory"}, {limitWarps, "warps"}, {limitBlocks, "blocks"}, {limitBarriers, "barriers"}}
	least := 0.0
	var names []string
	for _, x := range limits {
		switch v, ok := l.get(x.metric); {
		case !ok:
		case names == nil || v < least:
			least, names = v, []string{x.name}
		case v == least:
			names = append(names, x.name)
		}
	}
	return strings.Join(names, ", ")
}
