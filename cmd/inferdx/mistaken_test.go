package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every real file is told by its content, whatever its name.
func TestAFileForTheWrongFlagIsToldWhereItBelongs(t *testing.T) {
	broken := errors.New("cannot be read\nhint: pass another one")
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ flag, path, want string }{
		{"profile", "../../corpus/base-c8/server.log.gz", "it looks like a log: give it to inferdx diagnose with --log ../../corpus/base-c8/server.log.gz"},
		{"log", "../../corpus/base-c8/profile.trace.json.gz", "it looks like a profile: give it to inferdx diagnose with --profile"},
		{"log", "../../internal/evidence/otlp/testdata/vllm-0.25.1-longmix-1.pb", "it looks like traces of requests (OTLP): give it to inferdx diagnose with --traces"},
		{"traces", "../../internal/evidence/bench/testdata/vllm-capped.json.gz", "it looks like the result of a benchmark: give it to inferdx diagnose with --benchmark"},
		{"benchmark", "../../corpus/models/llama-8b-dummy.json", "it looks like the config.json of a model: give it to inferdx diagnose with --model-config"},
		{"model-config", "../../corpus/base-c8/metrics.om.gz", "it looks like a recording of metrics: give it to inferdx diagnose with --recording"},
		{"profile", "report.ncu-rep", "export the report first: ncu --import report.ncu-rep --csv --page raw > kernels.csv, then --profile kernels.csv"},
		{"profile", "report.nsys-rep", "export the report first: nsys export --type sqlite"},
		{"log", "testdata", "name a file, not a folder"},
		{"recording", "testdata", "name a file, or a folder that holds metrics.om.gz"},
		{"traces", empty, "the file is empty: see whether what writes it has ended"},
		{"recording", "../../corpus/base-c8/metrics.om.gz", "pass another one"}, // of its own kind the reader knows best
		{"profile", "mistaken_test.go", "pass another one"},
	} {
		got := misfile(tt.flag, tt.path, broken)
		if hint := "cannot be read\nhint: " + tt.want; !strings.HasPrefix(got.Error(), hint) || !errors.Is(got, broken) {
			t.Errorf("--%s %s: %v", tt.flag, tt.path, got)
		}
	}
	_, missing := os.Open("nowhere")
	if got := misfile("log", "nowhere", missing); !strings.Contains(got.Error(), "\nhint: look at the path; a relative one begins in ") {
		t.Error(got)
	}
}
