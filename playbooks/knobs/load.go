package knobs

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/yamlpos"
)

// The form of a file. Everything that a fault may point at is a Text.
type (
	fileForm struct {
		Facts      []yamlpos.Text            `yaml:"facts"`
		Knobs      map[yamlpos.Text]knobForm `yaml:"knobs"`
		OtherFlags []yamlpos.Text            `yaml:"other_flags"`
		Commands   []yamlpos.Text            `yaml:"commands"`
		Images     []yamlpos.Text            `yaml:"images"`
		Files      []yamlpos.Text            `yaml:"files"`
		WholeFlags bool                      `yaml:"whole_flags"`
	}
	knobForm struct {
		Flag          yamlpos.Text      `yaml:"flag"`
		File          yamlpos.Text      `yaml:"file"`
		Aliases       []yamlpos.Text    `yaml:"aliases"`
		Negative      yamlpos.Text      `yaml:"negative"`
		Env           string            `yaml:"env"`
		Since         yamlpos.Text      `yaml:"since"`
		Removed       yamlpos.Text      `yaml:"removed"`
		Type          yamlpos.Text      `yaml:"type"`
		Min           *float64          `yaml:"min"`
		Max           *float64          `yaml:"max"`
		Step          float64           `yaml:"step"`
		Unit          string            `yaml:"unit"`
		Values        []string          `yaml:"values"`
		Open          bool              `yaml:"open"`
		Label         string            `yaml:"label"`
		PartOf        *partForm         `yaml:"part_of"`
		Largest       yamlpos.Text      `yaml:"largest"`
		Effect        string            `yaml:"effect"`
		Cost          string            `yaml:"cost"`
		Default       []presetForm      `yaml:"default"`
		Adjust        []adjustmentForm  `yaml:"adjust"`
		Requires      []requirementForm `yaml:"requires"`
		SeenIn        string            `yaml:"seen_in"`
		Restart       bool              `yaml:"restart"`
		ChangesOutput bool              `yaml:"changes_output"`
		Source        string            `yaml:"source"`
	}
	partForm struct {
		Knob yamlpos.Text `yaml:"knob"`
		Keys []string     `yaml:"keys"`
	}
	presetForm struct {
		Versions yamlpos.Text `yaml:"versions"`
		When     yamlpos.Text `yaml:"when"`
		Value    yamlpos.Text `yaml:"value"`
	}
	adjustmentForm struct {
		Versions yamlpos.Text `yaml:"versions"`
		When     yamlpos.Text `yaml:"when"`
		Times    yamlpos.Text `yaml:"times"`
		AtLeast  yamlpos.Text `yaml:"at_least"`
		AtMost   yamlpos.Text `yaml:"at_most"`
	}
	requirementForm struct {
		Check   yamlpos.Text `yaml:"check"`
		When    yamlpos.Text `yaml:"when"`
		Message yamlpos.Text `yaml:"message"`
	}
)

// Load reads every *.yaml at the root of fsys; the file name is the server's. All faults of all files come back together.
func Load(fsys fs.FS) (*Catalog, error) {
	files, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list knob files: %w", err)
	}
	c := &Catalog{engines: map[string]*engine{}}
	var problems yamlpos.Problems
	for _, name := range files {
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read knobs: %w", err)
		}
		e, err := parse(name, src)
		var ps yamlpos.Problems
		switch {
		case errors.As(err, &ps):
			problems = append(problems, ps...)
		case err != nil:
			return nil, fmt.Errorf("read knobs: %w", err)
		}
		c.engines[e.name] = e
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

type loader struct {
	*engine
	src      *yamlpos.Source
	problems yamlpos.Problems
	isName   map[string]bool // knobs and facts that conditions may read
}

func parse(name string, text []byte) (*engine, error) {
	e := &engine{
		name:  strings.TrimSuffix(path.Base(name), ".yaml"),
		knobs: map[string]*Knob{}, flags: map[string]spelling{}, envs: map[string]*Knob{}, others: map[string]bool{}, files: map[string]bool{},
	}
	var form fileForm
	src, err := yamlpos.Decode(name, text, &form)
	if err != nil {
		return e, err
	}
	l := &loader{engine: e, src: src, isName: map[string]bool{}}
	l.launch(form)
	for _, f := range form.Facts {
		l.isName[f.S] = true
	}
	ids := slices.SortedFunc(maps.Keys(form.Knobs), func(a, b yamlpos.Text) int { return a.Pos.Line - b.Pos.Line })
	for _, id := range ids {
		l.isName[id.S] = true
	}
	for _, id := range ids {
		l.knob(id, form.Knobs[id])
	}
	for _, id := range ids {
		l.references(form.Knobs[id])
	}
	for _, f := range form.OtherFlags {
		if _, taken := l.flags[normal(f.S)]; taken {
			l.fault(f, f.S+" is a knob's flag, too", "")
		}
		l.others[normal(f.S)] = true
		l.names = append(l.names, f.S)
	}
	return e, l.problems.Err()
}

// launch reads how the server is started.
func (l *loader) launch(form fileForm) {
	l.whole = form.WholeFlags
	for _, c := range form.Commands {
		l.commands = append(l.commands, strings.Fields(c.S))
	}
	for _, i := range form.Images {
		l.images = append(l.images, i.S)
	}
	for _, f := range form.Files {
		if !strings.HasPrefix(f.S, "-") {
			l.fault(f, fmt.Sprintf("files has %q; a flag starts with a dash", f.S), "")
		}
		l.files[normal(f.S)] = true
		l.names = append(l.names, f.S)
	}
}

func (l *loader) fault(at yamlpos.Text, msg, hint string) {
	l.problems = append(l.problems, l.src.Problem(at.Pos, len([]rune(at.S)), msg, hint))
}

func (l *loader) knob(id yamlpos.Text, f knobForm) {
	k := &Knob{
		Engine: l.name, ID: id.S, Flag: f.Flag.S, File: f.File.S, Negative: f.Negative.S, Env: f.Env, Type: Type(f.Type.S), Min: f.Min, Max: f.Max,
		Step: f.Step, Unit: f.Unit, Values: f.Values, Open: f.Open, Effect: f.Effect, Cost: f.Cost, SeenIn: f.SeenIn, Label: f.Label,
		Source: f.Source, Restart: f.Restart, ChangesOutput: f.ChangesOutput, largest: f.Largest.S,
	}
	l.knobs[id.S] = k
	if !identifier.MatchString(id.S) {
		l.fault(id, "the id "+id.S+" is not in snake case", "")
	}
	types := []string{string(Int), string(Float), string(Bool), string(String), string(JSON), string(List)}
	if !slices.Contains(types, f.Type.S) {
		l.fault(orID(f.Type, id), fmt.Sprintf("%s has type %q", id.S, f.Type.S), "types: "+strings.Join(types, ", "))
	}
	for what, missing := range map[string]bool{"effect": f.Effect == "", "cost": f.Cost == "", "seen_in": f.SeenIn == "", "source": f.Source == ""} {
		if missing {
			l.fault(id, id.S+" has no "+what, "")
		}
	}
	if f.Min != nil && f.Max != nil && *f.Min > *f.Max {
		l.fault(id, id.S+" has a min above its max", "")
	}
	k.since, k.removed = l.release(f.Since), l.release(f.Removed)
	if f.PartOf != nil {
		k.partOf, k.keys = f.PartOf.Knob.S, f.PartOf.Keys
	}
	if k.File == "" {
		l.spell(id, f.Flag, spelling{knob: k})
	} else {
		l.key(id, f)
	}
	for _, alias := range f.Aliases {
		k.Aliases = append(k.Aliases, alias.S)
		l.spell(id, alias, spelling{knob: k})
	}
	if f.Negative.S != "" {
		l.spell(id, f.Negative, spelling{k, true})
	}
	if f.Env != "" {
		l.envs[f.Env] = k
	}
	for _, d := range f.Default {
		l.preset(k, d)
	}
	for _, a := range f.Adjust {
		l.adjustment(k, a)
	}
	for _, r := range f.Requires {
		k.requires = append(k.requires, requirement{l.condition(r.When), l.condition(r.Check), r.Message.S})
		if r.Check.S == "" || r.Message.S == "" {
			l.fault(id, "a requirement of "+id.S+" needs a check and a message", "")
		}
	}
}

// key checks a setting that stands in a file, under its keys with dots between them.
func (l *loader) key(id yamlpos.Text, f knobForm) {
	for part := range strings.SplitSeq(f.Flag.S, ".") {
		if !identifier.MatchString(part) {
			l.fault(orID(f.Flag, id), fmt.Sprintf("%s has the key %q; in a file it is written as kv_cache_config.dtype", id.S, f.Flag.S), "")
			return
		}
	}
	if !l.files[normal(f.File.S)] {
		l.fault(f.File, f.File.S+" is none of the flags under files", "")
	}
}

func (l *loader) spell(id, flag yamlpos.Text, s spelling) {
	if !strings.HasPrefix(flag.S, "-") {
		l.fault(orID(flag, id), fmt.Sprintf("%s has flag %q; a flag starts with a dash", id.S, flag.S), "")
		return
	}
	if other, taken := l.flags[normal(flag.S)]; taken {
		l.fault(flag, flag.S+" is also a flag of "+other.knob.ID, "")
	}
	l.flags[normal(flag.S)] = s
	l.names = append(l.names, flag.S)
}

func (l *loader) preset(k *Knob, f presetForm) {
	p := preset{l.versions(f.Versions), l.condition(f.When), f.Value.S}
	if isNone(p.value) {
		p.value = "none"
		k.noneIsValue = k.noneIsValue || k.Type == String
	}
	if _, _, err := k.fact(p.value, "", false); err != nil {
		l.fault(f.Value, "default "+err.Error(), "")
	}
	k.defaults = append(k.defaults, p)
}

func (l *loader) adjustment(k *Knob, f adjustmentForm) {
	a := adjustment{versions: l.versions(f.Versions), when: l.condition(f.When)}
	for kind, by := range map[string]yamlpos.Text{"times": f.Times, "at_least": f.AtLeast, "at_most": f.AtMost} {
		if by.S == "" {
			continue
		}
		a.kind = kind
		var err error
		if a.by, err = parseProduct(by.S, l.known); err != nil {
			l.reject(by, err)
		}
	}
	k.adjust = append(k.adjust, a)
}

// references checks what can only be told once every knob is known.
func (l *loader) references(f knobForm) {
	if f.Largest.S != "" && l.knobs[f.Largest.S] == nil {
		l.reject(f.Largest, &nameError{f.Largest.S})
	}
	if f.PartOf == nil {
		return
	}
	if of, ok := l.knobs[f.PartOf.Knob.S]; !ok || of.Type != JSON {
		l.fault(f.PartOf.Knob, f.PartOf.Knob.S+" is no knob of type json", "")
	}
}

func (l *loader) known(name string) bool { return l.isName[name] }

func (l *loader) condition(t yamlpos.Text) condition {
	c, err := parseCondition(t.S, l.known)
	if err != nil {
		l.reject(t, err)
	}
	return c
}

// reject reports a condition, at the very name where that is the fault.
func (l *loader) reject(t yamlpos.Text, err error) {
	var unknown *nameError
	if !errors.As(err, &unknown) {
		l.fault(t, err.Error(), "")
		return
	}
	hint := ""
	if near := yamlpos.Nearest(unknown.name, slices.Sorted(maps.Keys(l.isName))); near != "" {
		hint = "did you mean " + near + "?"
	}
	at := t.At(max(0, strings.Index(t.S, unknown.name)))
	l.problems = append(l.problems, l.src.Problem(at, len(unknown.name), err.Error(), hint))
}

func (l *loader) versions(t yamlpos.Text) versions {
	vs, err := parseVersions(t.S)
	if err != nil {
		l.fault(t, err.Error(), "write >=0.20, or >=0.8 <0.9")
	}
	return vs
}

func (l *loader) release(t yamlpos.Text) release {
	if t.S == "" {
		return nil
	}
	r, ok := parseRelease(t.S)
	if !ok {
		l.fault(t, t.S+" is no version", "")
	}
	return r
}

func orID(t, id yamlpos.Text) yamlpos.Text {
	if t.Pos.Line == 0 {
		return id
	}
	return t
}
