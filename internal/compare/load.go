package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/units"
)

// direction is how the load after compares with that before.
type direction int

const (
	lighter   direction = -1
	alike     direction = 0
	heavier   direction = 1
	different direction = 2
)

// load judges whether both sides had the same work to do. An open loop (clients that come whatever
// the server does) is known by its arrivals; a closed one (so many clients, each waiting for its
// answer) sends more when it is served faster and is known by the requests in hand.
func (j *judge) load() Load {
	closedBefore, closedAfter := j.sides[0].closed(), j.sides[1].closed()
	rate, hand := j.ratio[arrivals], j.ratio["in_engine"]
	var parts []string
	var dirs []direction
	add := func(r ratio, tolerance float64) direction {
		d := compared(r, tolerance)
		if d != alike {
			dirs = append(dirs, d)
		}
		parts = append(parts, describe(r))
		return d
	}
	switch {
	case closedBefore && closedAfter:
		j.closed = true
		add(hand, 1.5)
	case !closedBefore && !closedAfter:
		add(rate, 1.5)
	case compared(hand, 1.5) == alike:
		j.closed = true
		add(hand, 1.5)
	case compared(rate, 1.5) == alike:
		add(rate, 1.5)
	default:
		add(hand, 1.5)
		add(rate, 1.5)
	}
	sameCount := len(dirs) == 0
	prompt := add(j.ratio[promptLen], 1.25)
	output := add(j.ratio[outputLen], 1.25)
	lengths := together(slices.DeleteFunc([]direction{prompt, output}, func(d direction) bool { return d == alike }))
	j.direction = together(dirs)
	note := strings.Join(parts, "; ")
	switch {
	case j.direction == alike:
		note = "the same load: " + note
	case sameCount && lengths == lighter && j.moreLost():
		j.direction = alike
		note = "as many requests came, but some are refused now, so that those that run are shorter: " + note
	case sameCount && lengths == heavier && j.lessLost():
		j.direction = alike
		note = "as many requests came, but fewer are refused now, so that those that run are longer: " + note
	case j.direction == heavier:
		note = "more load after: " + note
	case j.direction == lighter:
		note = "less load after: " + note
	default:
		note = "another load after: " + note
	}
	return Load{Matched: j.direction == alike, Note: note}
}

func together(dirs []direction) direction {
	out := alike
	for _, d := range dirs {
		if out != alike && d != out {
			return different
		}
		out = d
	}
	return out
}

// compared calls two loads alike when their ratio lies within the tolerance and its interval does not
// exclude a difference of 15 %: some chance is in every load.
func compared(r ratio, tolerance float64) direction {
	if !r.known() {
		return alike // a server that does not say is not held against the change
	}
	const close = 1.15
	point := r.after.V / r.before.V
	lo, hi, ok := r.interval(0.95)
	switch {
	case r.before.V == r.after.V:
		return alike
	case r.before.V == 0:
		return heavier
	case point > tolerance || ok && lo > close:
		return heavier
	case point < 1/tolerance || ok && hi < 1/close:
		return lighter
	}
	return alike
}

func describe(r ratio) string {
	if !r.known() {
		return r.name + " not exported"
	}
	return fmt.Sprintf("%s %s -> %s", r.name, units.Format(r.before.V, r.unit, r.before.Bound), units.Format(r.after.V, r.unit, r.after.Bound))
}

// closed tells a closed loop by the requests in hand: they hardly vary, where those of an open loop
// vary at least about as a Poisson number does.
func (s Side) closed() bool {
	n, mean, square := 0.0, 0.0, 0.0
	for i := range s.From {
		v := s.inEngine(i)
		n, mean, square = n+1, mean+v, square+v*v
	}
	if n < 5 || mean/n < 2 {
		return false
	}
	mean /= n
	return (square/n-mean*mean)/mean < 0.35
}

// growing says that requests came faster than they were served throughout, so that how long one waits
// depends on how long that has been so. They pile up in the queue or, under a high cap, in the batch;
// the batch of an open loop wanders by chance, too, and needs more steps to tell.
func (s Side) growing() bool {
	queue := func(i int) float64 { return s.level(waiting, i) }
	return s.Len() >= 3 && rises(s.Len(), 3, queue) || s.Len() >= 12 && rises(s.Len(), 10, s.inEngine)
}

// rises says that the means of the first, second and last third ascend, by no less than the given
// number and by more than chance does.
func rises(steps int, least float64, level func(int) float64) bool {
	n := steps / 3
	part := func(from int) float64 {
		t := 0.0
		for i := from; i < from+n; i++ {
			t += level(i) / float64(n)
		}
		return t
	}
	a, b, c := part(0), part(n), part(steps-n)
	return a < b && b < c && c-a >= max(least, 3*math.Sqrt(b))
}

// stalled is the longest time in seconds without any token while requests were in hand at every scrape.
func (s Side) stalled() float64 {
	longest, now := 0.0, 0.0
	for i := range s.From {
		if s.gain(tokens, i) > 0 || s.gain(prompts, i) > 0 || s.inEngine(i) == 0 || i > 0 && s.inEngine(i-1) == 0 {
			now = 0
			continue
		}
		now += s.stepSeconds(i)
		longest = max(longest, now)
	}
	return longest
}
