package pipeline

import (
	"regexp"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
)

// quantised tells from a method's or a checkpoint's name how many bytes a weight takes. Methods that
// quantise weights alone still compute in 16 bits, so a model judged too small would make honest work
// look like a neighbour's.
var quantised = []struct {
	name  *regexp.Regexp
	bytes float64
}{
	{regexp.MustCompile(`awq|gptq|marlin|int4|w4a|4bit|4-bit|nf4|bitsandbytes|bnb|fp4|gguf|q4_`), 0.5},
	{regexp.MustCompile(`fp8|int8|w8a|8bit|8-bit|q8_`), 1},
}

// weightBytes is the size of one weight: by the quantization that is known, else by what the model's
// name says, else 16 bits. A method of unknown size gives nothing.
func weightBytes(facts map[string]model.Fact, name string) (model.Fact, bool) {
	q, known := facts["quantization"]
	if known && q.Text != "none" {
		b, ok := bytesIn(q.Text)
		return number(b, q.From), ok
	}
	if d, ok := facts["dtype"]; ok && strings.Contains(d.Text, "float32") {
		return number(4, d.From), true
	}
	if known {
		return number(2, q.From), true
	}
	if b, ok := bytesIn(name); ok {
		f := number(b, "the model's name")
		f.Inferred = true
		return f, true
	}
	f := number(2, "the usual 16 bits")
	f.Inferred = true
	return f, true
}

func bytesIn(text string) (float64, bool) {
	text = strings.ToLower(text)
	for _, q := range quantised {
		if q.name.MatchString(text) {
			return q.bytes, true
		}
	}
	return 0, false
}
