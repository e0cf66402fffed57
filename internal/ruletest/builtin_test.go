package ruletest_test

import (
	"testing"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/ruletest"
	"github.com/inferdx/inferdx/playbooks"
	"github.com/inferdx/inferdx/rules"
)

func TestBuiltinContent(t *testing.T) {
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	results, err := ruletest.Run(c, pipeline.New(c, nil, engine.Fit{}), rules.Builtin(), playbooks.Builtin())
	if err != nil {
		t.Error(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Errorf("%s\n%v", r.Name, r.Err)
		}
	}
	for _, p := range ruletest.Require(rules.Builtin(), playbooks.Builtin()) {
		t.Error(p)
	}
	t.Logf("%d cases", len(results))
}
