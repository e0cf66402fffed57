package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/internal/yamlpos"
)

func (a *app) explain() *cobra.Command {
	var o folders
	var format string
	cmd := &cobra.Command{
		Use:   "explain ID | signals | symptoms | causes | knobs",
		Short: "Explain a signal, a symptom, a cause or a knob, or list them",
		Example: `  inferdx explain max-num-seqs-too-low
  inferdx explain kv_used_ratio
  inferdx explain causes`,
		Args: exactly("an id, or one of " + strings.Join(kinds, ", ")),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "markdown"); err != nil {
				return err
			}
			r, err := newReference(&o)
			if err != nil {
				return err
			}
			if slices.Contains(kinds, args[0]) {
				return list(a.out, args[0], r.pages(args[0]))
			}
			return r.explain(a.out, args[0], format)
		},
	}
	o.flags(cmd.Flags())
	cmd.Flags().StringVar(&format, "format", "text", "text or markdown")
	return cmd
}

// columns are what a list tells of each page between its id and its title.
func columns(kind string) []string {
	switch kind {
	case "signals":
		return []string{"AREA", "UNIT"}
	case "symptoms":
		return []string{"AREA", "SEVERITY"}
	case "causes":
		return []string{"AREA", "LAYER"}
	}
	return []string{"TYPE", "UNIT"}
}

// list writes one line for each page, under a heading.
func list(w io.Writer, kind string, pages []page) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(id string, brief []string, title string) {
		cells := []string{id}
		for _, c := range brief {
			if c == "" || c == "." { // a user's file outside any folder
				c = "-"
			}
			cells = append(cells, c)
		}
		_, _ = fmt.Fprintln(t, printable(strings.Join(append(cells, oneLine(title)), "\t"))) // a strings.Builder takes all
	}
	row("ID", columns(kind), "TITLE")
	for _, p := range pages {
		row(p.id, p.brief, p.title)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// explain writes every page of that id: a symptom and a cause may share one.
func (r *reference) explain(w io.Writer, id, format string) error {
	var ids []string
	var found []string
	for _, kind := range kinds {
		for _, p := range r.pages(kind) {
			ids = append(ids, p.id)
			switch {
			case folded(p.id) != folded(id):
			default:
				found = append(found, p.text(w, format))
			}
		}
	}
	if p, ok, err := r.earlier(folded(id)); err != nil && len(found) == 0 {
		return err
	} else if ok {
		found = append(found, p.text(w, format))
	}
	if len(found) == 0 {
		hint := "`inferdx explain " + strings.Join(kinds, "|") + "` lists what there is"
		if near := yamlpos.Nearest(id, append(ids, kinds...)); near != "" {
			hint = "did you mean " + near + "?"
		}
		return usage(hint, "there is no signal, symptom, cause or knob %q", id)
	}
	_, err := io.WriteString(w, printable(strings.Join(found, "\n")))
	return err
}

// text is a page in the wanted format.
func (p *page) text(w io.Writer, format string) string {
	if format == "markdown" {
		return p.markdown()
	}
	return p.plain(width(w))
}

// folded lets --max-num-seqs find max_num_seqs.
func folded(id string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimLeft(id, "-")), "-", "_")
}
