package logs

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/inferdx/inferdx/internal/secret"
)

// event is a line that says something is wrong.
type event struct {
	name  string
	words []string // of which such a line has one; looking for them first is much cheaper
	re    *regexp.Regexp
	count bool // the groups hold a number to add; else each line counts once
}

// recency is how long before the end of a log what it says still counts as of now. A restart takes longer, so what was
// before it counts for longer.
const (
	recency       = 15 * time.Minute
	recencyBefore = time.Hour
)

// maxHits is how many of the last times of an event are kept.
const maxHits = 512

// seen is how often an event was seen, and when.
type seen struct {
	total       float64
	lines       int
	first, last said
	hits        []hit
}

type hit struct {
	at time.Time
	n  float64
}

func (s *seen) add(n float64, x said) {
	if s.lines == 0 {
		s.first = x
	}
	s.total, s.last = s.total+n, x
	s.lines++
	if len(s.hits) == 2*maxHits {
		s.hits = slices.Clone(s.hits[maxHits:])
	}
	s.hits = append(s.hits, hit{x.at.at, n})
}

// join adds what was seen later.
func (s *seen) join(later *seen) {
	if s.lines == 0 {
		s.first = later.first
	}
	s.total, s.last, s.lines = s.total+later.total, later.last, s.lines+later.lines
	s.hits = last(slices.Concat(s.hits, later.hits), maxHits)
}

// since counts what was seen since a time, and what has no time.
func (s *seen) since(t time.Time) float64 {
	if s == nil {
		return 0
	}
	if s.lines > len(s.hits) && (s.hits[0].at.IsZero() || !s.hits[0].at.Before(t)) {
		return s.total // at least so many: all that is kept is recent
	}
	n := 0.0
	for _, h := range s.hits {
		if h.at.IsZero() || !h.at.Before(t) {
			n += h.n
		}
	}
	return n
}

func (l *Reader) event(x line) bool {
	hit := false
	for _, e := range l.events {
		if !slices.ContainsFunc(e.words, func(w string) bool { return strings.Contains(x.text, w) }) {
			continue
		}
		m := e.re.FindStringSubmatch(x.text)
		if m == nil {
			continue
		}
		hit = true
		if e.name == "log_engine_dead" && l.start.stopping {
			continue // the front end calls the engine dead whenever it stops, also when somebody stopped it
		}
		if e.name == "log_gpu_errors" && strings.Contains(x.text, "Xid (") {
			continue // an Xid says it already
		}
		n := 1.0
		if e.count {
			n = number(strings.Join(m[1:], ""))
		}
		if e.name == "log_xid_errors" {
			l.start.number("log_xid_last", number(m[1]))
		}
		if l.start.events[e.name] == nil {
			l.start.events[e.name] = &seen{}
		}
		l.start.events[e.name].add(n, said{short(message(x.text)), x.at})
	}
	return hit
}

var (
	// prefix is what loggers write before a message: the process, the level, the time and the place.
	prefix = regexp.MustCompile(`^(?:\([^)]{1,80}\) ?)*(?:(?:DEBUG|INFO|WARNING|ERROR|CRITICAL):? )?(?:\[?(?:\d{4}-)?\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: [A-Z0-9 ]+)?\]? )?(?:\[?[\w./]+:\d+\] ?)?`)
	// exception is the last line of a traceback.
	exception = regexp.MustCompile(`^(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Interrupt|Exit)(?::|$)`)
)

// message is what a logger was given.
func message(text string) string {
	if i := strings.Index(text, "kernel: "); i >= 0 && i < 80 {
		text = text[i+len("kernel: "):]
	}
	return strings.TrimSpace(text[len(prefix.FindString(text)):])
}

// maxShown is how much of a line is shown.
const maxShown = 280

// short is a line fit to be shown: printable, without secrets, and cut.
func short(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text[:min(len(text), 4*maxShown)], "?"))
	text = secret.Redact(strings.Join(strings.Fields(text), " "))
	if runes := []rune(text); len(runes) > maxShown {
		return string(runes[:maxShown-1]) + "…"
	}
	return text
}

// echoes are exceptions that follow from another one, which was said before.
var echoes = []string{"EngineDeadError", "Engine core initialization failed", "EngineCore failed", "CancelledError", "KeyboardInterrupt", "SystemExit", "GeneratorExit", "See root cause above", "died unexpectedly"}

// trace remembers how tracebacks end.
func (l *Reader) trace(x line) {
	s := l.start
	if strings.Contains(x.text, "Traceback (most recent call last)") {
		s.tracing = true
		return
	}
	if !s.tracing || !strings.Contains(x.text, "Error") && !strings.Contains(x.text, "Exception") && !strings.Contains(x.text, "Exit") && !strings.Contains(x.text, "Interrupt") {
		return
	}
	text := message(x.text)
	if !exception.MatchString(text) {
		return
	}
	s.tracing = false
	end := said{short(text), x.at}
	if slices.ContainsFunc(echoes, func(e string) bool { return strings.Contains(text, e) }) {
		s.echo = end
		return
	}
	s.cause = end
}
