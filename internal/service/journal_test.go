package service

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/inferdx/inferdx/internal/model"
)

func TestTheLogTellsWhatChangesAndNothingTwice(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(slog.NewTextHandler(&b, nil))
	var j journal
	d := func(s model.Status, fingerprint string) []model.Diagnosis {
		return []model.Diagnosis{{Target: map[string]string{"instance": "a:8000"}, Scope: model.ScopeTarget, Status: s, Fingerprint: fingerprint, Causes: []model.Cause{{ID: "over-capacity", Primary: true}}}}
	}
	for _, step := range []struct {
		ds    []model.Diagnosis
		lines int
	}{
		{d(model.Healthy, "1"), 0},
		{d(model.Degraded, "2"), 1},
		{d(model.Degraded, "2"), 1},
		{d(model.Degraded, "3"), 2},
		{d(model.Healthy, "1"), 3},
	} {
		j.write(t.Context(), log, step.ds)
		if n := strings.Count(b.String(), "\n"); n != step.lines {
			t.Fatalf("%d lines, want %d:\n%s", n, step.lines, b.String())
		}
	}
	if !strings.Contains(b.String(), "level=WARN") || !strings.Contains(b.String(), "cause=over-capacity") {
		t.Error(b.String())
	}
}
