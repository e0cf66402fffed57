package logs

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"
)

// line is what an engine, the driver or the kernel said, out of what others wrapped it in.
type line struct {
	text  string
	level string // where JSON tells it
	at    stamp
}

// envelope takes off what containers and collectors put around lines, and joins what they cut: containerd's CRI format and
// Docker's JSON both cut at 16 KiB.
type envelope struct {
	parts map[string]*strings.Builder // by stream
}

var ansi = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")

// open gives the line inside; false while its end is still to come.
func (e *envelope) open(raw string) (line, bool) {
	if strings.IndexByte(raw, '\x1b') >= 0 {
		raw = ansi.ReplaceAllString(raw, "")
	}
	if at, rest, ok := leading(raw); ok {
		stream, flag, text := cri(rest)
		if flag == "" {
			return inner(line{text: rest, at: at}), true
		}
		text, whole := e.join(stream, text, flag == "F")
		return inner(line{text: text, at: at}), whole
	}
	if fields := object(raw); fields != nil && fields["log"] != nil && fields["stream"] != nil {
		text, _ := fields["log"].(string)
		stream, _ := fields["stream"].(string)
		text, whole := e.join(stream, text, strings.HasSuffix(text, "\n"))
		return inner(line{text: strings.TrimRight(text, "\r\n"), at: fieldStamp(fields)}), whole
	}
	return inner(line{text: raw}), true
}

// join puts the parts of a line together, up to maxLine.
func (e *envelope) join(stream, text string, last bool) (string, bool) {
	b := e.parts[stream]
	if b == nil {
		if last {
			return text, true
		}
		if e.parts == nil || len(e.parts) > 8 { // there are two streams; junk has many
			e.parts = map[string]*strings.Builder{}
		}
		b = &strings.Builder{}
		e.parts[stream] = b
	}
	b.WriteString(text[:min(len(text), max(0, maxLine-b.Len()))])
	if !last {
		return "", false
	}
	delete(e.parts, stream)
	return b.String(), true
}

// leading takes the time off that kubectl logs --timestamps and CRI begin a line with.
func leading(s string) (stamp, string, bool) {
	if len(s) < 21 || s[4] != '-' || s[7] != '-' || s[10] != 'T' {
		return stamp{}, "", false
	}
	word, rest, ok := strings.Cut(s, " ")
	if !ok || len(word) > 40 {
		return stamp{}, "", false
	}
	at, err := time.Parse(time.RFC3339Nano, word)
	if err != nil {
		return stamp{}, "", false
	}
	return stamp{at: at.UTC(), dated: true, zoned: true}, rest, true
}

// cri splits "stdout F text"; flag is "" where it is no such line.
func cri(s string) (stream, flag, text string) {
	for _, stream := range []string{"stdout ", "stderr "} {
		rest, ok := strings.CutPrefix(s, stream)
		if ok && len(rest) >= 1 && (rest[0] == 'F' || rest[0] == 'P') && (len(rest) == 1 || rest[1] == ' ') {
			return stream, rest[:1], rest[min(2, len(rest)):]
		}
	}
	return "", "", s
}

// inner takes the message out of JSON, also out of JSON in JSON, and reads the time that the line itself tells.
func inner(l line) line {
	for range 3 {
		fields := object(l.text)
		message := first(fields, "message", "msg", "log", "event", "text", "MESSAGE")
		if message == "" {
			break
		}
		l.text = strings.TrimRight(message, "\r\n")
		if strings.IndexByte(l.text, '\x1b') >= 0 {
			l.text = ansi.ReplaceAllString(l.text, "")
		}
		if level := strings.ToUpper(first(fields, "level", "levelname", "severity")); level != "" {
			l.level = level
		}
		if at := fieldStamp(fields); l.at.none() || !l.at.zoned && at.zoned {
			l.at = at
		}
	}
	if l.at.none() {
		l.at = written(l.text)
	}
	return l
}

// object is the line as a JSON object; nil where it is none.
func object(s string) map[string]any {
	s = strings.TrimSpace(s)
	if !strings.HasPrefix(s, "{") || !strings.HasSuffix(s, "}") {
		return nil
	}
	var fields map[string]any
	if json.Unmarshal([]byte(s), &fields) != nil {
		return nil
	}
	return fields
}

func first(fields map[string]any, names ...string) string {
	for _, name := range names {
		if s, ok := fields[name].(string); ok && s != "" {
			return s
		}
	}
	return ""
}
