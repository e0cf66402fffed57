package yamlpos_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/internal/yamlpos"
)

type limits struct {
	Low  float64  `yaml:"low"`
	High *float64 `yaml:"high"`
}

type rule struct {
	ID      yamlpos.Text                    `yaml:"id"`
	When    yamlpos.Text                    `yaml:"when"`
	For     time.Duration                   `yaml:"for"`
	Count   int                             `yaml:"count"`
	Small   uint8                           `yaml:"small"`
	Ratio   float64                         `yaml:"ratio"`
	Enabled bool                            `yaml:"enabled"`
	Names   []string                        `yaml:"names"`
	Labels  map[yamlpos.Text]string         `yaml:"labels"`
	Nested  map[string]map[string]*limits   `yaml:"nested"`
	Limits  *limits                         `yaml:"limits"`
	Any     any                             `yaml:"any"`
	Either  either                          `yaml:"either"`
	Texts   map[yamlpos.Text]yamlpos.Text   `yaml:"texts"`
	Pair    [2]int                          `yaml:"pair"`
	Parts   map[yamlpos.Text][]yamlpos.Text `yaml:"parts"`
	shared  `yaml:",inline"`
}

type shared struct {
	Title string `yaml:"title"`
}

// either is text, or a mapping with one.
type either struct{ Text yamlpos.Text }

func (e *either) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&e.Text)
	}
	var m struct{ Text yamlpos.Text }
	err := n.Decode(&m)
	e.Text = m.Text
	return err
}

func decode(t *testing.T, in string) (rule, string) {
	t.Helper()
	var r rule
	src, err := yamlpos.Decode("r.yaml", []byte(in), &r)
	if src == nil {
		t.Fatal("no source")
	}
	if err == nil {
		return r, ""
	}
	if ps := yamlpos.Problems(nil); !errors.As(err, &ps) {
		t.Fatalf("not Problems: %v", err)
	}
	return r, err.Error()
}

func TestDecodeFillsEveryKindOfField(t *testing.T) {
	r, fault := decode(t, `
id: a-rule
title: the title
for: 1m30s
count: 1e3
small: 0x10
ratio: 3
enabled: true
names: [a, b, 0.9]
labels: {job: vllm}
nested: {x: {y: {low: 1, high: 2.5}}}
limits: &l {low: -1}
any: {k: [1, two, yes]}
pair: [1, 2]
`)
	if fault != "" {
		t.Fatal(fault)
	}
	if r.ID.S != "a-rule" || r.ID.Pos != (yamlpos.Pos{Line: 2, Col: 5}) {
		t.Errorf("id = %q at %v", r.ID, r.ID.Pos)
	}
	for k := range r.Labels {
		if k.S != "job" || k.Pos != (yamlpos.Pos{Line: 9 + 1, Col: 10}) {
			t.Errorf("label %q at %v", k.S, k.Pos)
		}
	}
	high := 2.5
	got := []any{r.Title, r.For, r.Count, r.Small, r.Ratio, r.Enabled, r.Names, r.Nested, r.Limits, r.Any, r.Pair}
	want := []any{
		"the title", 90 * time.Second, 1000, uint8(16), 3.0, true,
		[]string{"a", "b", "0.9"},
		map[string]map[string]*limits{"x": {"y": {Low: 1, High: &high}}},
		&limits{Low: -1},
		map[string]any{"k": []any{1, "two", "yes"}},
		[2]int{1, 2},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEmptyFilesLeaveTheDefaults(t *testing.T) {
	for _, in := range []string{"", "\n\n", "# nothing\n", "---\n", "\ufeff", "~", "title:\nnames:\nlimits:\nfor: 5m\n"} {
		r := rule{For: 5 * time.Minute}
		if _, err := yamlpos.Decode("r.yaml", []byte(in), &r); err != nil {
			t.Errorf("%q: %v", in, err)
		}
		if r.For != 5*time.Minute || r.Limits != nil || r.Names != nil {
			t.Errorf("%q changed the defaults: %+v", in, r)
		}
	}
}

func TestByteOrderMarkAndCarriageReturnsDoNotMovePositions(t *testing.T) {
	r, fault := decode(t, "\ufeffid: x\r\nwhen: 'größe > 1'\r\n")
	if fault != "" {
		t.Fatal(fault)
	}
	if want := (yamlpos.Pos{Line: 2, Col: 14}); r.When.At(strings.Index(r.When.S, ">")) != want {
		t.Errorf("got %v, want %v", r.When.At(strings.Index(r.When.S, ">")), want)
	}
	if r.ID.Pos != (yamlpos.Pos{Line: 1, Col: 5}) {
		t.Errorf("id at %v", r.ID.Pos)
	}
}

func TestMergedKeysGiveWayToOwnOnes(t *testing.T) {
	var m map[string]limits
	in := "a: &a {low: 1, high: 2}\nb:\n  low: 3\n  <<: *a\nc: {<<: [*a, {low: 9}]}\n"
	if _, err := yamlpos.Decode("m.yaml", []byte(in), &m); err != nil {
		t.Fatal(err)
	}
	if m["b"].Low != 3 || *m["b"].High != 2 || m["c"].Low != 1 {
		t.Errorf("got %+v", m)
	}
}

func TestEveryFaultOfAFileIsReported(t *testing.T) {
	_, fault := decode(t, "id: x\nwhne: waiting > 50\ncount: many\nnames: {a: b}\nid: y\nlimits:\n  hihg: 3\n  low: [1]\n")
	want := `r.yaml:2:1: unknown field whne
2 | whne: waiting > 50
  | ^~~~ did you mean when?
r.yaml:3:8: want a whole number, found the text "many"
3 | count: many
  |        ^~~~
r.yaml:4:8: want a list, found a mapping
4 | names: {a: b}
  |        ^
r.yaml:5:1: id stands here a second time
5 | id: y
  | ^~ first on line 1
r.yaml:7:3: unknown field hihg
7 |   hihg: 3
  |   ^~~~ did you mean high?
r.yaml:8:8: want a number, found a list
8 |   low: [1]
  |        ^`
	if diff := cmp.Diff(want, fault); diff != "" {
		t.Error(diff)
	}
}

func TestFaults(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"yes is no boolean", "enabled: yes", `1:10: want true or false, found the text "yes"|^~~ write true`},
		{"off is no boolean", "enabled: off", `1:10: want true or false, found the text "off"|write false`},
		{"a quoted boolean is text", "enabled: 'true'", `1:10: want true or false, found the text "true"|^~~~~~`},
		{"a number too large for a float", "ratio: 1e400", `1:8: want a number, found the text "1e400"|out of range`},
		{"a number too large for its field", "small: 256", "1:8: want a whole number of 0 or more, found 256|out of range for uint8"},
		{"a negative count", "small: -1", "1:8: want a whole number of 0 or more, found -1"},
		{"a fraction where a whole number belongs", "count: 1.5", "1:8: want a whole number, found 1.5"},
		{"a quoted number", `count: "5"`, `1:8: want a whole number, found the text "5"|^~~ leave the quotes out`},
		{"octal by accident", "count: 010", "1:8: 010 starts with 0"},
		{"a number with no value", "count:", "1:7: want a whole number, found nothing"},
		{"a duration without a unit", "for: 30", "1:6: want a duration such as 30s or 5m, found 30"},
		{"a duration with no value", "for: ", "1:5: want a duration such as 30s or 5m, found nothing"},
		{"an unknown field far from all", "zzzzzzzz: 1", "1:1: unknown field zzzzzzzz|known here: id, when, for"},
		{"an unknown tag", "title: !secret x", "1:8: tag !secret is not known here|^~~~~~~"},
		{"a composed key", "labels: {[a]: b}", "1:10: a key must be a single value"},
		{"a repeated key in a map", "labels: {a: b, a: c}", "1:16: a stands here a second time"},
		{"a repeated key where anything goes", "any: [{a: b, a: c}]", "1:14: a stands here a second time"},
		{"a repeated key below a type of its own", "either: {text: b, text: c}", "1:19: text stands here a second time"},
		{"a wrong kind below a type of its own", "either: {text: [b]}", "1:16: want text, found a list"},
		{"too few items", "pair: [1]", "1:7: want 2 items, found 1"},
		{"a second document", "id: x\n---\nid: y\n", "2:1: a second document starts here|^~~ a file holds one document"},
		{"a merge of no mapping", "limits: {<<: 3}", "1:14: << wants a mapping"},
		{"a tab that indents", "limits:\n\tlow: 1\n", "2:1: a tab cannot indent|^ use spaces"},
		{"a tab after spaces", "limits:\n  low: 1\n \thigh: 1\n", "3:2: a tab cannot indent"},
		{"a mapping inside a value", "id: x\ntitle: a: b\n", "2:9: mapping values are not allowed in this context"},
		{"a quote that is not closed", "id: x\ntitle: \"a\ncount: 1\n", "2:8: found unexpected end of stream"},
		{"a quote that is not closed on the first line", "title: \"a\ncount: 1\n", "1:8: found unexpected end of stream"},
		{"a bracket that is not closed", "names: [a, b\ncount: 1\n", "1:12: did not find expected ',' or ']'"},
		{"a bracket that is not closed at the end", "id: x\nnames: [a,\n b,\n", "3:3: did not find expected node content"},
		{"a comma that is missing", "names: [aaa, bbb, \"c\" d, e]", "1:21: did not find expected ',' or ']'"},
		{"a line that sticks out to the left", "limits:\n    low: 1\n  high: 2\n", "3:3: did not find expected key|in what starts on line 1"},
		{"text behind a quoted value", "id: x\nfor: 5s\ntitle: \"a\" b\n", "3:12: did not find expected key"},
		{"an alias of nothing", "id: *nobody", "1:11: unknown anchor 'nobody' referenced"},
		{"bytes that are not UTF-8", "id: x\ntitle: a\xffb", "2:9: the file is not valid UTF-8"},
		{"UTF-16", "\xff\xfei\x00d\x00", "1:1: the file is not valid UTF-8"},
		{"a control character", "id: a\x1b[31m", "1:6: character U+001B is not allowed"},
		{"a line break no editor counts", "id: a\u2028b", "1:6: character U+2028 is not allowed"},
		{"an anchor inside itself", "any: &a [*a]", "1:10: *a stands inside of what it repeats"},
		{"deep nesting", "any: " + strings.Repeat("[", 70) + strings.Repeat("]", 70), "1:69: nested deeper than the 64 levels allowed"},
		{"nesting far too deep for the parser", strings.Repeat("[", 20_000), "exceeded max depth"},
		{"depth by alias", "any: [&a " + strings.Repeat("[", 40) + strings.Repeat("]", 40) + ", " + strings.Repeat("[", 40) + "*a" + strings.Repeat("]", 40) + "]", "nested deeper than the 64 levels allowed"},
		{"too many aliases", "any: [&a x" + strings.Repeat(", *a", 1001) + "]", "the document has 1001 aliases, more than the 1000 allowed"},
		{"an alias bomb", bomb(), "the document has more than 100000 values, aliases expanded"},
		{"a file too large", "id: " + strings.Repeat("x", 1<<20), "the file has 1048580 bytes, more than the 1048576 allowed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, got := decode(t, tt.in)
			for want := range strings.SplitSeq(tt.want, "|") {
				if !strings.Contains(got, want) {
					t.Errorf("got\n%s\nwant %q in it", got, want)
				}
			}
			if strings.Count(got, "r.yaml:") != 1 {
				t.Errorf("want one fault, got\n%s", got)
			}
		})
	}
}

func bomb() string {
	var b strings.Builder
	b.WriteString("any:\n  - &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 30; i++ {
		fmt.Fprintf(&b, "  - &a%d [%s*a%d]\n", i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), i-1)
	}
	return b.String()
}

func TestEveryTabInIndentationIsReported(t *testing.T) {
	_, got := decode(t, "limits:\n\tlow: 1\n\thigh: 2\nid: x\n")
	if strings.Count(got, "a tab cannot indent") != 2 {
		t.Errorf("got\n%s", got)
	}
}

func TestATabInsideOfATextIsNoFault(t *testing.T) {
	r, fault := decode(t, "title: |\n  a\n  \tb\nid:\tx\n")
	if fault != "" || r.Title != "a\n\tb\n" || r.ID.S != "x" {
		t.Errorf("got %q, %q, %s", r.Title, r.ID.S, fault)
	}
}

func TestManyFaultsAreCounted(t *testing.T) {
	_, got := decode(t, "labels:\n"+strings.Repeat("  a: b\n", 151))
	if !strings.HasSuffix(got, ": 50 more problems are not shown") {
		t.Errorf("got %s", got[len(got)-200:])
	}
}

func TestAnAliasedFaultIsReportedOnce(t *testing.T) {
	var m []limits
	_, err := yamlpos.Decode("m.yaml", []byte("- &a {lwo: 1}\n- *a\n- *a\n"), &m)
	if err == nil || strings.Count(err.Error(), "m.yaml:") != 1 {
		t.Errorf("got %v", err)
	}
}

func TestOnlyAPointerCanBeFilled(t *testing.T) {
	for _, dst := range []any{nil, rule{}, (*rule)(nil)} {
		if src, err := yamlpos.Decode("r.yaml", nil, dst); err == nil || src == nil {
			t.Errorf("%T: got %v, %v", dst, src, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"id: x\nwhen: \"a\\x41\\\n  b\"\n", "when: >2-\n    a\n   b\n\n  c\n", "when: |\n\n  a\n", "when: 'a''b\n\n c'\n",
		"any: &a [*a]", "limits:\n\tlow: 1", "? a\n: b", "<<: {id: &x !!str y}\n", "a: !!binary x", "texts: {&k a: *k}", "- - a\n- {<<: 1}",
		"when: >\n   \n  a\n   more\n\n", "\ufeffid: \xff", "either: {text: >\n a}", bomb(),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		defer time.AfterFunc(10*time.Second, func() { panic("decoding takes too long") }).Stop()
		var r rule
		src, err := yamlpos.Decode("f.yaml", []byte(in), &r)
		if src == nil {
			t.Fatal("no source")
		}
		if err != nil {
			_ = err.Error()
			if ps := yamlpos.Problems(nil); !errors.As(err, &ps) {
				t.Fatalf("not Problems: %v", err)
			}
		}
		for _, text := range []yamlpos.Text{r.ID, r.When, r.Either.Text} {
			last := yamlpos.Pos{}
			for i := range len(text.S) + 1 {
				at := text.At(i)
				if at.Line < last.Line || at.Line == last.Line && at.Col < last.Col {
					t.Fatalf("%q: offset %d of %q is at %v, after %v", in, i, text.S, at, last)
				}
				last = at
			}
		}
		var anything any
		if _, err := yamlpos.Decode("f.yaml", []byte(in), &anything); err != nil {
			_ = err.Error()
		}
	})
}

type address struct {
	URL  string `yaml:"url"`
	Path string `yaml:"path"`
}

func (*address) ExpandYAML(n *yaml.Node) *yaml.Node {
	if n.Kind != yaml.ScalarNode {
		return n
	}
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "url", Line: n.Line, Column: n.Column}
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{key, n}, Line: n.Line, Column: n.Column}
}

func TestAShortFormIsReadAsStrictlyAsTheLongOne(t *testing.T) {
	var got map[string]*address
	if _, err := yamlpos.Decode("a.yaml", []byte("short: http://a\nlong: {url: http://b, path: /x}\n"), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]*address{"short": {URL: "http://a"}, "long": {URL: "http://b", Path: "/x"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	_, err := yamlpos.Decode("a.yaml", []byte("long: {urll: http://b}\n"), &got)
	if err == nil || !strings.Contains(err.Error(), "a.yaml:1:8: unknown field urll") {
		t.Errorf("got %v", err)
	}
}
