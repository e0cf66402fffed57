package scrape

import (
	"fmt"
	"unique"

	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// known is a line of the page. There are hundreds of each target, so it is small.
type known struct {
	text string          // as on the page, shared with the same lines of other targets
	full *named          // until it is bound; what it is called afterwards the series knows
	into *samples.Series // nil when it is not bound
	of   *instance
	kept any // in the archive
}

// named is a line's name and all of its labels.
type named struct {
	name   string
	labels model.Labels
}

// unwanted stands for every line that is not.
var unwanted = &known{}

func (l *loop) parse(p page, at int64) error {
	if l.relearn.Swap(false) {
		l.forget()
	}
	l.staged = l.staged[:0]
	at0, lines := 0, 0
	err := walk(p, func(textparse.Parser) {}, func(parser textparse.Parser) error {
		lines++
		text, stamp, v := parser.Series()
		line := l.line(text, &at0, parser)
		if line == unwanted {
			return nil
		}
		if n := l.target.SampleLimit; n > 0 && len(l.staged) >= n {
			return fmt.Errorf("the page has more than %d samples, which sample_limit allows", n)
		}
		t := at
		if l.target.HonorTimestamps && stamp != nil {
			if t = *stamp; t > at+mostAhead {
				return nil
			}
		}
		l.staged = append(l.staged, given{line, samples.Point{T: t, V: v}})
		return nil
	})
	if len(l.lines)+len(l.order) > 2*lines+spareLines { // most have left the page for good
		l.relearn.Store(true)
	}
	return err
}

// mostAhead is how far, in milliseconds, a page's clock may be ahead of ours, as in Prometheus. A sample beyond would
// hide all that follow until then.
const mostAhead = 10 * 60 * 1000

// spareLines is how many lines may have left a page, beyond as many as it has, before all are learnt anew.
const spareLines = 1000

// forget begins anew with all lines, and with what stands for them in the archive: there a series is known once.
func (l *loop) forget() {
	l.lines, l.order, l.archives, l.own = nil, nil, nil, nil
}

// line finds what is known of a line. Pages keep their order from scrape to scrape, so that it mostly is the
// next one; a map of all would take more memory than the lines themselves.
func (l *loop) line(text []byte, next *int, parser textparse.Parser) *known {
	if i := *next; i < len(l.order) && l.order[i].text == string(text) {
		*next = i + 1
		return l.order[i]
	}
	plain := len(l.target.Relabel) == 0
	if plain && l.pool.foreign.has(text) {
		return unwanted
	}
	if line := l.lines[string(text)]; line != nil {
		return line
	}
	for i := *next; i < len(l.order); i++ { // lines before it have left the page
		if l.order[i].text == string(text) {
			*next = i + 1
			return l.order[i]
		}
	}
	era := l.pool.foreign.era()
	line := l.learn(parser)
	if line == unwanted && plain && l.pool.foreign.add(string(text), era) {
		return unwanted
	}
	if line != unwanted {
		line.text = unique.Make(string(text)).Value()
	}
	if line != unwanted && *next == len(l.order) {
		l.order, *next = append(l.order, line), len(l.order)+1
		return line
	}
	if l.lines == nil {
		l.lines = map[string]*known{}
	}
	l.lines[string(text)] = line
	return line
}

// learn makes what is known of a line that was never seen on this page.
func (l *loop) learn(parser textparse.Parser) *known {
	var ls labels.Labels
	parser.Labels(&ls)
	if name := ls.Get(common.MetricNameLabel); name == "up" || len(l.target.Relabel) == 0 && !l.pool.wanted(name) {
		return unwanted
	}
	b := labels.NewBuilder(labels.EmptyLabels())
	var name string
	for _, x := range join2(l.target.Labels, pageLabels(ls, &name), l.target.HonorLabels) {
		b.Set(x.Name, x.Value)
	}
	b.Set(common.MetricNameLabel, name)
	if !relabel.ProcessBuilder(b, l.target.Relabel...) {
		return unwanted
	}
	var own string
	all := pageLabels(b.Labels(), &own)
	if own == "up" || !l.pool.wanted(own) {
		return unwanted
	}
	return &known{full: &named{unique.Make(own).Value(), all}}
}

func pageLabels(ls labels.Labels, name *string) model.Labels {
	out := make(model.Labels, 0, ls.Len())
	ls.Range(func(x labels.Label) {
		switch {
		case x.Name == common.MetricNameLabel:
			*name = x.Value
		case x.Value != "":
			out = append(out, model.Label{Name: x.Name, Value: x.Value})
		}
	})
	return out
}

// join2 adds a target's labels to those of a series. Where both have one, the page's is kept beside it as
// exported_, or instead of it where that is honoured.
func join2(own, of model.Labels, honor bool) model.Labels {
	if !honor {
		return join(own, of)
	}
	out := append(make(model.Labels, 0, len(own)+len(of)), of...)
	for _, x := range own {
		if of.Get(x.Name) == "" {
			out = append(out, x)
		}
	}
	out.Sort()
	return out
}
