package bench

import (
	"fmt"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// Fit says whether a run went against the servers while they were watched.
type Fit int

// The fits: Untold of a run that does not say when it was.
const (
	Apart Fit = iota
	Untold
	Within
)

// Fits compares the time of a run with the time that was watched. The words say what it rests on; they are empty where there is nothing
// to beware of.
func (r *Run) Fits(from, to time.Time) (Fit, string) {
	switch {
	case r.Start == nil || r.End == nil || !r.End.After(*r.Start):
		return Untold, "the file does not say when it ran: it is taken for the load that was watched"
	case r.shares(from, to, 0):
		if r.ZoneUnknown {
			return Within, "the file names no time zone: read as UTC it fits"
		}
		return Within, ""
	case r.ZoneUnknown:
		// Zones lie whole quarters of an hour from UTC, 14 hours at most.
		for quarter := 1; quarter <= 14*4; quarter++ {
			for _, ahead := range []time.Duration{time.Duration(quarter) * 15 * time.Minute, -time.Duration(quarter) * 15 * time.Minute} {
				if r.shares(from, to, -ahead) {
					return Within, "the file names no time zone: it fits where the client's clock is at UTC" + zone(ahead)
				}
			}
		}
	}
	return Apart, fmt.Sprintf("it ran from %s to %s, the servers were watched from %s to %s: nothing of it is compared with them",
		clock(*r.Start), clock(*r.End), clock(from.UTC()), clock(to.UTC()))
}

// shares says whether half of the run, or of the time watched where that is shorter, lies in both.
func (r *Run) shares(from, to time.Time, by time.Duration) bool {
	start, end := r.Start.Add(by), r.End.Add(by)
	both := minTime(end, to).Sub(maxTime(start, from))
	return both > 0 && 2*both >= min(end.Sub(start), to.Sub(from))
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func clock(t time.Time) string { return t.Format("2006-01-02 15:04:05") }

func zone(d time.Duration) string {
	sign := "+"
	if d < 0 {
		sign, d = "-", -d
	}
	return fmt.Sprintf("%s%d:%02d", sign, int(d.Hours()), int(d.Minutes())%60)
}

// During gives what the runs tell of the time that was watched, and what to say of it. Of several runs only one can be compared with
// what was watched as a whole.
func During(files []*File, from, to time.Time) (facts map[string]model.Fact, notes []string) {
	var fit, untold []*Run
	words := map[*Run]string{}
	for _, f := range files {
		for _, r := range f.Runs {
			if r.Kind != Serving {
				notes = append(notes, r.Tool+" asked no server: nothing of it is compared")
				continue
			}
			fits, why := r.Fits(from, to)
			words[r] = why
			switch fits {
			case Within:
				fit = append(fit, r)
			case Untold:
				untold = append(untold, r)
			case Apart:
				notes = append(notes, shown("the benchmark by "+strings.TrimSpace(r.Tool+" "+r.Name)+": "+why))
			}
		}
	}
	if len(fit) == 0 {
		fit = untold
	}
	switch len(fit) {
	case 0:
		return nil, notes
	case 1:
		notes = append(notes, fit[0].Summary())
		if w := words[fit[0]]; w != "" {
			notes = append(notes, "of the benchmark "+w)
		}
		return fit[0].Facts(), notes
	}
	return nil, append(notes, fmt.Sprintf("%d runs of benchmarks lie in the time that was watched: with --at and --window on one of them it can be compared with the servers", len(fit)))
}
