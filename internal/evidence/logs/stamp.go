package logs

import (
	"math"
	"strings"
	"time"
)

// stamp is a time as a log tells it. vLLM writes neither the year nor the zone, SGLang no zone; such times compare with each other only.
type stamp struct {
	at    time.Time
	dated bool // the year is known
	zoned bool // the zone is known
}

func (s stamp) none() bool { return s.at.IsZero() }

// String is the time as far as it is known, "" for none.
func (s stamp) String() string {
	switch {
	case s.none():
		return ""
	case s.zoned:
		return s.at.Format("2006-01-02 15:04:05 UTC")
	case s.dated:
		return s.at.Format(time.DateTime)
	}
	return s.at.Format("01-02 15:04:05")
}

// leap is the year of times without one: a leap year.
const leap = 2000

// written finds the first time in the beginning of a line: "11-23 18:25:53", "2026-11-01 10:00:00", "Nov 23 18:25:53".
func written(text string) stamp {
	text = text[:min(len(text), 120)]
	for i := 2; i+6 <= len(text); i++ {
		j := strings.IndexByte(text[i:], ':')
		if j < 0 {
			break
		}
		i += j
		if i+6 > len(text) || text[i+3] != ':' {
			continue
		}
		h, m, s := two(text[i-2:]), two(text[i+1:]), two(text[i+4:])
		if h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 59 {
			continue
		}
		if year, month, day := date(text[:i-2]); day > 0 {
			at := time.Date(max(year, leap), time.Month(month), day, h, m, s, 0, time.UTC)
			return stamp{at: at, dated: year > 0}
		}
	}
	return stamp{}
}

// two reads two digits; -1 where there are none.
func two(s string) int {
	if len(s) < 2 || s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9' {
		return -1
	}
	return int(s[0]-'0')*10 + int(s[1]-'0')
}

// date reads the date that a text ends with. day is 0 where it is none, year where it is not told.
func date(s string) (year, month, day int) {
	n := len(s)
	if n < 6 {
		return 0, 0, 0
	}
	if s[n-1] == ' ' && s[n-4] == ' ' && n >= 7 { // Nov 23
		day = two(strings.Replace(s[n-3:n-1], " ", "0", 1))
		month = 1 + strings.Index("JanFebMarAprMayJunJulAugSepOctNovDec", s[n-7:n-4])/3
		if at := strings.Index("JanFebMarAprMayJunJulAugSepOctNovDec", s[n-7:n-4]); at < 0 || at%3 != 0 || day < 1 || day > 31 {
			return 0, 0, 0
		}
		return 0, month, day
	}
	if s[n-1] != ' ' && s[n-1] != 'T' || s[n-4] != '-' {
		return 0, 0, 0
	}
	month, day = two(s[n-6:]), two(s[n-3:])
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return 0, 0, 0
	}
	if n >= 11 && s[n-7] == '-' && two(s[n-11:]) >= 19 && two(s[n-9:]) >= 0 {
		year = two(s[n-11:])*100 + two(s[n-9:])
	}
	return year, month, day
}

// fieldStamp is the time of a line of JSON.
func fieldStamp(fields map[string]any) stamp {
	for _, name := range []string{"time", "timestamp", "@timestamp", "ts", "asctime"} {
		switch v := fields[name].(type) {
		case string:
			if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
				return stamp{at: at.UTC(), dated: true, zoned: true}
			}
			if s := written(v); !s.none() {
				return s
			}
		case float64:
			seconds := v
			if v > 1e11 { // milliseconds
				seconds = v / 1000
			}
			if seconds > 1e9 && seconds < 1e10 {
				whole, part := math.Modf(seconds)
				return stamp{at: time.Unix(int64(whole), int64(part*1e9)).UTC(), dated: true, zoned: true}
			}
		}
	}
	return stamp{}
}

// clock puts the times of a log in order: those without a year get the last one known, and one more when a year ends.
type clock struct {
	last stamp
}

// ordered is a time as it compares with those before.
func (c *clock) ordered(s stamp) stamp {
	if s.none() {
		return c.last // a line without a time was written right after the one before
	}
	if !s.dated && !c.last.none() {
		s.at = s.at.AddDate(c.last.at.Year()-s.at.Year(), 0, 0)
		if c.last.at.Sub(s.at) > 180*24*time.Hour {
			s.at = s.at.AddDate(1, 0, 0)
		}
	}
	c.last = s
	return s
}
