package logs

import (
	"strconv"
	"strings"
)

// maxNesting bounds what a log can make the parser recurse into.
const maxNesting = 64

// pyReader reads Python's repr of dicts, lists, enums and objects. It never fails: what cannot be read is text, and a
// value that was cut off holds what came before the cut.
type pyReader struct {
	in    string
	p     int
	depth int
}

// readDict reads "{'a': 1, …}".
func readDict(s string) map[string]any {
	r := &pyReader{in: s}
	tree, _ := r.value(":").(map[string]any)
	return tree
}

// readPairs reads "a=1, b='x', …", the inside of a call.
func readPairs(s string) map[string]any {
	r := &pyReader{in: s}
	return r.pairs(0)
}

func (r *pyReader) peek() byte {
	if r.p < len(r.in) {
		return r.in[r.p]
	}
	return 0
}

func (r *pyReader) space() {
	for r.p < len(r.in) && strings.IndexByte(" \t\r\n", r.in[r.p]) >= 0 {
		r.p++
	}
}

// value reads one value; a bare one also ends at a byte of stop.
func (r *pyReader) value(stop string) any {
	r.space()
	if r.depth >= maxNesting {
		r.p = len(r.in)
		return nil
	}
	r.depth++
	defer func() { r.depth-- }()
	switch r.peek() {
	case '{':
		return r.dict()
	case '[':
		return r.items(']')
	case '(':
		return r.items(')')
	case '\'', '"':
		return r.quoted()
	case '<':
		return r.angled()
	}
	return r.bare(stop)
}

func (r *pyReader) dict() any {
	out := map[string]any{}
	r.p++
	for r.more('}') {
		start := r.p
		key, ok := r.value(":").(string)
		r.space()
		if r.peek() == ':' {
			r.p++
			if v := r.value(""); ok {
				out[key] = v
			}
		}
		if r.p == start {
			r.p++
		}
	}
	return out
}

func (r *pyReader) items(end byte) any {
	out := []any{}
	r.p++
	for r.more(end) {
		start := r.p
		out = append(out, r.value(""))
		if r.p == start {
			r.p++
		}
	}
	return out
}

// more skips what separates items; false at the end, which it takes.
func (r *pyReader) more(end byte) bool {
	for r.space(); r.peek() == ','; r.space() {
		r.p++
	}
	if r.p >= len(r.in) {
		return false
	}
	if r.in[r.p] == end {
		r.p++
		return false
	}
	return true
}

func (r *pyReader) quoted() string {
	quote := r.in[r.p]
	r.p++
	var b strings.Builder
	for ; r.p < len(r.in) && r.in[r.p] != quote; r.p++ {
		if r.in[r.p] == '\\' && r.p+1 < len(r.in) {
			r.p++
		}
		b.WriteByte(r.in[r.p])
	}
	r.p++
	return b.String()
}

// angled reads an enum's repr, <CUDAGraphMode.FULL: (2, 1)>, as its name: FULL.
func (r *pyReader) angled() string {
	inside := r.in[r.p+1:]
	end := strings.IndexByte(inside, '>')
	if end < 0 {
		end = len(inside)
	}
	r.p = min(len(r.in), r.p+end+2)
	name, _, _ := strings.Cut(inside[:end], ":")
	return name[strings.LastIndexByte(name, '.')+1:]
}

// bare reads what has no quotes: None, 8, 0.9, torch.bfloat16, Config(a=1).
func (r *pyReader) bare(stop string) any {
	start := r.p
	for r.p < len(r.in) && strings.IndexByte(",)]}", r.in[r.p]) < 0 && strings.IndexByte(stop, r.in[r.p]) < 0 {
		if r.in[r.p] == '(' {
			r.p++
			return r.call()
		}
		r.p++
	}
	word := strings.TrimSpace(r.in[start:r.p])
	switch word {
	case "None", "":
		return nil
	case "True":
		return true
	case "False":
		return false
	}
	if n, err := strconv.ParseFloat(word, 64); err == nil && strings.ContainsAny(word[:1], "-.0123456789") {
		return n
	}
	return strings.TrimPrefix(word, "torch.")
}

// call reads the arguments of an object's repr: keywords as a map, else the first value.
func (r *pyReader) call() any {
	rest := r.in[r.p:]
	if i := strings.IndexAny(rest, "=,)('\"{["); i > 0 && rest[i] == '=' {
		return r.pairs(')')
	}
	items, _ := r.itemsAt(')').([]any)
	if len(items) == 1 {
		return items[0]
	}
	return items
}

// itemsAt is items where the opening bracket is taken already.
func (r *pyReader) itemsAt(end byte) any {
	r.p--
	return r.items(end)
}

func (r *pyReader) pairs(end byte) map[string]any {
	out := map[string]any{}
	for r.more(end) {
		start := r.p
		for r.p < len(r.in) && strings.IndexByte("=,)]}", r.in[r.p]) < 0 {
			r.p++
		}
		key := strings.TrimSpace(r.in[start:r.p])
		if r.peek() == '=' {
			r.p++
			out[key] = r.value("")
			continue
		}
		if r.p == start {
			r.p++
		}
	}
	return out
}
