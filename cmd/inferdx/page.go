package main

import (
	"strings"
	"unicode/utf8"
)

// page is one entry of the reference: `explain` prints it, `docs` writes it.
type page struct {
	kind, id, title string
	// brief are the columns between id and title where pages are listed.
	brief    []string
	sections []section
}

// section has paragraphs and then points; one without either is left out.
type section struct {
	heading string
	text    []string
	points  []string
}

func (p *page) add(heading string, text, points []string) {
	text = nonempty(text)
	if len(text)+len(points) > 0 {
		p.sections = append(p.sections, section{heading, text, points})
	}
}

func nonempty(in []string) []string {
	var out []string
	for _, s := range in {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// plain is the page for a terminal.
func (p *page) plain(width int) string {
	if width <= 0 {
		width = 100
	}
	width = min(max(width, 40), 120)
	var b strings.Builder
	b.WriteString(p.kind + " " + p.id)
	if p.title != "" && p.title != p.id {
		b.WriteString(": " + p.title)
	}
	b.WriteByte('\n')
	for _, s := range p.sections {
		b.WriteString("\n" + s.heading + "\n")
		for _, t := range s.text {
			fill(&b, t, "  ", "  ", width)
		}
		for _, t := range s.points {
			fill(&b, t, "  - ", "    ", width)
		}
	}
	return b.String()
}

// markdown is the page as a part of a longer one.
func (p *page) markdown() string {
	var b strings.Builder
	b.WriteString("## " + p.id + "\n")
	if p.title != "" && p.title != p.id {
		b.WriteString("\n**" + p.title + "**\n")
	}
	for _, s := range p.sections {
		b.WriteString("\n### " + s.heading + "\n")
		for _, t := range s.text {
			b.WriteString("\n" + strings.Join(strings.Fields(t), " ") + "\n")
		}
		if len(s.points) > 0 {
			b.WriteByte('\n')
		}
		for _, t := range s.points {
			b.WriteString("- " + strings.Join(strings.Fields(t), " ") + "\n")
		}
	}
	return b.String()
}

// fill wraps at spaces.
func fill(b *strings.Builder, text, first, rest string, width int) {
	b.WriteString(first)
	at := len(first)
	for i, w := range strings.Fields(text) {
		n := utf8.RuneCountInString(w)
		switch {
		case i == 0:
		case at+1+n > width:
			b.WriteString("\n" + rest)
			at = len(rest)
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(w)
		at += n
	}
	b.WriteByte('\n')
}

func code(s string) string { return "`" + s + "`" }

// listed writes ids as code, separated by commas; "" when there are none.
func listed(label string, ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = code(id)
	}
	return strings.TrimSpace(label + " " + strings.Join(out, ", "))
}
