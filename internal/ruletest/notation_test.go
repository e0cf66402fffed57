package ruletest

import (
	"fmt"
	"strings"
	"testing"
)

func TestSeriesAreWrittenAsForPromtool(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"a step", "1+2x3", "1 3 5 7"},
		{"a step down", "1-0.5x2", "1 0.5 0"},
		{"a constant has one value more than it says", "5x3", "5 5 5 5"},
		{"gaps", "1 _ _x2 4", "1 _ _ _ 4"},
		{"the end of a series", "1 stale", "1 NaN"},
		{"numbers in every form", "-1.5e+3 .5 +Inf", "-1500 0.5 +Inf"},
		{"a step without a count", "1+2", "fault at 0"},
		{"a word", "3 three", "fault at 2"},
		{"more than anybody can mean", "1 1x99999999999999999999", "fault at 2"},
		{"nothing", " ", ""},
	} {
		vs, bad := parseValues(c.in)
		got := make([]string, len(vs))
		for i, v := range vs {
			if got[i] = fmt.Sprint(v.v); v.missing {
				got[i] = "_"
			}
		}
		text := strings.Join(got, " ")
		if bad != nil {
			text = fmt.Sprintf("fault at %d", bad.off)
		}
		if text != c.want {
			t.Errorf("%s: %q gives %q, want %q", c.name, c.in, text, c.want)
		}
	}
}
