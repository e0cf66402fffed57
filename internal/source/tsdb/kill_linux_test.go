package tsdb_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/tsdb"
)

// childRole makes the test binary a service of its own: one that is killed, or one whose disk is small.
const childRole = "INFERDX_TEST_TSDB"

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(childRole) {
	case "":
		os.Exit(m.Run())
	case "kill":
		err = appendForever(os.Args[1])
	case "full":
		err = fillTheDisk(os.Args[1])
	}
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// writer appends one value to a series at a time.
func writer(db *tsdb.DB) func(at time.Time) error {
	target := db.Target(labelsOf("a:8000"))
	s := target.Series("running", nil)
	return func(at time.Time) error {
		ms := at.UnixMilli()
		return target.Append(ms, true, []tsdb.Sample{{Series: s, Point: samples.Point{T: ms, V: 1}}})
	}
}

func appendForever(dir string) error {
	db, err := tsdb.Open(dir, tsdb.Options{})
	if err != nil {
		return err
	}
	add := writer(db)
	for i := 0; ; i++ {
		if err := add(began.Add(time.Duration(i) * time.Second)); err != nil {
			return err
		}
		fmt.Println(i + 1)
	}
}

// After SIGKILL the folder opens at once, and every scrape whose Append had returned is there.
func TestAKilledServiceFindsItsSamplesAgain(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], dir)
	cmd.Env = append(os.Environ(), childRole+"=kill")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acknowledged := 0
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, err := fmt.Sscan(lines.Text(), &acknowledged); err != nil {
			t.Fatal(lines.Text())
		}
		if acknowledged == 500 {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	if acknowledged < 500 {
		t.Fatalf("it ended by itself after %d scrapes", acknowledged)
	}
	if _, err := os.Stat(filepath.Join(dir, "lock")); err != nil {
		t.Errorf("it left no lock, so nothing is shown: %v", err)
	}
	if n := len(kept(t, open(t, dir, tsdb.Options{}))); n < acknowledged {
		t.Errorf("%d of %d scrapes are left", n, acknowledged)
	}
}

func fillTheDisk(dir string) error {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		fmt.Println("skip:", err)
		return nil
	}
	now := began
	o := tsdb.Options{Now: func() time.Time { return now }}
	db, err := tsdb.Open(dir, o)
	if err != nil {
		return err
	}
	add := writer(db)
	var want, lost []time.Time
	scrape := func() {
		now = now.Add(15 * time.Second)
		if err := add(now); err != nil {
			lost = append(lost, now)
		} else {
			want = append(want, now)
		}
	}
	scrape()
	for range 2 { // full, then room again, then both once more
		ballast, err := fill(filepath.Join(dir, "ballast"))
		if err != nil {
			return err
		}
		for range 2000 { // the last page of the log has room for some
			scrape()
		}
		if err := os.Remove(ballast); err != nil {
			return err
		}
		for range 10 {
			scrape()
		}
	}
	s := db.Stats()
	fmt.Println("counted", s.FailedCommits == uint64(len(lost)), s.Failed == 2*s.FailedCommits || s.Failed == 2*s.FailedCommits-2)
	if now.Sub(lost[len(lost)-1]) < time.Minute {
		fmt.Println("it goes on losing scrapes with room again")
	}
	for range 2 { // from memory, and from the log alone
		st, _, err := db.Read(context.Background(), now, now.Sub(began)+time.Second, nil)
		if err != nil {
			return err
		}
		got := st.Instances()[0].Named("running")[0].Points
		missing := slices.ContainsFunc(want, func(at time.Time) bool {
			return !slices.ContainsFunc(got, func(p samples.Point) bool { return p.T == at.UnixMilli() })
		})
		fmt.Println("kept", !missing && len(got) < len(want)+10, "lost", len(lost) > 0)
		if err := db.Close(); err != nil {
			return err
		}
		if db, err = tsdb.Open(dir, o); err != nil {
			return err
		}
	}
	return db.Close()
}

// fill takes all the room that is left.
func fill(path string) (string, error) {
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	for size := 1 << 16; size > 0; size /= 4 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
	return path, f.Close()
}

// The child has a file system of 4 MB to itself, in a mount namespace that ends with it.
func TestAFullDiskLosesScrapesAndNothingElse(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], t.TempDir())
	cmd.Env = append(os.Environ(), childRole+"=full")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	switch got := strings.TrimSpace(string(out)); {
	case errors.Is(err, syscall.EPERM) || strings.HasPrefix(got, "skip:"):
		t.Skipf("no file system can be mounted here: %v %s", err, got)
	case err != nil || got != "counted true true\nkept true lost true\nkept true lost true":
		t.Errorf("%v: %s", err, got)
	}
}
