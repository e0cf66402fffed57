package profiles

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/inferdx/inferdx/internal/evidence/nsight"
	"github.com/inferdx/inferdx/internal/evidence/nsys"
	"github.com/inferdx/inferdx/internal/evidence/torchmem"
	"github.com/inferdx/inferdx/internal/evidence/torchtable"
	"github.com/inferdx/inferdx/internal/evidence/torchtrace"
)

const stats = "Time (%),Total Time (ns),Instances,Avg (ns),Med (ns),Min (ns),Max (ns),StdDev (ns),Name\n75.0,3000000,300,10000.0,1.0,1,2,0.0,nvjet\n"

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFileIsToldByItsContent(t *testing.T) {
	is := map[string]func(Profile) bool{
		"trace":  func(p Profile) bool { _, ok := p.(*torchtrace.Profile); return ok },
		"table":  func(p Profile) bool { _, ok := p.(*torchtable.Profile); return ok },
		"ncu":    func(p Profile) bool { _, ok := p.(*nsight.Profile); return ok },
		"nsys":   func(p Profile) bool { _, ok := p.(*nsys.Profile); return ok },
		"memory": func(p Profile) bool { _, ok := p.(*torchmem.Memory); return ok },
	}
	var wide []byte // as PowerShell's > writes it
	for _, u := range utf16.Encode([]rune("\ufeff" + strings.ReplaceAll(stats, "\n", "\r\n"))) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	for path, kind := range map[string]string{
		"../../../corpus/eager-c8/profile.trace.json.gz":                                     "trace",
		"../torchtrace/testdata/cpu.pt.trace.json.gz":                                        "trace",
		"../torchtable/testdata/cpu.txt":                                                     "table",
		"../nsight/testdata/raw.csv.gz":                                                      "ncu",
		"../nsight/testdata/details.csv.gz":                                                  "ncu",
		"../torchmem/testdata/memory_snapshot.pickle":                                        "memory",
		"../torchmem/testdata/memory_summary.txt":                                            "memory",
		write(t, "stats.csv", stats):                                                         "nsys",
		write(t, "windows.csv", string(wide)):                                                "nsys",
		write(t, "a.json", `[{"ph": "X", "cat": "cpu_op", "name": "a", "ts": 1, "dur": 1}]`): "trace",
	} {
		p, err := Open(path)
		if err != nil || !is[kind](p) {
			t.Errorf("%s: %T, %v", path, p, err)
		}
	}
}

func TestAFileOfNoKnownKindIsNamed(t *testing.T) {
	path := write(t, "x.txt", "hello\n")
	if _, err := Open(path); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	if _, err := Open(path + "x"); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "read profile") {
		t.Error(err)
	}
	if _, err := Open(write(t, "x.gz", "\x1f\x8bgarbage")); err == nil || errors.Is(err, ErrUnknown) {
		t.Errorf("garbage behind a gzip header: %v", err)
	}
	if kinds := Kinds(); len(kinds) != 5 || slices.Contains(kinds, "") {
		t.Errorf("%q", kinds)
	}
}

func TestFactsOfSeveralProfilesStandTogether(t *testing.T) {
	var ps []Profile
	for _, path := range []string{
		"../torchtrace/testdata/cpu.pt.trace.json.gz", "../../../corpus/eager-c8/profile.trace.json.gz", "../torchtable/testdata/eager.txt",
		"../nsight/testdata/raw.csv.gz", "../torchmem/testdata/memory_snapshot.pickle",
	} {
		p, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
	f := Facts(ps)
	for _, name := range []string{"profile_step_launch_wait_s", "profile_graph_launches", "kernel_sm_ratio", "memory_split_ratio"} {
		if _, ok := f[name]; !ok {
			t.Errorf("%s is lost", name)
		}
	}
	if v := f["profile_step_s"].Num; v < 0.03 || v > 0.033 {
		t.Errorf("a decode step of %v s: not that of the GPU's trace", v)
	}
	if r := Ranks(ps); r == nil || r.Finding() != "" {
		t.Errorf("%+v", r)
	}
	if Ranks(ps[3:]) != nil {
		t.Error("ranks without a trace")
	}
}
