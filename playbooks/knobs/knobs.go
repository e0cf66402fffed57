// Package knobs knows the launch settings of inference servers: how they are written, what they are when nobody
// sets them, which version has them, and what they cost. The content is one YAML file a server.
package knobs

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/yamlpos"
)

//go:embed *.yaml
var builtin embed.FS

// Builtin is the content that comes with the program, for Load.
func Builtin() fs.FS { return builtin }

// Knob is one launch setting of one server.
type Knob struct {
	Engine, ID string

	Flag     string   // as the documentation spells it
	File     string   // the flag that names the file in which it stands, where it has no flag of its own; Flag is then its key, as kv_cache_config.dtype
	Aliases  []string // other spellings
	Negative string   // the flag that switches a boolean off
	Env      string   // an environment variable that sets it too

	Type     Type
	Min, Max *float64
	Step     float64
	Unit     string
	Values   []string // the words allowed
	Open     bool     // other words than Values may be allowed too

	Effect, Cost string // one sentence each; Effect continues the knob's name
	SeenIn       string // where a person can read its value
	Label        string // the label of vllm:cache_config_info that shows it
	Source       string // file@version the facts were read from, or the release alone

	Restart, ChangesOutput bool

	since, removed release
	partOf         string   // the JSON knob that holds this one
	keys           []string // under which of its keys
	largest        string   // for a list: the knob that its largest element also sets
	defaults       []preset
	adjust         []adjustment
	requires       []requirement
	noneIsValue    bool // "none" is worth knowing: not quantised
}

// preset is a default and when it holds.
type preset struct {
	versions versions
	when     condition
	value    string
}

// adjustment is what the server does to a default afterwards.
type adjustment struct {
	versions versions
	when     condition
	kind     string // times, at_least, at_most
	by       product
}

type requirement struct {
	when, check condition
	message     string
}

// Catalog is the knobs of every server. It is immutable.
type Catalog struct {
	engines map[string]*engine
}

type engine struct {
	name   string
	knobs  map[string]*Knob
	flags  map[string]spelling // by normalised flag, short flags as they are
	envs   map[string]*Knob
	others map[string]bool // flags that are no knobs
	files  map[string]bool // flags that name a file of settings
	whole  bool            // a flag is never taken by its beginning

	commands [][]string // what starts the server, word by word
	images   []string   // how images begin whose entry point it is
	names    []string   // every flag, for did-you-mean
}

type spelling struct {
	knob *Knob
	off  bool // the negative flag
}

// Knob returns a knob by its id.
func (c *Catalog) Knob(engine, id string) (*Knob, bool) {
	e, ok := c.engines[engine]
	if !ok {
		return nil, false
	}
	k, ok := e.knobs[id]
	return k, ok
}

// Engines lists the servers that have knobs, in order.
func (c *Catalog) Engines() []string { return slices.Sorted(maps.Keys(c.engines)) }

// IDs lists the knobs of a server, in order.
func (c *Catalog) IDs(engine string) []string {
	e, ok := c.engines[engine]
	if !ok {
		return nil
	}
	return slices.Sorted(maps.Keys(e.knobs))
}

// Available reports whether a version of the server takes the knob. Of a lower bound or an unknown version the newest
// release is told: a knob that was removed is not available, one that came late is, with why as a reservation.
func (c *Catalog) Available(engine, id, version string) (ok bool, why string) {
	e, found := c.engines[engine]
	if !found {
		return false, "no knobs of " + engine + " are known"
	}
	k, found := e.knobs[id]
	if !found {
		return false, e.unknownKnob(id)
	}
	s := parseSpan(version)
	if k.removed != nil && (versions{{">=", k.removed}}).holds(s) != no {
		return false, fmt.Sprintf("%s was removed in %s %s", k.Flag, engine, k.removed)
	}
	if k.since != nil {
		needs := fmt.Sprintf("%s needs %s %s or newer", k.Flag, engine, k.since)
		switch (versions{{">=", k.since}}).holds(s) {
		case no:
			return false, needs
		case unknown:
			return true, needs
		}
	}
	return true, ""
}

func (e *engine) unknownKnob(id string) string {
	why := "no knob " + id + " of " + e.name + " is known"
	if near := yamlpos.Nearest(id, slices.Sorted(maps.Keys(e.knobs))); near != "" {
		why += ", did you mean " + near + "?"
	}
	return why
}

func (r release) String() string {
	words := make([]string, len(r))
	for i, n := range r {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ".")
}

// Format writes a computed value as the knob takes it: integers without decimals, ratios with two digits. Integers are
// rounded down to the knob's step.
func (c *Catalog) Format(engine, id string, value float64) string {
	k, ok := c.Knob(engine, id)
	switch {
	case math.IsNaN(value) || math.IsInf(value, 0):
		return ""
	case !ok:
		return strconv.FormatFloat(value, 'f', -1, 64)
	case k.Type == Bool:
		return strconv.FormatBool(value != 0)
	case k.Type == Int:
		if k.Step > 1 {
			value = math.Floor(value/k.Step) * k.Step
		}
		return strconv.FormatFloat(math.Floor(value+1e-9), 'f', 0, 64)
	case k.Unit == "ratio":
		return strconv.FormatFloat(value, 'f', 2, 64)
	}
	return strconv.FormatFloat(math.Round(value*100)/100, 'f', -1, 64)
}

// Setting writes the knob with a value as it stands on a command line or in its file, "" when it is to be left out.
func (k *Knob) Setting(value string) string {
	if k.unset(value) {
		return ""
	}
	if k.File != "" {
		keys := strings.Split(k.Flag, ".")
		return strings.Join(keys, ": {") + ": " + value + strings.Repeat("}", len(keys)-1)
	}
	switch k.Type {
	case Bool:
		if on, _ := parseBool(value); on {
			return k.Flag
		}
		return k.Negative
	case List:
		return k.Flag + " " + strings.ReplaceAll(value, ",", " ")
	case JSON:
		return k.Flag + " '" + strings.ReplaceAll(value, "'", `'\''`) + "'"
	}
	return k.Flag + " " + value
}

// Rollback says how to undo a change of the knob. A zero was means that the old value is not known.
func (k *Knob) Rollback(was model.Fact) string {
	switch {
	case was == model.Fact{}:
		return "start again with " + k.Flag + " as it was"
	case !was.Explicit || k.Setting(was.Text) == "":
		return "start again without " + k.Flag
	}
	return "start again with " + k.Setting(was.Text)
}
