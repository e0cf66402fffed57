package otlp

import "time"

// Stretch is when the first request began and the last one ended; false where the spans tell no such time.
func (t *Traces) Stretch() (from, to time.Time, ok bool) {
	first, last := float64(latest), 0.0
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
