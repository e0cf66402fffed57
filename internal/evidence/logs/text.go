package logs

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

// MarshalJSON writes the log with its finding and its facts.
func (l *Log) MarshalJSON() ([]byte, error) {
	type plain Log
	facts := map[string]any{}
	for name, f := range l.facts {
		if f.IsNum && f.Text != "true" && f.Text != "false" {
			facts[name] = f.Num
		} else {
			facts[name] = f.Text
		}
	}
	return json.Marshal(struct {
		Finding string `json:"finding"`
		*plain
		Facts map[string]any `json:"facts"`
	}{l.Finding(), (*plain)(l), facts})
}

// WriteText writes what an engineer wants to know, the finding first.
func (l *Log) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "log of %s · %s", l.who(), plural(float64(l.Lines), "line", "lines"))
	if l.From != "" {
		fmt.Fprintf(b, ", %s to %s", l.From, strings.TrimPrefix(l.To, l.From[:len(l.From)-len(timeOf(l.From))]))
	}
	fmt.Fprintf(b, "\n%s\n\n", l.Finding())
	l.row(b, "start", l.startText())
	l.row(b, "set", l.settingsText(true))
	l.row(b, "in force", l.settingsText(false))
	l.row(b, "capacity", l.capacityText())
	l.row(b, "kernels", l.kernelsText())
	l.row(b, "load", l.loadText())
	for i, e := range l.Errors {
		name := ""
		if i == 0 {
			name = "errors"
		}
		l.row(b, name, e.String())
		fmt.Fprintf(b, "             %s\n", e.Text)
	}
	if len(l.Errors) == 0 {
		l.row(b, "errors", "none that is known")
	}
	for i, c := range l.Crashes {
		name := ""
		if i == 0 {
			name = "crashes"
		}
		l.row(b, name, c.String())
	}
	return b.Flush()
}

func (l *Log) row(w io.Writer, name, text string) {
	if text != "" {
		fmt.Fprintf(w, " %-9s %s\n", name, text)
	}
}

// timeOf is what of a time changes within a day.
func timeOf(s string) string {
	if i := strings.IndexByte(s, ' '); i >= 0 {
		return s[i+1:]
	}
	return s
}

func (l *Log) who() string {
	switch {
	case l.Server == "":
		return "the kernel or an unknown server"
	case l.text("engine_version") != "":
		return l.Server + " " + l.text("engine_version")
	}
	return l.Server
}

func (l *Log) text(name string) string { return l.facts[name].Text }

func (l *Log) num(name string) (float64, bool) {
	f, ok := l.facts[name]
	return f.Num, ok && f.IsNum
}

// say fills a sentence in where the number is known.
func (l *Log) say(name, unit, format string) string {
	v, ok := l.num(name)
	if !ok {
		return ""
	}
	return fmt.Sprintf(format, units.Format(v, unit, model.Exact))
}

// upTo says a median and, where it differs, the most.
func (l *Log) upTo(name, most, unit, format string) string {
	text := l.say(name, unit, format)
	if l.facts[name].Num != l.facts[most].Num {
		text += l.say(most, unit, " (at most %s)")
	}
	return text
}

func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}

func (l *Log) startText() string {
	var state string
	_, shown := l.facts["log_shows_start"]
	switch {
	case l.Server == "":
		return ""
	case shown && l.serving && l.took > 0:
		state = fmt.Sprintf("%s, serving after %s", l.started, units.Duration(l.took))
	case shown && l.serving:
		state = strings.TrimSpace(l.started + " and serving")
	case shown && l.dead:
		state = strings.TrimSpace(l.started + ", died before it served")
	case shown:
		state = strings.TrimSpace(l.started + ", not serving yet")
	default:
		state = "not in this log: what was left at its default is not known"
	}
	if l.text("log_shutdown") == "true" {
		state += ", then shut down in order"
	}
	if l.Restarts > 0 {
		state += fmt.Sprintf("; %s before it in this log", plural(float64(l.Restarts), "start", "starts"))
	}
	if l.Others > 0 {
		state += fmt.Sprintf("; %s before it in this file and left out", plural(float64(l.Others), "other server's log is", "other servers' logs are"))
	}
	return state
}

// shown are the settings in force that are worth a line, beside those that somebody set.
var shown = []string{
	"max_num_seqs", "max_num_batched_tokens", "chunked_prefill_size", "max_prefill_tokens", "max_model_len", "tensor_parallel_size",
	"data_parallel_size", "quantization", "kv_cache_dtype", "enable_prefix_caching", "disable_radix_cache", "enable_chunked_prefill",
	"async_scheduling", "num_speculative_tokens", "speculative_algorithm", "api_server_count", "mem_fraction_static",
}

// settingsText lists settings as flags would set them.
func (l *Log) settingsText(explicit bool) string {
	c, err := catalog()
	if err != nil {
		return ""
	}
	var out []string
	for _, id := range c.IDs(l.Server) {
		f, ok := l.facts[id]
		if !ok || f.Explicit != explicit || !explicit && !slices.Contains(shown, id) {
			continue
		}
		k, ok := c.Knob(l.Server, id)
		if ok && len(f.Text) <= 40 {
			out = append(out, k.Flag+" "+f.Text)
		}
	}
	return strings.Join(out, "  ")
}

func (l *Log) capacityText() string {
	pool := l.say("kv_capacity_tokens", "tokens", "%s tokens of KV cache")
	if room := l.say("kv_memory_gib", "GiB", " in %s"); pool != "" {
		pool += room
	}
	fits := ""
	if v, ok := l.num("kv_max_concurrency"); ok {
		fits = fmt.Sprintf("%.4g requests of the longest length at once", v)
	}
	return joined(pool, fits, l.say("model_weights_gib", "GiB", "weights %s"), l.say("graph_memory_gib", "GiB", "graphs %s"))
}

func (l *Log) kernelsText() string {
	attention := l.text("attention_backend")
	if attention != "" {
		attention += " attention"
	}
	graphs := map[string]string{"true": "CUDA graphs captured", "false": "no CUDA graphs"}[l.text("cuda_graphs_captured")]
	if asked := l.text("cudagraph_mode_asked"); asked != "" {
		graphs = joined(graphs, "mode "+asked+" was not supported and became "+l.text("cudagraph_mode"))
	}
	return joined(attention, graphs, l.say("decode_eager_ratio", "ratio", "%s of the decode steps without a graph"))
}

func (l *Log) loadText() string {
	running := l.upTo("log_running_median", "log_running_max", "requests", "%s running")
	waiting := l.upTo("log_waiting_median", "log_waiting_max", "requests", "%s waiting")
	kv := l.upTo("log_kv_used_median_ratio", "log_kv_used_max_ratio", "ratio", "KV cache %s used")
	text := joined(
		running, waiting, l.say("log_deferred_median", "requests", "%s deferred"), kv, l.say("log_prefix_hit_ratio", "ratio", "prefix hits %s"),
		l.say("log_prompt_tokens_per_s", "tokens/s", "prompts %s"), l.say("log_gen_tokens_per_s", "tokens/s", "outputs %s"),
		l.draftsText(), l.say("log_step_mean_s", "s", "%s a step"),
		l.say("log_kv_transfer_mean_s", "s", "%s a KV transfer"), l.say("log_pending_tokens_max", "tokens", "%s prompt tokens pending"),
	)
	if text == "" && l.text("log_stats_disabled") == "true" {
		return "periodic lines are off with several API servers"
	}
	if text == "" && l.Server != "" {
		return "no periodic lines in its last minutes"
	}
	return text
}

// String is how often and when.
func (e Error) String() string {
	text := fmt.Sprintf("%s: %s", e.What, plural(e.Count, "time", "times"))
	switch {
	case e.First != "" && e.First != e.Last:
		text += fmt.Sprintf(", %s to %s", e.First, e.Last)
	case e.First != "":
		text += ", " + e.First
	}
	if e.Before {
		text += ", before the last start"
	}
	return text
}

// String is how the start ended.
func (c Crash) String() string {
	text := "ended while starting"
	if c.Served {
		text = "ended while serving"
	}
	if c.At != "" {
		text = c.At + " " + text
	}
	if c.Text != "" {
		text += ": " + c.Text
	}
	return text
}

func plural(n float64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

func count(v float64) string { return units.Format(v, "count", model.Exact) }

func (l *Log) draftsText() string {
	v, ok := l.num("log_acceptance_length")
	if !ok {
		return ""
	}
	return fmt.Sprintf("%.2f tokens a step with its drafts", v)
}
