package service

import "time"

// harmless is how far the wall clock may move beside the time that passes before samples and states
// have to be told: a time server slews by 0.5 ms a second and steps from 0.128 s on (ntpd), and two
// seconds are no scrape and no `for`.
const harmless = 2 * time.Second

// clock compares the wall clock with the time that passes.
type clock struct {
	now     func() time.Time     // the wall clock
	elapsed func() time.Duration // never goes back

	wall time.Time
	mono time.Duration
	set  bool
}

func newClock(now func() time.Time) *clock {
	start := time.Now()
	return &clock{now: now, elapsed: func() time.Duration { return time.Since(start) }}
}

// look gives the wall clock, and by how much it was set since the look before: 0 unless that matters.
// A machine that slept looks like a clock that was set forward.
func (c *clock) look() (at time.Time, jump time.Duration) {
	wall, mono := c.now().Round(0), c.elapsed()
	if c.set {
		jump = wall.Sub(c.wall) - (mono - c.mono)
	}
	c.wall, c.mono, c.set = wall, mono, true
	if jump.Abs() < harmless {
		jump = 0
	}
	return wall, jump
}

// schedule says when the n-th look is due: one at every interval, none twice. Looks whose time passed
// meanwhile are left out, so that they never pile up.
type schedule struct {
	begin, interval time.Duration
	done            int
}

// next is the time of the next look, and how many were missed before it.
func (s *schedule) next(now time.Duration) (due time.Duration, missed int) {
	s.done++
	if late := int((now - s.begin) / s.interval); late >= s.done {
		// The one that is due now is not missed, it is only late.
		missed = late - s.done
		s.done = late
	}
	return s.begin + time.Duration(s.done)*s.interval, missed
}
