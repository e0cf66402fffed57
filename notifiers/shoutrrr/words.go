package shoutrrr

import (
	"fmt"
	"mime"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"github.com/inferdx/inferdx/internal/plan"
)

// dialect is what a service takes.
type dialect struct {
	limit    int  // bytes of a text, so never more characters than the service counts
	markdown bool // rather than plain text
	titled   bool // has a title apart from the text
}

// dialects are the services with limits of their own; others take plain text of fallback's length.
func dialects(service string) dialect {
	switch service {
	case "discord":
		return dialect{limit: 4096, markdown: true, titled: true} // an embed's description
	case "telegram":
		return dialect{limit: 4096}
	case "teams":
		return dialect{limit: 18_000, markdown: true, titled: true} // documented as 28 KB with all around it
	case "mattermost", "rocketchat":
		return dialect{limit: 4000, markdown: true} // Mattermost's default, and Rocket.Chat's is 5000
	case "zulip":
		return dialect{limit: 10_000, markdown: true}
	case "slack":
		return dialect{limit: 3000, titled: true}
	case "matrix":
		return dialect{limit: 32_000, titled: true} // an event has at most 64 KB
	case "googlechat", "hangouts", "lark":
		return dialect{limit: 4000, titled: service == "lark"}
	case "wecom", "signal":
		return dialect{limit: 2000}
	case "pushover":
		return dialect{limit: 1024, titled: true}
	case "ntfy", "bark", "pushbullet", "join":
		return dialect{limit: 4000, titled: true} // ntfy makes a file of more, push services lose it
	case "gotify", "generic":
		return dialect{limit: 18_000, titled: true}
	case "opsgenie":
		return dialect{limit: 130} // a message; there is no description
	case "smtp":
		return dialect{limit: 256 << 10, titled: true}
	}
	return dialect{limit: 4000}
}

// hosted says that the host in the URL is the one that is connected to.
func hosted(service string) bool {
	switch service {
	case "bark", "generic", "gotify", "matrix", "mattermost", "ntfy", "rocketchat", "signal", "smtp", "zulip":
		return true
	}
	return false
}

const maxTitle = 250 // Pushover's and Discord's

// words are a message's text and the parameters that go beside it.
func (n *Notifier) words(m plan.Message, service string) (string, types.Params) {
	d := dialects(service)
	title, text := oneLine(n.o.Texts.Title(m)), ""
	if d.markdown {
		text = n.o.Texts.Markdown(m)
	} else {
		text = n.o.Texts.Text(m)
	}
	text = strings.ToValidUTF8(text, "\ufffd")
	if service != "smtp" {
		title, text = quiet(title), quiet(text)
	}
	title = cut(title, maxTitle)
	params := types.Params{}
	switch {
	case service == "smtp":
		params["subject"] = mime.QEncoding.Encode("utf-8", title)
	case d.titled:
		params["title"] = title
	case service == "opsgenie":
		text = title
	default:
		text = title + "\n" + text
	}
	return cut(text, d.limit), params
}

// oneLine keeps a title from beginning another header of a mail.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return strings.Join(strings.Fields(s), " ")
}

// apart is an invisible mark that keeps a chat from calling somebody.
const apart = "\u200b"

// quiet takes the force from what calls people: @everyone, @here, <@id>, <!channel>, <at>, <users/all>.
func quiet(s string) string {
	var b strings.Builder
	for i, r := range s {
		b.WriteRune(r)
		rest := s[i+utf8.RuneLen(r):]
		switch {
		case strings.HasPrefix(rest, apart):
		case r == '@' && rest != "" && rest[0] != ' ',
			r == '<' && (strings.HasPrefix(rest, "@") || strings.HasPrefix(rest, "!") || strings.HasPrefix(rest, "#") ||
				strings.HasPrefix(rest, "at") || strings.HasPrefix(rest, "users/")):
			b.WriteString(apart)
		}
	}
	return b.String()
}

// cut shortens a text to a number of bytes, at the end of a line where one is near, and says by how much.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	marker := func(left string) string {
		if most < 300 {
			return "…"
		}
		return fmt.Sprintf("\n… cut here, %d characters more", utf8.RuneCountInString(s)-utf8.RuneCountInString(left))
	}
	end := most - len(marker(""))
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	head := s[:end]
	if line := strings.LastIndexByte(head, '\n'); line > len(head)*3/4 {
		head = head[:line]
	}
	return head + marker(head)
}
