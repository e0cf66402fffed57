package scrape

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"

	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/httpclient"
)

// What an answer with status 200 can be instead of metrics.
var (
	ErrHTML  = errors.New("it answers with an HTML page, not with metrics: is this the metrics path, and is a login needed?")
	ErrJSON  = errors.New("it answers with JSON, not with metrics: is this the metrics path?")
	ErrEmpty = errors.New("the page holds no samples")
)

// parse reads a page into t.staged. Nothing of a page that turns out bad is used.
func (t *target) parse(p page, at int64) error {
	t.staged = t.staged[:0]
	return walk(p, t.learnType, func(parser textparse.Parser) error {
		t.stage(parser, at)
		return nil
	})
}

// walk goes through the types and the series of a page. What it gave is to be forgotten when it fails.
func walk(p page, family func(textparse.Parser), series func(textparse.Parser) error) error {
	if err := foreign(p.body); err != nil {
		return err
	}
	parser, err := textparse.New(p.body, mediaType(p), labels.NewSymbolTable(), textparse.ParserOptions{})
	if parser == nil {
		return fmt.Errorf("parse the page: %w", err)
	}
	seen := 0
	for {
		entry, err := parser.Next()
		switch {
		case errors.Is(err, io.EOF) && seen == 0:
			return ErrEmpty
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("parse the page: %s", brief(err))
		case entry == textparse.EntryType:
			family(parser)
		case entry == textparse.EntrySeries:
			seen++
			if err := series(parser); err != nil {
				return err
			}
		}
	}
}

// mediaType is what the body is parsed as: OpenMetrics if the server says so, else the older text
// format, whatever it is called (vLLM says `text/plain; version=1.0.0`, others say nothing).
func mediaType(p page) string {
	if kind, _, err := mime.ParseMediaType(p.contentType); err == nil && kind == "application/openmetrics-text" {
		return "application/openmetrics-text; version=1.0.0"
	}
	return "text/plain; version=0.0.4"
}

func (t *target) learnType(parser textparse.Parser) {
	if t.o.Type == nil {
		return
	}
	if t.types == nil {
		t.types = map[string]string{}
	}
	family, kind := parser.Type()
	if _, known := t.types[string(family)]; !known {
		t.types[string(family)] = string(kind)
	}
}

func (t *target) stage(parser textparse.Parser, at int64) {
	text, stamp, v := parser.Series()
	s := t.known[string(text)]
	if s == nil {
		s = t.learn(parser)
		t.known[string(text)] = s
	}
	if s.name == "" {
		return
	}
	if t.o.HonorTimestamps && stamp != nil {
		at = *stamp
	}
	t.staged = append(t.staged, staged{s, samples.Point{T: at, V: v}})
}

// learn makes the series of a line that was never seen on this page.
func (t *target) learn(parser textparse.Parser) *series {
	var ls labels.Labels
	parser.Labels(&ls)
	name := ls.Get(common.MetricNameLabel)
	t.look(name)
	s := &series{}
	if name == "up" || t.o.Keep != nil && !t.o.Keep(name) { // `up` is ours to write
		return s
	}
	s.name = name
	ls.Range(func(l labels.Label) {
		if l.Name != common.MetricNameLabel && l.Value != "" {
			s.labels = append(s.labels, model.Label{Name: l.Name, Value: l.Value})
		}
	})
	t.order = append(t.order, s)
	return s
}

// foreign tells pages that are no metrics at all, whatever their content type says.
func foreign(body []byte) error {
	text := bytes.TrimLeft(body, "\ufeff \t\r\n")
	switch {
	case len(text) == 0:
		return ErrEmpty
	case httpclient.LooksLikeHTML(text):
		return ErrHTML
	case text[0] == '[':
		return ErrJSON
	case text[0] == '{':
		// {"a metric"} 1 is a sample, {"a": 1} is not.
		rest := bytes.TrimLeft(text[1:], " \t\r\n")
		if len(rest) == 0 || rest[0] == '}' {
			return ErrJSON
		}
		if rest[0] == '"' {
			if _, after, ok := bytes.Cut(rest[1:], []byte(`"`)); ok && bytes.HasPrefix(bytes.TrimLeft(after, " \t\r\n"), []byte(":")) {
				return ErrJSON
			}
		}
	}
	return nil
}

// brief is textparse's message on one line of bounded length: it quotes the page.
func brief(err error) string {
	msg, _, _ := strings.Cut(err.Error(), " while parsing")
	if len(msg) > 200 {
		msg = strings.ToValidUTF8(msg[:200], "") + "…"
	}
	return strings.Join(strings.Fields(msg), " ")
}
