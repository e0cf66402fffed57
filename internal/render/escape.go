package render

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
)

// The longest name and the longest sentence shown, in columns. What is longer is a mistake or an
// attack, and is in the JSON in full.
const (
	maxName = 60
	maxText = 400
)

// clean makes text from a server harmless in a terminal: control and invisible characters are
// written out, so that no label can move the cursor, hide text or start a line of its own.
func clean(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < 0x100 && unicode.IsControl(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		i += n
	}
	return b.String()
}

// text cleans a sentence and cuts it when it is absurdly long.
func text(s string) string {
	return cutEnd(clean(strings.TrimSpace(s)), maxText)
}

// name cleans an identity and cuts out its middle: both ends of a pod or model name tell it apart.
func name(s string) string {
	s = clean(s)
	if fits(s, maxName) {
		return s
	}
	tail := []rune(s)
	tail = tail[max(0, len(tail)-maxName/3):]
	for lipgloss.Width(string(tail)) > maxName/3 {
		tail = tail[1:]
	}
	return cutEnd(s, maxName-lipgloss.Width(string(tail))) + string(tail)
}

// cutEnd shortens to a display width; a cut text ends in an ellipsis.
func cutEnd(s string, width int) string {
	if fits(s, width) {
		return s
	}
	head, _ := split(s, width-1)
	return strings.TrimRight(head, " ") + "…"
}

// marksPerColumn is how many runes a column may hold: accents stack, and have no width of their own.
const marksPerColumn = 4

func fits(s string, width int) bool {
	return lipgloss.Width(s) <= width && utf8.RuneCountInString(s) <= marksPerColumn*width
}

// split cuts a string before the rune that would pass the width; it always takes one rune.
func split(s string, width int) (head, rest string) {
	w, n := 0, 0
	for i, r := range s {
		w, n = w+lipgloss.Width(string(r)), n+1
		if (w > width || n > marksPerColumn*width) && i > 0 {
			return s[:i], s[i:]
		}
	}
	return s, ""
}
