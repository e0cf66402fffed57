package bench

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The most that is taken for one token, and that is kept of a file: of figures and texts, of one text, of a key and of the entries in a list;
// and how deep it is looked into.
const (
	maxToken   = 32 << 20
	maxFigures = 64 << 20 // bytes, with their paths
	maxText    = 1 << 10
	maxKey     = 64
	maxItems   = 1_000
	maxDepth   = 16
)

// document is one object of a file, flattened: figures and texts by their path, as metrics.ttft.p99.
type document struct {
	top     map[string]bool
	figures map[string]float64
	texts   map[string]string
	// columns are lists at the top with an entry for each request.
	columns columns
	// rows are lists of requests by their path.
	rows map[string]*rows
	used int
}

// keep counts what a figure or text takes.
func (d *document) keep(path string, n int) error {
	if d.used += len(path) + n + 64; d.used > maxFigures {
		return errors.New("it holds more figures than a benchmark writes")
	}
	return nil
}

func (d *document) figure(path string, v float64) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	d.figures[path] = v
	return d.keep(path, 8)
}

func (d *document) word(path, t string) error {
	t = clip(t, maxText)
	d.texts[path] = t
	return d.keep(path, len(t))
}

func newDocument() *document {
	return &document{top: map[string]bool{}, figures: map[string]float64{}, texts: map[string]string{}, rows: map[string]*rows{}}
}

// num is a finite figure.
func (d *document) num(path string) *float64 {
	v, ok := d.figures[path]
	if !ok {
		return nil
	}
	return &v
}

// first is the first of the paths that is there.
func (d *document) first(paths ...string) *float64 {
	for _, p := range paths {
		if v := d.num(p); v != nil {
			return v
		}
	}
	return nil
}

func (d *document) text(paths ...string) string {
	for _, p := range paths {
		if t := d.texts[p]; t != "" {
			return t
		}
	}
	return ""
}

func (d *document) has(keys ...string) bool {
	for _, k := range keys {
		if !d.top[k] {
			return false
		}
	}
	return true
}

// guard fails a read once more than maxToken was taken for one token, so that no broken file fills the memory.
type guard struct {
	r    io.Reader
	left int
}

func (g *guard) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, fmt.Errorf("one value has more than %d MiB", maxToken>>20)
	}
	n, err := g.r.Read(p)
	g.left -= n
	return n, err
}

// scanner goes through a file token by token; only what is asked for stays.
type scanner struct {
	d *jsontext.Decoder
	g *guard
}

func newScanner(r io.Reader) *scanner {
	g := &guard{r: newPython(r), left: maxToken}
	return &scanner{g: g, d: jsontext.NewDecoder(g, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
}

func (s *scanner) peek() jsontext.Kind {
	s.g.left = maxToken
	return s.d.PeekKind()
}

func (s *scanner) token() (jsontext.Token, error) {
	s.g.left = maxToken
	return s.d.ReadToken()
}

// skip leaves a value out, a long one in pieces.
func (s *scanner) skip() error {
	depth := s.d.StackDepth()
	for {
		if _, err := s.token(); err != nil {
			return err
		}
		if s.d.StackDepth() <= depth {
			return nil
		}
	}
}

// object calls f with every key; f takes the value.
func (s *scanner) object(f func(key string) error) error {
	if _, err := s.token(); err != nil {
		return err
	}
	for {
		if s.peek() != '"' {
			_, err := s.token()
			return err
		}
		t, err := s.token()
		if err != nil {
			return err
		}
		if err := f(t.String()); err != nil {
			return err
		}
	}
}

// list calls f before every entry; f takes it.
func (s *scanner) list(f func(i int) error) error {
	if _, err := s.token(); err != nil {
		return err
	}
	for i := 0; ; i++ {
		if k := s.peek(); k == ']' || k == jsontext.KindInvalid {
			_, err := s.token()
			return err
		}
		if err := f(i); err != nil {
			return err
		}
	}
}

// number takes a value; what is none is NaN.
func (s *scanner) number() (float64, error) {
	if k := s.peek(); k != '0' {
		return math.NaN(), s.skip()
	}
	t, err := s.token()
	if err != nil {
		return math.NaN(), err
	}
	v, err := t.Float()
	if err != nil || math.IsInf(v, 0) {
		return math.NaN(), nil //nolint:nilerr // one out of range is as good as none
	}
	return v, nil
}

// document reads an object.
func (s *scanner) document() (*document, error) {
	d := newDocument()
	err := s.object(func(key string) error {
		key = clip(key, maxKey)
		d.top[key] = true
		if len(d.top) > maxItems {
			return errors.New("it has too many fields")
		}
		if s.peek() == '[' && d.columns.wants(key) {
			return d.columns.read(s, key)
		}
		return s.value(d, key, 1)
	})
	return d, err
}

// value takes what stands at a path into the document.
func (s *scanner) value(d *document, path string, depth int) error {
	switch s.peek() {
	case '0':
		v, err := s.number()
		if err != nil {
			return err
		}
		return d.figure(path, v)
	case '"':
		t, err := s.token()
		if err != nil {
			return err
		}
		return d.word(path, t.String())
	case '{':
		if depth >= maxDepth || beside(path) {
			return s.skip()
		}
		return s.object(func(key string) error { return s.value(d, path+"."+clip(key, maxKey), depth+1) })
	case '[':
		return s.entries(d, path, depth)
	}
	return s.skip()
}

// entries takes the first entries of a list; requests of it into rows.
func (s *scanner) entries(d *document, path string, depth int) error {
	if rowsAt(path) {
		r := &rows{}
		d.rows[path] = r
		return r.read(s)
	}
	n := most(path)
	return s.list(func(i int) error {
		if i >= n || depth >= maxDepth {
			return s.skip()
		}
		return s.value(d, path+"."+strconv.Itoa(i), depth+1)
	})
}

// beside says that nothing is asked for below a path: GuideLLM's distributions of every kind and status.
func beside(path string) bool {
	if !strings.HasPrefix(path, "benchmarks.") {
		return false
	}
	switch path[strings.LastIndexByte(path, '.')+1:] {
	case "text", "image", "video", "audio", "tool_call", "turns", "errored", "incomplete", "scheduler_state", "environment", "constraints", "api_routes",
		"backend_info", "percentile_cis", "profile":
		return true
	}
	return false
}

// most is how many entries of a list are looked at: runs all, of anything else the first.
func most(path string) int {
	if path == "benchmarks" {
		return maxItems
	}
	return 4
}

func clip(s string, most int) string {
	if len(s) > most {
		return s[:most]
	}
	return s
}
