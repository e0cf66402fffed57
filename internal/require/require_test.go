package require_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/inferdx/inferdx/internal/require"
)

// outcome records how Part ended instead of ending the test.
type outcome struct {
	testing.TB
	said string
}

func (o *outcome) Helper()                        {}
func (o *outcome) Skipf(format string, a ...any)  { o.end("skip "+format, a) }
func (o *outcome) Fatalf(format string, a ...any) { o.end("fatal "+format, a) }

func (o *outcome) end(format string, a []any) {
	if o.said == "" {
		o.said = fmt.Sprintf(format, a...)
	}
}

func TestAMissingBinarySkipsUnlessItsPartIsRequired(t *testing.T) {
	for list, want := range map[string]string{
		"": "skip oracle: ", "other": "skip oracle: ", "oracles": "skip oracle: ",
		"all": "fatal oracle: ", "oracle": "fatal oracle: ", "other, oracle": "fatal oracle: ", "x,all": "fatal oracle: ",
	} {
		t.Run(list, func(t *testing.T) {
			t.Setenv(require.Variable, list)
			o := &outcome{TB: t}
			if path := require.Part(o, "oracle", "no-such-binary-anywhere"); path != "" {
				t.Errorf("found %s", path)
			}
			if !strings.HasPrefix(o.said, want) || !strings.Contains(o.said, "no-such-binary-anywhere") {
				t.Errorf("got %q, want %q", o.said, want)
			}
		})
	}
}

func TestABinaryIsFound(t *testing.T) {
	for _, variable := range []string{"PATH", "GOBIN"} {
		t.Run("in "+variable, func(t *testing.T) {
			dir := t.TempDir()
			binary := filepath.Join(dir, "inferdx-part")
			if err := os.WriteFile(binary, []byte("#!/bin/sh\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", "")
			t.Setenv(variable, dir)
			if got := require.Part(t, "part", "inferdx-part"); got != binary {
				t.Errorf("got %q, want %q", got, binary)
			}
		})
	}
}
