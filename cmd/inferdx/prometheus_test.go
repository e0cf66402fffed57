package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/require"
)

// TestPrometheusAnswersLikeTheRecordingInIt backfills a real Prometheus with a recording and asks both.
func TestPrometheusAnswersLikeTheRecordingInIt(t *testing.T) {
	for _, id := range []string{"seqs8-c64", "base-gpu-contention", "f3_prefix_off", "j_down", "h_idle"} {
		t.Run(id, func(t *testing.T) {
			file := filepath.Join("..", "..", "corpus", id, "metrics.om.gz")
			url := require.Prometheus(t, file)
			want := reportOf(t, "--recording", file)
			at := want.GeneratedAt.Format("2006-01-02T15:04:05.999Z07:00")
			got := reportOf(t, "--prometheus", url, "--at", at)
			if diff := cmp.Diff(gist(want), gist(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func reportOf(t *testing.T, args ...string) model.Report {
	t.Helper()
	var out, errs bytes.Buffer
	run(append([]string{"diagnose", "--format", "json"}, args...), strings.NewReader(""), &out, &errs)
	var r model.Report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("diagnose %v: %v\n%s", args, err, errs.String())
	}
	return r
}

// gist is what must be the same: status, symptoms, and causes with their scores to two digits.
func gist(r model.Report) []string {
	var out []string
	for _, d := range r.Targets {
		line := d.Name + string(d.Status)
		for _, s := range d.Symptoms {
			line += " " + s.ID
		}
		for _, c := range d.Causes {
			line += fmt.Sprintf(" %s %.2f", c.ID, c.Score)
		}
		out = append(out, line)
	}
	return out
}
