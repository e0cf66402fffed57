package expression

import (
	"errors"
	"math"
	"testing"

	"github.com/inferdx/inferdx/internal/model"
)

type env map[string]any

func (e env) Number(n string) (model.Value, bool) {
	switch v := e[n].(type) {
	case float64:
		return model.Known(v), true
	case int:
		return model.Known(float64(v)), true
	case model.Value:
		return v, true
	}
	return model.Value{}, false
}

func (e env) Text(n string) (string, bool) { s, ok := e[n].(string); return s, ok }
func (e env) Explicit(n string) bool       { _, ok := e["explicit "+n]; return ok }

func TestTruthIsThreeValued(t *testing.T) {
	e := env{
		"a": 5, "zero": 0, "dtype": "fp8", "explicit cap": true, "cap": 8,
		"low": model.Value{V: 0.3, Bound: model.AtMost}, "high": model.Value{V: 160, Bound: model.AtLeast},
		"max(running)": 30,
	}
	for _, tc := range []struct{ name, in, want string }{
		{"an absent operand is unknown", "missing > 1", "unknown"},
		{"false and unknown is false", "a > 9 and missing > 1", "false"},
		{"true or unknown is true", "a > 1 or missing > 1", "true"},
		{"true and unknown is unknown", "a > 1 and missing > 1", "unknown"},
		{"not unknown is unknown", "not (missing > 1)", "unknown"},
		{"presence is always known", "not seen(missing) and seen(a)", "true"},
		{"so is that of a fold", "not seen(max(missing)) and not seen(sum(b))", "true"},
		{"division by zero is unknown", "a / zero > 1", "unknown"},
		{"below 0.3 is not above 0.5", "low > 0.5", "false"},
		{"below 0.3 may be above 0.2", "low > 0.2", "unknown"},
		{"above 160 is above 100", "high > 100", "true"},
		{"above 160 may be above 200", "high >= 200", "unknown"},
		{"a bound survives arithmetic", "high * 2 > 300", "true"},
		{"a bound in the divisor turns", "1 / high < 0.1", "true"},
		{"first takes what is known", "first(missing, a) == 5", "true"},
		{"max with one name reads the members", "max(running) > 20", "true"},
		{"max with several reads numbers", "max(a, 7) == 7", "true"},
		{"words compare", `dtype == "fp8" and dtype != "auto"`, "true"},
		{"an absent word is unknown", `kind == "x"`, "unknown"},
		{"explicit asks who set it", "explicit(cap) and not explicit(a)", "true"},
		{"a bare fact is yes or no", "a and not zero", "true"},
	} {
		x, err := Parse(tc.in)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if got := x.Truth(e).String(); got != tc.want {
			t.Errorf("%s: %s is %s, want %s", tc.name, tc.in, got, tc.want)
		}
	}
}

func TestParseRefusesWhatHasNoMeaningWithAbsentOperands(t *testing.T) {
	for _, in := range []string{"a ?? 1", "a > 1 ? 2 : 3", "all(x, # > 1)", "a in [1]", "x.y", "let q = 1; q", "", "a >", "frob(a)", "sum(a, b)"} {
		_, err := Parse(in)
		var se *SyntaxError
		if !errors.As(err, &se) {
			t.Errorf("Parse(%q) = %v, want a syntax error", in, err)
		}
	}
}

func TestNumberKeepsBounds(t *testing.T) {
	e := env{"low": model.Value{V: 0.3, Bound: model.AtMost}, "a": 2}
	x, err := Parse("a * low")
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := x.Number(e); !ok || v.Bound != model.AtMost || math.Abs(v.V-0.6) > 1e-9 {
		t.Errorf("got %+v %v, want at most 0.6", v, ok)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a > 1 and seen(b)")
	f.Add("first(a, b) ** 2")
	f.Fuzz(func(t *testing.T, src string) {
		x, err := Parse(src)
		if err != nil {
			return
		}
		x.Truth(env{})
		x.Number(env{"a": 1})
		x.Leaves(env{})
	})
}
