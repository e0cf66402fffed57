// Package tsdb keeps scraped samples on disk, in an embedded Prometheus TSDB. Prometheus and promtool
// read its folder. Classic histograms are kept packed, as native histograms with custom buckets, which
// is a sixth of the series, and come out as they went in.
package tsdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/prometheus/tsdb"
)

// Folder is where a service keeps samples inside its data folder.
const Folder = "samples"

// Options say how samples are kept.
type Options struct {
	// Retention is how long samples are kept at least; 0 means 15 days. What is dropped is dropped by the
	// block, so some of it stays for up to a tenth longer.
	Retention time.Duration
	// BlockDuration is how much of the newest past is held in memory, and by half as much again; 0 means
	// two hours.
	BlockDuration time.Duration
	// Identity are the label names that tell instances apart when samples are read; none means job and
	// instance.
	Identity []string
	// Logger is told of what was repaired or set aside; nil drops it.
	Logger *slog.Logger
	// Now is the clock; nil is the real one.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Retention <= 0 {
		o.Retention = 15 * 24 * time.Hour
	}
	if o.BlockDuration <= 0 {
		o.BlockDuration = 2 * time.Hour
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// inner are the options of the TSDB, tuned for many short-named series of few targets: no exemplars, a
// small hash table, and no isolation between readers and writers, as nobody reads the present here.
func (o Options) inner() *tsdb.Options {
	out := tsdb.DefaultOptions()
	out.RetentionDuration = o.Retention.Milliseconds()
	out.MinBlockDuration = o.BlockDuration.Milliseconds()
	out.MaxBlockDuration = max(out.MinBlockDuration, min(out.RetentionDuration/10, 31*24*time.Hour.Milliseconds()))
	out.StripeSize = 1 << 12
	out.IsolationDisabled = true
	out.EnableExemplarStorage = false
	return out
}

// DB is an open folder. It is safe for concurrent use.
type DB struct {
	dir string
	o   Options

	mu    sync.RWMutex // held for writing while inner is replaced
	inner *tsdb.DB
	opens int // how often inner was opened: references to series are good for one of them
	torn  torn
	clock jump

	appended, late, failed, commits atomic.Uint64
}

// Open opens a folder and makes it if need be. What is damaged in it is set aside with a warning: the
// error is about a folder that cannot be used at all, or that another process uses.
func Open(dir string, o Options) (*DB, error) {
	db := &DB{dir: dir, o: o.withDefaults()}
	if err := db.open(); err != nil {
		return nil, fmt.Errorf("open samples in %s: %w", dir, err)
	}
	return db, nil
}

func (db *DB) open() error {
	for {
		inner, err := tsdb.Open(db.dir, db.o.Logger, nil, db.o.inner(), nil)
		if err == nil {
			db.inner = inner
			db.opens++
			return nil
		}
		if !damage(err) {
			return err
		}
		moved, asideErr := setAside(db.dir, db.o.Logger)
		if asideErr != nil || len(moved) == 0 {
			return errors.Join(err, asideErr)
		}
		for _, m := range moved {
			db.o.Logger.Warn("samples were damaged and are set aside", "path", filepath.Join(db.dir, m), "error", err)
		}
	}
}

// Close writes out what is pending and frees the folder for others.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if err := db.inner.Close(); err != nil {
		return fmt.Errorf("close samples: %w", err)
	}
	return nil
}

// Stats are counts since Open, but for the series.
type Stats struct {
	// Appended are the values kept. Late are those that were older than what their series has, or came
	// twice; Failed those that could not be kept for another reason, such as a full disk.
	Appended, Late, Failed uint64
	// FailedCommits are the scrapes behind Failed that were lost as a whole.
	FailedCommits uint64
	// Series are in memory now; a packed histogram is one.
	Series uint64
}

// Stats gives the counts.
func (db *DB) Stats() Stats {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return Stats{
		Appended: db.appended.Load(), Late: db.late.Load(), Failed: db.failed.Load(),
		FailedCommits: db.commits.Load(), Series: db.inner.Head().NumSeries(),
	}
}

// Compact writes blocks of what has become old and drops what is older than the retention. It happens
// by itself once a minute.
func (db *DB) Compact(ctx context.Context) error {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if err := db.inner.Compact(ctx); err != nil {
		return fmt.Errorf("compact samples: %w", err)
	}
	return nil
}
