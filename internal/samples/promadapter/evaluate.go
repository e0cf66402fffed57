package promadapter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// Evaluator answers PromQL over one store. It is safe for concurrent use.
type Evaluator struct {
	store    *Store
	engine   *promql.Engine
	identity []string
}

// Options bound what one query may cost.
type Options struct {
	Timeout    time.Duration // 10 s when 0
	MaxSamples int           // 50 million when 0
}

// NewEvaluator makes an evaluator over a finished store.
func NewEvaluator(st *samples.Store, o Options) *Evaluator {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.MaxSamples == 0 {
		o.MaxSamples = 50_000_000
	}
	e := &Evaluator{store: New(st), engine: promql.NewEngine(promql.EngineOpts{
		MaxSamples: o.MaxSamples, Timeout: o.Timeout,
		EnableAtModifier: true, EnableNegativeOffset: true, Parser: parser.NewParser(parser.Options{}),
	})}
	for _, in := range st.Instances() {
		for _, l := range in.Labels {
			if !slices.Contains(e.identity, l.Name) {
				e.identity = append(e.identity, l.Name)
			}
		}
	}
	return e
}

// Vector evaluates a query at one instant.
func (e *Evaluator) Vector(ctx context.Context, query string, at time.Time) (promql.Vector, error) {
	q, err := e.engine.NewInstantQuery(ctx, e.store, nil, query, at)
	if err != nil {
		return nil, fmt.Errorf("evaluate %s: %w", query, err)
	}
	defer q.Close()
	res := q.Exec(ctx)
	if res.Err != nil {
		return nil, fmt.Errorf("evaluate %s: %w", query, res.Err)
	}
	switch v := res.Value.(type) {
	case promql.Vector:
		return slices.Clone(v), nil
	case promql.Scalar:
		return promql.Vector{{T: v.T, F: v.V}}, nil
	}
	return nil, fmt.Errorf("evaluate %s: it gives a %s, want one number for each server", query, parser.DocumentedType(res.Value.Type()))
}

// ByInstance evaluates a query at one instant and gives the numbers by the key of the instance that
// their labels name; a number without such labels has the key "". It fits signals.Request.PromQL.
func (e *Evaluator) ByInstance(query string, at time.Time) (map[string]float64, error) {
	v, err := e.Vector(context.Background(), query, at)
	if err != nil {
		return nil, err
	}
	out := make(map[string]float64, len(v))
	for _, s := range v {
		key := e.key(s.Metric)
		if _, twice := out[key]; twice {
			return nil, fmt.Errorf("evaluate %s: several series for %s: fold them, as in sum by ($by) (…)", query, s.Metric)
		}
		if s.H != nil {
			return nil, fmt.Errorf("evaluate %s: it gives a histogram, want a number", query)
		}
		out[key] = s.F
	}
	return out, nil
}

func (e *Evaluator) key(ls labels.Labels) string {
	own := model.Labels{}
	for _, n := range e.identity {
		if v := ls.Get(n); v != "" {
			own = append(own, model.Label{Name: n, Value: v})
		}
	}
	own.Sort()
	return own.Key()
}

// Parse checks a query and lists the metrics it reads. It fits signals.Options.PromQL; the error is
// an *expression.SyntaxError.
func Parse(query string) ([]string, error) {
	x, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		return nil, syntax(query, err)
	}
	if t := x.Type(); t != parser.ValueTypeVector && t != parser.ValueTypeScalar {
		return nil, &expression.SyntaxError{Len: len(query), Msg: fmt.Sprintf("it gives a %s, want one number for each server", parser.DocumentedType(t))}
	}
	var names []string
	parser.Inspect(x, func(n parser.Node, _ []parser.Node) error {
		vs, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		name := metric(vs)
		if name == "" {
			pos := vs.PositionRange()
			err = &expression.SyntaxError{Off: int(pos.Start), Len: int(pos.End - pos.Start), Msg: "name the metric: only named metrics are kept at a scrape"}
		} else if !slices.Contains(names, name) {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// metric is the name that a selector asks for; "" when it is open.
func metric(vs *parser.VectorSelector) string {
	for _, m := range vs.LabelMatchers {
		if m.Name == common.MetricNameLabel && m.Type == labels.MatchEqual {
			return m.Value
		}
	}
	return vs.Name
}

func syntax(query string, err error) error {
	var faults parser.ParseErrors
	if !errors.As(err, &faults) || len(faults) == 0 {
		return &expression.SyntaxError{Len: len(query), Msg: err.Error()}
	}
	f := faults[0]
	off := min(max(int(f.PositionRange.Start), 0), len(query))
	return &expression.SyntaxError{Off: off, Len: max(min(int(f.PositionRange.End), len(query))-off, 1), Msg: f.Err.Error()}
}
