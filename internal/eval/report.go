package eval

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
)

// Options say what is measured.
type Options struct {
	// Corpus holds the recordings, and the incidents under cases/.
	Corpus fs.FS
	// Splits restricts the recordings; none measures every split, each apart.
	Splits []string
	// Conditions by name; none measures the accuracy conditions.
	Conditions []string
	// Content loads what is measured. It is called more than once where content is changed on the way.
	Content func() (*content.Content, error)
	Margins bool
	Fit     bool
}

// Report is everything measured.
type Report struct {
	Version   string           `json:"version"`
	Fit       Values           `json:"fit"`
	Splits    []Split          `json:"splits"`
	Incidents *IncidentSummary `json:"incidents,omitempty"`
	Basis     []Basis          `json:"basis"`
	Advice    []Advice         `json:"advice"`
	Margins   []Margin         `json:"margins,omitempty"`
	Moved     *MovedReport     `json:"moved,omitempty"`
	Fitted    []FitRow         `json:"fitted,omitempty"`
}

// Split is the accuracy on one part of the corpus.
type Split struct {
	Name       string     `json:"name"`
	Recordings int        `json:"recordings"`
	Faulty     int        `json:"faulty"`
	Conditions []Summary  `json:"conditions"`
	Baselines  []Baseline `json:"baselines"`
	// Misses are the looks that came out wrong, for whoever wants to know which.
	Misses []Miss `json:"misses"`
}

// Miss is one wrong outcome.
type Miss struct {
	Condition string   `json:"condition"`
	Want      []string `json:"want"`
	What      string   `json:"what"`
	Outcome
}

// MovedReport is what moving every threshold by a fifth does.
type MovedReport struct {
	Thresholds int      `json:"thresholds"`
	Broken     []Broken `json:"broken"`
}

// Measure runs everything that was asked for.
func Measure(o Options) (*Report, error) {
	all, err := Load(o.Corpus)
	if err != nil {
		return nil, err
	}
	rs := Select(all, o.Splits...)
	if len(rs) == 0 {
		return nil, fmt.Errorf("%w of the wanted split", ErrNoRecordings)
	}
	c, err := o.Content()
	if err != nil {
		return nil, err
	}
	conditions := Accuracy()
	if len(o.Conditions) > 0 {
		if conditions, err = Pick(o.Conditions...); err != nil {
			return nil, err
		}
	}
	out := &Report{Version: "1", Fit: Values(engine.DefaultFit)}
	for _, name := range SplitNames() {
		if part := Select(rs, name); len(part) > 0 {
			out.Splits = append(out.Splits, measureSplit(c, name, conditions, part, all))
		}
	}
	if out.Incidents, err = measureIncidents(c, o.Corpus); err != nil {
		return nil, err
	}
	out.Advice = advise(c, Run(c, engine.Fit{}, Accuracy()[0], rs, all), all)
	ids := make([]string, 0, len(c.Playbooks.All()))
	for _, p := range c.Playbooks.All() {
		ids = append(ids, p.ID)
	}
	out.Basis = out.basis(ids)
	return out, o.more(out, Select(rs, Given, Dev))
}

// more adds what takes longer. Recordings held out and probes take no part in it.
func (o Options) more(out *Report, rs []*Recording) error {
	if (o.Margins || o.Fit) && len(rs) == 0 {
		return errors.New("margins and fits need recordings that are not held out")
	}
	if o.Margins {
		c, err := o.Content()
		if err != nil {
			return err
		}
		if out.Margins, err = Margins(c, rs); err != nil {
			return err
		}
		out.Moved = &MovedReport{}
		if out.Moved.Broken, out.Moved.Thresholds, err = Moved(c, Accuracy()[0], rs, 0.8, 1.2); err != nil {
			return err
		}
	}
	if o.Fit {
		var err error
		if out.Fitted, err = Fit(o.Content, rs); err != nil {
			return err
		}
	}
	return nil
}

func measureSplit(c *content.Content, name string, conditions []Condition, part, all []*Recording) Split {
	s := Split{Name: name, Recordings: len(part)}
	for _, r := range part {
		if r.Faulty() {
			s.Faulty++
		}
	}
	for _, cond := range conditions {
		os := Run(c, engine.Fit{}, cond, part, all)
		if len(os) == 0 {
			continue // none of them has what the condition adds
		}
		s.Conditions = append(s.Conditions, Summarize(cond.Name, os))
		for _, o := range os {
			if what := o.wrong(); what != "" {
				s.Misses = append(s.Misses, Miss{cond.Name, o.R.Causes, what, o})
			}
		}
	}
	s.Baselines = Baselines(c, Run(c, engine.Fit{}, Accuracy()[0], part, all))
	return s
}

// wrong says what is wrong with an outcome; "" when nothing is.
func (o Outcome) wrong() string {
	switch {
	case o.R.Faulty() && o.Rank() == 0 && o.Primary() == "":
		return "not found"
	case o.R.Faulty() && o.Rank() != 1 && o.R.Accepts(o.Primary()):
		return "beside the cause"
	case o.R.Faulty() && o.Rank() != 1 && o.Primary() != "":
		return "wrong cause"
	case o.R.Faulty() && o.Rank() != 1:
		return "not first"
	case o.FalseAlarm() != "":
		return "false alarm"
	case certainStatus(o.R) && o.Status != o.R.Status:
		return "status"
	}
	return ""
}

func measureIncidents(c *content.Content, fsys fs.FS) (*IncidentSummary, error) {
	list, classes, err := Incidents(fsys)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	s, err := newCatalogue(c, engine.Fit{}).Incidents(list, classes)
	return &s, err
}

// SplitNames are the values that Options.Splits takes.
func SplitNames() []string { return []string{Given, Dev, Heldout, Probe, Simulated} }
