package recording

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/inferdx/inferdx/internal/samples"
)

// maxSamples bounds the memory that one recording may take: 16 bytes each.
const maxSamples = 20_000_000

// decoder reads line by line. A line that starts with series text seen before costs two number
// parses; only the first line of a series goes through textparse, which judges its syntax.
type decoder struct {
	name  string
	o     Options
	store *samples.Store
	line  int
	seen  int  // samples read, kept or not
	ended bool // # EOF was read

	family []byte            // the last # TYPE line: le and quantile are normalised by it
	last   *entry            // the series of the line before
	raw    map[string]*entry // by series text as written
	kept   map[string]bool   // by metric name
	buf    []byte
}

// entry is a series by its text. series is nil when the metric is not wanted.
type entry struct {
	text   []byte
	series *samples.Series
}

func newDecoder(name string, o Options) *decoder {
	return &decoder{name: name, o: o, store: samples.NewStore(o.Identity...), raw: map[string]*entry{}, kept: map[string]bool{"up": true}}
}

func (d *decoder) all(in *bufio.Reader) error {
	for {
		line, err := in.ReadSlice('\n')
		if len(line) > 0 || err == nil {
			d.line++
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return d.readError(err)
		}
		whole := err == nil
		line = bytes.TrimSuffix(line, []byte("\n"))
		if e := d.one(bytes.TrimSuffix(line, []byte("\r")), whole); e != nil {
			return e
		}
		if !whole {
			return d.finish()
		}
	}
}

func (d *decoder) readError(err error) error {
	if errors.Is(err, bufio.ErrBufferFull) {
		return &Error{File: d.name, Line: d.line, Err: ErrTooLarge, Detail: fmt.Sprintf("a line is longer than %d bytes", bufferSize)}
	}
	return readError(d.name, d.line, err)
}

func (d *decoder) finish() error {
	switch {
	case !d.ended:
		return &Error{File: d.name, Line: d.line, Err: ErrTruncated, Hint: "nothing of it was used; copy the file again, or record again"}
	case d.seen == 0:
		return &Error{File: d.name, Err: ErrEmpty}
	}
	return nil
}

// one takes a line without its line break. Only # EOF may lack that (whole is false then).
func (d *decoder) one(line []byte, whole bool) error {
	switch {
	case d.ended && len(bytes.TrimSpace(line)) > 0:
		return d.syntax("there is text after # EOF", line)
	case len(line) == 0:
		return nil
	case string(line) == "# EOF":
		d.ended = true
		return nil
	case !whole: // half a line: finish reports it
		return nil
	case line[0] == '#':
		return d.comment(line)
	}
	return d.sample(line)
}

func (d *decoder) sample(line []byte) error {
	e := d.last
	if e == nil || len(line) <= len(e.text) || line[len(e.text)] != ' ' || !bytes.HasPrefix(line, e.text) {
		text, err := d.series(line)
		if err != nil {
			return err
		}
		if e = d.raw[string(text)]; e == nil {
			if e, err = d.newEntry(text, line); err != nil {
				return err
			}
		}
		d.last = e
	}
	t, v, err := d.numbers(line, line[len(e.text):])
	if err != nil {
		return err
	}
	if d.seen++; d.seen > maxSamples {
		return &Error{File: d.name, Line: d.line, Err: ErrTooLarge, Detail: fmt.Sprintf("more than %d samples", maxSamples), Hint: "cut the recording into shorter ones"}
	}
	if e.series != nil {
		put(e.series, t, v)
	}
	return nil
}

// put adds a sample; one with the time of its predecessor takes its place, as Finish would do.
func put(s *samples.Series, t int64, v float64) {
	if n := len(s.Points); n > 0 && s.Points[n-1].T == t {
		s.Points[n-1].V = v
		return
	}
	s.Add(t, v)
}

// series finds where the name and the labels end.
func (d *decoder) series(line []byte) ([]byte, error) {
	brace := bytes.IndexAny(line, "{ ")
	if brace < 0 {
		return nil, d.syntax("a value is missing", line)
	}
	if line[brace] == ' ' {
		return line[:brace], nil
	}
	quoted := false
	for i := brace + 1; i < len(line); i++ {
		switch c := line[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == '}' && !quoted:
			if i+1 == len(line) || line[i+1] != ' ' {
				return nil, d.syntax("a value is missing after the labels", line)
			}
			return line[:i+1], nil
		}
	}
	return nil, d.syntax("the labels do not end", line)
}

// numbers reads ` value timestamp`. What may follow (an exemplar) is left to textparse.
func (d *decoder) numbers(line, rest []byte) (int64, float64, error) {
	rest = rest[1:]
	value, rest, timed := bytes.Cut(rest, []byte(" "))
	v, err := parseValue(value)
	if err != nil {
		return 0, 0, d.syntax(err.Error(), line)
	}
	if !timed || len(rest) > 0 && rest[0] == '#' {
		return 0, 0, &Error{File: d.name, Line: d.line, Err: ErrNoTimestamps, Detail: excerpt(line), Hint: "this is a single scrape; record with `inferdx record`, which scrapes at least twice"}
	}
	stamp, more, has := bytes.Cut(rest, []byte(" "))
	t, ok := parseTime(stamp)
	if !ok {
		return 0, 0, d.syntax("bad timestamp "+excerpt(stamp), line)
	}
	if t > maxMillis || t < -maxMillis {
		return 0, 0, &Error{File: d.name, Line: d.line, Err: ErrSyntax, Detail: "timestamp " + excerpt(stamp) + " is beyond the year 5000; OpenMetrics counts seconds, not milliseconds"}
	}
	if has && len(more) > 0 {
		if _, err := d.parse(line); err != nil {
			return 0, 0, err
		}
	}
	return t, v, nil
}

func (d *decoder) syntax(detail string, line []byte) error {
	return &Error{File: d.name, Line: d.line, Err: ErrSyntax, Detail: detail + " in " + excerpt(line)}
}

// maxMillis is about the year 5100: beyond it a timestamp was surely meant as milliseconds.
const maxMillis = int64(1e14)
