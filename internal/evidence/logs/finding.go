package logs

import (
	"fmt"
	"strings"
)

// Finding is the first thing to know of the log, in a sentence.
func (l *Log) Finding() string {
	for _, f := range []func() string{l.looping, l.wrong, l.tooSmall, l.queued, l.eagerly, l.minor} {
		if text := f(); text != "" {
			return text
		}
	}
	if len(l.Crashes) > 0 {
		return "it ended once without being shut down: " + l.Crashes[len(l.Crashes)-1].String()
	}
	if l.Server == "" {
		return "no server's line in it, and nothing of the kernel's that is known to matter"
	}
	if l.text("log_shutdown") == "true" {
		return "it was shut down in order, and nothing wrong is said before"
	}
	return "nothing wrong is said in it"
}

func (l *Log) looping() string {
	if n := len(l.Crashes); n >= 2 {
		return fmt.Sprintf("a crash loop: %d starts ended without a shutdown, the last one: %s", n, l.Crashes[n-1])
	}
	return ""
}

// wrong is the gravest error. Retractions, preemptions and compilations are heat, not harm, and come later.
func (l *Log) wrong() string {
	for _, e := range l.Errors {
		switch e.Fact {
		case "log_retracted", "log_preempted", "log_jit_compilation":
			continue
		}
		return e.String()
	}
	return ""
}

// fullAt is the use of the KV cache from which the scheduler admits nobody: what is left is less than a request needs.
const fullAt = 0.95

func (l *Log) tooSmall() string {
	if v, ok := l.num("kv_max_concurrency"); ok && v < 1 {
		return fmt.Sprintf("the KV cache holds %.2g requests of the longest length: less than one", v)
	}
	return ""
}

// queued says what those who wait wait for: room in the KV cache before a place under the cap, since a full cache keeps requests
// out whatever the cap is. Neither is said to be the reason.
func (l *Log) queued() string {
	waiting, ok := l.num("log_waiting_median")
	if !ok || waiting < 1 {
		return ""
	}
	queue := l.say("log_waiting_median", "requests", "%s wait in the median")
	if used, ok := l.num("log_kv_used_max_ratio"); ok && used >= fullAt {
		return queue + l.say("log_kv_used_max_ratio", "ratio", ", and the KV cache is up to %s used")
	}
	running, _ := l.num("log_running_median")
	most, _ := l.num("log_running_max")
	if limit, ok := l.num("max_num_seqs"); ok && most >= limit && running >= 0.9*limit {
		return fmt.Sprintf("%s while running stands at the cap of %s", queue, count(limit))
	}
	return queue + l.say("log_running_median", "requests", " while %s run")
}

// eagerly is not said of a device that has no CUDA graphs.
func (l *Log) eagerly() string {
	if l.text("backend") == "cpu" || l.text("backend") == "xpu" {
		return ""
	}
	if v, ok := l.num("decode_eager_ratio"); ok && v >= 0.9 || !ok && l.text("cuda_graphs_captured") == "false" {
		return "no CUDA graphs: every step is launched kernel by kernel"
	}
	return ""
}

func (l *Log) minor() string {
	if v, ok := l.num("log_acceptance_length"); ok && v < 1.2 {
		return fmt.Sprintf("speculation gains next to nothing: %.2f tokens a step with its drafts, 1 without", v)
	}
	for _, e := range l.Errors {
		if e.Fact == "log_jit_compilation" || e.Fact == "log_retracted" || e.Fact == "log_preempted" {
			return strings.TrimSuffix(e.String(), ", before the last start")
		}
	}
	return ""
}
