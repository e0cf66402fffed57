package receivers

import (
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers/template"
)

// inFull is how many targets a message tells of in full; the others are named.
const inFull = 3

// texts says a message in the words of the templates. Where a user's template fails the built-in one
// speaks, and the fault is told.
type texts struct {
	words *template.Set
	fault func(error)
}

func (b *builder) texts(l *lane) texts {
	return texts{b.set.words, func(err error) { b.set.fault(l.name, err) }}
}

func (t texts) say(form string, m plan.Message) string {
	out, err := t.words.Render(form, t.words.Data(m, inFull))
	if err != nil {
		t.fault(err)
	}
	return out
}

// Title is one line.
func (t texts) Title(m plan.Message) string { return t.say(template.Title, m) }

// Text is plain.
func (t texts) Text(m plan.Message) string { return t.say(template.Text, m) }

// Markdown is what chats take for it.
func (t texts) Markdown(m plan.Message) string { return t.say(template.Markdown, m) }
