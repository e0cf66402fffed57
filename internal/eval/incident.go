package eval

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/internal/model"
)

// Incident is a confirmed incident in the figures that its report gives. It is judged as one frame,
// without time: what the report does not say is not there.
type Incident struct {
	ID     string `yaml:"-"`
	Source struct {
		Ref string `yaml:"ref"`
		URL string `yaml:"url"`
	} `yaml:"source"`
	Engine  string `yaml:"engine"`
	Version string `yaml:"version"`
	// Class is the kind of cause in the words of the report; classes.yaml says which cause it is here.
	Class string `yaml:"class"`
	// AlsoAcceptable are causes that nothing in the report tells from the confirmed one.
	AlsoAcceptable []string `yaml:"also_acceptable"`
	Is             string   `yaml:"is"`
	Bad            State    `yaml:"bad"`
	Fixed          *State   `yaml:"fixed"` // after the cure; nil when nobody reported it
	// Fix is the setting that cured it, with up, down, on, off or set (of one that was not in use); or, without a setting, what did in words.
	Fix struct {
		Knob      string `yaml:"knob"`
		Direction string `yaml:"direction"`
	} `yaml:"fix"`
	// CureOnly marks a report without a figure that a symptom could rest on: only what is suggested is judged.
	CureOnly bool `yaml:"cure_only"`
}

// State is what was seen of one server.
type State struct {
	// Gauges are single readings that stand for all statistics of the gauge over the window.
	Gauges  map[string]Figure   `yaml:"gauges"`
	Signals map[string]Figure   `yaml:"signals"`
	Facts   map[string]any      `yaml:"facts"`
	Ranks   []map[string]Figure `yaml:"ranks"` // gauges of the data-parallel ranks
}

// Figure is a number, or {at_least: number}, or {at_most: number}.
type Figure struct{ model.Value }

// UnmarshalYAML reads the three forms.
func (f *Figure) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&f.V)
	}
	var m map[string]float64
	if err := n.Decode(&m); err != nil {
		return err
	}
	for word, bound := range map[string]model.Bound{"at_least": model.AtLeast, "at_most": model.AtMost} {
		if v, ok := m[word]; ok && len(m) == 1 {
			f.V, f.Bound = v, bound
			return nil
		}
	}
	return fmt.Errorf("line %d: a figure is a number, {at_least: number} or {at_most: number}", n.Line)
}

// statistics are the signals that one reading of a gauge stands for.
var statistics = map[string][]string{
	"running": {"running", "running_max", "running_p25", "running_p75", "running_last"},
	"waiting": {"waiting", "waiting_max", "waiting_p25", "waiting_p75", "waiting_last"},
	"kv_used": {"kv_used_ratio", "kv_used_max_ratio", "kv_used_last_ratio"},
}

const classesFile = "classes.yaml"

// Incidents reads cases/*.yaml below a corpus, and the mapping of their classes to causes.
// A corpus without the folder has none.
func Incidents(fsys fs.FS) ([]Incident, map[string]string, error) {
	names, err := fs.Glob(fsys, "cases/*.yaml")
	if err != nil {
		return nil, nil, fmt.Errorf("list incidents: %w", err)
	}
	var out []Incident
	var faults []error
	classes := map[string]string{}
	for _, name := range names {
		var in Incident
		var to any = &in
		if path.Base(name) == classesFile {
			to = &classes
		}
		if err := readYAML(fsys, name, to); err != nil {
			faults = append(faults, err)
			continue
		}
		if path.Base(name) != classesFile {
			in.ID = strings.TrimSuffix(path.Base(name), ".yaml")
			out = append(out, in)
		}
	}
	for _, in := range out {
		if classes[in.Class] == "" {
			faults = append(faults, fmt.Errorf("cases/%s.yaml: %s says no cause for the class %q", in.ID, classesFile, in.Class))
		}
	}
	return out, classes, errors.Join(faults...)
}

func readYAML(fsys fs.FS, name string, to any) error {
	f, err := fsys.Open(name)
	if err != nil {
		return fmt.Errorf("read incident: %w", err)
	}
	defer f.Close()
	d := yaml.NewDecoder(f)
	d.KnownFields(true)
	if err := d.Decode(to); err != nil {
		return fmt.Errorf("read incident %s: %w", name, err)
	}
	return nil
}

// still builds the frame of one state: window long, scraped often enough.
func (in Incident) still(c catalogue, s State) (*model.Frame, error) {
	at := time.Unix(0, 0).UTC().Add(window)
	es := &model.Entities{}
	e := model.Engine{Name: in.Engine, Version: in.Version}
	id := es.Add(model.Entity{Scope: model.ScopeTarget, Parent: model.NoEntity, Engine: e, Labels: model.LabelsFrom(map[string]string{"instance": in.ID})})
	var ranks []model.EntityID
	for i := range s.Ranks {
		ls := model.LabelsFrom(map[string]string{"engine": strconv.Itoa(i), "instance": in.ID})
		ranks = append(ranks, es.Add(model.Entity{Scope: model.ScopeRank, Parent: id, Engine: e, Labels: ls}))
	}
	b := model.NewFrame(at, window, es)
	b.SetSpan(id, model.Span{First: at.Add(-window), Last: at, Scrapes: 21})
	b.Set(id, "observed_s", model.Known(window.Seconds()))
	b.Set(id, "down", model.Known(0))
	c.settings(b)
	err := errors.Join(c.gauges(b, id, s.Gauges), c.signals(b, id, s.Signals))
	for i, gauges := range s.Ranks {
		err = errors.Join(err, c.gauges(b, ranks[i], gauges))
	}
	for name, v := range s.Facts {
		b.SetFact(id, name, fact(v))
	}
	for name, f := range c.Knobs.FromValues(in.Engine, s.Facts, "the report", true) {
		b.SetFact(id, name, f)
	}
	if err != nil {
		return nil, fmt.Errorf("cases/%s.yaml: %w", in.ID, err)
	}
	c.Signals.Derive(b)
	return b.Frame(), nil
}

func fact(v any) model.Fact {
	f := model.Fact{Text: fmt.Sprint(v), From: "the report", Explicit: true}
	if n, err := strconv.ParseFloat(f.Text, 64); err == nil {
		f.Num, f.IsNum = n, true
	}
	return f
}

// IncidentResult is what came out for one incident.
type IncidentResult struct {
	ID      string `json:"id"`
	URL     string `json:"url"`
	Cause   string `json:"cause"`
	Covered bool   `json:"covered"` // a playbook of that cause exists
	// Symptoms and Causes are those of the bad state; Rank is the place of the right one, 0 when it is not listed.
	Symptoms []string `json:"symptoms"`
	Causes   []Ranked `json:"causes"`
	Rank     int      `json:"rank"`
	Named    bool     `json:"named"`
	// Fixed is what the cured state shows first: "" for nothing, "-" when it was not reported.
	Fixed string `json:"fixed"`

	acceptable []string
}

// Wrong says that another cause was named.
func (r IncidentResult) Wrong() bool {
	return len(r.Causes) > 0 && r.Causes[0].Primary && !r.Causes[0].State && r.Causes[0].ID != r.Cause &&
		!slices.Contains(r.acceptable, r.Causes[0].ID)
}

func (in Incident) result(c catalogue, causes map[string]string) (IncidentResult, error) {
	r := IncidentResult{ID: in.ID, URL: in.Source.URL, Cause: causes[in.Class], Fixed: "-", acceptable: in.AlsoAcceptable}
	_, r.Covered = c.Playbooks.Get(r.Cause)
	f, err := in.still(c, in.Bad)
	if err != nil {
		return r, err
	}
	o := seen{r: &Recording{Scenario: Scenario{ID: in.ID, Causes: []string{r.Cause}}}, frame: f, books: c.Playbooks}.outcome(c.engine)
	r.Symptoms, r.Causes, r.Rank = o.Symptoms, o.Causes, o.Rank()
	r.Named = r.Rank == 1 && o.Primary() != ""
	if in.Fixed == nil {
		return r, nil
	}
	if f, err = in.still(c, *in.Fixed); err != nil {
		return r, err
	}
	r.Fixed = seen{r: &Recording{}, frame: f, books: c.Playbooks}.outcome(c.engine).Primary()
	return r, nil
}

// IncidentSummary counts over the incidents.
type IncidentSummary struct {
	All Share `json:"named"`
	// Covered counts only incidents whose cause has a playbook.
	Covered Share            `json:"named_of_covered"`
	Wrong   Share            `json:"wrong"`
	Results []IncidentResult `json:"results"`
	// Advice is of the incidents that a setting cured.
	Advice []IncidentAdvice `json:"advice,omitempty"`
}

// Incidents judges all of them.
func (c catalogue) Incidents(list []Incident, causes map[string]string) (IncidentSummary, error) {
	var s IncidentSummary
	var named, wrong float64
	covered := 0
	var err error
	if s.Advice, err = c.advice(list, causes); err != nil {
		return s, err
	}
	list = slices.DeleteFunc(slices.Clone(list), func(in Incident) bool { return in.CureOnly })
	for _, in := range list {
		r, err := in.result(c, causes)
		if err != nil {
			return s, err
		}
		named += yes(r.Named)
		wrong += yes(r.Wrong())
		if r.Covered {
			covered++
		}
		s.Results = append(s.Results, r)
	}
	s.All, s.Covered, s.Wrong = share(named, len(list)), share(named, covered), share(wrong, len(list))
	slices.SortFunc(s.Results, func(a, b IncidentResult) int { return strings.Compare(a.ID, b.ID) })
	return s, nil
}
