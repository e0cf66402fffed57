package knobs

import (
	"fmt"
	"strconv"
	"strings"
)

// release is the numbers of a version: 0.25.1 without "rc2", ".post1" or "+cpu".
type release []int

// parseRelease reads the leading numbers of a version; false when there are none.
func parseRelease(s string) (release, bool) {
	var out release
	s = strings.TrimPrefix(strings.TrimSpace(s), "v")
	for len(out) < 4 {
		end := 0
		for end < len(s) && s[end] >= '0' && s[end] <= '9' {
			end++
		}
		n, err := strconv.Atoi(s[:end])
		if err != nil {
			break
		}
		out = append(out, n)
		if end == len(s) || s[end] != '.' {
			break
		}
		s = s[end+1:]
	}
	return out, len(out) > 0
}

// compare orders two releases; missing numbers are 0.
func (r release) compare(o release) int {
	for i := range max(len(r), len(o)) {
		if a, b := r.at(i), o.at(i); a != b {
			if a < b {
				return -1
			}
			return 1
		}
	}
	return 0
}

// within is compare on the numbers that o has, so that 0.19.1 is within 0.19.
func (r release) within(o release) int {
	return r[:min(len(r), len(o))].compare(o)
}

func (r release) at(i int) int {
	if i < len(r) {
		return r[i]
	}
	return 0
}

// span is what is known of a running version: all releases from lo to hi, to infinity when hi is nil.
type span struct{ lo, hi release }

// parseSpan reads "0.25.1", "0.32.0+cpu", ">=0.24" or "at least 0.24". Anything else could be every version.
func parseSpan(version string) span {
	v := strings.TrimSpace(version)
	for _, prefix := range []string{">=", "at least "} {
		if rest, ok := strings.CutPrefix(v, prefix); ok {
			lo, _ := parseRelease(rest)
			return span{lo: lo}
		}
	}
	if r, ok := parseRelease(v); ok {
		return span{r, r}
	}
	return span{}
}

// versions is a range such as ">=0.20" or ">=0.8 <=0.8.4"; all bounds must hold. The empty range takes in everything.
type versions []bound

type bound struct {
	op string
	r  release
}

func parseVersions(s string) (versions, error) {
	var out versions
	for _, field := range strings.Fields(strings.ReplaceAll(s, ",", " ")) {
		op := field[:len(field)-len(strings.TrimLeft(field, "<>="))]
		r, ok := parseRelease(field[len(op):])
		switch op {
		case ">=", "<=", ">", "<", "==":
		default:
			ok = false
		}
		if !ok {
			return nil, fmt.Errorf("version range %q cannot be read", field)
		}
		out = append(out, bound{op, r})
	}
	return out, nil
}

// holds reports whether every version the span allows is in the range.
func (vs versions) holds(s span) truth {
	out := yes
	for _, b := range vs {
		out = min(out, b.holds(s))
	}
	return out
}

func (b bound) holds(s span) truth {
	below := func(r release) bool { // r lies under the bound's edge
		switch b.op {
		case "<=", ">":
			return r.within(b.r) <= 0
		case "<", ">=":
			return r.compare(b.r) < 0
		}
		return r.within(b.r) < 0 // ==
	}
	allBelow := s.hi != nil && below(s.hi)
	noneBelow := !below(s.lo)
	switch b.op {
	case "<", "<=":
		return either(allBelow, noneBelow)
	case ">", ">=":
		return either(noneBelow, allBelow)
	}
	equal := s.hi != nil && s.lo.within(b.r) == 0 && s.hi.within(b.r) == 0
	return either(equal, allBelow || s.lo.within(b.r) > 0)
}

func either(isYes, isNo bool) truth {
	switch {
	case isYes:
		return yes
	case isNo:
		return no
	}
	return unknown
}
