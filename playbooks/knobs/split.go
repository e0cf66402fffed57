package knobs

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	assignment = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*=`)
	python     = regexp.MustCompile(`(^|/)python[0-9.]*$`)
)

// SplitArgs splits a command line as a shell does, quotes, backslashes and continued lines included, and drops the
// command before the arguments: "vllm serve", "python -m vllm.entrypoints…", "docker run … vllm/vllm-openai". Environment
// assignments stay; FromArgs reads those that set knobs. An unclosed quote takes in the rest.
func SplitArgs(s string) []string {
	args, _ := Arguments(Words(s))
	return args
}

// Arguments is SplitArgs for words that are apart already, as those of a container's command. ok says
// that a command of a server was found before them.
func Arguments(words []string) (args []string, ok bool) {
	start := commandEnd(words)
	head := slices.DeleteFunc(slices.Clone(words[:start]), func(w string) bool { return !assignment.MatchString(w) })
	return append(head, words[start:]...), start > 0
}

// commandEnd returns how many words come before the arguments.
func commandEnd(words []string) int {
	for i, w := range words {
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		switch {
		case path.Base(w) == "vllm" && next == "serve", w == "-m" && i > 0 && python.MatchString(words[i-1]) && next != "":
			return i + 2
		case strings.HasPrefix(w, "vllm/vllm-"):
			return i + 1
		}
	}
	return 0
}

// Words splits a text as a shell does.
func Words(s string) []string {
	var out []string
	var word strings.Builder
	open, quote := false, byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote == '\'' && c != '\'':
			word.WriteByte(c)
		case quote == c && quote != 0:
			quote = 0
		case c == '\\' && i+1 < len(s):
			i++
			switch {
			case s[i] == '\n':
			case s[i] == '\r' && i+1 < len(s) && s[i+1] == '\n':
				i++
			case quote == '"' && !strings.ContainsRune("\"\\$`", rune(s[i])):
				word.WriteByte(c)
				word.WriteByte(s[i])
				open = true
			default:
				word.WriteByte(s[i])
				open = true
			}
		case quote == '"':
			word.WriteByte(c)
		case c == '\'' || c == '"':
			quote, open = c, true
		case strings.IndexByte(" \t\r\n", c) >= 0:
			if open {
				out = append(out, word.String())
				word.Reset()
			}
			open = false
		default:
			word.WriteByte(c)
			open = true
		}
	}
	if open {
		out = append(out, word.String())
	}
	return out
}
