package otlp

import "time"

// latest is the last second of 2261 that a time.Time in nanoseconds can hold; spans that claim to be later tell no time.
const latest = 9.2e9

// Stretch is when the first request began and the last one ended; false where the spans tell no such time.
func (t *Traces) Stretch() (from, to time.Time, ok bool) {
	first, last := latest, 0.0
	for _, r := range t.requests {
		if r.start > 0 && r.end < latest && r.end >= r.start {
			first, last = min(first, r.start), max(last, r.end)
		}
	}
	if last <= 0 {
		return time.Time{}, time.Time{}, false
	}
	return moment(first), moment(last), true
}

func moment(s float64) time.Time { return time.Unix(0, int64(s*1e9)).UTC() }
