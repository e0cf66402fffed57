package render

import (
	"charm.land/lipgloss/v2"

	"github.com/inferdx/inferdx/internal/model"
)

// theme holds the styles of the text form. The zero styles add nothing.
type theme struct {
	label, name, right, aside, faint, cause, turn lipgloss.Style

	status map[model.Status]lipgloss.Style
}

// newTheme uses the sixteen colours every terminal has, so that the user's own palette decides.
func newTheme(colour bool) theme {
	plain := lipgloss.NewStyle()
	if !colour {
		return theme{label: plain, name: plain, right: plain, aside: plain, faint: plain, cause: plain, turn: plain}
	}
	bold := plain.Bold(true)
	return theme{
		label: plain.Foreground(lipgloss.Cyan), name: bold, right: plain, aside: plain.Faint(true),
		faint: plain.Faint(true), cause: bold, turn: bold.Foreground(lipgloss.Green),
		status: map[model.Status]lipgloss.Style{
			model.Degraded: bold.Foreground(lipgloss.Red), model.Down: bold.Foreground(lipgloss.Red),
			model.Unknown: bold.Foreground(lipgloss.Yellow), model.Healthy: plain.Foreground(lipgloss.Green),
			model.Idle: plain.Faint(true),
		},
	}
}
