package timeinterval_test

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/inferdx/inferdx/internal/timeinterval"
)

func one(t *testing.T, parse func(string) (timeinterval.Range, error), s string) []timeinterval.Range {
	t.Helper()
	r, err := parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return []timeinterval.Range{r}
}

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse("2006-01-02 15:04:05", s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAnIntervalHoldsWhatPeopleMean(t *testing.T) {
	nine, err := timeinterval.Times("09:00", "17:00")
	if err != nil {
		t.Fatal(err)
	}
	late, err := timeinterval.Times("22:00", "24:00")
	if err != nil {
		t.Fatal(err)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	office := timeinterval.Interval{Times: []timeinterval.Range{nine}, Weekdays: one(t, timeinterval.Weekday, "monday:friday")}
	tests := []struct {
		name string
		in   timeinterval.Interval
		at   string
		want bool
	}{
		{"an empty interval is always", timeinterval.Interval{}, "2026-11-24 03:00:00", true},
		{"the first second of office hours", office, "2026-11-24 09:00:00", true},
		{"the last second", office, "2026-11-24 16:59:59", true},
		{"the end is not part of it", office, "2026-11-24 17:00:00", false},
		{"a Saturday", office, "2026-11-28 12:00:00", false},
		{"Sunday ends a week", timeinterval.Interval{Weekdays: one(t, timeinterval.Weekday, "saturday:sunday")}, "2026-11-29 12:00:00", true},
		{"Sunday begins a week", timeinterval.Interval{Weekdays: one(t, timeinterval.Weekday, "sunday:monday")}, "2026-11-29 12:00:00", true},
		{"Sunday is no Friday", timeinterval.Interval{Weekdays: one(t, timeinterval.Weekday, "monday:saturday")}, "2026-11-29 12:00:00", false},
		{"24:00 reaches to midnight", timeinterval.Interval{Times: []timeinterval.Range{late}}, "2026-11-24 23:59:59", true},
		{"winter in Berlin", timeinterval.Interval{Times: []timeinterval.Range{nine}, Location: berlin}, "2026-11-24 08:00:00", true},
		{"summer in Berlin", timeinterval.Interval{Times: []timeinterval.Range{nine}, Location: berlin}, "2026-07-24 15:00:00", false},
		{"the last day of February", timeinterval.Interval{Days: one(t, timeinterval.Day, "-1")}, "2027-02-28 12:00:00", true},
		{"not the last in a leap year", timeinterval.Interval{Days: one(t, timeinterval.Day, "-1")}, "2028-02-28 12:00:00", false},
		{"all but the first week", timeinterval.Interval{Days: one(t, timeinterval.Day, "8:-1")}, "2026-11-30 12:00:00", true},
		{"the last 31 days of a short month are all of it", timeinterval.Interval{Days: one(t, timeinterval.Day, "-31:-1")}, "2026-11-01 12:00:00", true},
		{"a 31st that is not there", timeinterval.Interval{Days: one(t, timeinterval.Day, "31")}, "2026-11-30 12:00:00", false},
		{"months by name", timeinterval.Interval{Months: one(t, timeinterval.Month, "November:december")}, "2026-11-30 12:00:00", true},
		{"months by number", timeinterval.Interval{Months: one(t, timeinterval.Month, "1:3")}, "2026-11-30 12:00:00", false},
		{"years", timeinterval.Interval{Years: one(t, timeinterval.Year, "2027")}, "2026-11-30 12:00:00", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := timeinterval.Any([]timeinterval.Interval{tt.in}, at(t, tt.at)); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestWhatIsNoIntervalIsRefused(t *testing.T) {
	times := func(s string) (timeinterval.Range, error) {
		from, to, _ := strings.Cut(s, "-")
		return timeinterval.Times(from, to)
	}
	tests := []struct {
		parse    func(string) (timeinterval.Range, error)
		in, want string
	}{
		{times, "9:00-17:00", `found "9:00"`},
		{times, "09:00-24:01", `found "24:01"`},
		{times, "09:60-10:00", `found "09:60"`},
		{times, "+9:00-10:00", `found "+9:00"`},
		{times, "22:00-06:00", "two entries"},
		{times, "09:00-09:00", "does not lie before"},
		{timeinterval.Weekday, "mon", `found "mon"`},
		{timeinterval.Weekday, "friday:monday", "ends before it begins"},
		{timeinterval.Day, "0", `found "0"`},
		{timeinterval.Day, "32", `found "32"`},
		{timeinterval.Day, "5:1", "ends before it begins"},
		{timeinterval.Day, "-1:-3", "ends before it begins"},
		{timeinterval.Day, "-3:5", "ends before it begins"},
		{timeinterval.Month, "13", `found "13"`},
		{timeinterval.Year, "26", `found "26"`},
		{timeinterval.Year, "2028:2027", "ends before it begins"},
		{timeinterval.Year, "", `found ""`},
	}
	for _, tt := range tests {
		if _, err := tt.parse(tt.in); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.in, err, tt.want)
		}
	}
}
