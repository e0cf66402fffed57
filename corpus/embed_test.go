package corpus

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

func TestTheTruthIsReadAsYAMLHasIt(t *testing.T) {
	want := map[string]int{}
	paths, err := filepath.Glob("*/scenario.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal(err)
	}
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		var s struct {
			Causes []string `yaml:"causes"`
			Split  string   `yaml:"split"`
		}
		if err := yaml.Unmarshal(text, &s); err != nil {
			t.Fatal(p, err)
		}
		for _, c := range s.Causes {
			if s.Split != "heldout" && s.Split != "probe" && s.Split != "simulated" {
				want[c]++
			}
		}
	}
	if diff := cmp.Diff(want, Behind()); diff != "" {
		t.Error(diff)
	}
}

func TestTheDemoIsWhole(t *testing.T) {
	for _, name := range []string{"metrics.om.gz", "scenario.yaml", "server.log.gz"} {
		if text, err := fs.ReadFile(Demo(), name); err != nil || len(text) == 0 {
			t.Error(name, err)
		}
	}
}
