// Package require lets a test use a program that is not everywhere, and lets a
// run insist that nothing was skipped for the want of one.
package require

import (
	"go/build"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Variable names the environment variable that makes parts mandatory: "all",
// or the parts' names separated by commas.
const Variable = "INFERDX_REQUIRE"

// Part returns the path of the binary that a part of the tests needs, from
// PATH or from where go install puts programs; where several names are given,
// the first that is there. Without it the test is skipped, or fails when
// INFERDX_REQUIRE names the part.
func Part(t testing.TB, name string, binaries ...string) string {
	t.Helper()
	for _, binary := range binaries {
		if path, ok := find(binary); ok {
			return path
		}
	}
	wanted := strings.Join(binaries, " or ")
	if mandatory(os.Getenv(Variable), name) {
		t.Fatalf("%s: %s is neither on PATH nor in GOPATH/bin, and %s asks for it", name, wanted, Variable)
	} else {
		t.Skipf("%s: %s is neither on PATH nor in GOPATH/bin", name, wanted)
	}
	return ""
}

func find(binary string) (string, bool) {
	if path, err := exec.LookPath(binary); err == nil {
		return path, true
	}
	dirs := []string{os.Getenv("GOBIN")}
	for _, dir := range filepath.SplitList(build.Default.GOPATH) {
		dirs = append(dirs, filepath.Join(dir, "bin"))
	}
	for _, dir := range dirs {
		if dir == "" {
			continue
		}
		if path, err := exec.LookPath(filepath.Join(dir, binary)); err == nil {
			return path, true
		}
	}
	return "", false
}

func mandatory(list, name string) bool {
	names := strings.Split(list, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return slices.Contains(names, "all") || name != "" && slices.Contains(names, name)
}
