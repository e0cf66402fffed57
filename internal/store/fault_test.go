package store

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/plan"
)

var update = flag.Bool("update", false, "write testdata/v1.db anew")

// TestMain writes the database of schema 1 as that schema's release would have left it.
func TestMain(m *testing.M) {
	flag.Parse()
	if *update {
		if err := writeV1(); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func writeV1() error {
	const path = "testdata/v1.db"
	content, err := os.ReadFile("testdata/v1.sql")
	if err != nil {
		return err
	}
	_ = os.Remove(path)
	s := &Store{o: Options{Now: func() time.Time { return time.Unix(1793000000, 0) }}.withDefaults(), path: path}
	ctx := context.Background()
	if err := s.open(ctx, migrations()[:1]); err != nil {
		return err
	}
	_, err = s.writer.ExecContext(ctx, string(content))
	return errors.Join(err, s.Close())
}

func full(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestAFaultOfTheDiskIsNamedAndPasses(t *testing.T) {
	for _, c := range []struct {
		name, begin, end string
		want             Fault
	}{
		{"full", "PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1000000", DiskFull},
		{"read-only", "PRAGMA query_only = 1", "PRAGMA query_only = 0", ReadOnly},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := full(t)
			pragma := func(text string) {
				if _, err := s.writer.ExecContext(t.Context(), text); err != nil {
					t.Fatal(err)
				}
			}
			big := plan.Message{ID: "1", Receiver: "r", Key: strings.Repeat("k", 1<<20), Deadline: time.Now()}
			pragma(c.begin)
			err := s.Tick(t.Context(), Tick{At: time.Now(), Messages: []plan.Message{big}})
			var u *Unwritable
			if !errors.As(err, &u) || u.Fault != c.want {
				t.Fatalf("got %v", err)
			}
			if _, err := s.Notifications(t.Context(), NotificationQuery{}); err != nil {
				t.Errorf("it cannot be read either: %v", err)
			}
			pragma(c.end)
			if err := s.Tick(t.Context(), Tick{At: time.Now(), Messages: []plan.Message{big}}); err != nil {
				t.Errorf("with room again: %v", err)
			}
		})
	}
}

func TestAWriterElsewhereIsWaitedForAndThenNamed(t *testing.T) {
	s := full(t)
	other := full(t)
	if _, err := s.writer.ExecContext(t.Context(), "PRAGMA busy_timeout = 10"); err != nil {
		t.Fatal(err)
	}
	if _, err := other.writer.ExecContext(t.Context(), "ATTACH ? AS theirs", s.path); err != nil {
		t.Fatal(err)
	}
	if _, err := other.writer.ExecContext(t.Context(), "BEGIN IMMEDIATE; UPDATE theirs.meta SET value = value"); err != nil {
		t.Fatal(err)
	}
	err := s.Tick(t.Context(), Tick{At: time.Now(), Transitions: []Transition{{Symptom: "x"}}})
	var u *Unwritable
	if !errors.As(err, &u) || u.Fault != Locked {
		t.Errorf("got %v", err)
	}
}
