package template

import (
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	tt "text/template"
	"time"
	"unicode/utf8"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/render"
	"github.com/inferdx/inferdx/internal/units"
)

// funcs are all that templates can call beside the comparisons of text/template. Whatever builds a
// string is capped, or a short template could fill the memory by doubling one.
func (r *run) funcs() tt.FuncMap {
	return tt.FuncMap{
		tickName: r.tick,
		outName:  r.out,
		"upper":  strings.ToUpper, "lower": strings.ToLower, "trim": strings.TrimSpace,
		"contains": strings.Contains,
		"replace":  func(old, by, s string) (string, error) { return small(strings.ReplaceAll(s, old, by)) },
		"join":     join,
		"first":    first,
		"first1":   func(ts []render.TurnWords) []render.TurnWords { return ts[:min(1, len(ts))] },
		"rest1":    func(ts []render.TurnWords) []render.TurnWords { return ts[min(1, len(ts)):] },
		"unseen":   unseen,
		"safeurl":  safeURL,
		"trunc":    trunc,
		"duration": duration,
		"clock":    clock,
		"score":    score,
		"number":   number,
		"plural":   plural,
		"code":     func(v any) Safe { return Safe(r.format.code(say(v))) },
		"escape":   func(v any) Safe { return Safe(r.format.escape(say(v))) },
		"print":    func(a ...any) (string, error) { return small(fmt.Sprint(a...)) },
		"println":  func(a ...any) (string, error) { return small(fmt.Sprintln(a...)) },
		"printf":   func(f string, a ...any) (string, error) { return small(fmt.Sprintf(f, a...)) },
		"html":     func(a ...any) (string, error) { return small(tt.HTMLEscaper(a...)) },
		"js":       func(a ...any) (string, error) { return small(tt.JSEscaper(a...)) },
		"urlquery": func(a ...any) (string, error) { return small(tt.URLQueryEscaper(a...)) },
	}
}

func small(s string) (string, error) {
	if len(s) > maxOutput {
		return "", fmt.Errorf("a text of %d bytes is longer than %d", len(s), maxOutput)
	}
	return s, nil
}

// out is what every value goes through on its way into the message.
func (r *run) out(v any) (Safe, error) {
	if _, err := r.tick(); err != nil {
		return "", err
	}
	if s, ok := v.(Safe); ok {
		return s, nil
	}
	return Safe(r.format.escape(say(v))), nil
}

// say writes a value the way people do.
func say(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case Safe:
		return string(x)
	case string:
		return x
	case time.Time:
		return clock(x)
	case time.Duration:
		return units.Duration(x)
	case float64:
		return units.Format(x, "", model.Exact)
	case []string:
		return strings.Join(x, ", ")
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer {
		if rv.IsNil() {
			return ""
		}
		return say(rv.Elem().Interface())
	}
	return fmt.Sprint(v)
}

func join(sep string, list []string) (string, error) { return small(strings.Join(list, sep)) }

// first keeps the head of a list.
func first(n int, list []string) []string { return list[:max(0, min(n, len(list)))] }

// trunc keeps n runes, the ellipsis included.
func trunc(n int, s string) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	if n < 1 {
		return ""
	}
	return strings.TrimRight(string([]rune(s)[:n-1]), " ") + "…"
}

func duration(v any) (string, error) {
	switch x := v.(type) {
	case time.Duration:
		return units.Duration(x), nil
	case float64:
		return units.Duration(time.Duration(x * float64(time.Second))), nil
	case int:
		return units.Duration(time.Duration(x) * time.Second), nil
	}
	return "", fmt.Errorf("duration of %T: want seconds or a duration", v)
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func score(v float64) string {
	switch {
	case v >= 0.995:
		return ">0.99"
	case v > 0 && v < 0.005:
		return "<0.01"
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// number writes a quantity with its unit: number "s" 8.4.
func number(unit string, v any) (string, error) {
	switch x := v.(type) {
	case float64:
		return units.Format(x, unit, model.Exact), nil
	case *float64:
		if x == nil {
			return "unknown", nil
		}
		return units.Format(*x, unit, model.Exact), nil
	case int:
		return units.Format(float64(x), unit, model.Exact), nil
	}
	return "", fmt.Errorf("number of %T: want a number", v)
}

func plural(what string, n int) string {
	if n == 1 {
		return "1 " + what
	}
	return units.Format(float64(n), "count", model.Exact) + " " + what + "s"
}

// unseen is what could not be seen and would matter: to the cause first, then at all.
func unseen(t Target) []string {
	var out []string
	if t.Cause != nil {
		out = append(out, t.Cause.Unseen...)
	}
	return first(3, append(out, t.Missing...))
}

// safeURL lets a web address through and nothing that could end its place in a link.
func safeURL(s string) (Safe, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(s, "<>|() \"") {
		return "", fmt.Errorf("%q is not a web address", s)
	}
	return Safe(s), nil
}
