package bench

import (
	"path"
	"regexp"
	"strings"
)

// Names are what data sets for benchmarks are usually called, by what their files and tools call them.
func names() []struct{ name, in string } {
	return []struct{ name, in string }{
		{"ShareGPT", "sharegpt"},
		{"Alpaca", "alpaca"},
		{"MT-Bench", "mtbench"},
		{"GSM8K", "gsm8k"},
		{"MMLU", "mmlu"},
		{"MMMU", "mmmu"},
		{"HumanEval", "humaneval"},
		{"LongBench", "longbench"},
		{"InstructCoder", "instructcoder"},
		{"AIMO", "aimo"},
		{"BurstGPT", "burstgpt"},
		{"Mooncake", "mooncake"},
		{"Spec-Bench", "specbench"},
		{"SPEED-Bench", "speedbench"},
		{"VisionArena", "visionarena"},
		{"WildChat", "wildchat"},
		{"LMSYS-Chat", "lmsyschat"},
		{"CNN/DailyMail", "cnndailymail"},
		{"Dolly", "dolly"},
		{"OpenOrca", "openorca"},
		{"Sonnet", "sonnet"},
		{"shared prefixes", "generatedsharedprefix"},
		{"shared prefixes", "prefixrepetition"},
		{"shared prefixes", "sharedprefix"},
		{"random", "random"},
		{"random", "synthetic"},
		{"random", "prompttokens"},
	}
}

var plain = regexp.MustCompile(`[^a-z0-9]+`)

// Workload gives a data set its usual name: ShareGPT for ShareGPT_V3_unfiltered_cleaned_split.json, random for SGLang's random-ids.
// One that is not known keeps the name of its file.
func Workload(as string) string {
	as = strings.TrimSpace(as)
	if as == "" {
		return ""
	}
	flat := plain.ReplaceAllString(strings.ToLower(as), "")
	for _, n := range names() {
		if strings.Contains(flat, n.in) {
			return n.name
		}
	}
	return path.Base(strings.ReplaceAll(as, `\`, "/"))
}

func (r *Run) workload(as string) {
	r.WorkloadAs = as
	r.Workload = Workload(as)
}
