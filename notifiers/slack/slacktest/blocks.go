package slacktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Slack's limits for one message.
const (
	maxBlocks  = 50
	maxTotal   = 13_200
	maxHeader  = 150
	maxSection = 3000
	maxFields  = 10
	maxField   = 2000
	maxButton  = 75
	maxValue   = 2000
	maxID      = 255
	maxPerRow  = 25
	maxContext = 10
)

type block struct {
	Type      string          `json:"type"`
	BlockID   string          `json:"block_id,omitempty"`
	Text      *textObject     `json:"text,omitempty"`
	Fields    []*textObject   `json:"fields,omitempty"`
	Elements  json.RawMessage `json:"elements,omitempty"`
	Accessory *button         `json:"accessory,omitempty"`
	Expand    *bool           `json:"expand,omitempty"`

	texts   []*textObject // of a context
	buttons []*button     // of an actions row
}

type textObject struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Emoji    *bool  `json:"emoji,omitempty"`
	Verbatim *bool  `json:"verbatim,omitempty"`
}

type button struct {
	Type     string          `json:"type"`
	ActionID string          `json:"action_id,omitempty"`
	Text     *textObject     `json:"text,omitempty"`
	Value    string          `json:"value,omitempty"`
	URL      string          `json:"url,omitempty"`
	Style    string          `json:"style,omitempty"`
	Confirm  json.RawMessage `json:"confirm,omitempty"`
	Label    string          `json:"accessibility_label,omitempty"`
}

// parseBlocks reads and judges the blocks of a message; bad is Slack's answer where it refuses them.
func parseBlocks(raw string) (bs []block, bad map[string]any) {
	if raw == "" {
		return nil, nil
	}
	if err := strict([]byte(raw), &bs); err != nil {
		return nil, failure("invalid_blocks_format", err.Error())
	}
	j := &judge{}
	if len(bs) > maxBlocks {
		j.complain("no more than 50 items allowed", "/blocks")
	}
	ids := map[string]bool{}
	for i := range bs {
		at := fmt.Sprintf("/blocks/%d", i)
		if id := bs[i].BlockID; id != "" {
			if ids[id] || len(id) > maxID {
				j.complain("block_id must be unique and of at most 255 characters", at)
			}
			ids[id] = true
		}
		j.block(&bs[i], at)
	}
	switch {
	case len(j.faults) > 0:
		return nil, failure("invalid_blocks", j.faults...)
	case j.total > maxTotal:
		return nil, failure("msg_blocks_too_long", fmt.Sprintf("%d characters", j.total))
	}
	return bs, nil
}

func strict(raw []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(to)
}

// judge collects everything that is wrong with the blocks of a message.
type judge struct {
	faults  []string
	total   int
	actions map[string]bool
}

func (j *judge) complain(what, at string) {
	j.faults = append(j.faults, fmt.Sprintf("[ERROR] %s [json-pointer:%s]", what, at))
}

func (j *judge) block(b *block, at string) {
	only := func(text, fields, elements bool) {
		if !text && b.Text != nil || !fields && b.Fields != nil || !elements && b.Elements != nil || b.Type != "section" && (b.Accessory != nil || b.Expand != nil) {
			j.complain("invalid additional property", at)
		}
	}
	switch b.Type {
	case "header":
		only(true, false, false)
		j.text(b.Text, maxHeader, at+"/text", "plain_text")
	case "divider":
		only(false, false, false)
	case "section":
		only(true, true, false)
		j.section(b, at)
	case "context":
		only(false, false, true)
		if err := strict(b.Elements, &b.texts); err != nil || len(b.texts) == 0 || len(b.texts) > maxContext {
			j.complain("must have 1 to 10 text elements", at+"/elements")
		}
		for i, t := range b.texts {
			j.text(t, maxSection, fmt.Sprintf("%s/elements/%d", at, i), "mrkdwn", "plain_text")
		}
	case "actions":
		only(false, false, true)
		if err := strict(b.Elements, &b.buttons); err != nil || len(b.buttons) == 0 || len(b.buttons) > maxPerRow {
			j.complain("must have 1 to 25 buttons", at+"/elements")
		}
		for i, x := range b.buttons {
			j.button(x, fmt.Sprintf("%s/elements/%d", at, i))
		}
	default:
		j.complain("unsupported type: "+b.Type, at+"/type")
	}
}

func (j *judge) section(b *block, at string) {
	if b.Text == nil && len(b.Fields) == 0 {
		j.complain("must have text or fields", at)
	}
	if b.Text != nil {
		j.text(b.Text, maxSection, at+"/text", "mrkdwn", "plain_text")
	}
	if b.Fields != nil && (len(b.Fields) == 0 || len(b.Fields) > maxFields) {
		j.complain("must have 1 to 10 fields", at+"/fields")
	}
	for i, f := range b.Fields {
		j.text(f, maxField, fmt.Sprintf("%s/fields/%d", at, i), "mrkdwn", "plain_text")
	}
	if b.Accessory != nil {
		j.button(b.Accessory, at+"/accessory")
	}
}

func (j *judge) text(t *textObject, most int, at string, types ...string) {
	if t == nil {
		j.complain("missing required field: text", at)
		return
	}
	n := utf8.RuneCountInString(t.Text)
	j.total += n
	switch {
	case !slices.Contains(types, t.Type):
		j.complain("unsupported text type: "+t.Type, at)
	case n == 0:
		j.complain("must be more than 0 characters", at+"/text")
	case n > most:
		j.complain(fmt.Sprintf("must be less than %d characters", most+1), at+"/text")
	case t.Emoji != nil && t.Type != "plain_text", t.Verbatim != nil && t.Type != "mrkdwn":
		j.complain("invalid additional property", at)
	}
	if err := markup(t.Text); err != nil {
		j.complain(err.Error(), at+"/text")
	}
}

func (j *judge) button(b *button, at string) {
	if b == nil || b.Type != "button" {
		j.complain("unsupported element", at)
		return
	}
	j.text(b.Text, maxButton, at+"/text", "plain_text")
	j.total += utf8.RuneCountInString(b.Value)
	if utf8.RuneCountInString(b.Value) > maxValue {
		j.complain("must be less than 2001 characters", at+"/value")
	}
	if b.Style != "" && b.Style != "primary" && b.Style != "danger" {
		j.complain("style must be primary or danger", at+"/style")
	}
	if j.actions == nil {
		j.actions = map[string]bool{}
	}
	if len(b.ActionID) > maxID || b.ActionID != "" && j.actions[b.ActionID] {
		j.complain("action_id must be unique and of at most 255 characters", at+"/action_id")
	}
	j.actions[b.ActionID] = true
}
