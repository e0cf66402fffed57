package main

import (
	"strconv"
	"strings"
	"time"

	prom "github.com/prometheus/common/model"
)

// parseTime reads --at: RFC 3339, seconds since 1970, now, or a time before the latest one: -10m.
func parseTime(s string, latest time.Time) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" || s == "now" {
		return latest, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if back, ok := strings.CutPrefix(s, "-"); ok {
		if d, err := prom.ParseDuration(back); err == nil {
			return latest.Add(-time.Duration(d)), nil
		}
	}
	if sec, err := strconv.ParseFloat(s, 64); err == nil && sec > 0 && sec < 1e11 {
		return time.UnixMilli(int64(sec * 1000)), nil
	}
	return time.Time{}, usage("as 2026-11-03T03:12:44Z, 1793675564 or -10m", "--at %q is no time", s)
}
