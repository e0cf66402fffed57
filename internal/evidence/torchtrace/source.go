package torchtrace

import (
	"bytes"
	"regexp"

	"github.com/go-json-experiment/json/jsontext"
)

// source is the text of a trace, of which a part can be put back.
type source struct {
	g       *guard
	pending []byte
}

func (s *source) decoder() *jsontext.Decoder {
	return jsontext.NewDecoder(s, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

func (s *source) Read(p []byte) (int, error) {
	if len(s.pending) > 0 {
		n := copy(p, s.pending)
		s.pending = s.pending[n:]
		return n, nil
	}
	return s.g.Read(p)
}

// begin is how an event begins, longestBegin the most bytes of it.
var begin = regexp.MustCompile(`\{\s{0,24}"ph"`)

const longestBegin = 32

// resume goes on at the begin of the next event, as if it was the first of a list. unread is what the decoder took and did not
// use. False says that there is none within maxValue.
func (s *source) resume(unread []byte) bool {
	rest := append(bytes.Clone(unread), s.pending...)
	s.g.left = maxValue
	var chunk [4 << 10]byte
	for from := 1; ; { // the first byte was already tried
		if at := begin.FindIndex(rest[min(from, len(rest)):]); at != nil {
			s.pending = append([]byte("["), rest[from+at[0]:]...)
			return true
		}
		from = max(1, len(rest)-longestBegin)
		n, err := s.g.Read(chunk[:])
		if rest = append(rest, chunk[:n]...); n == 0 && err != nil {
			return false
		}
	}
}
