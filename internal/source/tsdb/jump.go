package tsdb

import (
	"fmt"
	"sync"
	"time"
)

// jump guards against a clock that is set forward for a while. One sample from next year would make the
// TSDB refuse everything until then.
type jump struct {
	mu       sync.Mutex
	start    time.Time
	accepted time.Duration // how far the clock runs ahead of time passed, at most, as far as believed
	since    time.Duration // when it was first seen further ahead, 0 while it is not
}

const (
	// leap is how far a clock may be set forward at once without a doubt, patience for how long a larger
	// leap must last to be believed. A machine that slept leaps, too.
	leap     = 10 * time.Minute
	patience = 10 * time.Minute
)

// check gives an error while the clock is not believed.
func (j *jump) check(now time.Time) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.start.IsZero() {
		j.start = now
	}
	if ahead, doubt := j.doubt(now.Round(0).Sub(j.start.Round(0)), now.Sub(j.start)); doubt {
		return fmt.Errorf("the clock was set forward by %s; it is believed once that has lasted %s", ahead.Round(time.Second), patience)
	}
	return nil
}

// doubt compares what the clock on the wall says has passed with what really has.
func (j *jump) doubt(wall, passed time.Duration) (ahead time.Duration, doubt bool) {
	ahead = wall - passed - j.accepted
	switch {
	case ahead <= leap:
		j.accepted, j.since = max(j.accepted, wall-passed), 0 // what was kept stays kept when it is set back
		return 0, false
	case j.since == 0:
		j.since = max(passed, 1)
	case passed-j.since >= patience:
		j.accepted, j.since = wall-passed, 0
		return 0, false
	}
	return ahead, true
}
