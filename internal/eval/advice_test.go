package eval

import (
	"testing"

	"github.com/inferdx/inferdx/internal/model"
)

func TestAdviceIsJudgedByItsDirection(t *testing.T) {
	number := func(v float64) model.Fact { return model.Fact{Num: v, IsNum: true} }
	for _, tt := range []struct {
		name       string
		was, cured model.Fact
		suggested  string
		want       bool
	}{
		{"further than the cure", number(8), number(64), "128", true},
		{"less far", number(8), number(64), "16", true},
		{"the other way", number(8), number(64), "4", false},
		{"no change", number(8), number(64), "8", false},
		{"a limit taken away that the cure raised", number(40), number(2048), "unset", true},
		{"a limit taken away that the cure lowered", number(4096), number(1024), "unset", false},
		{"a switch turned", model.Fact{Text: "true"}, model.Fact{Text: "false"}, "false", true},
		{"a switch left", model.Fact{Text: "true"}, model.Fact{Text: "false"}, "true", false},
	} {
		if got := same(tt.was, tt.cured, tt.suggested); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestNoAdvicePointsAwayFromTheCure(t *testing.T) {
	c := builtin(t)
	right := 0
	for _, a := range advise(c, run(t, "args", all(t)), all(t)) {
		switch a.Verdict {
		case "wrong":
			t.Errorf("%s: %s was cured by %s, suggested is %s", a.Recording, a.Knob, a.Cured, a.Suggested)
		case "right":
			right++
		}
	}
	if right < 10 {
		t.Errorf("only %d of the changes are on the knob that was the cure", right)
	}
}
