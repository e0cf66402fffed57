package template

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/inferdx/inferdx/internal/render"
)

// Safe is text that is printed as it is: markup that a template's author meant.
type Safe string

// format is what values must be harmless in.
type format int

const (
	plain format = iota
	markdown
	mrkdwn
)

func (f format) escape(s string) string {
	switch f {
	case markdown:
		return render.EscapeMarkdown(s)
	case mrkdwn:
		return EscapeMrkdwn(s)
	default:
		return render.Clean(s)
	}
}

// code writes a value that people copy: nothing in it is replaced by what only looks alike.
func (f format) code(s string) string {
	switch f {
	case markdown:
		return render.MarkdownCode(s)
	case mrkdwn:
		if strings.TrimSpace(s) == "" {
			return ""
		}
		return "`" + entities.Replace(strings.ReplaceAll(render.Clean(s), "`", "'")) + "`"
	default:
		return render.Clean(s)
	}
}

var entities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// apart is an invisible mark that keeps Slack from calling somebody or linking an address.
const apart = "\u200b"

// EscapeMrkdwn makes a text that others wrote harmless in Slack's mrkdwn. Slack has no escape for its
// emphasis, so such marks become signs that look alike.
func EscapeMrkdwn(s string) string {
	rs := []rune(render.Clean(s))
	var b strings.Builder
	for i, r := range rs {
		switch r {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '*':
			b.WriteRune('∗')
		case '`':
			b.WriteRune('ˋ')
		case '~':
			b.WriteRune('∼')
		case '_':
			if between(rs, i) {
				b.WriteRune(r)
			} else {
				b.WriteRune('ˍ')
			}
		case '@', '#':
			b.WriteRune(r)
			if i == 0 || !word(rs[i-1]) {
				b.WriteString(apart)
			}
		case ':':
			b.WriteRune(r)
			if i+2 < len(rs) && rs[i+1] == '/' && rs[i+2] == '/' {
				b.WriteString(apart)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func word(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// between is true for a mark inside a word, where it marks nothing: max_num_seqs.
func between(rs []rune, i int) bool {
	return i > 0 && i < len(rs)-1 && word(rs[i-1]) && word(rs[i+1])
}

// EscapePlain makes a plain text harmless where Slack shows it unformatted or falls back on it: only
// & < > mean something there, beside mentions and addresses.
func EscapePlain(s string) string {
	s = entities.Replace(s)
	rs := []rune(s)
	var b strings.Builder
	for i, r := range rs {
		b.WriteRune(r)
		if r == '@' && (i == 0 || !word(rs[i-1])) || r == ':' && strings.HasPrefix(string(rs[i+1:min(i+3, len(rs))]), "//") {
			b.WriteString(apart)
		}
	}
	return b.String()
}

// cut keeps at most n bytes and never half a rune or half an entity.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	s = s[:n]
	return whole(s)
}

// Cut keeps at most n runes of mrkdwn, the ellipsis included, and never half an entity or an open code span.
func Cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	s = whole(string([]rune(s)[:max(n-2, 0)]))
	if strings.Count(s, "`")%2 == 1 {
		s += "`"
	}
	return s + "…"
}

// whole drops an entity that was cut open at the end.
func whole(s string) string {
	if i := strings.LastIndexByte(s, '&'); i >= 0 && i > len(s)-5 && !strings.Contains(s[i:], ";") {
		return s[:i]
	}
	return s
}

// tidy drops what templates leave behind: spaces at the ends of lines, more than one empty line in a row.
func tidy(s string) string {
	lines := strings.Split(s, "\n")
	out := lines[:0]
	for _, l := range lines {
		l = strings.TrimRight(l, " \t\r")
		if l == "" && (len(out) == 0 || out[len(out)-1] == "") {
			continue
		}
		out = append(out, l)
	}
	return strings.TrimRight(strings.Join(out, "\n"), "\n")
}

// Link is a link in mrkdwn to an address that we made ourselves.
func Link(to, text string) (string, error) {
	u, err := safeURL(to)
	if err != nil {
		return "", err
	}
	return "<" + entities.Replace(string(u)) + "|" + EscapeMrkdwn(text) + ">", nil
}
