package eval

import (
	"testing"

	"github.com/inferdx/inferdx/corpus"
	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/playbooks"
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

func TestNoPlaybookPointsAwayFromWhatCuredAnIncident(t *testing.T) {
	list, classes, err := Incidents(corpus.Recordings())
	if err != nil {
		t.Fatal(err)
	}
	all, err := newCatalogue(builtin(t), engine.Fit{}).advice(list, classes)
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for _, a := range all {
		switch a.Verdict {
		case "wrong":
			t.Errorf("%s: cured by %s %s, %s suggests %s", a.ID, a.Knob, a.Cure, a.Cause, a.Suggested)
		case "right":
			right++
		}
	}
	if right < 10 {
		t.Errorf("only %d of the changes are on the setting that was the cure", right)
	}
}

func TestTheDirectionOfAChange(t *testing.T) {
	text := func(s string) *string { return &s }
	p := &playbooks.Playbook{Changes: []playbooks.Change{{Knob: "max_loras", Direction: "up"}}}
	for _, tt := range []struct {
		name string
		in   model.Action
		want string
	}{
		{"a larger number", model.Action{From: text("8"), To: text("64")}, "up"},
		{"a smaller one", model.Action{From: text("35"), To: text("0")}, "down"},
		{"what was not in use", model.Action{To: text("1024")}, "set"},
		{"a switch", model.Action{To: text("true")}, "on"},
		{"a setting left out", model.Action{From: text("{}"), To: text("unset")}, "off"},
		{"no value, but a direction", model.Action{Knob: "max_loras"}, "up"},
		{"neither", model.Action{Knob: "block_size"}, ""},
	} {
		if got, _ := wayOf(tt.in, p); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
