package slacktest

import (
	"fmt"
	"regexp"
	"strings"
)

// special is what Slack acts on between < and >: links, mentions and dates.
var special = regexp.MustCompile(`^<(https?://[^<>|]+|mailto:[^<>|]+|@[UW][A-Z0-9]+|#C[A-Z0-9]+|!(?:here|channel|everyone)|!subteam\^S[A-Z0-9]+|!date\^[^<>]+)(\|[^<>]*)?>`)

var entity = regexp.MustCompile(`^&(amp|lt|gt);`)

// markup says where a text is not escaped: Slack reads & < > as its own.
func markup(s string) error {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '&':
			if !entity.MatchString(s[i:]) {
				return fmt.Errorf("unescaped & in %q", near(s, i))
			}
		case '<':
			m := special.FindString(s[i:])
			if m == "" {
				return fmt.Errorf("unescaped < in %q", near(s, i))
			}
			i += len(m) - 1
		case '>':
			if i > 0 && s[i-1] != '\n' { // a quotation begins with one
				return fmt.Errorf("unescaped > in %q", near(s, i))
			}
		}
	}
	return nil
}

func near(s string, i int) string { return s[max(0, i-10):min(len(s), i+10)] }

var mention = regexp.MustCompile(`<(@[UW][A-Z0-9]+|!here|!channel|!everyone|!subteam\^S[A-Z0-9]+)(\|[^<>]*)?>`)

// mentions lists whom a text calls.
func mentions(s string) []string {
	var out []string
	for _, m := range mention.FindAllStringSubmatch(s, -1) {
		out = append(out, m[1])
	}
	return out
}

var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// shown is a text as people see it, marks of emphasis left in.
func shown(s string) string { return unescape.Replace(s) }
