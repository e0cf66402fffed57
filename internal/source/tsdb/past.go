package tsdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/wlog"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// Past is a folder opened for reading, beside the service that writes it or without one; nothing in it is
// changed. It shows what was there when it was opened. It is not safe for concurrent use.
type Past struct {
	dir     string
	blocks  []*tsdb.Block
	newest  *tsdb.Head // what is in no block yet
	scratch string
	faults  []model.Fault
}

// OpenPast opens a folder that Open has made, or a Prometheus's own. What is damaged in it is left out
// and is a fault of every Select.
func OpenPast(dir string) (*Past, error) {
	p := &Past{dir: dir}
	if err := p.open(); err != nil {
		return nil, fmt.Errorf("read the past in %s: %w", dir, errors.Join(err, p.Close()))
	}
	return p, nil
}

func (p *Past) open() error {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return err
	}
	wal := false
	end := int64(math.MinInt64)
	for _, e := range entries {
		wal = wal || e.Name() == "wal"
		if _, err := ulid.ParseStrict(e.Name()); err != nil || !e.IsDir() {
			continue
		}
		b, err := tsdb.OpenBlock(nil, filepath.Join(p.dir, e.Name()), nil, nil)
		if err != nil {
			p.faults = append(p.faults, model.Fault{Source: filepath.Join(p.dir, e.Name()), Err: err.Error()})
			continue
		}
		p.blocks = append(p.blocks, b)
		end = max(end, b.MaxTime())
	}
	if wal {
		return p.replay(end)
	}
	if len(p.blocks)+len(p.faults) == 0 {
		return errors.New("it holds no samples")
	}
	return nil
}

// replay reads what was written after the last block. A line of the log that is not whole yet, or
// damaged, ends it: that is a fault, and what came before stands.
func (p *Past) replay(after int64) error {
	log, err := wlog.Open(nil, filepath.Join(p.dir, "wal"))
	if err != nil {
		return err
	}
	if p.scratch, err = os.MkdirTemp("", "inferdx-past-"); err != nil {
		return err
	}
	o := tsdb.DefaultHeadOptions()
	o.ChunkDirRoot, o.StripeSize = p.scratch, Options{}.inner().StripeSize
	if p.newest, err = tsdb.NewHead(nil, slog.New(slog.DiscardHandler), log, nil, o, tsdb.NewHeadStats()); err != nil {
		return err
	}
	if err := p.newest.Init(after); err != nil {
		p.faults = append(p.faults, model.Fault{Source: filepath.Join(p.dir, "wal"), Err: err.Error()})
	}
	return nil
}

// Bounds are the times between which there may be samples; false where there are none.
func (p *Past) Bounds() (first, last time.Time, ok bool) {
	from, to := int64(math.MaxInt64), int64(math.MinInt64)
	for _, b := range p.blocks {
		from, to = min(from, b.MinTime()), max(to, b.MaxTime()-1)
	}
	if p.newest != nil && p.newest.MinTime() <= p.newest.MaxTime() {
		from, to = min(from, p.newest.MinTime()), max(to, p.newest.MaxTime())
	}
	return time.UnixMilli(from), time.UnixMilli(to), from <= to
}

// Close frees what Past holds.
func (p *Past) Close() error {
	var errs []error
	for _, b := range p.blocks {
		errs = append(errs, b.Close())
	}
	if p.newest != nil {
		errs = append(errs, p.newest.Close())
	}
	if p.scratch != "" {
		errs = append(errs, os.RemoveAll(p.scratch))
	}
	return errors.Join(errs...)
}

// Select reads some metrics. See DB.Read.
func (p *Past) Select(ctx context.Context, sel Selection) (*samples.Store, []model.Fault, error) {
	q, err := p.querier(sel.span())
	if err != nil {
		return nil, nil, fmt.Errorf("read the past in %s: %w", p.dir, err)
	}
	defer q.Close()
	st, faults, err := sel.read(ctx, q)
	return st, append(faults, p.faults...), err
}

func (p *Past) querier(from, to int64) (storage.Querier, error) {
	var readers []tsdb.BlockReader
	for _, b := range p.blocks {
		if b.MaxTime() > from && b.MinTime() <= to {
			readers = append(readers, b)
		}
	}
	if p.newest != nil && p.newest.MaxTime() >= from && p.newest.MinTime() <= to {
		readers = append(readers, tsdb.NewRangeHead(p.newest, from, to))
	}
	var all []storage.Querier
	for _, r := range readers {
		q, err := tsdb.NewBlockQuerier(r, from, to)
		if err != nil {
			for _, open := range all {
				err = errors.Join(err, open.Close())
			}
			return nil, err
		}
		all = append(all, q)
	}
	return storage.NewMergeQuerier(all, nil, storage.ChainedSeriesMerge), nil
}
