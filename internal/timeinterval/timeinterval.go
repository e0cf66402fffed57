// Package timeinterval says whether an instant lies in hours, weekdays, days, months and years that
// people write down, in Alertmanager's form. It is pure.
package timeinterval

import "time"

// Interval holds an instant when each of its parts does; a part without ranges holds every instant.
type Interval struct {
	Times    []Range // minutes since midnight, the end not included
	Weekdays []Range // 0 is Sunday, and so is 7
	Days     []Range // of the month; a negative one counts from its end, -1 is the last day
	Months   []Range
	Years    []Range
	Location *time.Location // nil is UTC
}

// Range includes both of its ends.
type Range struct{ From, To int }

// Contains says whether the instant lies in the interval, by the clock of its location.
func (i Interval) Contains(at time.Time) bool {
	loc := i.Location
	if loc == nil {
		loc = time.UTC
	}
	at = at.In(loc)
	year, month, day := at.Date()
	return within(i.Times, at.Hour()*60+at.Minute()) &&
		(within(i.Weekdays, int(at.Weekday())) || at.Weekday() == time.Sunday && within(i.Weekdays, 7)) &&
		onDay(i.Days, day, time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()) &&
		within(i.Months, int(month)) &&
		within(i.Years, year)
}

// Any says whether one of the intervals contains the instant.
func Any(all []Interval, at time.Time) bool {
	for _, i := range all {
		if i.Contains(at) {
			return true
		}
	}
	return false
}

func within(ranges []Range, n int) bool {
	for _, r := range ranges {
		if r.From <= n && n <= r.To {
			return true
		}
	}
	return len(ranges) == 0
}

// onDay also takes days counted from the end of a month that has last days. Days that a month does not
// have are left out of the range.
func onDay(ranges []Range, day, last int) bool {
	for _, r := range ranges {
		from, to := r.From, r.To
		if from < 0 {
			from = max(last+1+from, 1)
		}
		if to < 0 {
			to = last + 1 + to
		}
		if from <= day && day <= to {
			return true
		}
	}
	return len(ranges) == 0
}
