package signals

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// PromQLOptions say what a rendered query selects and by which labels it answers.
type PromQLOptions struct {
	// Match are label matchers for every selector, without braces: job="vllm",instance="a:8000".
	Match string
	// By are the labels that tell the entities of the answer apart; none folds all series into one.
	By []string
	// Window is a duration as PromQL writes it: 5m, 34001ms, $__range.
	Window string
	// Settings are the configured objectives; nil uses the catalogue's defaults.
	Settings map[string]float64
}

// Why a signal has no PromQL.
var (
	// errUnsayable is a quantity that PromQL cannot express.
	errUnsayable = errors.New("it has no PromQL")
	// errUnread is a quantity that no series of the dialect gives: natively it is absent as well.
	errUnread = errors.New("no series gives it")
)

func isUnread(err error) bool { return errors.Is(err, errUnread) }

func unsayable(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUnsayable, fmt.Sprintf(format, args...))
}

// PromQL renders a signal as the query that gives what a frame would hold for entities told apart by
// o.By. Quantiles that a frame only bounds are interpolated, increases are extrapolated to the window
// as PromQL does, and `least` is not asked for. Where a frame has no value the query has no series.
// `above` needs a server with histogram_fraction over classic histograms (Prometheus 3.3).
func (c *Catalog) PromQL(dialect, signal string, o PromQLOptions) (string, error) {
	q := &query{c: c, o: o}
	for _, d := range c.dialects {
		if d.Name == dialect {
			q.d = d
		}
	}
	switch {
	case q.d == nil:
		return "", fmt.Errorf("render signal %s: unknown dialect %s", signal, dialect)
	case o.Window == "":
		return "", fmt.Errorf("render signal %s: no window given", signal)
	}
	x, err := q.signal(signal)
	if err == nil && x.scalar {
		err = unsayable("it is a number that configuration sets, not a measurement")
	}
	if err != nil {
		return "", fmt.Errorf("render signal %s of %s: %w", signal, dialect, err)
	}
	return x.text, nil
}

// Source is one way in which a signal is read.
type Source struct {
	Dialect string
	Metrics []string // the first that is there is read
	Stat    string
}

// Sources lists from which series of which servers a signal is read; none when it is derived.
func (c *Catalog) Sources(signal string) []Source {
	var out []Source
	for _, d := range c.dialects {
		if src, ok := d.Signals[signal]; ok {
			out = append(out, Source{Dialect: d.Name, Metrics: slices.Clone(d.Series[src.Of.S].names()), Stat: src.Stat.S})
		}
	}
	return out
}

// query renders for one dialect.
type query struct {
	c      *Catalog
	d      *dialect
	o      PromQLOptions
	offset string // " offset 1d" while a signal is rendered as it was before
}

// operand is a rendered piece: PromQL text, or a number known beforehand.
type operand struct {
	text   string
	num    float64
	scalar bool
}

func literal(v float64) operand {
	return operand{text: strconv.FormatFloat(v, 'g', -1, 64), num: v, scalar: true}
}

// in is the text fit to stand in a larger expression.
func (x operand) in() string {
	if x.scalar && x.num >= 0 {
		return x.text
	}
	return "(" + x.text + ")"
}

// signal renders what the frame holds under an id: the formula where it can be computed, else the series.
func (q *query) signal(id string) (operand, error) {
	if a, ok, err := q.c.Timed(id); ok || err != nil {
		return q.timed(a, err)
	}
	m, known := q.c.meanings[id]
	src, direct := q.d.Signals[id]
	if m.PromQL.S != "" && q.offset != "" {
		return operand{}, unsayable("%s is a query of its own, and an offset would have to stand inside it", id)
	}
	if m.PromQL.S != "" {
		return operand{text: expand(m.PromQL.S, q.o.Match, strings.Join(q.o.By, ", "), q.o.Window)}, nil
	}
	if m.Setting != nil {
		v, _ := q.c.number(id, q.o.Settings)
		return literal(v), nil
	}
	var read operand
	err := q.unread(id, known)
	if direct {
		read.text, err = q.direct(src)
	}
	if m.Formula.S == "" {
		return read, err
	}
	derived, ferr := q.formula(m.Formula.S)
	if ferr == nil && m.Least.Of.S != "" {
		derived, ferr = q.enough(derived, m.Least)
	}
	switch {
	case direct && isUnread(ferr):
		return read, err
	case !direct || ferr != nil:
		return derived, ferr
	case err != nil:
		return read, err
	}
	return operand{text: derived.in() + " or " + read.in()}, nil
}

// unread says why no series of the dialect gives a name.
func (q *query) unread(id string, known bool) error {
	if !known {
		return unsayable("%s is a fact, not a series", id)
	}
	others := 0
	for _, d := range q.c.dialects {
		if _, ok := d.Signals[id]; !ok {
			continue
		}
		if d.Kind != "engine" && d != q.d {
			return unsayable("%s is read from %s, whose series carry other labels", id, d.Name)
		}
		others++
	}
	if others == 0 {
		return unsayable("%s is worked out from scrapes and joins, not read from a series", id)
	}
	return fmt.Errorf("%w: %s does not export %s", errUnread, q.d.Name, id)
}

// direct renders a statistic over the alternatives of its series: the first one that is there answers.
func (q *query) direct(src SignalSource) (string, error) {
	def := q.d.Series[src.Of.S]
	matchers := q.matchers(def)
	var branches []string
	for _, name := range def.names() {
		for _, n := range spellings(name) {
			one, err := q.branch(src, def, n, matchers)
			if err != nil {
				return "", err
			}
			branches = append(branches, one)
		}
	}
	text := strings.Join(branches, " or ")
	if def.Beside.S != "" {
		beside, err := q.direct(SignalSource{Of: def.Beside, Stat: src.Stat, Fold: src.Fold})
		if err != nil {
			return "", err
		}
		text += " or 0 * (" + beside + ")"
	}
	if src.Scale == 0 || src.Scale == 1 {
		return text, nil
	}
	return "(" + text + ") * " + literal(src.Scale).in(), nil
}

func (q *query) branch(src SignalSource, def SeriesDef, name, matchers string) (string, error) {
	if def.kind() == "histogram" {
		return q.histogram(src, name, matchers)
	}
	one, err := overTime(src, name+matchers+q.span())
	if err != nil {
		return "", err
	}
	fold := src.Fold
	if fold == "" {
		fold = "sum"
	}
	return q.fold(fold, one), nil
}

// overTime renders a statistic of one series.
func overTime(src SignalSource, series string) (string, error) {
	switch src.Stat.S {
	case "rate", "increase", "resets", "changes":
		return src.Stat.S + "(" + series + ")", nil
	case "q":
		return fmt.Sprintf("quantile_over_time(%g, %s)", src.Q, series), nil
	case "slope": // two points make a line but no trend
		return fmt.Sprintf("deriv(%s) and count_over_time(%s) > 2", series, series), nil
	case "total":
		return "", unsayable("PromQL cannot carry a counter on across its resets")
	case "flat":
		return "", unsayable("PromQL cannot find the longest stretch during which a counter stood still")
	case "still", "unborn":
		return "", unsayable("PromQL cannot find when a counter first or last moved")
	case "bits":
		return "", unsayable("PromQL has no bitwise operator")
	default:
		return src.Stat.S + "_over_time(" + series + ")", nil
	}
}

func (q *query) histogram(src SignalSource, name, matchers string) (string, error) {
	over := func(fn, suffix string) string {
		return fn + "(" + name + suffix + matchers + q.span() + ")"
	}
	switch src.Stat.S {
	case "q":
		// No observation gives NaN there; comparing takes it away.
		return fmt.Sprintf("histogram_quantile(%g, %s) > -Inf", src.Q, q.fold("sum", over("rate", "_bucket"), "le")), nil
	case "mean":
		return fmt.Sprintf("%s / (%s > 0)", q.fold("sum", over("rate", "_sum")), q.fold("sum", over("rate", "_count"))), nil
	case "count":
		return q.fold("sum", over("increase", "_count")), nil
	case "rate":
		return q.fold("sum", over("rate", "_count")), nil
	case "above":
		at, ok := q.c.number(src.Above, q.o.Settings)
		if !ok {
			return "", unsayable("nobody says what %s is", src.Above)
		}
		count := q.fold("sum", over("increase", "_count"))
		return fmt.Sprintf("%s * histogram_fraction(%s, +Inf, %s) > -Inf or %s == 0",
			count, literal(at).text, q.fold("sum", over("rate", "_bucket"), "le"), count), nil
	default:
		return "", unsayable("PromQL does not tell the edges of the highest bucket that was hit (%s)", src.Stat.S)
	}
}

// fold aggregates by the labels of the answer, and by more.
func (q *query) fold(how, of string, more ...string) string {
	by := append(slices.Clone(more), q.o.By...)
	if len(by) == 0 {
		return how + "(" + of + ")"
	}
	return how + " by (" + strings.Join(by, ", ") + ") (" + of + ")"
}

func (q *query) matchers(def SeriesDef) string {
	var all []string
	for _, label := range keys(def.Match) {
		op, want := "=", def.Match[label]
		if re, ok := strings.CutPrefix(want, "~"); ok {
			op, want = "=~", re
		}
		all = append(all, label+op+strconv.Quote(want))
	}
	if q.o.Match != "" {
		all = append(all, q.o.Match)
	}
	if len(all) == 0 {
		return ""
	}
	return "{" + strings.Join(all, ",") + "}"
}

// Dialects lists the names of the dialects in the order they were read.
func (c *Catalog) Dialects() []string {
	out := make([]string, len(c.dialects))
	for i, d := range c.dialects {
		out[i] = d.Name
	}
	return out
}
