package knobs

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
)

// lookup returns what is known under a name.
type lookup func(name string) (model.Fact, bool)

// condition is a conjunction over facts and knobs:
//
//	backend == cuda and gpu_memory_gib >= 70 and gpu_name lacks A100
//	max_num_batched_tokens >= max_num_seqs
//	unset kv_cache_memory_bytes
type condition struct {
	text  string
	terms []term
}

// term compares a product of facts with a product, a number or a word.
type term struct {
	op          string
	left, right product
	word        string // the right side of == and has, where it is a word
}

// product is factors multiplied: names and numbers. It is empty where a word stands.
type product []string

var (
	identifier = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	comparison = regexp.MustCompile(`^(.+?)\s*(>=|<=|==|!=|>|<|\shas\s|\slacks\s)\s*(.+)$`)
)

// parseCondition reads a condition; isName tells names from words.
func parseCondition(s string, isName func(string) bool) (condition, error) {
	c := condition{text: s}
	if strings.TrimSpace(s) == "" {
		return c, nil
	}
	for part := range strings.SplitSeq(s, " and ") {
		t, err := parseTerm(strings.TrimSpace(part), isName)
		if err != nil {
			return c, err
		}
		c.terms = append(c.terms, t)
	}
	return c, nil
}

func parseTerm(s string, isName func(string) bool) (term, error) {
	if op, name, ok := strings.Cut(s, " "); ok && (op == "set" || op == "unset") {
		left, err := parseProduct(name, isName)
		return term{op: op, left: left}, err
	}
	m := comparison.FindStringSubmatch(s)
	if m == nil {
		return term{}, fmt.Errorf("%q is no comparison", s)
	}
	t := term{op: strings.TrimSpace(m[2])}
	left, err := parseProduct(m[1], isName)
	if err != nil {
		return t, err
	}
	t.left = left
	switch t.op {
	case "has", "lacks":
		t.word = strings.TrimSpace(m[3])
	case "==", "!=":
		if right, err := parseProduct(m[3], isName); err == nil {
			t.right = right
		} else {
			t.word = strings.TrimSpace(m[3])
		}
	default:
		t.right, err = parseProduct(m[3], isName)
	}
	return t, err
}

func parseProduct(s string, isName func(string) bool) (product, error) {
	var out product
	for factor := range strings.SplitSeq(s, "*") {
		factor = strings.TrimSpace(factor)
		if _, err := strconv.ParseFloat(factor, 64); err != nil && (!identifier.MatchString(factor) || !isName(factor)) {
			return nil, &nameError{factor}
		}
		out = append(out, factor)
	}
	return out, nil
}

// nameError is a name that is neither a knob nor a fact.
type nameError struct{ name string }

func (e *nameError) Error() string { return "unknown name " + e.name }

// holds is yes, no, or unknown where a name it needs is not known.
func (c condition) holds(get lookup) truth {
	out := yes
	for _, t := range c.terms {
		out = min(out, t.holds(get))
	}
	return out
}

func (t term) holds(get lookup) truth {
	if t.op == "set" || t.op == "unset" {
		f, ok := get(t.left[0])
		if !ok {
			return unknown
		}
		return known(isNone(f.Text) == (t.op == "unset"))
	}
	if t.word != "" {
		f, ok := get(t.left[0])
		if !ok {
			return unknown
		}
		return t.matches(f)
	}
	a, ok := t.left.value(get)
	b, ok2 := t.right.value(get)
	if !ok || !ok2 {
		return unknown
	}
	switch t.op {
	case ">=":
		return known(a >= b)
	case "<=":
		return known(a <= b)
	case ">":
		return known(a > b)
	case "<":
		return known(a < b)
	case "==":
		return known(a == b)
	}
	return known(a != b)
}

func (t term) matches(f model.Fact) truth {
	same := strings.EqualFold(f.Text, t.word)
	if b, ok := parseBool(t.word); ok && f.IsNum {
		same = (f.Num != 0) == b
	}
	switch t.op {
	case "==":
		return known(same)
	case "!=":
		return known(!same)
	}
	inside := strings.Contains(strings.ToLower(f.Text), strings.ToLower(t.word))
	return known(inside == (t.op == "has"))
}

// value multiplies the factors; false when one is not known as a number.
func (p product) value(get lookup) (float64, bool) {
	out := 1.0
	for _, factor := range p {
		n, err := strconv.ParseFloat(factor, 64)
		if err != nil {
			f, ok := get(factor)
			if !ok || !f.IsNum {
				return 0, false
			}
			n = f.Num
		}
		out *= n
	}
	return out, len(p) > 0
}

// names lists the knobs and facts that the condition reads.
func (c condition) names() []string {
	var out []string
	for _, t := range c.terms {
		for _, factor := range append(append(product{}, t.left...), t.right...) {
			if identifier.MatchString(factor) {
				out = append(out, factor)
			}
		}
	}
	return out
}
