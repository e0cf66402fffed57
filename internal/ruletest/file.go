package ruletest

import (
	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/internal/yamlpos"
)

// caseFile is the YAML form of a case.
type caseFile struct {
	Name     yamlpos.Text                  `yaml:"name"`
	Like     yamlpos.Text                  `yaml:"like"`
	Without  []yamlpos.Text                `yaml:"without"`
	Every    yamlpos.Text                  `yaml:"every"`
	Window   yamlpos.Text                  `yaml:"window"`
	Series   map[yamlpos.Text]yamlpos.Text `yaml:"series"`
	Args     yamlpos.Text                  `yaml:"args"`
	Frame    map[yamlpos.Text]yamlpos.Text `yaml:"frame"`
	Facts    map[yamlpos.Text]factFile     `yaml:"facts"`
	Members  []memberFile                  `yaml:"members"`
	Engine   *engineFile                   `yaml:"engine"`
	Symptoms []yamlpos.Text                `yaml:"symptoms"`
	Expect   expectFile                    `yaml:"expect"`
	Change   yamlpos.Text                  `yaml:"change"`
}

type memberFile struct {
	Scope yamlpos.Text                  `yaml:"scope"`
	Frame map[yamlpos.Text]yamlpos.Text `yaml:"frame"`
}

type engineFile struct {
	Name    yamlpos.Text `yaml:"name"`
	Version yamlpos.Text `yaml:"version"`
}

// factFile is `8`, or `{value: 8, explicit: false, inferred: true}`.
type factFile struct {
	Value              yamlpos.Text
	Explicit, Inferred yamlpos.Text
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (f *factFile) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return f.Value.UnmarshalYAML(n)
	}
	fields := map[string]*yamlpos.Text{"value": &f.Value, "explicit": &f.Explicit, "inferred": &f.Inferred}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		t := fields[key.Value]
		if t == nil {
			return &yamlpos.Problem{Line: key.Line, Col: key.Column, Width: len(key.Value), Msg: "unknown field " + key.Value, Hint: "known here: value, explicit, inferred"}
		}
		if err := t.UnmarshalYAML(n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// expectFile is one word, or words by the time since the start.
type expectFile struct {
	Word yamlpos.Text
	At   []expectAt
}

type expectAt struct{ After, Word yamlpos.Text }

// UnmarshalYAML implements yaml.Unmarshaler.
func (e *expectFile) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return e.Word.UnmarshalYAML(n)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		var x expectAt
		if err := x.After.UnmarshalYAML(n.Content[i]); err != nil {
			return err
		}
		if err := x.Word.UnmarshalYAML(n.Content[i+1]); err != nil {
			return err
		}
		e.At = append(e.At, x)
	}
	return nil
}

func (e expectFile) words() []string {
	out := []string{e.Word.S}
	for _, x := range e.At {
		out = append(out, x.Word.S)
	}
	return out
}
