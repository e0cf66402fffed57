//go:build live

package live

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// TestTheSequenceCapIsNamedAndItsCureHelps needs a vLLM executable in INFERDX_VLLM; see docs/live.md.
func TestTheSequenceCapIsNamedAndItsCureHelps(t *testing.T) {
	vllm := os.Getenv("INFERDX_VLLM")
	if vllm == "" {
		t.Skip("vllm: set INFERDX_VLLM to the path of a vllm executable (docs/live.md says how to get one without a GPU)")
	}
	dir := t.TempDir()
	if err := WriteModel(dir); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(t.TempDir(), "inferdx")
	if out, err := exec.Command("go", "build", "-o", bin, "../../cmd/inferdx").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}

	sick := under(t, bin, vllm, dir, "2")
	if len(sick.Causes) == 0 || sick.Causes[0].ID != "max-num-seqs-too-low" || !sick.Causes[0].Primary {
		t.Fatalf("with --max-num-seqs 2 the first cause is not the cap: %+v", sick.Causes)
	}
	turn := sick.Causes[0].Changes[0]
	if turn.Flag != "--max-num-seqs" || turn.To == nil {
		t.Fatalf("the first change has no value: %+v", turn)
	}
	if n, err := strconv.Atoi(*turn.To); err != nil || n <= 2 {
		t.Fatalf("the suggested cap is %s", *turn.To)
	}
	t.Logf("named: %s %.2f, %s", sick.Causes[0].ID, sick.Causes[0].Score, turn.Text)

	cured := under(t, bin, vllm, dir, *turn.To)
	// A slow machine may be degraded still, by what its own steps take: what the cap did must be gone.
	for _, x := range cured.Symptoms {
		if x.ID == "requests-queueing" {
			t.Errorf("after %s requests wait: %s", turn.Text, cured.Summary)
		}
	}
	if len(cured.Causes) > 0 && cured.Causes[0].Primary && cured.Causes[0].ID == "max-num-seqs-too-low" {
		t.Errorf("after %s the cap is named again: %s", turn.Text, cured.Summary)
	}
	t.Logf("after the change: %s, %s", cured.Status, cured.Summary)
}

// warmUp is how long a server is under load before it is looked at: with an empty cache of compiled kernels the first batches
// of each size wait for seconds.
const warmUp = 30 * time.Second

// under diagnoses a loaded server with the given sequence cap.
func under(t *testing.T, bin, vllm, dir, limit string) model.Diagnosis {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	s, err := Start(ctx, vllm, dir, 8155, "--max-num-seqs", limit)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	load, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { Load(load, s.URL, 10); close(done) }()
	defer func() { stop(); <-done }()
	time.Sleep(warmUp)

	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, bin, "diagnose", "--url", s.URL, "--duration", "40s", "--args", strings.Join(s.Args, " "), "--format", "json")
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run() // 3 is a finding
	var r model.Report
	if json.Unmarshal(out.Bytes(), &r) != nil || len(r.Targets) != 1 {
		t.Fatalf("diagnose: %v\n%s\n%s", err, errs.String(), out.String())
	}
	return r.Targets[0]
}
