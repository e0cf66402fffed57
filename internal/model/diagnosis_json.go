package model

import (
	"bytes"
	"encoding/json"
)

// KindKnob is the one kind of action that turns a launch option.
const KindKnob = "knob"

// knobJSON has the order and the presence that the contract promises for a knob.
type knobJSON struct {
	Kind          string  `json:"kind"`
	When          string  `json:"when"`
	Knob          *string `json:"knob"`
	Flag          *string `json:"flag"`
	From          *string `json:"from"`
	FromSource    string  `json:"from_source,omitempty"`
	To            *string `json:"to"`
	Text          string  `json:"text"`
	Why           string  `json:"why"`
	Cost          string  `json:"cost"`
	Rollback      string  `json:"rollback,omitempty"`
	Restart       bool    `json:"restart"`
	ChangesOutput bool    `json:"changes_output"`
	Verify        *Verify `json:"verify"`
}

// MarshalJSON writes knob, flag, from and to of a knob always, null where unknown, and leaves them
// out of every other kind of action.
func (a Action) MarshalJSON() ([]byte, error) {
	if a.Kind == KindKnob {
		return plainJSON(knobJSON{
			Kind: a.Kind, When: a.When, Knob: orNull(a.Knob), Flag: orNull(a.Flag),
			From: a.From, FromSource: a.FromSource, To: a.To,
			Text: a.Text, Why: a.Why, Cost: a.Cost, Rollback: a.Rollback,
			Restart: a.Restart, ChangesOutput: a.ChangesOutput, Verify: a.Verify,
		})
	}
	type other Action
	a.Knob, a.Flag, a.From, a.To, a.FromSource = "", "", nil, nil, ""
	return plainJSON(other(a))
}

// plainJSON leaves < and > readable; an outer encoder that escapes HTML still does so.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
