package knobs

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/yamlpos"
)

// glued is a short flag with its value: -O3.
var glued = regexp.MustCompile(`^(-[A-Za-z])(\d+)$`)

// variable is a word that a shell, or Kubernetes, would have put something else for: $N, ${N}, $(N), $@.
var variable = regexp.MustCompile(`^\$[A-Za-z_{(@*]`)

// lone are flags without a value, by how they begin.
var lone = regexp.MustCompile(`^--(no|enable|disable|trust|skip|fully|return|headless|show|calculate|allow-credentials|async-engine|numa-bind)\b`)

// Launch is what a command line says.
type Launch struct {
	Facts map[string]model.Fact
	// Notes say what was not understood.
	Notes []string
	// Partial says that flags may stand elsewhere, such as in a file; what is not set here is then not known.
	Partial bool
	// Doubtful are knobs that the command line seems to set without saying clearly to what.
	Doubtful []string
}

// FromArgs reads launch arguments, in every spelling the server takes. What it does not understand becomes a note, never an
// error; notes repeat no value of a flag that is not known, which may be a secret.
func (c *Catalog) FromArgs(engine string, args []string) Launch {
	facts := map[string]model.Fact{}
	e, ok := c.engines[engine]
	if !ok {
		return Launch{Facts: facts, Partial: true, Notes: []string{"no knobs of " + engine + " are known; its launch arguments are not read"}}
	}
	r := &argReader{engine: e, facts: facts, trees: map[string]map[string]any{}, seen: map[string]bool{}}
	for len(args) > 0 {
		args = args[r.next(args):]
	}
	for _, id := range slices.Sorted(maps.Keys(r.trees)) {
		e.parts(e.knobs[id], r.trees[id], "args", true, facts)
		if _, whole := facts[id]; !whole {
			facts[id] = model.Fact{Text: write(r.trees[id]), From: "args", Explicit: true}
		}
	}
	if len(r.strange) > 0 {
		slices.Sort(r.strange)
		r.note("not known here and left out: %s", strings.Join(slices.Compact(r.strange), ", "))
	}
	return Launch{Facts: facts, Notes: r.notes, Partial: r.partial, Doubtful: r.doubtful}
}

type argReader struct {
	*engine
	facts   map[string]model.Fact
	trees   map[string]map[string]any // what JSON flags and their dotted forms set
	seen    map[string]bool
	notes   []string
	strange []string

	partial  bool
	doubtful []string
	begun    bool // past the first word
}

func (r *argReader) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// next reads one argument with its values and returns how many words that were.
func (r *argReader) next(args []string) int {
	word := args[0]
	if name, value, ok := strings.Cut(word, "="); ok && assignment.MatchString(word) {
		if k, ok := r.envs[name]; ok {
			r.set(k, name, value)
		}
		return 1
	}
	first := !r.begun
	r.begun = true
	if variable.MatchString(word) && !first { // the first one is the model
		r.note("a variable of the shell is not spelled out; flags in it are not known")
		r.partial = true
		return 1
	}
	if len(word) < 2 || word[0] != '-' || isNumber(word) {
		return 1 // the model, a value of a flag that is not known, or a stray word
	}
	flag, value, hasValue := strings.Cut(word, "=")
	if m := glued.FindStringSubmatch(flag); m != nil && !hasValue {
		flag, value, hasValue = m[1], m[2], true
	}
	s, path, ok := r.find(flag)
	if !ok && path == "" {
		if s, ok = r.abbreviated(flag); ok {
			full := s.knob.Flag
			if s.off {
				full = "--no-" + strings.TrimPrefix(full, "--")
			}
			r.note("%s is read as %s, as the server does", flag, full)
		}
	}
	if !ok {
		r.unknown(flag)
		if !hasValue && len(args) > 1 && !lone.MatchString(flag) && variable.MatchString(args[1]) {
			return 2
		}
		return 1
	}
	used := 1
	if !hasValue {
		value, used = take(s, args)
	}
	switch {
	case path != "":
		r.branch(s.knob, path, value)
	case s.knob.Type == Bool:
		r.boolean(s, flag, value)
	case used == 1 && !hasValue:
		r.note("%s has no value", flag)
		r.doubt(s.knob)
	default:
		r.set(s.knob, flag, value)
	}
	return used
}

// take finds the value of a flag in the words after it.
func take(s spelling, args []string) (value string, used int) {
	isValue := func(i int) bool { return i < len(args) && (!strings.HasPrefix(args[i], "-") || isNumber(args[i])) }
	switch {
	case s.knob.Type == Bool:
		if len(args) > 1 && (strings.EqualFold(args[1], "true") || strings.EqualFold(args[1], "false")) {
			return args[1], 2 // vLLM up to 0.8 took a word here
		}
		return "", 1
	case s.knob.Type == List:
		used = 1
		for isValue(used) {
			used++
		}
		return strings.Join(args[1:used], ","), used
	case isValue(1):
		return args[1], 2
	}
	return "", 1
}

// find looks a flag up; path is what follows the first dot of a JSON flag: --compilation-config.cudagraph_mode.
func (r *argReader) find(flag string) (s spelling, path string, ok bool) {
	if s, ok = r.flags[normal(flag)]; ok {
		return s, "", true
	}
	base, path, dotted := strings.Cut(flag, ".")
	if !dotted {
		return s, "", false
	}
	s, ok = r.flags[normal(base)]
	if !ok || s.knob.Type != JSON {
		return s, "", false
	}
	whole, ok := r.flags[normal(s.knob.Flag+"."+path)]
	if ok {
		return whole, "", true
	}
	return s, path, true
}

// abbreviated finds the one flag that begins so: Python's argparse, which most servers use, takes every
// beginning that only one flag has.
func (r *argReader) abbreviated(flag string) (spelling, bool) {
	short := normal(flag)
	if r.whole || !strings.HasPrefix(short, "--") || len(short) < 4 {
		return spelling{}, false
	}
	for _, more := range []map[string]bool{r.others, r.files} {
		for name := range more {
			if strings.HasPrefix(name, short) {
				return spelling{}, false
			}
		}
	}
	var found spelling
	for name, s := range r.flags {
		switch {
		case !strings.HasPrefix(name, short):
		case found.knob != nil && (found.knob != s.knob || found.off != s.off):
			return spelling{}, false
		default:
			found = s
		}
	}
	return found, found.knob != nil
}

// doubt notes that a knob is set to what is not known.
func (r *argReader) doubt(k *Knob) {
	if _, known := r.facts[k.ID]; !known {
		r.doubtful = append(r.doubtful, k.ID)
	}
}

func (r *argReader) unknown(flag string) {
	if r.files[normal(flag)] {
		r.note("%s names a file that is not read; flags in it are not known", flag)
		r.partial = true
		return
	}
	if r.others[normal(flag)] || r.others[normal(strings.Replace(flag, "--no-", "--", 1))] {
		return
	}
	base, _, _ := strings.Cut(flag, ".")
	if r.others[normal(base)] {
		return
	}
	if strings.HasPrefix(flag, "--") {
		if near := yamlpos.Nearest(flag, r.names); near != "" {
			r.note("unknown flag %s, did you mean %s?", flag, near)
			if s, ok := r.flags[normal(near)]; ok {
				r.doubt(s.knob)
			}
			return
		}
	}
	r.strange = append(r.strange, flag)
}

func (r *argReader) boolean(s spelling, flag, value string) {
	if value == "" {
		value = "true"
	}
	on, ok := parseBool(value)
	if !ok {
		r.note("%s: %q is neither true nor false", flag, value)
		r.doubt(s.knob)
		return
	}
	r.set(s.knob, flag, fmt.Sprint(on != s.off))
}

func (r *argReader) set(k *Knob, flag, value string) {
	if r.seen[k.ID] && k.Type != JSON {
		r.note("%s is set twice; the last one counts", k.Flag)
	}
	r.seen[k.ID] = true
	if variable.MatchString(value) {
		r.note("the value of %s is a variable that is not spelled out", flag)
		r.doubt(k)
		return
	}
	if k.Type == List {
		value = strings.ReplaceAll(strings.Trim(value, "[]"), " ", "")
	}
	f, isSet, err := k.fact(value, "args", true)
	if err != nil {
		r.note("%s: %v", flag, err)
		r.doubt(k)
		return
	}
	if !isSet {
		delete(r.facts, k.ID)
		return
	}
	r.facts[k.ID] = f
	if k.Type == JSON {
		tree := map[string]any{}
		if err := json.Unmarshal([]byte(value), &tree); err != nil {
			r.note("%s is not a JSON object; its parts are not known", flag)
			return
		}
		r.trees[k.ID] = tree
	}
	r.larger(k, f, r.facts)
}

// branch sets one key of a JSON knob.
func (r *argReader) branch(k *Knob, path, value string) {
	tree := r.trees[k.ID]
	if tree == nil {
		tree = map[string]any{}
		r.trees[k.ID] = tree
	}
	keys := strings.Split(strings.TrimSuffix(path, "+"), ".")
	for _, key := range keys[:len(keys)-1] {
		inner, ok := tree[key].(map[string]any)
		if !ok {
			inner = map[string]any{}
			tree[key] = inner
		}
		tree = inner
	}
	var v any = value
	if err := json.Unmarshal([]byte(value), &v); err != nil {
		v = value
	}
	tree[keys[len(keys)-1]] = v
}

// parts sets the facts of the knobs that live inside a JSON knob, where nothing else set them.
func (e *engine) parts(whole *Knob, tree map[string]any, from string, explicit bool, facts map[string]model.Fact) {
	for _, id := range slices.Sorted(maps.Keys(e.knobs)) {
		k := e.knobs[id]
		if k.partOf != whole.ID {
			continue
		}
		for _, key := range k.keys {
			v, ok := tree[key]
			if _, have := facts[id]; !ok || have {
				continue
			}
			e.put(k, v, from, explicit, facts)
		}
	}
}

func (e *engine) put(k *Knob, v any, from string, explicit bool, facts map[string]model.Fact) {
	if f, isSet, err := k.fact(write(v), from, explicit); isSet && err == nil {
		facts[k.ID] = f
		e.larger(k, f, facts)
	}
}

// larger sets the knob that a list's largest element stands for.
func (e *engine) larger(k *Knob, list model.Fact, facts map[string]model.Fact) {
	if k.largest == "" {
		return
	}
	if n, ok := largest(list.Text); ok {
		if _, have := facts[k.largest]; !have {
			facts[k.largest] = model.Fact{Text: write(n), Num: n, IsNum: true, From: list.From, Explicit: list.Explicit}
		}
	}
}

// FromValues reads decoded settings by argument name (max_num_seqs), as a log prints them: strings, numbers, booleans,
// lists, maps and nil. Names that are no knobs are left out.
func (c *Catalog) FromValues(engine string, values map[string]any, from string, explicit bool) map[string]model.Fact {
	facts := map[string]model.Fact{}
	e, ok := c.engines[engine]
	if !ok {
		return facts
	}
	for name, v := range values {
		s, ok := e.flags["--"+strings.ReplaceAll(name, "_", "-")]
		if !ok {
			continue
		}
		e.put(s.knob, v, from, explicit, facts)
	}
	for name, v := range values {
		if tree, ok := v.(map[string]any); ok {
			if k, ok := e.knobs[name]; ok {
				e.parts(k, tree, from, explicit, facts)
			}
		}
	}
	return facts
}

// normal spells a flag with dashes, up to the dot after which keys keep their underscores.
func normal(flag string) string {
	head, tail, dotted := strings.Cut(flag, ".")
	head = strings.ReplaceAll(head, "_", "-")
	if dotted {
		return head + "." + tail
	}
	return head
}

func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	_, ok := parseNumber(s)
	return ok
}
