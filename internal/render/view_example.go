package render

import (
	"fmt"
	"net/url"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

// exampleView is a traced request: what it shows, and where it can be looked at.
type exampleView struct{ what, trace, link string }

func examplesOf(all []model.Example) []exampleView {
	var out []exampleView
	for _, x := range all {
		v := exampleView{what: exampleWords(x), trace: name(x.TraceID)}
		if u, err := url.Parse(x.Link); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
			v.link = u.String() // escaped
		}
		out = append(out, v)
	}
	return out
}

// where is the link, or the id where there is none.
func (v exampleView) where() string {
	if v.link != "" {
		return v.link
	}
	return "trace " + v.trace
}

// exampleWords says how long the parts of a request took.
func exampleWords(x model.Example) string {
	var s string
	add := func(v *float64, unit, format string) {
		if v == nil || !isNumber(*v) {
			return
		}
		if s != "" {
			s += ", "
		}
		s += fmt.Sprintf(format, units.Format(*v, unit, model.Exact))
	}
	switch x.Shows {
	case model.SlowTokens:
		add(x.Decode, "s", "%s of decode")
		add(x.OutputTokens, "count", "%s tokens written")
	case model.SlowWhole:
		add(x.E2E, "s", "%s in all")
		add(x.TTFT, "s", "%s to the first token")
		add(x.OutputTokens, "count", "%s tokens written")
	default:
		add(x.TTFT, "s", "%s to the first token")
	}
	add(x.Queue, "s", "%s in the queue")
	add(x.Prefill, "s", "%s of prefill")
	add(x.PromptTokens, "count", "a prompt of %s tokens")
	return s
}
