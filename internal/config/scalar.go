package config

import (
	"math"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	prom "github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/internal/matchers"
	"github.com/inferdx/inferdx/internal/yamlpos"
)

// fault is a problem with a node; the decoder adds its file and line.
func fault(n *yaml.Node, msg, hint string) *yamlpos.Problem {
	return &yamlpos.Problem{Line: n.Line, Col: n.Column, Width: width(n), Msg: msg, Hint: hint}
}

func width(n *yaml.Node) int {
	if n.Kind != yaml.ScalarNode || n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return 1
	}
	w := utf8.RuneCountInString(n.Value)
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		w += 2
	}
	return max(w, 1)
}

// text is the value of a scalar.
func text(n *yaml.Node, what string) (string, error) {
	if n.Kind != yaml.ScalarNode {
		return "", fault(n, "want "+what, "")
	}
	return n.Value, nil
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:39]) + "…"
	}
	return s
}

// Label is the name of a label.
type Label string

// UnmarshalYAML implements yaml.Unmarshaler.
func (l *Label) UnmarshalYAML(n *yaml.Node) error {
	s, err := text(n, "a label name")
	if err == nil && !prom.UTF8Validation.IsValidLabelName(s) {
		return fault(n, "want a label name", "")
	}
	*l = Label(s)
	return err
}

// Regex is a regular expression (RE2) that has to match a whole value.
type Regex struct {
	re   *regexp.Regexp
	text string
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (r *Regex) UnmarshalYAML(n *yaml.Node) error {
	s, err := text(n, "a regular expression")
	if err != nil {
		return err
	}
	if r.re, err = matchers.Anchored(s); err != nil {
		return fault(n, err.Error(), "regular expressions are RE2, as in Prometheus")
	}
	r.text = s
	return nil
}

// MarshalYAML implements yaml.Marshaler.
func (r Regex) MarshalYAML() (any, error) { return r.text, nil }

// String is the expression as written.
func (r Regex) String() string { return r.text }

// Match says whether the expression matches all of s.
func (r Regex) Match(s string) bool { return r.re != nil && r.re.MatchString(s) }

// Selector picks targets by regular expressions over their labels. An empty one picks all.
type Selector map[Label]Regex

// Match says whether every expression matches its label; one that is not there is empty.
func (s Selector) Match(labels map[string]string) bool {
	for name, re := range s {
		if !re.Match(labels[string(name)]) {
			return false
		}
	}
	return true
}

// Matchers are conditions on labels in Alertmanager's syntax, one text or a list of them.
type Matchers matchers.Matchers

// UnmarshalYAML implements yaml.Unmarshaler.
func (m *Matchers) UnmarshalYAML(n *yaml.Node) error {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	*m = Matchers{}
	var faults yamlpos.Problems
	for _, item := range items {
		if item.Kind == yaml.AliasNode {
			item = item.Alias
		}
		if item.Kind != yaml.ScalarNode {
			faults = append(faults, fault(item, "want a matcher", `such as severity="critical"`))
			continue
		}
		ms, err := matchers.Parse(item.Value)
		if err != nil {
			faults = append(faults, fault(item, err.Error(), ""))
			continue
		}
		*m = append(*m, ms...)
	}
	return faults.Err()
}

// MarshalYAML implements yaml.Marshaler.
func (m Matchers) MarshalYAML() (any, error) {
	out := make([]string, len(m))
	for i, one := range m {
		out[i] = one.String()
	}
	return out, nil
}

// URL is an address that begins with http:// or https:// and holds no password. Its query may hold a
// token, and is hidden where the configuration is shown.
type URL string

// UnmarshalYAML implements yaml.Unmarshaler.
func (u *URL) UnmarshalYAML(n *yaml.Node) error {
	s, err := text(n, "a URL")
	if err == nil {
		err = checkURL(n, s)
	}
	*u = URL(s)
	return err
}

func checkURL(n *yaml.Node, s string) error {
	const hint = "such as http://prometheus:9090"
	parsed, err := url.Parse(s)
	switch {
	case err != nil, parsed.Hostname() == "" && parsed.Opaque == "" && parsed.Scheme != "http" && parsed.Scheme != "https":
		return fault(n, "want a URL", hint)
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		return fault(n, "want a URL that begins with http:// or https://", hint)
	case parsed.Hostname() == "":
		return fault(n, "the URL names no host", hint)
	case parsed.User != nil:
		return fault(n, "a URL must not hold a user or a password", "use basic_auth with password_file")
	}
	if port := parsed.Port(); port != "" {
		if p, err := strconv.ParseUint(port, 10, 16); err != nil || p == 0 {
			return fault(n, "want a port from 1 to 65535", "")
		}
	}
	return nil
}

// MarshalYAML implements yaml.Marshaler.
func (u URL) MarshalYAML() (any, error) { return u.String(), nil }

// String is the URL for people: the query is hidden.
func (u URL) String() string {
	if base, _, ok := strings.Cut(string(u), "?"); ok {
		return base + "?" + hidden
	}
	return string(u)
}

// Size is a number of bytes: 1048576, 64MiB, 10MB.
type Size int64

// UnmarshalYAML implements yaml.Unmarshaler.
func (s *Size) UnmarshalYAML(n *yaml.Node) error {
	const want = "want a size such as 64MiB"
	v, err := text(n, "a size such as 64MiB")
	if err != nil {
		return err
	}
	number := strings.TrimRight(v, "BKMGTi ")
	unit, ok := sizes()[strings.TrimSpace(v[len(number):])]
	f, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || math.IsNaN(f) {
		return fault(n, want, "units: B, KiB, MiB, GiB, KB, MB, GB")
	}
	if f *= unit; f < 1 || f > 1<<40 {
		return fault(n, "want a size from 1 B to 1 TiB", "")
	}
	*s = Size(f)
	return nil
}

func sizes() map[string]float64 {
	return map[string]float64{
		"": 1, "B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, // Prometheus takes powers of 2 for both
		"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
	}
}

// Network is a range of addresses: 10.0.0.0/8.
type Network struct{ netip.Prefix }

// UnmarshalYAML implements yaml.Unmarshaler.
func (p *Network) UnmarshalYAML(n *yaml.Node) error {
	s, err := text(n, "a network")
	if err != nil {
		return err
	}
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		p.Prefix = netip.PrefixFrom(addr, addr.BitLen())
		return nil
	}
	if p.Prefix, err = netip.ParsePrefix(s); err != nil {
		return fault(n, "want a network such as 10.0.0.0/8", "")
	}
	return nil
}

// MarshalYAML implements yaml.Marshaler.
func (p Network) MarshalYAML() (any, error) { return p.String(), nil }

// Some is a list of which a single item may be written without its dash.
type Some[T any] []T

// ExpandYAML makes a list of a single item.
func (s *Some[T]) ExpandYAML(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.SequenceNode || n.ShortTag() == "!!null" {
		return n
	}
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{n}, Line: n.Line, Column: n.Column}
}
