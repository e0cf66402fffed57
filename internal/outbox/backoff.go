package outbox

import "time"

// Backoff spaces the attempts at one message: the n-th pause is random, from nothing up to First
// doubled n-1 times, at most Most. Many messages that failed together come back spread out.
type Backoff struct {
	First time.Duration // 1 s if 0
	Most  time.Duration // 5 min if 0
}

func (b Backoff) withDefaults() Backoff {
	if b.First <= 0 {
		b.First = time.Second
	}
	if b.Most <= 0 {
		b.Most = 5 * time.Minute
	}
	return b
}

// pause is how long to wait after the given attempt, counted from 1. A receiver's own wish is a floor,
// with a jitter above it that keeps those who were told the same apart.
func (b Backoff) pause(attempt int, after time.Duration, random float64) time.Duration {
	most := b.First
	for i := 1; i < attempt && most < b.Most; i++ {
		most *= 2
	}
	most = min(most, b.Most)
	if after > 0 {
		return after + time.Duration(random*float64(min(after/10, b.First)))
	}
	return time.Duration(random * float64(most))
}

// last is when to try for the last time, where the pause would end past the deadline: shortly before
// it, so that the last word is an attempt and not the clock. Too near to it, it is the deadline itself.
func (b Backoff) last(left time.Duration) time.Duration {
	if left <= 2*b.First {
		return left
	}
	return left - b.First
}
