package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/compare"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// Past reads samples of earlier times.
type Past interface {
	Read(ctx context.Context, at time.Time, window time.Duration, only func(model.Labels) bool) (*samples.Store, []model.Fault, error)
}

// Runner compares what the trials ask for, one after the other. It is the part of the package that reads
// from a source.
type Runner struct {
	Past    Past
	Signals compare.Source
	// Options are the objectives and the price of a target; nil uses the defaults.
	Options func(target map[string]string) compare.Options
	// Timeout bounds each read, a minute if 0.
	Timeout time.Duration
	// Times is how many looks a trial may get at most, 4 if 0: that many chances to be wrong share the
	// confidence.
	Times int
}

// Look is what came of one look at a trial. An error means that it could not be read.
type Look struct {
	Trial  Trial
	Result compare.Result
	Err    error
}

// Look reads and compares both sides of each trial. One that fails does not stop the others; all end
// with ctx.
func (r Runner) Look(ctx context.Context, trials []Trial) []Look {
	var out []Look
	for _, t := range trials {
		l := Look{Trial: t}
		if t.Ended != "" {
			l.Result = compare.Result{Version: "1", Verdict: compare.CannotTell, Why: t.Ended}
		} else {
			l.Result, l.Err = r.compare(ctx, t)
		}
		out = append(out, l)
	}
	return out
}

func (r Runner) compare(ctx context.Context, t Trial) (compare.Result, error) {
	before, err := r.side(ctx, t, t.Before)
	if err != nil {
		return compare.Result{}, fmt.Errorf("read what was before %s: %w", t.Change, err)
	}
	after, err := r.side(ctx, t, t.After)
	if err != nil {
		return compare.Result{}, fmt.Errorf("read what came after %s: %w", t.Change, err)
	}
	var o compare.Options
	if r.Options != nil {
		o = r.Options(t.Target)
	}
	return compare.Run(before, after, shared(o, r.Times)), nil
}

// shared divides what may be wrong by the number of looks.
func shared(o compare.Options, looks int) compare.Options {
	if looks == 0 {
		looks = 4
	}
	if o.Level == 0 {
		o.Level = 0.95
	}
	o.Level = 1 - (1-o.Level)/float64(looks)
	return o
}

var errNotThere = errors.New("the server is not in what the source holds of that time")

func (r Runner) side(ctx context.Context, t Trial, s Span) (compare.Side, error) {
	timeout := r.Timeout
	if timeout == 0 {
		timeout = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if !s.From.Before(s.To) {
		return compare.Side{}, nil
	}
	// The first end belongs to the range, and a read leaves it out.
	st, faults, err := r.Past.Read(ctx, s.To, s.To.Sub(s.From)+time.Millisecond, func(l model.Labels) bool { return of(t.Target, l) })
	if err != nil {
		return compare.Side{}, err
	}
	for _, in := range st.Instances() {
		if _, ok := r.Signals.Engine(in); ok && of(t.Target, in.Labels) {
			return compare.Read(r.Signals, in, compare.Range{From: s.From.UnixMilli(), To: s.To.UnixMilli()}), nil
		}
	}
	if len(faults) > 0 {
		var said []string
		for _, f := range faults {
			said = append(said, f.Source+": "+f.Err)
		}
		return compare.Side{}, errors.New(strings.Join(said, "; "))
	}
	return compare.Side{}, errNotThere
}

// of says that an instance is the target: a target has its instance's labels and those that its series
// add, such as the model's name. A label set that shares none is another's.
func of(target map[string]string, instance model.Labels) bool {
	shares := false
	for _, l := range instance {
		v, ok := target[l.Name]
		if ok && v != l.Value {
			return false
		}
		shares = shares || ok
	}
	return shares && (instance.Get("instance") == target["instance"])
}
