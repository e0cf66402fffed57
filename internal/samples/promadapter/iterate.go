package promadapter

import (
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/inferdx/inferdx/internal/samples"
)

// set implements storage.SeriesSet.
type set struct {
	list []storage.Series
	at   int
}

func (s *set) Next() bool {
	s.at++
	return s.at < len(s.list)
}

func (s *set) At() storage.Series                { return s.list[s.at] }
func (s *set) Err() error                        { return nil }
func (s *set) Warnings() annotations.Annotations { return nil }

// view is a series between two times; it implements storage.Series.
type view struct {
	*series
	mint, maxt int64
}

func (v *view) Labels() labels.Labels { return v.labels }

func (v *view) Iterator(chunkenc.Iterator) chunkenc.Iterator {
	return storage.NewListSeriesIterator(list(v.within(v.mint, v.maxt)))
}

// list implements storage.Samples.
type list []samples.Point

func (l list) Len() int                { return len(l) }
func (l list) Get(i int) chunks.Sample { return float{l[i]} }

// float implements chunks.Sample; it is never a histogram.
type float struct{ p samples.Point }

func (f float) ST() int64                     { return 0 }
func (f float) T() int64                      { return f.p.T }
func (f float) F() float64                    { return f.p.V }
func (f float) H() *histogram.Histogram       { return nil }
func (f float) FH() *histogram.FloatHistogram { return nil }
func (f float) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (f float) Copy() chunks.Sample           { return f }
