package tsdb

import (
	"testing"
	"time"
)

func TestAClockSetForwardIsBelievedOnceItLasts(t *testing.T) {
	year := 365 * 24 * time.Hour
	for name, in := range map[string]struct {
		ahead []time.Duration // of the wall clock, a minute apart
		want  string          // k kept, - refused
	}{
		"time passes":                          {[]time.Duration{0, 0, 0}, "kkk"},
		"a drift, and a correction by minutes": {[]time.Duration{0, time.Second, 9 * time.Minute, 9 * time.Minute}, "kkkk"},
		"a year for three minutes":             {[]time.Duration{0, year, year, year, 0, 0}, "k---kk"},
		"a year for good": {
			[]time.Duration{0, year, year, year, year, year, year, year, year, year, year, year, year}, "k----------kk",
		},
		"set back":               {[]time.Duration{0, -year, -year}, "kkk"},
		"set back and put right": {[]time.Duration{0, -year, 0, 0}, "kkkk"},
	} {
		t.Run(name, func(t *testing.T) {
			var j jump
			got := ""
			for i, ahead := range in.ahead {
				passed := time.Duration(i) * time.Minute
				if _, doubt := j.doubt(passed+ahead, passed); doubt {
					got += "-"
				} else {
					got += "k"
				}
			}
			if got != in.want {
				t.Errorf("got %s, want %s", got, in.want)
			}
		})
	}
}

func TestTheRealClockIsBelieved(t *testing.T) {
	var j jump
	for range 3 {
		if err := j.check(time.Now()); err != nil {
			t.Error(err)
		}
	}
}
