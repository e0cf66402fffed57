package logs

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// vllmPeriodic is the periodic line of vLLM: V0 up to 0.8, V1 from 0.7 on, whose parts after the first four come and go by version and load.
var vllmPeriodic = []pattern{
	{"Avg prompt throughput: ", regexp.MustCompile(`Avg prompt throughput: ([\d.]+) tokens/s, Avg generation throughput: ([\d.]+) tokens/s, Running: (\d+) reqs, `), "vllm", func(l *Reader, m []string) {
		l.serves()
		s := unsaid()
		s.prompt, s.gen, s.running = number(m[1]), number(m[2]), number(m[3])
		before, rest, _ := strings.Cut(l.text, m[0])
		l.rest(engine(before), s, rest)
	}},
}

// vllmStats are lines of figures that come beside it.
var vllmStats = []pattern{
	{"SpecDecoding metrics: Mean", regexp.MustCompile(`Mean acceptance length: ([\d.]+),.*Accepted: (\d+) tokens, Drafted: (\d+) tokens`), "vllm", func(l *Reader, m []string) {
		// Drafts are not told: accepted tokens a draft are the length without the token that comes anyway.
		drafts := 1.0
		if more := number(m[1]) - 1; more > 0 {
			drafts = number(m[2]) / more
		}
		l.note("acceptance_length", number(m[1]), drafts)
		l.note("acceptance", number(m[2])/number(m[3]), number(m[3]))
	}},
	{"SpecDecoding metrics: Draft", regexp.MustCompile(`Draft acceptance rate: [\d.]+%, Accepted: (\d+) tokens, Drafted: (\d+) tokens`), "vllm", func(l *Reader, m []string) {
		l.note("acceptance", number(m[1])/number(m[2]), number(m[2]))
	}},
	{"Speculative metrics: ", regexp.MustCompile(`Draft acceptance rate: ([\d.]+)`), "vllm", func(l *Reader, m []string) {
		l.note("acceptance", number(m[1]), 1)
	}},
	{"Prefix cache hit rate: GPU: ", regexp.MustCompile(`Prefix cache hit rate: GPU: ([\d.]+)%`), "vllm", func(l *Reader, m []string) {
		l.note("prefix", number(m[1])/100, 1)
	}},
	{"KV Transfer metrics: ", regexp.MustCompile(`KV Transfer metrics: (.+)`), "vllm", func(l *Reader, m []string) { l.transfers(m[1]) }},
	{"iteration elapsed time", regexp.MustCompile(`Iteration\((\d+)\): (\d+) context requests, (\d+) context tokens, (\d+) generation requests, (\d+) generation tokens, iteration elapsed time: ([\d.]+) ms`), "vllm", func(l *Reader, m []string) {
		prompts, outputs := number(m[3]), number(m[5])
		l.note("step_s", number(m[6])/1000, 1)
		l.note("step_tokens", prompts+outputs, 1)
		if prompts+outputs > 0 {
			l.note("step_prefill", prompts/(prompts+outputs), prompts+outputs)
		}
	}},
	{"MFU: ", regexp.MustCompile(`MFU: ([\d.]+) TF/s/device ([\d.]+) GB/s/device`), "vllm", func(l *Reader, m []string) {
		l.note("flops", number(m[1])*1e12, 1)
		l.note("bandwidth", number(m[2])*1e9, 1)
	}},
}

// engine is the number of the engine that a line begins with, "Engine 003: "; "" where it is of the only one, or of all.
func engine(before string) string {
	before, ok := strings.CutSuffix(before, ": ")
	if i := strings.LastIndex(before, "Engine "); ok && i >= 0 {
		return before[i+len("Engine "):]
	}
	return ""
}

// rest reads the parts of a periodic line that not every version has, in any order: "Waiting: 2 reqs, GPU KV cache usage: 40.0%, …".
func (l *Reader) rest(engine string, s sample, text string) {
	fetch := false
	for part := range strings.SplitSeq(text, ", ") {
		name, value, ok := strings.Cut(part, ": ")
		if name == "KV fetch" {
			name, value = "waiting to start", strings.TrimSuffix(value, " waiting to start")
			fetch = true
		} else if fetch && !ok {
			value, name, _ = strings.Cut(part, " ")
		}
		figure, _, _ := strings.Cut(value, " ")
		v, err := strconv.ParseFloat(strings.TrimRight(figure, "%."), 64)
		if err != nil {
			continue
		}
		l.part(&s, name, v)
	}
	l.sampled(engine, s)
}

func (l *Reader) part(s *sample, name string, v float64) {
	switch name {
	case "Waiting", "Pending":
		s.waiting = v
	case "Swapped":
		s.swapped = v
	case "Deferred":
		s.deferred = v
	case "Prefix cache hit rate":
		l.note("prefix", v/100, 1)
	case "External prefix cache hit rate":
		l.note("external", v/100, 1)
	case "MM cache hit rate":
		l.note("mm", v/100, 1)
	case "Preemptions":
		l.note("preemptions", v, 1)
	case "waiting to start":
		l.note("fetch_waiting", v, 1)
	case "in progress":
		l.note("fetch_running", v, 1)
	default:
		device, ok := strings.CutSuffix(name, " KV cache usage")
		if ok && (device != "CPU" || math.IsNaN(s.kv)) { // V0 tells its swap space behind the GPU's
			s.kv = v / 100
			l.backend(strings.TrimSuffix(device, " + host"))
		}
	}
}

// transfers reads the figures of a KV connector: "Num successful transfers=3, Avg xfer time (ms)=38.7, …". Of transfers that
// overlap the time counts several times, so their rate is that of one transfer.
func (l *Reader) transfers(text string) {
	figures := map[string]float64{}
	for field := range strings.SplitSeq(text, ", ") {
		if name, value, ok := strings.Cut(field, "="); ok && len(figures) < 64 {
			figures[strings.TrimSpace(name)] = number(strings.TrimSpace(value))
		}
	}
	n := figures["Num successful transfers"]
	for _, x := range []struct {
		theirs, ours string
		unit         float64
	}{
		{"Avg xfer time (ms)", "transfer_s", 1e-3},
		{"P90 xfer time (ms)", "transfer_p90_s", 1e-3},
		{"Throughput (MB/s)", "transfer_rate", 1e6},
		{"Avg MB per transfer", "transfer_bytes", 1e6},
		{"Avg number of descriptors", "transfer_parts", 1},
	} {
		if v, ok := figures[x.theirs]; ok && n > 0 {
			l.note(x.ours, v*x.unit, n)
		}
	}
	if failed := figures["Num failed transfers"]; failed > 0 {
		l.count("log_kv_load_failures", failed, text)
	}
}

// count adds to an event what a periodic line tells of it.
func (l *Reader) count(name string, n float64, text string) {
	if l.start.events[name] == nil {
		l.start.events[name] = &seen{}
	}
	l.start.events[name].add(n, said{short(text), l.clock.last})
}
