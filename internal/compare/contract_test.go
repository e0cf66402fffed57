package compare_test

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/inferdx/inferdx/internal/compare"
	"github.com/inferdx/inferdx/internal/render"
)

// Every recording against its neighbour in the list: idle, down, restarted, overloaded and healthy ones meet.
func TestWhateverMeetsTheAnswerFulfilsTheContract(t *testing.T) {
	text, err := render.CompareSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("compare.json", doc); err != nil {
		t.Fatal(err)
	}
	schema := compiler.MustCompile("compare.json")
	c := catalogue(t)
	last, lastName := compare.Side{}, "nothing"
	for name := range scenarios(t) {
		side := whole(t, c, name)
		r := compare.Run(last, side, compare.Options{CostPerHour: 2, Resamples: 200})
		var b bytes.Buffer
		if err := render.CompareJSON(&b, r); err != nil {
			t.Errorf("%s, %s: %v", lastName, name, err)
		} else if doc, err := jsonschema.UnmarshalJSON(&b); err != nil {
			t.Errorf("%s, %s: %v", lastName, name, err)
		} else if err := schema.Validate(doc); err != nil {
			t.Errorf("%s, %s: %v", lastName, name, err)
		}
		if r.Why == "" || r.Load.Note == "" {
			t.Errorf("%s, %s: no word on why or on the load: %+v", lastName, name, r)
		}
		last, lastName = side, name
	}
}
