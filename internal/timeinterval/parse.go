package timeinterval

import (
	"fmt"
	"strconv"
	"strings"
)

var (
	weekdays = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
	months   = []string{
		"january", "february", "march", "april", "may", "june",
		"july", "august", "september", "october", "november", "december",
	}
)

// Times reads a start and an end such as 09:00 and 17:30; 24:00 is the end of a day.
func Times(start, end string) (Range, error) {
	from, err := clock(start)
	if err != nil {
		return Range{}, err
	}
	to, err := clock(end)
	if err != nil {
		return Range{}, err
	}
	if from >= to {
		return Range{}, fmt.Errorf("%s does not lie before %s (over midnight takes two entries: up to 24:00, and from 00:00)", start, end)
	}
	return Range{from, to - 1}, nil
}

func clock(s string) (int, error) {
	h, m, ok := strings.Cut(s, ":")
	hours, errH := strconv.ParseUint(h, 10, 8)
	minutes, errM := strconv.ParseUint(m, 10, 8)
	if !ok || len(h) != 2 || len(m) != 2 || errH != nil || errM != nil || minutes > 59 || hours*60+minutes > 24*60 {
		return 0, fmt.Errorf("want a time from 00:00 to 24:00, found %q", s)
	}
	return int(hours*60 + minutes), nil
}

// Weekday reads saturday, monday:friday or saturday:sunday.
func Weekday(s string) (Range, error) {
	r, err := ends(s, named("weekday", weekdays, 0))
	if err == nil && r.To == 0 && r.From > 0 {
		r.To = 7 // the Sunday at the end of a week
	}
	return ordered(s, r, err)
}

// Month reads may, january:march or 1:3.
func Month(s string) (Range, error) {
	return span(s, func(s string) (int, error) {
		if n, err := strconv.Atoi(s); err == nil && n >= 1 && n <= 12 {
			return n, nil
		}
		return named("month", months, 1)(s)
	})
}

// Day reads a day of the month: 1, 1:5, -3:-1.
func Day(s string) (Range, error) {
	r, err := ends(s, func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n == 0 || n < -31 || n > 31 {
			return 0, fmt.Errorf("want a day from 1 to 31 or from -31 to -1, found %q", s)
		}
		return n, nil
	})
	if err != nil {
		return r, err
	}
	// 1:-1 is the whole month. A range that begins counted from the end has to end so, too: -3:5 would
	// depend on the month.
	if r.From < 0 && r.To > 0 || (r.From < 0) == (r.To < 0) && r.From > r.To {
		return r, fmt.Errorf("%q ends before it begins", s)
	}
	return r, nil
}

// Year reads 2026 or 2026:2028.
func Year(s string) (Range, error) {
	return span(s, func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1970 || n > 9999 {
			return 0, fmt.Errorf("want a year such as 2026, found %q", s)
		}
		return n, nil
	})
}

func named(what string, names []string, first int) func(string) (int, error) {
	return func(s string) (int, error) {
		for i, n := range names {
			if strings.EqualFold(s, n) {
				return i + first, nil
			}
		}
		return 0, fmt.Errorf("want a %s such as %s, found %q", what, names[1], s)
	}
}

func span(s string, one func(string) (int, error)) (Range, error) {
	r, err := ends(s, one)
	return ordered(s, r, err)
}

func ordered(s string, r Range, err error) (Range, error) {
	if err == nil && r.From > r.To {
		return r, fmt.Errorf("%q ends before it begins", s)
	}
	return r, err
}

func ends(s string, one func(string) (int, error)) (Range, error) {
	first, last, ok := strings.Cut(s, ":")
	if !ok {
		last = first
	}
	from, err := one(strings.TrimSpace(first))
	if err != nil {
		return Range{}, err
	}
	to, err := one(strings.TrimSpace(last))
	return Range{from, to}, err
}
