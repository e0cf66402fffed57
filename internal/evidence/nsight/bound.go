package nsight

// Bound is what holds a kernel back.
type Bound string

// The bounds. Memory is any part of the memory system, DRAM is the bandwidth of the GPU's memory in particular.
const (
	Compute   Bound = "compute"
	DRAM      Bound = "dram"
	Memory    Bound = "memory"    // caches or shared memory, or a part that the file does not name
	Balanced  Bound = "balanced"  // arithmetic and DRAM within ten points of each other
	Latency   Bound = "latency"   // neither is busy: warps wait for each other or for data, or the grid is too small
	Occupancy Bound = "occupancy" // neither is busy, and no more warps fit that could hide the waiting
	Unknown   Bound = ""          // the file has no throughputs
)

// The thresholds of the rule SOLBottleneck that comes with Nsight Compute: below 60 % of both peaks a kernel is bound by
// latency; otherwise the higher one leads, and less than 10 points apart they are balanced. Above 80 % the leading unit
// is what there is to be had.
// https://docs.nvidia.com/nsight-compute/ProfilingGuide/index.html#sections-and-rules
const (
	busy      = 0.60
	near      = 0.10
	exhausted = 0.80
	oneWave   = 1.0
)

// crowded is the theoretical occupancy below which a latency-bound kernel is said to be bound by occupancy: fewer
// than half of the warps that could hide its waiting fit.
const crowded = 0.5

// bound applies the rule to one launch. Where NVIDIA says balanced and the memory part lies on the chip (a matrix
// product feeds its tensor cores from shared memory), arithmetic is the bound: DRAM has room.
func (l *launch) bound() Bound {
	smShare, hasSM := l.get(sm)
	memShare, hasMemory := l.get(memory)
	if !hasSM || !hasMemory {
		return Unknown
	}
	dramShare, hasDRAM := l.get(dram)
	fromDRAM := hasDRAM && memShare-dramShare < near
	switch {
	case smShare < busy && memShare < busy:
		return l.waiting()
	case smShare-memShare >= near:
		return Compute
	case memShare-smShare >= near && fromDRAM:
		return DRAM
	case memShare-smShare >= near:
		return Memory
	case hasDRAM && !fromDRAM && smShare >= busy:
		return Compute
	}
	return Balanced
}

// waiting tells why neither unit of a launch is busy.
func (l *launch) waiting() Bound {
	fit, ok := l.get(possible)
	if grid, has := l.get(waves); !ok || fit >= crowded || has && grid < oneWave {
		return Latency
	}
	return Occupancy
}
