package shape

import "strings"

// quant reads how the weights are stored. What it cannot tell has no bits.
func quant(f, top *fields, layers int) Quant {
	q := f.object("quantization_config")
	if q == nil {
		q = top.object("quantization_config")
	}
	if q == nil {
		return Quant{}
	}
	out := Quant{Method: strings.ToLower(q.text("quant_method", "quant_algo", "quantization_method"))}
	if out.Method == "" {
		out.Method = "unknown"
	}
	group := q.number("group_size", "q_group_size")
	switch m := out.Method; {
	case m == "compressed-tensors":
		out.Bits, out.Integer, group = groups(q)
	case m == "bitsandbytes":
		out.Integer = true
		if q.yes("load_in_4bit") {
			out.Bits = 4
		} else if q.yes("load_in_8bit") {
			out.Bits = 8
		}
	case q.number("bits", "w_bit") > 0:
		out.Bits, out.Integer = q.number("bits", "w_bit"), true
	default:
		out.Bits, out.Integer = Bits(m + " " + strings.ToLower(q.text("quant_algo")))
	}
	switch {
	case out.Bits == 4 && strings.Contains(out.Method, "mxfp4"):
		out.Bits = 4.25 // a scale of 8 bits for 32 weights
	case group > 0 && out.Bits > 0 && out.Bits < 8 && out.Integer:
		out.Bits += 16 / group // a 16-bit scale for each group
	case group > 0 && out.Bits == 4:
		out.Bits += 8 / group // NVFP4's are of 8 bits
	}
	ignored := append(append(q.words("modules_to_not_convert"), q.words("ignore")...), q.words("exclude_modules")...)
	out.KeepsMixer = keeps(ignored, "attn", layers)
	out.KeepsDense = keeps(ignored, "mlp.router", layers) || keeps(ignored, "shared_expert", layers)
	out.KV = q.has("kv_cache_scheme") || q.has("kv_cache_quant_algo")
	return out
}

// groups reads the first of compressed-tensors' groups; groups of several widths have no bits.
func groups(q *fields) (bits float64, integer bool, group float64) {
	for _, v := range q.mapOf("config_groups") {
		w := v.object("weights")
		if w == nil {
			continue
		}
		n := w.number("num_bits")
		if bits != 0 && n != bits {
			return 0, false, 0
		}
		bits, integer, group = n, w.text("type") == "int", w.number("group_size")
	}
	return bits, integer, group
}

func (f *fields) mapOf(name string) []*fields {
	var out []*fields
	if o := f.object(name); o != nil {
		for k := range o.m {
			if x := o.object(k); x != nil {
				out = append(out, x)
			}
		}
	}
	return out
}

// keeps says whether modules of that name are left as they were in every layer: by a pattern, or listed one by one. Of attention the whole
// must be named, or its output matrix: a part of it is little.
func keeps(ignored []string, what string, layers int) bool {
	n := 0
	for _, s := range ignored {
		_, rest, ok := strings.Cut(s, what)
		if rest = strings.Trim(rest, ".*$"); !ok || rest != "" && !strings.HasPrefix(rest, "o_proj") && what == "attn" {
			continue
		}
		if strings.Contains(s, "*") || strings.HasPrefix(s, "re:") || s == what {
			return true
		}
		n++
	}
	return layers > 0 && n >= layers
}

// Bits tells from the name of a method of quantisation how many bits a weight takes; 0 is unknown.
func Bits(method string) (bits float64, integer bool) {
	for _, x := range []struct {
		has     string
		bits    float64
		integer bool
	}{
		{"mxfp4", 4, false},
		{"nvfp4", 4, false},
		{"fp4", 4, false},
		{"mxfp8", 8, false},
		{"fp8", 8, false},
		{"w4a", 4, true},
		{"awq", 4, true},
		{"gptq", 4, true},
		{"int4", 4, true},
		{"w8a", 8, true},
		{"int8", 8, true},
	} {
		if strings.Contains(strings.ToLower(method), x.has) {
			return x.bits, x.integer
		}
	}
	return 0, false
}
