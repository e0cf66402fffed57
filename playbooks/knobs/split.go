package knobs

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

var (
	assignment = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*=`)
	python     = regexp.MustCompile(`(^|/)python[0-9.]*$`)
)

// SplitArgs splits a command line as a shell does, quotes, backslashes and continued lines included, and drops the
// command before the arguments: "vllm serve", "python -m sglang.launch_server", "docker run … vllm/vllm-openai". Environment
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
		if w == "-m" && i > 0 && python.MatchString(words[i-1]) && next != "" {
			return i + 2
		}
		for _, e := range servers() {
			if n := e.started(words[i:]); n > 0 {
				return i + n
			}
		}
	}
	return 0
}

// servers are those that come with the program, which are all that a command line may start.
var servers = sync.OnceValue(func() []*engine {
	c, err := Load(Builtin())
	if err != nil {
		return nil
	}
	return slices.Collect(maps.Values(c.engines))
})

// started returns how many words begin the line that start this server, 0 where they do not.
func (e *engine) started(words []string) int {
	longest := 0
	for _, c := range e.commands {
		if len(words) >= len(c) && path.Base(words[0]) == c[0] && slices.Equal(words[1:len(c)], c[1:]) {
			longest = max(longest, len(c))
		}
	}
	if longest == 0 && slices.ContainsFunc(e.images, func(i string) bool { return strings.HasPrefix(words[0], i) }) {
		return 1
	}
	return longest
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
