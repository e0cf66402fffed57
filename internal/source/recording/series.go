package recording

import (
	"bytes"
	"errors"
	"io"

	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

var end = []byte("\n# EOF\n")

// newEntry makes the series of a text that is met for the first time.
func (d *decoder) newEntry(text, line []byte) (*entry, error) {
	if name, _, _ := bytes.Cut(text, []byte("{")); len(name) > 0 && !d.keep(name) {
		e := &entry{text: bytes.Clone(text)}
		d.raw[string(e.text)] = e
		return e, nil
	}
	ls, err := d.parse(line)
	if err != nil {
		return nil, err
	}
	e := &entry{text: bytes.Clone(text)}
	if name := ls.Get(common.MetricNameLabel); d.keep([]byte(name)) {
		e.series = d.store.Series(name, toModel(ls))
		if e.series.Points == nil && d.last != nil && d.last.series != nil {
			// Series of one recording are mostly as long as their neighbours.
			e.series.Points = make([]samples.Point, 0, len(d.last.series.Points))
		}
	}
	d.raw[string(e.text)] = e
	return e, nil
}

func (d *decoder) keep(name []byte) bool {
	if d.o.Keep == nil {
		return true
	}
	kept, known := d.kept[string(name)]
	if !known {
		kept = d.o.Keep(string(name))
		d.kept[string(name)] = kept
	}
	return kept
}

// parse runs textparse over one sample line, with the # TYPE line that holds for it.
func (d *decoder) parse(line []byte) (labels.Labels, error) {
	d.buf = append(append(append(d.buf[:0], d.family...), line...), end...)
	p := textparse.NewOpenMetricsParser(d.buf, labels.NewSymbolTable())
	var ls labels.Labels
	for {
		kind, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			return ls, nil
		case err != nil:
			return ls, d.syntax(reason(err), line)
		case kind == textparse.EntrySeries:
			p.Labels(&ls)
			if name, twice := ls.HasDuplicateLabelNames(); twice {
				return ls, d.syntax("label "+name+" stands twice", line)
			}
		}
	}
}

// comment takes a # line: HELP and UNIT are only checked.
func (d *decoder) comment(line []byte) error {
	d.buf = append(append(d.buf[:0], line...), end...)
	p := textparse.NewOpenMetricsParser(d.buf, labels.NewSymbolTable())
	kind, err := p.Next()
	if err != nil {
		return d.syntax(reason(err), line)
	}
	if kind == textparse.EntryType {
		d.family = append(append(d.family[:0], line...), '\n')
		d.last = nil
		if d.o.Type != nil {
			family, t := p.Type()
			d.o.Type(string(family), string(t))
		}
	}
	return nil
}

// reason is textparse's message without the quoted input that follows it.
func reason(err error) string {
	msg := []byte(err.Error())
	for _, cut := range []string{" while parsing", ", got "} {
		msg, _, _ = bytes.Cut(msg, []byte(cut))
	}
	return string(msg)
}

func toModel(ls labels.Labels) model.Labels {
	out := make(model.Labels, 0, ls.Len())
	ls.Range(func(l labels.Label) {
		if l.Name != common.MetricNameLabel && l.Value != "" {
			out = append(out, model.Label{Name: l.Name, Value: l.Value})
		}
	})
	return out // labels.Labels is sorted by name, as model.Labels must be
}
