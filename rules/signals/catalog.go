// Package signals is the catalogue: what each quantity means (meaning/*.yaml) and from which series
// of which server it is read (dialects/*.yaml). It turns samples into frames.
package signals

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/yamlpos"
)

// Catalog is a checked set of meanings and dialects. It is read-only and safe for concurrent use.
type Catalog struct {
	meanings map[string]Meaning
	facts    map[string]Meaning
	dialects []*dialect
	formulas []formula // in order of dependence
	ids      []string  // sorted
	core     []core    // signals whose absence is worth a word
	settings []string  // ids that configuration sets
	// own are the signals that users read by PromQL, and the metrics that those queries read.
	own, ownMetrics []string
}

// Options say how a catalogue is loaded.
type Options struct {
	// PromQL parses the query of a user's own signal and lists the metrics it reads; its error may be
	// an *expression.SyntaxError. Without it such signals are refused.
	PromQL func(query string) (metrics []string, err error)
}

// core is a signal whose absence is worth a word, and how to get it.
type core struct {
	id, needs string
	scope     model.Scope
}

// Load reads a catalogue without users' PromQL. See Options.Load.
func Load(systems ...fs.FS) (*Catalog, error) { return Options{}.Load(systems...) }

// Load reads meaning/*.yaml and dialects/*.yaml of the given file systems; later ones add to
// earlier ones and replace meanings of the same id. Every fault is reported.
func (o Options) Load(systems ...fs.FS) (*Catalog, error) {
	c := &Catalog{meanings: map[string]Meaning{}, facts: map[string]Meaning{}}
	var faults yamlpos.Problems
	sources := map[string]*yamlpos.Source{}
	for _, fsys := range systems {
		faults = append(faults, o.loadMeanings(c, fsys, sources)...)
		faults = append(faults, c.loadDialects(fsys)...)
	}
	c.list()
	for _, d := range c.dialects {
		d.compile(c)
	}
	faults = append(faults, c.resolve(sources)...)
	return c, faults.Err()
}

// list sorts the ids once, as frames go through them for every target.
func (c *Catalog) list() {
	c.ids = keys(c.meanings)
	for _, id := range c.ids {
		m := c.meanings[id]
		if m.PromQL.S != "" {
			c.own = append(c.own, id)
		}
		if m.Setting != nil {
			c.settings = append(c.settings, id)
		} else if m.Core {
			c.core = append(c.core, core{id, m.Needs, m.Scope})
		}
	}
}

func (o Options) loadMeanings(c *Catalog, fsys fs.FS, sources map[string]*yamlpos.Source) yamlpos.Problems {
	var faults yamlpos.Problems
	eachFile(fsys, "meaning", &faults, func(name string, src []byte) error {
		var ms map[string]Meaning
		s, err := yamlpos.Decode(name, src, &ms)
		for id, m := range ms {
			if m.Scope == "" {
				m.Scope = model.ScopeTarget
			}
			m.Area = strings.TrimSuffix(path.Base(name), ".yaml")
			sources[id] = s
			if m.Fact {
				faults = append(faults, c.checkFact(id, m, s)...)
				c.facts[id] = m
				continue
			}
			delete(c.facts, id)
			c.meanings[id] = m
			if m.PromQL.S != "" {
				faults = append(faults, c.checkOwn(id, m, s, o.PromQL)...)
			}
		}
		return err
	})
	return faults
}

func (c *Catalog) loadDialects(fsys fs.FS) yamlpos.Problems {
	var faults yamlpos.Problems
	eachFile(fsys, "dialects", &faults, func(name string, src []byte) error {
		d := &dialect{matchers: map[string][]matcher{}, places: map[string]int{}}
		s, err := yamlpos.Decode(name, src, &d.Dialect)
		if err != nil {
			return err
		}
		faults = append(faults, c.check(d, s)...)
		c.dialects = append(c.dialects, d)
		return nil
	})
	return faults
}

// eachFile calls fn for every YAML file of a folder in order of name. A folder that is not there is empty.
func eachFile(fsys fs.FS, dir string, faults *yamlpos.Problems, fn func(name string, src []byte) error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.IsDir() || path.Ext(e.Name()) != ".yaml" {
			continue
		}
		name := path.Join(dir, e.Name())
		src, err := fs.ReadFile(fsys, name)
		if err == nil {
			err = fn(name, src)
		}
		*faults = append(*faults, yamlpos.AsProblems(name, err)...)
	}
}

func (c *Catalog) check(d *dialect, s *yamlpos.Source) yamlpos.Problems {
	var faults yamlpos.Problems
	for id, def := range d.Series {
		if def.kind() == "" {
			faults = append(faults, s.Problem(yamlpos.Pos{Line: 1, Col: 1}, 1, fmt.Sprintf("series %s: needs gauge, counter or histogram", id), ""))
		}
		ms, err := compileMatch(def.Match)
		if err != nil {
			faults = append(faults, s.Problem(yamlpos.Pos{Line: 1, Col: 1}, 1, fmt.Sprintf("series %s: %v", id, err), ""))
		}
		d.matchers[id] = ms
	}
	refer := func(at yamlpos.Text) {
		if _, ok := d.Series[at.S]; !ok && at.S != "" {
			faults = append(faults, s.Problem(at.Pos, len(at.S), "unknown series "+at.S, "series of this file: "+yamlpos.Nearest(at.S, keys(d.Series))))
		}
	}
	refer(d.Started)
	for _, id := range keys(d.Series) {
		refer(d.Series[id].Beside)
	}
	for _, name := range keys(d.Facts) {
		for _, of := range d.Facts[name] {
			refer(of)
		}
	}
	for id, src := range d.Signals {
		def, ok := d.Series[src.Of.S]
		if !ok {
			hint := "series of this file: " + yamlpos.Nearest(src.Of.S, keys(d.Series))
			faults = append(faults, s.Problem(src.Of.Pos, len(src.Of.S), fmt.Sprintf("signal %s: unknown series %s", id, src.Of.S), hint))
			continue
		}
		if _, ok := c.meanings[id]; !ok {
			faults = append(faults, s.Problem(src.Of.Pos, len(src.Of.S), fmt.Sprintf("signal %s has no meaning", id), "add it to meaning/*.yaml"))
		}
		if !slices.Contains(statsOf[def.kind()], src.Stat.S) {
			faults = append(faults, s.Problem(src.Stat.Pos, len(src.Stat.S), fmt.Sprintf("signal %s: %q is no statistic of a %s", id, src.Stat.S, def.kind()),
				"one of "+strings.Join(statsOf[def.kind()], ", ")))
		}
	}
	return faults
}

var statsOf = map[string][]string{
	"gauge":     {"avg", "min", "max", "last", "first", "sum", "count", "changes", "q", "slope", "bits", "present"},
	"counter":   {"rate", "increase", "total", "resets", "flat", "still", "unborn", "present"},
	"histogram": {"q", "mean", "count", "rate", "above", "above_most", "longest", "ceiling"},
}

func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// Meaning returns what a signal means, or one with a time as ttft_p99_s_1d_ago.
func (c *Catalog) Meaning(id string) (Meaning, bool) {
	if m, ok := c.meanings[id]; ok || !isTimed(id) {
		return m, ok
	}
	return c.elsewhen(id)
}

// Fact returns what a fact means, which is no signal.
func (c *Catalog) Fact(id string) (Meaning, bool) {
	m, ok := c.facts[id]
	return m, ok
}

// Facts lists every fact, sorted.
func (c *Catalog) Facts() []string { return keys(c.facts) }

// checkFact refuses what only a signal can have.
func (c *Catalog) checkFact(id string, m Meaning, s *yamlpos.Source) yamlpos.Problems {
	fault := func(msg string) yamlpos.Problems {
		return yamlpos.Problems{s.Problem(yamlpos.Pos{Line: 1, Col: 1}, 1, id+": "+msg, "")}
	}
	if _, signal := c.meanings[id]; signal {
		return fault("a signal has this name, and no fact can stand in its place")
	}
	if m.Formula.S != "" || m.PromQL.S != "" || m.Least.Of.S != "" || m.Setting != nil || m.Trend || m.Core || m.Fold != "" || m.Scope != model.ScopeTarget {
		return fault("a fact has a name, a unit, is and needs alone")
	}
	return nil
}

// IDs lists every signal, sorted.
func (c *Catalog) IDs() []string { return slices.Clone(c.ids) }

// Metrics lists every metric name the catalogue reads, as exposed: histograms with their suffixes,
// and names with a colon also with an underscore, as some gateways rewrite them.
func (c *Catalog) Metrics() []string {
	seen := map[string]bool{"up": true}
	add := func(n string) {
		for _, v := range spellings(n) {
			seen[v] = true
		}
	}
	for _, n := range c.ownMetrics {
		seen[n] = true
	}
	for _, d := range c.dialects {
		for _, n := range append(slices.Clone(d.Markers), d.Info...) {
			add(n)
		}
		for _, v := range d.Versions {
			add(v.Metric)
		}
		for _, def := range d.Series {
			for _, n := range def.names() {
				if def.kind() != "histogram" {
					add(n)
					continue
				}
				for _, suffix := range []string{"_bucket", "_sum", "_count"} {
					add(n + suffix)
				}
			}
		}
	}
	return keys(seen)
}

// Markers lists the metrics that tell an engine from anything else.
func (c *Catalog) Markers() []string {
	var out []string
	for _, d := range c.dialects {
		if d.Kind == "engine" {
			for _, m := range d.Markers {
				out = append(out, spellings(m)...)
			}
		}
	}
	return out
}

func spellings(n string) []string {
	if u := strings.ReplaceAll(n, ":", "_"); u != n {
		return []string{n, u}
	}
	return []string{n}
}

// number reads a literal or a setting.
func (c *Catalog) number(s string, settings map[string]float64) (float64, bool) {
	if v, err := strconv.ParseFloat(s, 64); err == nil {
		return v, true
	}
	return c.setting(s, settings)
}

// setting reads what configuration set, else the default.
func (c *Catalog) setting(s string, settings map[string]float64) (float64, bool) {
	if v, ok := settings[s]; ok {
		return v, true
	}
	if m, ok := c.meanings[s]; ok && m.Setting != nil {
		return *m.Setting, true
	}
	return 0, false
}
