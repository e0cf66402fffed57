package scrape

import (
	"context"
	"errors"
	"hash/fnv"
	"net/http"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/inferdx/inferdx/internal/samples"
)

// loop scrapes one target of a pool.
type loop struct {
	pool    *Pool
	target  Target
	stop    context.CancelFunc
	ended   chan struct{}
	last    atomic.Pointer[Scrape]
	relearn atomic.Bool

	order      []*known          // the wanted lines as the page had them last
	lines      map[string]*known // those that are not in that order, by text
	staged     []given
	generation int
	instances  map[*samples.Instance]*instance
	own        *samples.Instance        // of the target's labels
	archives   map[string]ArchiveTarget // by the key of an instance's labels
}

func (l *loop) sameSettings(t Target) bool {
	a, b := l.target, t
	a.Meta, b.Meta = nil, nil
	return reflect.DeepEqual(a, b)
}

// run scrapes at an offset into the interval that depends on the target, so that many are spread out. A
// scrape that takes too long leaves scrapes out; a pause of the process is made up for by one.
func (l *loop) run(ctx context.Context) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(l.target.ID()))
	every := l.target.Interval
	due := time.Now().Add(time.Duration(h.Sum64() % uint64(every))) //nolint:gosec // an interval is above 0
	for {
		if !sleep(ctx, time.Until(due)) {
			return
		}
		missed := int(time.Since(due) / every)
		due = due.Add(time.Duration(missed+1) * every)
		if !l.once(ctx, missed) {
			return
		}
	}
}

// once is false when ctx ended: that says nothing about the target.
func (l *loop) once(ctx context.Context, missed int) bool {
	begin := time.Now()
	s := Scrape{Target: l.target, At: l.pool.now().Round(0), Missed: missed}
	s.Err = l.read(ctx, s.At.UnixMilli())
	if s.Err != nil && ctx.Err() != nil {
		return false
	}
	if s.Err != nil {
		l.staged = l.staged[:0]
	}
	if l.pool.now().Round(0).Before(s.At) {
		return true // the clock was set back meanwhile: a sample of the future would hide all that follow
	}
	s.Samples, s.Late = l.commit(s.At.UnixMilli(), s.Err == nil)
	s.Took = time.Since(begin)
	l.last.Store(&s)
	l.pool.told(s)
	return true
}

// read fetches and parses the page.
func (l *loop) read(ctx context.Context, at int64) error {
	ctx, stop := context.WithTimeout(ctx, l.target.Timeout)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.target.URL.String(), nil)
	if err != nil {
		return errors.New("cannot make a request of this URL")
	}
	req.Header.Set("Accept", accept)
	buf, _ := l.pool.buffers.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	defer l.pool.buffers.Put(buf)
	limit := l.target.BodyLimit
	resp, err := l.target.Client.Read(ctx, req, limit, *buf)
	if err != nil {
		return err
	}
	*buf = resp.Body
	return l.parse(page{resp.Body, resp.Header.Get("Content-Type")}, at)
}
