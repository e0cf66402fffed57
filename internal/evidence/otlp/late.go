package otlp

import (
	"math"
	"slices"
	"time"
)

// onTime leaves out requests that ended longer before they arrived than the sender's others did, by more than a window: a collector
// sends what it kept over an outage at once, and the past is not now. The quickest arrival stands for the sender's clock and its usual
// delay; where all are late, they count, as nothing tells it from a clock that is wrong.
func onTime(all []arrived[request], window time.Duration) (kept []arrived[request], late int) {
	least := math.Inf(1)
	for _, r := range all {
		if d := delay(r); !math.IsNaN(d) {
			least = min(least, d)
		}
	}
	tooLate := func(r arrived[request]) bool { return delay(r)-least > window.Seconds() }
	if !slices.ContainsFunc(all, tooLate) {
		return all, 0
	}
	for _, r := range all {
		if tooLate(r) {
			late++
		} else {
			kept = append(kept, r)
		}
	}
	return kept, late
}

// delay is how long after its end a request arrived, in seconds by two clocks; NaN where its end is not told.
func delay(r arrived[request]) float64 { return float64(r.at)/1e9 - r.span.end }
