package receivers

import (
	"fmt"

	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers/template"
)

// Preview is what the lane that a message is for would send: JSON for those that send it, else plain text.
func (s *Set) Preview(m plan.Message) (string, error) {
	for _, l := range s.lanes {
		if l.name != m.Receiver {
			continue
		}
		if p, ok := l.notifier.(interface {
			Preview(plan.Message) ([]byte, error)
		}); ok {
			out, err := p.Preview(m)
			return string(out), err
		}
		return s.words.Render(template.Text, s.words.Data(m, inFull))
	}
	return "", fmt.Errorf("no lane is called %s", m.Receiver)
}
