package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/inferdx/inferdx/internal/content"
)

// TestEveryCauseIsExplained holds each built-in cause to what a runbook page has: what it means, who is hurt, how it is
// told apart, what to do, and where that is known from.
func TestEveryCauseIsExplained(t *testing.T) {
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range c.Playbooks.All() {
		var out, errs bytes.Buffer
		if status := run([]string{"explain", b.ID}, strings.NewReader(""), &out, &errs); status != 0 {
			t.Errorf("%s: status %d, %s", b.ID, status, errs.String())
		}
		for _, heading := range []string{"Meaning", "Impact", "Diagnosis", "Mitigation", "Sources"} {
			if !strings.Contains(out.String(), "\n"+heading+"\n") {
				t.Errorf("%s: nothing under %s", b.ID, heading)
			}
		}
		if b.Impact == "" || !strings.HasSuffix(b.Impact, ".") {
			t.Errorf("%s: impact %q is no sentence", b.ID, b.Impact)
		}
		if b.ToldApart == "" {
			t.Errorf("%s: nothing says from what it is told apart", b.ID)
		}
	}
}
