package main

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// slips are phrases that no diagnosis may hold, whatever the numbers in it.
var slips = regexp.MustCompile(strings.Join([]string{
	`(?:^|[^.,\d])1 (times|cores|requests|preemptions|scrapes|processes|answers|events)\b`,
	`\bevery (below|above|at (least|most))\b`, `[;,] none\b`, `answers may change; answers can`,
	`held for 0 s`, `restart \? -> `, `\d /s -> `, `little load: 0\.\d+ requests in hand`, `work in hand: no token for \d+ s with`,
	`\d{3,} % (of the finished|wait)`, `: \d+ first tokens in the window`,
}, "|"))

var sameEnds = regexp.MustCompile(`\b(\d[\d.,]*) to (\d[\d.,]*)\b`)

// TestADiagnosisReadsWell prints every recording as a user sees it.
func TestADiagnosisReadsWell(t *testing.T) {
	files, err := filepath.Glob("../../corpus/*/metrics.om.gz")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d recordings, %v", len(files), err)
	}
	for _, file := range files {
		id := filepath.Base(filepath.Dir(file))
		var out, errs bytes.Buffer
		run([]string{"diagnose", "--recording", file}, strings.NewReader(""), &out, &errs)
		var said []string
		for line := range strings.Lines(out.String()) {
			if !strings.ContainsAny(line, "▁▂▃▄▅▆▇█") { // a chart ends in a bare number
				said = append(said, strings.Fields(line)...)
			}
		}
		text := strings.Join(said, " ")
		if text == "" {
			t.Errorf("%s: %s", id, errs.String())
		}
		for _, m := range slips.FindAllString(text, -1) {
			t.Errorf("%s: %q", id, m)
		}
		for _, m := range sameEnds.FindAllStringSubmatch(text, -1) {
			if m[1] == m[2] {
				t.Errorf("%s: %q", id, m[0])
			}
		}
		// The labels of 0.22 are those of a GPU whose KV cache was sized by hand: nothing tells them apart.
		if strings.HasPrefix(text, "cpu-0") && strings.Contains(text, "dcgm-exporter") && !strings.HasPrefix(id, "v0.22-") {
			t.Errorf("%s: a CPU server is asked for dcgm-exporter", id)
		}
	}
}
