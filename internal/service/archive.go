package service

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/scrape"
	"github.com/inferdx/inferdx/internal/source/tsdb"
)

// archive keeps what is scraped for as long as storage.retention says.
type archive struct {
	db  *tsdb.DB
	log *slog.Logger
}

// openArchive opens the folder of samples. Without it the service goes on: only the past is missing.
func openArchive(o Options) *archive {
	c := o.Setup.Config
	db, err := tsdb.Open(filepath.Join(c.Storage.Path, tsdb.Folder), tsdb.Options{
		Retention: time.Duration(c.Storage.Retention), Identity: texts(c.Targets.Identity), Logger: slog.New(warnings{o.Log.Handler()}), Now: o.Now,
	})
	if err != nil {
		o.Log.Error("samples cannot be kept on disk: comparisons with the past will be missing", "err", err)
		return nil
	}
	return &archive{db, o.Log}
}

// Read gives the samples of a window that ended at a time.
func (a *archive) Read(ctx context.Context, w excerpt) (*samples.Store, []model.Fault, error) {
	return a.db.Select(ctx, tsdb.Selection{At: w.at, Window: w.window, Names: w.names, Only: w.only, Sparse: w.sparse})
}

// Target implements scrape.Archive.
func (a *archive) Target(identity model.Labels) scrape.ArchiveTarget {
	return &archived{to: a.db.Target(identity), log: a.log}
}

type archived struct {
	to    *tsdb.Target
	log   *slog.Logger
	given []tsdb.Sample
}

// Series implements scrape.ArchiveTarget.
func (a *archived) Series(name string, labels model.Labels) any { return a.to.Series(name, labels) }

// Append implements scrape.ArchiveTarget.
func (a *archived) Append(at int64, answered bool, series []any, points []samples.Point) {
	a.given = a.given[:0]
	for i, s := range series {
		a.given = append(a.given, tsdb.Sample{Series: s.(*tsdb.Series), Point: points[i]}) //nolint:forcetypeassert // Series made it
	}
	if err := a.to.Append(at, answered, a.given); err != nil {
		a.log.Debug("a scrape was not kept", "err", err)
	}
}

// recallPresent fills the world with what was scraped before a restart, so that the windows are whole.
func (s *Service) recallPresent(ctx context.Context, p *parts) {
	if s.archive == nil {
		return
	}
	st, faults, err := s.archive.Read(ctx, excerpt{at: s.o.Now(), window: p.window})
	if err != nil {
		s.log.Warn("what was scraped before the start cannot be read", "err", err)
		return
	}
	for _, f := range faults {
		s.log.Warn("what was scraped before the start was read in part", "source", f.Source, "err", f.Err)
	}
	s.world.Lock()
	defer s.world.Unlock()
	s.world.samples.Absorb(st)
}

// warnings passes on what is a warning at least: a library's own progress is nobody's news.
type warnings struct{ slog.Handler }

// Enabled implements slog.Handler.
func (w warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && w.Handler.Enabled(ctx, l)
}

// WithAttrs implements slog.Handler.
func (w warnings) WithAttrs(as []slog.Attr) slog.Handler { return warnings{w.Handler.WithAttrs(as)} }

// WithGroup implements slog.Handler.
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }
