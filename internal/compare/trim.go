package compare

import (
	"fmt"
	"time"

	"github.com/inferdx/inferdx/internal/units"
)

// trim takes away what says nothing of the server at work: everything up to its last restart, the
// idle ends, and the first moments of a server that began empty.
func (s Side) trim() Side {
	s, restarted := s.afterRestart()
	s, filling := s.withoutIdleEnds()
	if restarted || filling {
		s = s.warm()
	}
	return s
}

func (s Side) afterRestart() (Side, bool) {
	last, n := -1, 0
	for i, r := range s.Restarted {
		if r {
			last, n = i, n+1
		}
	}
	if last < 0 {
		return s, false
	}
	what := "restarted"
	if n > 1 {
		what = fmt.Sprintf("restarted %d times", n)
	}
	s.Notes = append(s.Notes, fmt.Sprintf("the server %s: only what came after is compared, %s were left out", what, s.length(0, last+1)))
	return s.slice(last+1, s.Len()), true
}

func (s Side) length(i, j int) string {
	return units.Duration(time.Duration(s.slice(i, j).Seconds() * float64(time.Second)))
}

// withoutIdleEnds also says whether the server began empty, so that it was filling at first.
func (s Side) withoutIdleEnds() (Side, bool) {
	idle := func(i int) bool {
		return s.inEngine(i) == 0 && s.gain(tokens, i) == 0 && s.gain(prompts, i) == 0
	}
	i, j := 0, s.Len()
	for i < j && idle(i) {
		i++
	}
	if i == j {
		return s.slice(0, 0), false
	}
	for j > i && idle(j-1) {
		j--
	}
	began := i > 0 || s.EmptyAtStart
	if left := s.slice(0, i).Seconds() + s.slice(j, s.Len()).Seconds(); left > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%s without a request at the ends were left out", units.Duration(time.Duration(left*float64(time.Second)))))
	}
	return s.slice(i, j), began
}

// warm leaves out the moments in which the batch fills and the first requests run, until some have
// finished: first tokens that come all at once, from an empty queue, are those of no steady server.
// At most a third of the side goes.
func (s Side) warm() Side {
	n := 0
	for n < s.Len()/3 && s.gain(finished, n) == 0 {
		n++
	}
	n = min(n+1, s.Len()/3)
	if n == 0 {
		return s
	}
	s.Notes = append(s.Notes, fmt.Sprintf("the first %s were left out: the server began empty and was filling", s.length(0, n)))
	return s.slice(n, s.Len())
}
