package store_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/store"
)

// sqlite reaches into a file beside the store.
func sqlite(t *testing.T, path, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	must(t, err)
	defer db.Close()
	_, err = db.Exec(query)
	must(t, err)
}

func beside(t *testing.T, path, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(path + pattern)
	must(t, err)
	return found
}

func TestTheDatabaseOfThePreviousSchemaIsUpgradedWithAllItHolds(t *testing.T) {
	old, err := os.ReadFile("testdata/v1.db")
	must(t, err)
	path := filepath.Join(t.TempDir(), "inferdx.db")
	must(t, os.WriteFile(path, old, 0o600))
	s := open(t, path)

	state, sent := s.Load()
	if h := state["queue-growing\xfftarget\xffinstance\xffh200-0:8000\xfejob\xffvllm\xfe"]; len(state) != 2 || !h.Firing || h.Observed != 29*time.Minute {
		t.Errorf("the judge remembers %v", state)
	}
	if diff := cmp.Diff(store.Sent{{Receiver: "oncall", Key: "model_name=chat"}: json.RawMessage(`{"number":3,"reason":"worse"}`)}, sent); diff != "" {
		t.Error(diff)
	}
	dead, err := s.Notifications(t.Context(), store.NotificationQuery{State: store.Dead})
	must(t, err)
	if len(dead) != 1 || dead[0].LastError != "serverError: 502 Bad Gateway" || dead[0].Attempts != 7 {
		t.Errorf("dead letters are %+v", dead)
	}
	ds, err := s.Diagnoses(t.Context(), store.Range{})
	must(t, err)
	if len(ds) != 2 || ds[0].Cause != "batch-limit-too-low" || ds[0].Onset || ds[0].Diagnosis.Status != model.Degraded {
		t.Errorf("diagnoses are %+v", ds)
	}
	// What waited is delivered, in its thread and in its order.
	now := time.Date(2026, 11, 1, 3, 40, 0, 0, time.UTC)
	claims, err := s.Claim(t.Context(), store.ClaimQuery{Receiver: "oncall", Now: now, Limit: 9, Owner: "me", Lease: time.Minute})
	must(t, err)
	if len(claims.Ready) != 1 || claims.Ready[0].Message.Reason != plan.Worse || string(claims.Ready[0].Thread) != `{"ts":"1793503800.000100"}` {
		t.Errorf("ready: %+v", claims.Ready)
	}
	silences, err := s.Silences(t.Context(), time.Time{})
	must(t, err)
	acks, err := s.Acknowledgements(t.Context())
	must(t, err)
	if len(silences) != 1 || acks["model_name=chat"].By != "ada" {
		t.Errorf("people said %v, %v", silences, acks)
	}

	copies := beside(t, path, ".v1-*")
	if len(copies) != 1 {
		t.Fatalf("copies kept: %v", copies)
	}
	must(t, s.Close())
	open(t, path)
	if again := beside(t, path, ".v1-*"); len(again) != 1 {
		t.Errorf("a file that is up to date was copied: %v", again)
	}
	// The copy is whole: it can be upgraded in its turn.
	back, _ := open(t, copies[0]).Load()
	if diff := cmp.Diff(state, back); diff != "" {
		t.Error(diff)
	}
}

func TestASchemaFromALaterReleaseIsRefused(t *testing.T) {
	s, path := fresh(t)
	must(t, s.Close())
	sqlite(t, path, "INSERT INTO schema_migrations VALUES (7, '0007_later', 'x', 0)")
	_, err := store.Open(t.Context(), path, store.Options{})
	var newer *store.NewerSchema
	if !errors.As(err, &newer) || newer.Have != 7 || !strings.Contains(err.Error(), "run the later release") {
		t.Errorf("got %v", err)
	}
	if set := beside(t, path, ".corrupt-*"); len(set) != 0 {
		t.Errorf("it was set aside: %v", set)
	}
}

func TestASchemaThatWasEditedIsRefused(t *testing.T) {
	s, path := fresh(t)
	must(t, s.Close())
	sqlite(t, path, "UPDATE schema_migrations SET checksum = 'x' WHERE version = 1")
	if _, err := store.Open(t.Context(), path, store.Options{}); err == nil || !strings.Contains(err.Error(), "schema version 1") {
		t.Errorf("got %v", err)
	}
}

func TestTheDatabaseOfAnotherProgramIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.db")
	sqlite(t, path, "CREATE TABLE precious (x)")
	if _, err := store.Open(t.Context(), path, store.Options{}); err == nil || !strings.Contains(err.Error(), "another program") {
		t.Errorf("got %v", err)
	}
	sqlite(t, path, "INSERT INTO precious VALUES (1)") // still there
}

func TestFault42ACorruptFileIsSetAsideAndTheServiceStarts(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func([]byte) []byte
	}{
		{"no database at all", func([]byte) []byte { return []byte(strings.Repeat("not a database\n", 400)) }},
		{"cut in half", func(b []byte) []byte { return b[:len(b)/2] }},
		{"pages overwritten", func(b []byte) []byte {
			for i := 4096; i < len(b); i++ {
				b[i] = 0xa5
			}
			return b
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, path := fresh(t)
			must(t, s.Tick(t.Context(), store.Tick{At: t0, Messages: []plan.Message{message("r", "k", 1, plan.First)}}))
			must(t, s.Close())
			whole, err := os.ReadFile(path)
			must(t, err)
			harmed := c.harm(whole)
			must(t, os.WriteFile(path, harmed, 0o600))

			s = open(t, path)
			if w := s.Warnings(); len(w) != 1 || !strings.Contains(w[0], "corrupt") {
				t.Errorf("warnings: %q", w)
			}
			must(t, s.Tick(t.Context(), store.Tick{At: t0, Messages: []plan.Message{message("r", "k", 2, plan.First)}}))
			kept := beside(t, path, ".corrupt-*Z")
			if len(kept) != 1 {
				t.Fatalf("kept: %v", kept)
			}
			if bad, err := os.ReadFile(kept[0]); err != nil || string(bad) != string(harmed) {
				t.Errorf("the bad copy is not what was found: %v", err)
			}
		})
	}
}

func TestASecondProcessFencesTheFirstOff(t *testing.T) {
	first, path := fresh(t)
	second := open(t, path)
	tick := store.Tick{At: t0, Messages: []plan.Message{message("r", "k", 1, plan.First)}}
	if err := first.Tick(t.Context(), tick); !errors.Is(err, store.ErrSuperseded) {
		t.Errorf("the first wrote on: %v", err)
	}
	must(t, second.Tick(t.Context(), tick))
}

func TestAPathWithOddCharactersIsTheFileThatIsOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c=d#e%20f.db")
	open(t, path)
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
