package main

import (
	"io"
	"os"
	"strconv"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/pflag"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/render"
)

// looks are the flags of commands that print a report.
type looks struct{ format, color string }

func (l *looks) flags(f *pflag.FlagSet) {
	f.StringVar(&l.format, "format", "text", "text, json or markdown")
	f.StringVar(&l.color, "color", "auto", "auto, always or never; auto respects NO_COLOR and pipes")
}

func (l *looks) check() error {
	if err := oneOf("format", l.format, "text", "json", "markdown"); err != nil {
		return err
	}
	return oneOf("color", l.color, "auto", "always", "never")
}

// print writes a report in the wanted form.
func (l *looks) print(w io.Writer, r *model.Report) error {
	switch l.format {
	case "json":
		return render.JSON(w, r)
	case "markdown":
		return render.Markdown(w, r)
	default:
		return render.Text(w, r, render.TextOptions{Width: width(w), Colour: l.colour(w)})
	}
}

func (l *looks) colour(w io.Writer) bool {
	switch l.color {
	case "always":
		return true
	case "never":
		return false
	}
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(f.Fd())
}

// width is the terminal's; COLUMNS is for pipes. 0 is unknown.
func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok && term.IsTerminal(f.Fd()) {
		if columns, _, err := term.GetSize(f.Fd()); err == nil && columns > 0 {
			return columns
		}
	}
	n, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}
