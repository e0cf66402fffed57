package tsdb_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/tsdb"
)

var began = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// gauge appends one value every 15 s, from a time on.
func gauge(t *testing.T, db *tsdb.DB, from time.Time, n int) {
	t.Helper()
	target := db.Target(labelsOf("a:8000"))
	s := target.Series("running", nil)
	for i := range n {
		at := from.Add(time.Duration(i) * 15 * time.Second).UnixMilli()
		if err := target.Append(at, true, []tsdb.Sample{{Series: s, Point: samples.Point{T: at, V: float64(i)}}}); err != nil {
			t.Fatal(err)
		}
	}
}

func kept(t *testing.T, db *tsdb.DB) []samples.Point {
	t.Helper()
	st, faults, err := db.Read(t.Context(), began.Add(48*time.Hour), 49*time.Hour, nil)
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	for _, in := range st.Instances() {
		for _, s := range in.Named("running") {
			return s.Points
		}
	}
	return nil
}

// blocks makes a folder with some blocks and something in the log.
func blocks(t *testing.T) (dir string, ids []string) {
	t.Helper()
	dir = t.TempDir()
	db := open(t, dir, tsdb.Options{BlockDuration: 10 * time.Minute})
	gauge(t, db, began, 4*60)
	if err := db.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	found, _ := filepath.Glob(filepath.Join(dir, "*", "meta.json"))
	for _, f := range found {
		ids = append(ids, filepath.Base(filepath.Dir(f)))
	}
	if len(ids) < 2 {
		t.Fatalf("%d blocks", len(ids))
	}
	return dir, ids
}

func TestDamageIsSetAsideAndTheRestIsRead(t *testing.T) {
	garbage := []byte(strings.Repeat("\xde\xad\xbe\xef", 64))
	for name, c := range map[string]struct {
		harm  func(dir, block string) error
		aside bool
	}{
		"a block's index": {func(dir, block string) error { return os.WriteFile(filepath.Join(dir, block, "index"), garbage, 0o600) }, true},
		"a block's meta": {func(dir, block string) error {
			return os.WriteFile(filepath.Join(dir, block, "meta.json"), garbage, 0o600)
		}, false},
		"a block without its chunks": {func(dir, block string) error {
			return os.RemoveAll(filepath.Join(dir, block, "chunks"))
		}, true},
		"the log": {func(dir, _ string) error {
			logs, err := filepath.Glob(filepath.Join(dir, "wal", "0*"))
			for _, l := range logs {
				err = errors.Join(err, os.WriteFile(l, garbage, 0o600))
			}
			return err
		}, false},
		"the log is a file": {func(dir, _ string) error {
			wal := filepath.Join(dir, "wal")
			return errors.Join(os.RemoveAll(wal), os.WriteFile(wal, garbage, 0o600))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir, ids := blocks(t)
			if err := c.harm(dir, ids[0]); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			db := open(t, dir, tsdb.Options{BlockDuration: 10 * time.Minute, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			if n := len(kept(t, db)); n == 0 || n >= 4*60 {
				t.Errorf("%d samples are left", n)
			}
			gauge(t, db, began.Add(2*time.Hour), 4)
			if ps := kept(t, db); ps[len(ps)-1].T != began.Add(2*time.Hour+45*time.Second).UnixMilli() {
				t.Error("nothing can be appended")
			}
			if err := db.Close(); err != nil { // it logs in the background
				t.Error(err)
			}
			said := strings.Contains(log.String(), "level=WARN") || strings.Contains(log.String(), "level=ERROR")
			if !said {
				t.Errorf("no warning was given:\n%s", log.String())
			}
			moved, _ := os.ReadDir(filepath.Join(dir, "set-aside"))
			if (len(moved) > 0) != c.aside {
				t.Errorf("set aside: %v", moved)
			}
		})
	}
}

func TestThePastIsReadAroundDamage(t *testing.T) {
	dir, ids := blocks(t)
	if err := os.WriteFile(filepath.Join(dir, ids[0], "index"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := tsdb.OpenPast(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	st, faults, err := p.Select(t.Context(), tsdb.Selection{At: began.Add(2 * time.Hour), Window: 3 * time.Hour})
	if err != nil || len(faults) != 1 || len(st.Instances()) != 1 {
		t.Errorf("got %v, %v, %v", st, faults, err)
	}
	if _, err := tsdb.OpenPast(t.TempDir()); err == nil {
		t.Error("an empty folder has a past")
	}
}

func TestAFolderInUseIsRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, tsdb.Options{})
	if _, err := tsdb.Open(dir, tsdb.Options{}); err == nil {
		t.Error("two write to one folder")
	}
	if entries, _ := filepath.Glob(filepath.Join(dir, "set-aside", "*")); len(entries) > 0 {
		t.Errorf("%v were set aside", entries)
	}
}

func TestSamplesOlderThanTheRetentionGo(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, tsdb.Options{Retention: time.Hour, BlockDuration: 10 * time.Minute})
	gauge(t, db, began, 4*180)
	if err := db.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	ps := kept(t, db)
	first, last := time.UnixMilli(ps[0].T), time.UnixMilli(ps[len(ps)-1].T)
	if span := last.Sub(first); span < time.Hour || span > 90*time.Minute {
		t.Errorf("%s are kept", span)
	}
}
