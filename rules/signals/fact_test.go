package signals_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/inferdx/inferdx/rules/signals"
)

func TestAFactIsDeclaredAsASignalIsAndHasNoColumn(t *testing.T) {
	mine := func(text string) (*signals.Catalog, error) {
		return signals.Load(signals.Builtin(), fstest.MapFS{"meaning/mine.yaml": {Data: []byte(text)}})
	}
	c, err := mine(`ticket: {fact: true, name: ticket, is: "the ticket of the change that was made", needs: "the deployer"}`)
	if err != nil {
		t.Fatal(err)
	}
	if m, ok := c.Fact("ticket"); !ok || m.Area != "mine" {
		t.Errorf("%+v, %v", m, ok)
	}
	for _, id := range c.Facts() {
		m, _ := c.Fact(id)
		if _, signal := c.Meaning(id); signal || m.Is == "" || m.Needs == "" {
			t.Errorf("%s: %+v; a signal: %v", id, m, signal)
		}
	}
	for text, want := range map[string]string{
		"x: {fact: true, is: x, formula: running}": "x: a fact has a name", "x: {fact: true, is: x, setting: 1}": "x: a fact has a name",
		"x: {fact: true, is: x, trend: true}": "x: a fact has a name", "x: {fact: true, is: x, scope: gpu}": "x: a fact has a name",
		"running: {fact: true, is: x}": "running: a signal has this name",
	} {
		if _, err := mine(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
