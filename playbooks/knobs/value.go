package knobs

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
)

// Type says how a knob's value is written.
type Type string

// The types. A list is words separated by commas in facts, by spaces on a command line.
const (
	Int    Type = "int"
	Float  Type = "float"
	Bool   Type = "bool"
	String Type = "string"
	JSON   Type = "json"
	List   Type = "list"
)

// fact turns a written value into a fact. False means that the value says "not set"; an error, that it does not fit the type
// (the fact then still holds the text).
func (k *Knob) fact(text, from string, explicit bool) (model.Fact, bool, error) {
	text = strings.TrimSpace(text)
	f := model.Fact{Text: text, From: from, Explicit: explicit}
	if k.unset(text) {
		f.Text = "none"
		return f, k.noneIsValue, nil
	}
	switch k.Type {
	case Int, Float:
		n, ok := parseNumber(text)
		if !ok {
			if text == "auto" || strings.HasPrefix(text, "-") {
				return f, true, nil // vLLM writes auto and -1 for "you choose"
			}
			return f, true, fmt.Errorf("%q is not a number", text)
		}
		f.Num, f.IsNum = n, true
	case Bool:
		b, ok := parseBool(text)
		if !ok {
			return f, true, fmt.Errorf("%q is neither true nor false", text)
		}
		f.Text, f.IsNum = strconv.FormatBool(b), true
		if b {
			f.Num = 1
		}
	case String:
		if i := slices.IndexFunc(k.Values, func(v string) bool { return strings.EqualFold(v, text) }); i >= 0 {
			f.Text = k.Values[i]
		}
	}
	return f, true, nil
}

// isNone reports whether a written value means that nothing is set.
func isNone(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "none", "null", "unset":
		return true
	}
	return false
}

// unset is isNone, but for a knob that takes none as a word of its own (cudagraph_mode).
func (k *Knob) unset(s string) bool {
	return isNone(s) && !slices.ContainsFunc(k.Values, func(v string) bool { return strings.EqualFold(v, s) })
}

func parseBool(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	}
	return false, false
}

// parseNumber reads a number that is not negative, also as vLLM takes it from people: 32k is 32,000 and 32K is 32,768.
func parseNumber(s string) (float64, bool) {
	scale := 1.0
	if s == "" || !strings.ContainsAny(s[:1], "0123456789.") {
		return 0, false // no inf, nan, sign or hexadecimal
	}
	if i := strings.IndexByte("kmgtKMGT", s[len(s)-1]); i >= 0 {
		base := 1000.0
		if i >= 4 {
			base = 1024
		}
		scale, s = math.Pow(base, float64(i%4+1)), s[:len(s)-1]
	}
	if strings.ContainsAny(s, "xXpP") {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	if n *= scale; err != nil || math.IsInf(n, 0) {
		return 0, false
	}
	return n, true
}

// write turns a decoded value (of JSON or of a Python literal) into the text of a fact.
func write(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		words := make([]string, len(v))
		for i, item := range v {
			words[i] = write(item)
		}
		return strings.Join(words, ",")
	}
	out, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(out)
}

// largest returns the biggest number of a list; false when it holds something else.
func largest(list string) (float64, bool) {
	best, ok := 0.0, false
	for word := range strings.SplitSeq(list, ",") {
		n, isNumber := parseNumber(strings.TrimSpace(word))
		if !isNumber {
			return 0, false
		}
		best, ok = max(best, n), true
	}
	return best, ok
}
