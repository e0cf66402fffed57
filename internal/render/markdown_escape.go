package render

import (
	"strings"
	"unicode"
)

// apart is an invisible mark. Put behind @ and #, it keeps a chat or an issue tracker from calling
// somebody or linking an issue, which both do even where the sign is escaped.
const apart = "\u200b"

// md escapes text for Markdown, GitHub's and the chats' kinds included.
func md(s string) string {
	var b strings.Builder
	rs := []rune(s)
	for i, r := range rs {
		switch r {
		case '\\', '`', '*', '[', ']', '|', '~', '$', '!':
			b.WriteRune('\\')
			b.WriteRune(r)
		case '<':
			b.WriteString("&lt;")
		case '>':
			if i > 0 && rs[i-1] == '-' { // an arrow in the middle of a line is harmless
				b.WriteRune(r)
			} else {
				b.WriteString("&gt;")
			}
		case '&':
			b.WriteString("&amp;")
		case '_':
			if !between(rs, i) {
				b.WriteRune('\\')
			}
			b.WriteRune(r)
		case '@', '#':
			b.WriteString(string(r) + apart)
		case ':':
			if i+2 < len(rs) && rs[i+1] == '/' && rs[i+2] == '/' {
				b.WriteRune('\\')
			}
			b.WriteRune(r)
		case '.':
			if i >= 3 && strings.EqualFold(string(rs[i-3:i]), "www") {
				b.WriteRune('\\')
			}
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return start(b.String())
}

// between is true for a mark inside a word, where it marks nothing: max_num_seqs.
func between(rs []rune, i int) bool {
	word := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	return i > 0 && i < len(rs)-1 && word(rs[i-1]) && word(rs[i+1])
}

// start escapes what is markup only where a line begins: lists, headings, rules.
func start(s string) string {
	if s == "" {
		return s
	}
	if strings.ContainsRune("-+=#", rune(s[0])) {
		return `\` + s
	}
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	if digits > 0 && digits < len(s) && (s[digits] == '.' || s[digits] == ')') && (digits+1 == len(s) || s[digits+1] == ' ') {
		return s[:digits] + `\` + s[digits:]
	}
	return s
}

// code writes a code span around any text, longer fences around text that holds backticks.
func code(s string) string {
	if strings.TrimSpace(s) == "" {
		return ""
	}
	longest, run := 0, 0
	for _, r := range s {
		if r == '`' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	fence := strings.Repeat("`", longest+1)
	if longest > 0 {
		return fence + " " + s + " " + fence
	}
	return fence + s + fence
}
