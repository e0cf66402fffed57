package render

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/inferdx/inferdx/internal/model"
)

// schemaID names the contract. It is a name, nothing is served there.
const schemaID = "https://github.com/inferdx/inferdx/schema/report/v1"

// Schema is the JSON schema of a report, draft 2020-12, ending in a newline.
func Schema() ([]byte, error) {
	words := fieldWords()
	r := jsonschema.Reflector{
		ExpandedStruct: true,
		LookupComment: func(t reflect.Type, field string) string {
			if field == "" {
				return words[t.Name()].is
			}
			return words[t.Name()+"."+field].is
		},
	}
	s := r.Reflect(&model.Report{})
	s.ID = schemaID
	s.Title = "inferdx report"
	for name, w := range words {
		typ, field, ok := strings.Cut(name, ".")
		if !ok {
			continue
		}
		if err := amend(s, typ, field, w); err != nil {
			return nil, err
		}
	}
	knobFieldsOnlyForKnobs(s.Definitions["Action"])
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write schema of the report: %w", err)
	}
	return append(b, '\n'), nil
}

// amend narrows one field of the reflected schema to what the contract allows.
func amend(root *jsonschema.Schema, typ, field string, w word) error {
	owner := root
	if typ != "Report" {
		owner = root.Definitions[typ]
	}
	t, ok := types()[typ]
	if !ok || owner == nil {
		return fmt.Errorf("schema of the report: no type %s", typ)
	}
	sf, ok := t.FieldByName(field)
	if !ok {
		return fmt.Errorf("schema of the report: no field %s.%s", typ, field)
	}
	name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
	p, ok := owner.Properties.Get(name)
	if !ok {
		return fmt.Errorf("schema of the report: no property %s of %s", name, typ)
	}
	p.Enum = append(p.Enum, w.enum...)
	if w.score {
		p.Minimum, p.Maximum = "0", "1"
	}
	if w.atLeastZero {
		p.Minimum = "0"
	}
	switch {
	case w.scalar:
		p = &jsonschema.Schema{Description: w.is, OneOf: []*jsonschema.Schema{{Type: "number"}, {Type: "string"}, {Type: "boolean"}, {Type: "null"}}}
	case w.nullable:
		p.Description = ""
		p = &jsonschema.Schema{Description: w.is, OneOf: []*jsonschema.Schema{p, {Type: "null"}}}
	}
	owner.Properties.Set(name, p)
	return nil
}

func types() map[string]reflect.Type {
	return map[string]reflect.Type{
		"Report": reflect.TypeFor[model.Report](), "Diagnosis": reflect.TypeFor[model.Diagnosis](),
		"EngineInfo": reflect.TypeFor[model.EngineInfo](), "Change": reflect.TypeFor[model.Change](),
		"Impact": reflect.TypeFor[model.Impact](), "Symptom": reflect.TypeFor[model.Symptom](),
		"Evidence": reflect.TypeFor[model.Evidence](), "Cause": reflect.TypeFor[model.Cause](),
		"Action": reflect.TypeFor[model.Action](), "Verify": reflect.TypeFor[model.Verify](),
		"Missing": reflect.TypeFor[model.Missing](), "Example": reflect.TypeFor[model.Example](), "Ceiling": reflect.TypeFor[model.Ceiling](),
	}
}

// knobFieldsOnlyForKnobs says what the struct's tags cannot: the four are there exactly for a knob.
func knobFieldsOnlyForKnobs(a *jsonschema.Schema) {
	isKnob := jsonschema.NewProperties()
	isKnob.Set("kind", &jsonschema.Schema{Const: model.KindKnob})
	four := []string{"knob", "flag", "from", "to"}
	none := jsonschema.NewProperties()
	for _, f := range append(four, "from_source") {
		none.Set(f, jsonschema.FalseSchema)
	}
	a.If = &jsonschema.Schema{Properties: isKnob, Required: []string{"kind"}}
	a.Then = &jsonschema.Schema{Required: four}
	a.Else = &jsonschema.Schema{Properties: none}
}
