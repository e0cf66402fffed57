package yamlpos

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

const (
	maxTabs    = 20       // tabs in indentation that one run repairs to look further
	maxLooks   = 8        // searches for one syntax error
	lookAhead  = 64       // bytes behind a found place that are tried too
	maxRefined = 32 << 10 // longer texts are searched once
)

var (
	yamlPrefix = regexp.MustCompile(`^yaml: (line \d+: )?`)
	parserLine = regexp.MustCompile(`^yaml: line (\d+): did not find expected`)
)

// characters reports what YAML cannot contain, and the line breaks that
// editors do not count: behind them every position would be wrong.
func (d *decoder) characters() {
	for i, r := range d.src.text {
		switch {
		case r == utf8.RuneError && strings.HasPrefix(d.src.text[i:], "\ufffd"):
		case r == utf8.RuneError:
			d.add(d.src.pos(i), 1, "the file is not valid UTF-8", "")
			return
		case r < ' ' && r != '\n' && r != '\t', r == 0x7f, r >= 0x80 && r <= 0x9f, r == '\u2028', r == '\u2029', r == '\ufeff':
			d.add(d.src.pos(i), 1, fmt.Sprintf("character %U is not allowed", r), `write it as an escape in double quotes`)
			return
		}
	}
}

// parse returns the document, or nil when it is empty or not YAML.
func (d *decoder) parse() *yaml.Node {
	text := d.src.text
	for range maxTabs {
		root, second, err := read(text)
		if err == nil {
			if second != nil {
				d.add(nodePos(second), 3, "a second document starts here", "a file holds one document")
			}
			if text != d.src.text {
				return nil // what a repaired text says is a guess
			}
			return root
		}
		at, block := faultAt(text)
		start, tab := tabIndent(text, at)
		if !tab {
			if text == d.src.text {
				place, hint := d.src.pos(at), ""
				if 0 < block && block < place.Line {
					hint = fmt.Sprintf("in what starts on line %d", block)
				}
				d.add(place, 1, yamlPrefix.ReplaceAllString(err.Error(), ""), hint)
			}
			return nil
		}
		d.add(d.src.pos(start), 1, "a tab cannot indent", "use spaces")
		text = text[:start] + " " + text[start+1:] // same length: positions stay true
	}
	return nil
}

// read parses the text and returns its first document, and its second if any.
func read(text string) (first, second *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil { // yaml.v3 has had panics on malformed input
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	dec := yaml.NewDecoder(strings.NewReader(text))
	var docs [2]yaml.Node
	for i := range docs {
		if err := dec.Decode(&docs[i]); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, nil, err
		}
	}
	if len(docs[0].Content) > 0 {
		first = docs[0].Content[0]
	}
	if docs[1].Kind != 0 {
		second = &docs[1]
	}
	return first, second, nil
}

// faultAt finds where the text stops being YAML. The parser's own errors name
// only the line where the surrounding block starts; where the shortest
// beginning that fails in the same way ends, there lies the fault. block is the
// line the parser named, 0 when the fault is no part of a block.
func faultAt(text string) (at, block int) {
	// On the first line the parser would name no line at all.
	fault := func(n int) string {
		for n < len(text) && !utf8.RuneStart(text[n]) {
			n++
		}
		if _, _, err := read("\n" + text[:n]); err != nil {
			return err.Error()
		}
		return ""
	}
	want, from := fault(len(text)), 0
	for range maxLooks {
		from += sort.Search(len(text)-from, func(n int) bool { return fault(from+n) == want })
		next := from
		// A list cut behind a value lacks its bracket too: there the search may
		// have ended early, and a little further on the text fails otherwise.
		for n := from + 1; n < min(from+lookAhead, len(text)) && len(text) <= maxRefined; n++ {
			if fault(n) != want {
				next = n
			}
		}
		if next == from {
			break
		}
		from = next
	}
	at = max(from-1, 0)
	for at > 0 && (!utf8.RuneStart(text[at]) || text[at] == '\n') {
		at--
	}
	if m := parserLine.FindStringSubmatch(want); m != nil {
		block, _ = strconv.Atoi(m[1])
	}
	return at, block
}

// tabIndent reports the first tab in the indentation of the line around at, or
// of the line after it.
func tabIndent(text string, at int) (int, bool) {
	start := strings.LastIndexByte(text[:at], '\n') + 1
	for range 2 {
		for i := start; i < len(text) && (text[i] == ' ' || text[i] == '\t'); i++ {
			if text[i] == '\t' {
				return i, true
			}
		}
		next := strings.IndexByte(text[start:], '\n')
		if next < 0 {
			break
		}
		start += next + 1
	}
	return 0, false
}
