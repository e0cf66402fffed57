package service

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/store"
)

// brittle is a store whose disk fills up and empties again.
type brittle struct {
	*store.Store
	full bool
}

func (b *brittle) Tick(ctx context.Context, t store.Tick) error {
	if b.full {
		return &store.Unwritable{What: "store a tick", Fault: store.DiskFull, Err: errors.New("no space left on device")}
	}
	return b.Store.Tick(ctx, t)
}

func queued(t *testing.T, s *store.Store) []string {
	t.Helper()
	all, err := s.Notifications(t.Context(), store.NotificationQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, n := range all {
		ids = append(ids, n.Message.ID)
	}
	return ids
}

func TestFault43AFullDiskKeepsNoMessageBack(t *testing.T) {
	open := func(path string) *store.Store {
		s, err := store.Open(t.Context(), path, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	disk := &brittle{Store: open(filepath.Join(t.TempDir(), "x.db"))}
	spare := open(store.InMemory)
	k := &keeper{disk: disk, spare: spare, log: slog.New(slog.DiscardHandler)}
	tick := func(id string) {
		t.Helper()
		err := k.tick(t.Context(), store.Tick{
			At: t0, State: engine.State{id: {Since: t0}},
			Transitions: []store.Transition{{At: t0, Symptom: id}},
			Messages:    []plan.Message{{ID: id, Receiver: "r", Key: "k", Deadline: t0.Add(time.Hour)}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	tick("1")
	disk.full = true
	tick("2")
	tick("3")
	if err := k.writable(); err == nil {
		t.Error("nobody is told that the disk is full")
	}
	if got := queued(t, spare); len(got) != 2 {
		t.Errorf("queued in memory: %v", got)
	}
	disk.full = false
	tick("4")
	if err := k.writable(); err != nil {
		t.Error(err)
	}
	if got := queued(t, disk.Store); len(got) != 2 {
		t.Errorf("queued on disk: %v", got)
	}
	all, err := disk.Transitions(t.Context(), store.Range{})
	if err != nil || len(all) != 4 {
		t.Errorf("%d transitions, %v", len(all), err)
	}
	if state, _ := disk.Load(); len(state) != 1 {
		t.Errorf("the state is not the last one: %v", state)
	}
}

func TestFault46ASecondProcessOnTheSameStoreTakesOverAndTheFirstEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	first, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	k := &keeper{disk: first, log: slog.New(slog.DiscardHandler)}
	if err := k.tick(t.Context(), store.Tick{At: t0, State: engine.State{"x": {}}}); !errors.Is(err, store.ErrSuperseded) {
		t.Errorf("got %v", err)
	}
}
