package service

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/inferdx/inferdx/internal/setup"
)

func TestAStopDuringTheStartIsNoFault(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "inferdx.yml")
	write(t, path, "urls: ['localhost:1']\nstorage: {path: "+filepath.Join(dir, "data")+"}\n")
	cfg, err := setup.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), Options{Setup: cfg, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := s.Run(ctx); err != nil {
		t.Errorf("got %v", err)
	}
}
