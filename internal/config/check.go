package config

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/yamlpos"
)

// Warnings are what a configuration can be run with, but probably was not meant.
type Warnings = yamlpos.Problems

const (
	defaultRefresh = Duration(5 * time.Minute)
	defaultAsk     = Duration(time.Minute)
	defaultDNS     = Duration(30 * time.Second)
	defaultPost    = Duration(15 * time.Second)
)

// checked is a part of the configuration that can look at itself. Parts are checked from the inside out.
type checked interface{ check(c *check, at place) }

// check collects what is wrong with one file.
type check struct {
	src      *yamlpos.Source
	cfg      *Config
	root     place
	dir      string           // what relative paths start from
	syntax   yamlpos.Problems // what the decoder found
	problems yamlpos.Problems
	warnings Warnings

	receivers, intervals []string
}

func (c *check) problem(at place, hint, format string, args ...any) *yamlpos.Problem {
	n := at.mark()
	if n == nil {
		return c.src.Problem(yamlpos.Pos{Line: 1, Col: 1}, 1, fmt.Sprintf(format, args...), hint)
	}
	return c.src.Problem(yamlpos.Pos{Line: n.Line, Col: n.Column}, width(n), fmt.Sprintf(format, args...), hint)
}

func (c *check) fault(at place, hint, format string, args ...any) {
	c.problems = append(c.problems, c.problem(at, hint, format, args...))
}

func (c *check) warn(at place, format string, args ...any) {
	c.warnings = append(c.warnings, c.problem(at, "", format, args...))
}

// mistyped says whether the decoder already found a fault in this mapping: then what seems to be
// missing may only be misspelt.
func (c *check) mistyped(at place) bool {
	n := followed(at.node)
	if n == nil {
		return false
	}
	for i := 0; i < len(n.Content); i++ {
		for _, p := range c.syntax {
			if p.Line == n.Content[i].Line && p.Col == n.Content[i].Column {
				return true
			}
		}
	}
	return false
}

// require reports a field that is not there, and says whether it is.
func (c *check) require(at place, field string, there bool) bool {
	if !there {
		c.missing(at, field)
	}
	return there
}

func (c *check) missing(at place, field string) {
	if !c.mistyped(at) {
		c.fault(place{node: at.node, around: at.around}, "", "%s is missing", field)
	}
}

func (c *check) oneOf(at place, value string, allowed ...string) bool {
	if slices.Contains(allowed, value) {
		return true
	}
	hint := "one of " + list(allowed)
	if near := yamlpos.Nearest(value, allowed); near != "" {
		hint = "did you mean " + near + "?"
	}
	c.fault(at, hint, "%q is not allowed", shorten(value))
	return false
}

// once refuses a name that was there before, and names both places.
func (c *check) once(first map[string]place, what, name string, at place) {
	if name == "" {
		return
	}
	if before, ok := first[name]; ok {
		line := 0
		if n := before.mark(); n != nil {
			line = n.Line
		}
		c.fault(at, fmt.Sprintf("first on line %d", line), "%s %s stands here a second time", what, shorten(name))
		return
	}
	first[name] = at
}

func list(words []string) string { return strings.Join(words, ", ") }

// fill sets what is not set.
func fill[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// walk visits every part of the configuration from the inside out.
func (c *check) walk(v reflect.Value, at place) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c.walk(v.Elem(), at)
		}
		return
	case reflect.Slice:
		for i := range v.Len() {
			c.item(v.Index(i), at.item(i))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if k.Kind() == reflect.String {
				c.walk(v.MapIndex(k), at.field(k.String()))
			}
		}
	case reflect.Struct:
		c.structure(v, at)
	case reflect.String:
		c.reference(v, at)
	}
	if !v.CanAddr() {
		return
	}
	if part, ok := v.Addr().Interface().(checked); ok {
		part.check(c, at)
	}
}

func (c *check) item(v reflect.Value, at place) {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		c.fault(at, "", "an empty entry")
		return
	}
	c.walk(v, at)
}

func (c *check) structure(v reflect.Value, at place) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if strings.Contains(options, "inline") {
			c.walk(v.Field(i), at)
			continue
		}
		here := at.field(name)
		if v.Field(i).Type() == reflect.TypeFor[NoEffect]() && v.Field(i).Bool() {
			c.warn(place{node: here.key, around: here.around}, "%s has no effect here", name)
			continue
		}
		c.walk(v.Field(i), here)
		if base, ok := strings.CutSuffix(name, "_env"); ok && here.key != nil && at.field(base+"_file").key != nil {
			c.fault(place{node: here.key, around: here.around}, "", "%s_file is given, too: want one of them", base)
		}
	}
}

// reference makes the path of a file complete and sees that what is referred to can be read.
func (c *check) reference(v reflect.Value, at place) {
	s := v.String()
	if s == "" || !v.CanSet() {
		return
	}
	switch v.Type() {
	case reflect.TypeFor[SecretFile]():
		v.SetString(c.join(s))
		if _, err := SecretFile(v.String()).Read(); err != nil {
			c.fault(at, "", "%s", err)
		}
	case reflect.TypeFor[SecretEnv]():
		if _, err := SecretEnv(s).Read(); err != nil {
			c.fault(at, "", "%s", err)
		}
	case reflect.TypeFor[File]():
		v.SetString(c.join(s))
		switch info, err := os.Stat(v.String()); {
		case err != nil:
			c.fault(at, "", "%s", err)
		case info.IsDir():
			c.fault(at, "", "%s is a folder", v.String())
		}
	}
}
