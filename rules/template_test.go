package rules_test

import (
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/rules"
)

func env(values map[string]float64) expression.Env {
	es := &model.Entities{}
	id := es.Add(model.Entity{Scope: model.ScopeTarget, Labels: model.Labels{{Name: "instance", Value: "a"}}, Parent: model.NoEntity})
	b := model.NewFrame(time.Unix(1, 0), time.Minute, es)
	for n, v := range values {
		b.Set(id, n, model.Known(v))
	}
	return expression.Of(b.Frame(), id)
}

func TestSentencesReadAsPeopleSpeak(t *testing.T) {
	count := func(string) string { return "count" }
	for _, tc := range []struct {
		name, in, want string
	}{
		{"many", "{a:request waits|requests wait} now", "5 requests wait now"},
		{"one", "{b:request waits|requests wait} now", "1 request waits now"},
		{"one by rounding", "burns {c:core|cores}", "burns 1 core"},
		{"a range", "stays at {b} to {a}", "stays at 1 to 5"},
		{"a range without a width", "stays at {a} to {d} while", "stays at 5 while"},
		{"such a range with words behind it", "run {b} to {e:request|requests}", "run 1 request"},
		{"other braces are text", "{X: y} {a}", "{X: y} 5"},
		{"an unknown quantity leaves the sentence unsaid", "{a} of {nobody:thing|things}", ""},
	} {
		got, ok := rules.ParseTemplate(tc.in).Fill(env(map[string]float64{"a": 5, "b": 1, "c": 0.9996, "d": 5, "e": 1}), count)
		if got != tc.want || ok != (tc.want != "") {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestTheFormsOfAWordAreNoPartOfItsName(t *testing.T) {
	x := rules.ParseTemplate("{min(a)} to {max(b):one|many}")
	if got := x.Names(); len(got) != 2 || got[0] != "a" || got[1] != "b" {
		t.Errorf("names %v, want a and b", got)
	}
	if got := x.Plain(); got != "{min(a)} to {max(b)} many" {
		t.Errorf("plain %q", got)
	}
}
