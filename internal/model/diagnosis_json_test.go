package model_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
)

func TestActionsShowKnobFieldsOnlyForKnobs(t *testing.T) {
	to := "64"
	rest := `,"text":"","why":"<&>","cost":"","restart":false,"changes_output":false,"verify":null}`
	for _, c := range []struct {
		name string
		in   model.Action
		want string
	}{
		{
			"an unknown from is null",
			model.Action{Kind: "knob", When: "rollout", Knob: "max_num_seqs", Flag: "--max-num-seqs", To: &to, Why: "<&>"},
			`{"kind":"knob","when":"rollout","knob":"max_num_seqs","flag":"--max-num-seqs","from":null,"to":"64"` + rest,
		},
		{
			"an unknown flag is null",
			model.Action{Kind: "knob", When: "now", Why: "<&>"},
			`{"kind":"knob","when":"now","knob":null,"flag":null,"from":null,"to":null` + rest,
		},
		{
			"another kind has none of them",
			model.Action{Kind: "scale", When: "now", Knob: "x", Flag: "y", From: &to, To: &to, FromSource: "args", Why: "<&>"},
			`{"kind":"scale","when":"now"` + rest,
		},
	} {
		b, err := c.in.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, string(b)); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
		var back model.Action
		if err := json.Unmarshal(b, &back); err != nil {
			t.Errorf("%s does not read back: %v", c.name, err)
		}
	}
}
