package render

import (
	"cmp"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// Words is what is said of one entity, in the order it is said, for messages that have a layout of
// their own. The wording is that of the text and Markdown forms; all strings are clean.
type Words struct {
	Status model.Status
	// Seen says how much was observed: "34 s, 17 scrapes".
	Name, Engine, Seen, Summary string
	Hurts                       []string
	// Ceiling says how near a step is to what the hardware allows; "" where that is not known.
	Ceiling                         string
	Impact, BoundBy, Since, Changed string
	// Cause is nil where no cause is primary; Candidates are listed then. Otherwise is the score of
	// 'none of the causes known'.
	Cause      *CauseWords
	Candidates []CauseWords
	Otherwise  string
	// Turns are the things to do, the best first; Expect is what must move after the first.
	Turns                []TurnWords
	Expect               string
	Also, Notes, Missing []string
	// Examples are traced requests that show what hurts.
	Examples []ExampleWords
}

// ExampleWords is one traced request. Link is where it can be looked at, "" where nobody said.
type ExampleWords struct{ What, Trace, Link string }

// CauseWords is one cause with what speaks for and against it. Hence are its consequences, Thin says
// how little stands behind the score.
type CauseWords struct {
	ID, Title, Score, Thin      string
	For, Against, Unseen, Hence []string
}

// TurnWords is one thing to do. Knob is "--flag from -> to" and empty where the action is no knob.
type TurnWords struct {
	Knob, Do, Price, Why, Undo, Then string
}

// Describe puts one diagnosis into words, as seen at the given time.
func Describe(d model.Diagnosis, at time.Time) Words {
	v := newView(&model.Report{GeneratedAt: at}, d)
	w := Words{
		Status: v.status, Name: v.name, Engine: v.engine, Seen: v.seen, Summary: v.summary, Hurts: said(v.hurts),
		Impact: v.impact, BoundBy: v.boundBy, Ceiling: v.ceiling, Since: v.since, Changed: v.changed,
		Otherwise: v.otherwise, Expect: v.expect, Also: said(v.also), Notes: said(v.notes), Missing: said(v.missing),
	}
	if w.Summary == "" {
		w.Summary = quietSummary(v)
	}
	if v.cause != nil {
		c := v.cause.words()
		w.Cause = &c
	}
	for _, c := range v.candidates {
		w.Candidates = append(w.Candidates, c.words())
	}
	for _, t := range v.turns {
		w.Turns = append(w.Turns, TurnWords{
			Knob: t.knob, Do: strings.TrimSuffix(t.words, elsewhere), Price: t.price, Why: t.why, Undo: strings.TrimPrefix(t.undo, "undo: "), Then: t.then,
		})
	}
	for _, x := range v.examples {
		w.Examples = append(w.Examples, ExampleWords{x.what, x.trace, x.link})
	}
	return w
}

// Heading gives the name of an entity and the title of its primary cause, "" where none is named, for
// lists in which not more is said.
func Heading(d model.Diagnosis) (who, cause string) {
	for _, c := range d.Causes {
		if c.Primary {
			cause = text(cmp.Or(c.Title, c.ID))
		}
	}
	return name(nameOf(d)), cause
}

func (c causeView) words() CauseWords {
	return CauseWords{
		ID: c.id, Title: c.title, Score: c.score, Thin: c.thin,
		For: said(c.why), Against: said(c.against), Unseen: said(c.missing), Hence: said(c.hence),
	}
}

// said leaves out where the rest can be found, which differs by where the words are read.
func said(lines []string) []string {
	return each(lines, func(s string) string { return strings.TrimSuffix(s, elsewhere) })
}

// EscapeMarkdown makes a text that others wrote harmless in Markdown, GitHub's and the chats' kinds included.
func EscapeMarkdown(s string) string { return md(clean(s)) }

// MarkdownCode writes any text as a code span.
func MarkdownCode(s string) string { return code(clean(s)) }

// Clean makes a text that others wrote harmless where it is shown as it is: control and invisible
// characters are written out.
func Clean(s string) string { return clean(s) }
