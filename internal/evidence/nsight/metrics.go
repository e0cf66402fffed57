package nsight

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// metric is a quantity of one launch.
type metric int

const (
	duration metric = iota
	sm
	memory
	dram
	l1
	l2
	l1Hit
	l2Hit
	tensor
	lanes
	issue
	noIssue
	occupancy
	possible
	waves
	limitRegisters
	limitShared
	limitWarps
	limitBlocks
	limitBarriers
	dramBytes
	dramRead
	dramWritten
	dramPeak  // bytes per cycle
	dramClock // cycles per second
	dramRate  // bytes per second
	smClock
	smCycles
	ffmaPeak // instructions per cycle
	fadd     // thread instructions per cycle
	fmul
	ffma
	hadd
	hmul
	hfma
	metrics
)

// rawNames are the metrics of the raw page. Where two give one quantity the newer tool prints only one of them.
var rawNames = map[string]metric{
	"gpu__time_duration.sum":                                                duration,
	"gpu__time_duration.avg":                                                duration,
	"sm__throughput.avg.pct_of_peak_sustained_elapsed":                      sm,
	"gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed":      memory,
	"gpu__dram_throughput.avg.pct_of_peak_sustained_elapsed":                dram,
	"dram__throughput.avg.pct_of_peak_sustained_elapsed":                    dram,
	"l1tex__throughput.avg.pct_of_peak_sustained_active":                    l1,
	"lts__throughput.avg.pct_of_peak_sustained_elapsed":                     l2,
	"l1tex__t_sector_hit_rate.pct":                                          l1Hit,
	"lts__t_sector_hit_rate.pct":                                            l2Hit,
	"sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_elapsed":       tensor,
	"smsp__thread_inst_executed_per_inst_executed.ratio":                    lanes,
	"smsp__issue_active.avg.pct_of_peak_sustained_active":                   issue,
	"sm__warps_active.avg.pct_of_peak_sustained_active":                     occupancy,
	"sm__maximum_warps_per_active_cycle_pct":                                possible,
	"launch__waves_per_multiprocessor":                                      waves,
	"launch__occupancy_limit_registers":                                     limitRegisters,
	"launch__occupancy_limit_shared_mem":                                    limitShared,
	"launch__occupancy_limit_warps":                                         limitWarps,
	"launch__occupancy_limit_blocks":                                        limitBlocks,
	"launch__occupancy_limit_barriers":                                      limitBarriers,
	"dram__bytes.sum":                                                       dramBytes,
	"dram__bytes_read.sum":                                                  dramRead,
	"dram__bytes_write.sum":                                                 dramWritten,
	"dram__bytes.sum.peak_sustained":                                        dramPeak,
	"dram__bytes.sum.per_second":                                            dramRate,
	"dram__cycles_elapsed.avg.per_second":                                   dramClock,
	"sm__cycles_elapsed.avg.per_second":                                     smClock,
	"smsp__cycles_elapsed.avg":                                              smCycles,
	"sm__sass_thread_inst_executed_op_ffma_pred_on.sum.peak_sustained":      ffmaPeak,
	"smsp__sass_thread_inst_executed_op_fadd_pred_on.sum.per_cycle_elapsed": fadd,
	"smsp__sass_thread_inst_executed_op_fmul_pred_on.sum.per_cycle_elapsed": fmul,
	"smsp__sass_thread_inst_executed_op_ffma_pred_on.sum.per_cycle_elapsed": ffma,
	"smsp__sass_thread_inst_executed_op_hadd_pred_on.sum.per_cycle_elapsed": hadd,
	"smsp__sass_thread_inst_executed_op_hmul_pred_on.sum.per_cycle_elapsed": hmul,
	"smsp__sass_thread_inst_executed_op_hfma_pred_on.sum.per_cycle_elapsed": hfma,
}

// detailNames are the labels of the details page, those of older tools with them.
var detailNames = map[string]metric{
	"Duration":                     duration,
	"Compute (SM) Throughput":      sm,
	"Compute (SM) [%]":             sm,
	"SM [%]":                       sm,
	"SOL SM":                       sm,
	"Memory Throughput":            memory, // in % only: another section has one in bytes per second
	"Memory [%]":                   memory,
	"SOL Memory":                   memory,
	"DRAM Throughput":              dram,
	"DRAM [%]":                     dram,
	"SOL DRAM":                     dram,
	"L1/TEX Cache Throughput":      l1,
	"L2 Cache Throughput":          l2,
	"L1/TEX Hit Rate":              l1Hit,
	"L2 Hit Rate":                  l2Hit,
	"Avg. Active Threads Per Warp": lanes,
	"One or More Eligible":         issue,
	"No Eligible":                  noIssue,
	"Achieved Occupancy":           occupancy,
	"Theoretical Occupancy":        possible,
	"Waves Per SM":                 waves,
	"Block Limit Registers":        limitRegisters,
	"Block Limit Shared Mem":       limitShared,
	"Block Limit Warps":            limitWarps,
	"Block Limit SM":               limitBlocks,
	"Block Limit Barriers":         limitBarriers,
}

// ratio says whether a metric is printed in percent and kept as a ratio.
func (m metric) ratio() bool {
	switch m {
	case sm, memory, dram, l1, l2, l1Hit, l2Hit, tensor, issue, noIssue, occupancy, possible:
		return true
	}
	return false
}

// largest is beyond any counter of a kernel, and far enough below what overflows when counters are multiplied.
const largest = 1e24

// style is how a page writes numbers. ncu follows the locale: 31,456.12 or 31.456,12.
type style struct {
	comma   bool
	learned int // records
}

// enough is how many records tell the style: a page of numbers with decimals shows it in the first.
const enough = 64

// european is a number that only a page with decimal commas has: ncu writes two decimals, and groups are of three digits.
var european = regexp.MustCompile(`^-?\d[\d.' \x{a0}\x{202f}\x{2019}]*,(\d{1,2}|\d{4,})$|^-?\d{1,3}(\.\d{3})+,\d+$`)

// learn looks at the fields of a record; what it once saw holds for the page.
func (s *style) learn(fields []string) {
	if s.comma || s.learned >= enough {
		return
	}
	s.learned++
	s.comma = slices.ContainsFunc(fields, func(f string) bool { return len(f) <= 40 && european.MatchString(f) })
}

// plain writes a number without groups and with a decimal point.
func (s *style) plain(text string) string {
	decimal, group := '.', ','
	if s.comma {
		decimal, group = ',', '.'
	}
	return strings.Map(func(r rune) rune {
		switch r {
		case decimal:
			return '.'
		case group, ' ', '\u00a0', '\u202f', '\'', '\u2019':
			return -1
		}
		return r
	}, text)
}

// number reads a value in its unit as seconds, bytes, hertz or a plain number, and percent as a ratio.
// False where it is none, as "n/a" and "nan".
func (s *style) number(text, unit string, m metric) (float64, bool) {
	v, err := strconv.ParseFloat(s.plain(text), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
		return 0, false
	}
	if m.ratio() {
		return v / 100, (unit == "%" || unit == "") && v <= 1000
	}
	above, below, _ := strings.Cut(unit, "/")
	scaled := v * scale(above) / scale(below)
	if math.IsNaN(scaled) || scaled > largest {
		return 0, false
	}
	return scaled, true
}

// scale is how much of the base unit one of a printed unit is: ncu writes usecond, us, Gbyte, Mhz, cycle, Kinst.
func scale(unit string) float64 {
	for _, base := range []string{"second", "s", "byte", "hz", "B", "inst", "cycle"} {
		prefix, ok := strings.CutSuffix(unit, base)
		if !ok {
			prefix, ok = strings.CutSuffix(unit, strings.ToUpper(base[:1])+base[1:])
		}
		if !ok {
			continue
		}
		switch prefix {
		case "n":
			return 1e-9
		case "u":
			return 1e-6
		case "m":
			return 1e-3
		case "K", "k":
			return 1e3
		case "M":
			return 1e6
		case "G":
			return 1e9
		case "T":
			return 1e12
		case "P":
			return 1e15
		}
	}
	return 1
}
