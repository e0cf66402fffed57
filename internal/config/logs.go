package config

import (
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// LogFile is log files of servers that are followed, and whose they are.
type LogFile struct {
	// A file, or several with a * in any part of the path. Files that appear later are found, too; compressed ones are left out.
	Path Glob `yaml:"path,omitempty"`
	// The labels that a server has whose log this is. Default all servers, which fits a single one.
	Labels map[Label]string `yaml:"labels,omitempty"`
	// Labels out of the path, as the named groups of a regular expression: /(?P<namespace>[^_/]+)_(?P<pod>[^_/]+)_[^/]+/. It need not match the whole path.
	PathLabels Groups `yaml:"path_labels,omitempty"`
}

// ExpandYAML takes a bare path.
func (*LogFile) ExpandYAML(n *yaml.Node) *yaml.Node { return under("path", n) }

// Groups is a regular expression (RE2) with named groups.
type Groups string

// UnmarshalYAML implements yaml.Unmarshaler.
func (g *Groups) UnmarshalYAML(n *yaml.Node) error {
	s, err := text(n, "a regular expression with named groups")
	if err != nil {
		return err
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return fault(n, "want a regular expression with named groups", err.Error())
	}
	if strings.Join(re.SubexpNames(), "") == "" {
		return fault(n, "the regular expression has no named group", "as (?P<pod>[^_/]+)")
	}
	*g = Groups(s)
	return nil
}

// Of gives the labels that a path spells out, false where it does not match.
func (g Groups) Of(path string) (map[string]string, bool) {
	if g == "" {
		return nil, true
	}
	re, err := regexp.Compile(string(g))
	if err != nil {
		return nil, false // the file was checked; other makers of a configuration may not have
	}
	m := re.FindStringSubmatch(path)
	if m == nil {
		return nil, false
	}
	out := map[string]string{}
	for i, name := range re.SubexpNames() {
		if name != "" {
			out[name] = m[i]
		}
	}
	return out, true
}

func (l *LogFile) check(c *check, at place) {
	if c.require(at, "path", l.Path != "") {
		if strings.Contains(string(l.Path), "**") {
			c.fault(at.field("path"), "* stands for one part of a path", "** is not understood")
		}
		l.Path = Glob(c.join(string(l.Path)))
	}
}
