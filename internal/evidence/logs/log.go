package logs

import (
	"maps"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// Log is what a log tells at some point of it.
type Log struct {
	// Server is "vllm", "sglang", or "" where no line of one of them was seen.
	Server string `json:"server,omitempty"`
	// Lines is how many there were.
	Lines int `json:"lines"`
	// From and To are its first and its last time as written, "" where it tells none.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Restarts is how often the server began anew in it.
	Restarts int `json:"restarts"`
	// Others is how many other servers' logs come before this one's in it: their times begin later.
	Others int `json:"other_servers,omitempty"`
	// Errors are the kinds of lines that say something is wrong, the gravest first.
	Errors []Error `json:"errors,omitempty"`
	// Crashes are starts that ended without an orderly shutdown, the last of them.
	Crashes []Crash `json:"crashes,omitempty"`

	facts   Facts
	started string
	serving bool
	dead    bool
	took    time.Duration // from the start until it served; 0 is unknown
}

// Error is one kind of line that says something is wrong.
type Error struct {
	Fact  string  `json:"fact"`
	What  string  `json:"what"`
	Count float64 `json:"count"`
	// First and Last are when it was said, as written.
	First string `json:"first,omitempty"`
	Last  string `json:"last,omitempty"`
	// Text is the last such line, cut and without its prefix.
	Text string `json:"text"`
	// Before says that all of it was before the last start.
	Before bool `json:"before_restart,omitempty"`
}

// Crash is how one start ended.
type Crash struct {
	At string `json:"at,omitempty"`
	// Served says whether it had begun to serve.
	Served bool `json:"served"`
	// Text is the last exception, or "".
	Text string `json:"text,omitempty"`
}

// kinds are the events in order of gravity, in words for people.
var kinds = []struct{ fact, what string }{
	{"log_oom", "out of memory"},
	{"log_host_oom_kills", "killed by the kernel for host memory"},
	{"log_xid_errors", "Xid errors of the driver"},
	{"log_gpu_errors", "errors of the GPU itself"},
	{"log_nccl_error", "NCCL errors"},
	{"log_worker_died", "a worker died"},
	{"log_engine_dead", "the engine died"},
	{"log_cuda_errors", "CUDA errors"},
	{"log_worker_hang", "the engine waits for a worker"},
	{"log_kv_load_failures", "KV transfers failed"},
	{"log_retracted", "requests retracted for want of KV cache"},
	{"log_preempted", "preemptions (every 50th is logged)"},
	{"log_jit_compilation", "kernels compiled while requests ran"},
}

// Facts are what playbooks weigh. The last start counts: settings and events are of it alone, what starts before it said in the last
// hour is under the same name with _before_restart. Events count from the last quarter of an hour of the log, and are present, and 0,
// wherever a log could be read; the last line of one is a fact with _line. What periodic lines show is of the last five minutes.
func (l *Log) Facts() Facts { return maps.Clone(l.facts) }

// Together are the facts of several logs of one server, as of its ranks, of its nodes or of the kernel. Events add up; of settings the
// later file counts.
func Together(all ...*Log) Facts {
	out := Facts{}
	for _, l := range all {
		for name, f := range l.facts {
			if was, ok := out[name]; ok && counted(name) {
				f = numberFact(was.Num + f.Num)
			}
			out[name] = f
		}
	}
	return out
}

// counted says whether a fact is a number of events.
func counted(name string) bool {
	for _, k := range kinds {
		if name == k.fact || name == k.fact+"_before_restart" {
			return true
		}
	}
	return name == "log_restarts" || name == "log_crashes" || name == "log_warnings" || name == "log_oom_start"
}

// tell sums up what is known so far. The reader may go on.
func (l *Reader) tell(silence time.Duration) *Log {
	out := &Log{
		Server: l.server, Lines: l.lines, From: l.first.String(), To: l.clock.last.String(), Restarts: l.restarted, Others: l.others,
		facts: l.facts(silence), started: l.start.began.String(), serving: l.start.serving, dead: l.start.events["log_engine_dead"] != nil,
	}
	if s := l.start; s.serving && !s.began.none() && (len(s.announced) > 0 || s.engine) {
		out.took = s.served.at.Sub(s.began.at)
	}
	for _, k := range kinds {
		now, old := l.start.events[k.fact], l.before[k.fact]
		both := &seen{}
		if old != nil {
			both.join(old)
		}
		if now != nil {
			both.join(now)
		}
		if both.lines > 0 {
			out.Errors = append(out.Errors, Error{k.fact, k.what, both.total, both.first.at.String(), both.last.at.String(), both.last.text, now == nil})
		}
	}
	for _, c := range l.crashes {
		out.Crashes = append(out.Crashes, Crash{c.ended.String(), c.served, c.cause.text})
	}
	return out
}

// facts is what is known so far.
func (l *Reader) facts(silence time.Duration) Facts {
	s, end := l.start, l.clock.last.at
	out := maps.Clone(s.facts)
	l.settings(out)
	if s.load.decodes >= minDecodes {
		out["decode_eager_ratio"] = numberFact(s.load.eagerDecodes / s.load.decodes)
	}
	s.load.facts(out, end.Add(silence))
	for _, e := range l.events {
		l.tellEvent(out, e.name, end)
	}
	restarts, crashes := 0, 0
	for _, at := range l.restarts {
		if at.none() || !at.at.Before(end.Add(-recencyBefore)) {
			restarts++
		}
	}
	for _, c := range l.crashes {
		if c.ended.none() || !c.ended.at.Before(end.Add(-recencyBefore)) {
			crashes++
			if c.cause.text != "" {
				out["log_crash_line"] = line1(c.cause)
			}
		}
	}
	out["log_warnings"] = numberFact(s.warnings)
	out["log_restarts"], out["log_crashes"] = numberFact(float64(restarts)), numberFact(float64(crashes))
	out["log_lines"] = numberFact(float64(l.lines))
	if d := s.died(); d.text != "" && (d.at.none() || !d.at.at.Before(end.Add(-recency))) {
		out["log_exception_line"] = line1(d)
	}
	if last := l.clock.last; last.zoned {
		out["log_ends_at"] = numberFact(float64(last.at.Unix()))
	}
	return out
}

// settings adds what the operator set, and what follows from several lines.
func (l *Reader) settings(out Facts) {
	s := l.start
	for id, f := range s.explicit {
		resolved, ok := out[id]
		switch {
		case !ok:
			out[id] = f
		case f.Text == resolved.Text || f.IsNum && resolved.IsNum && f.Num == resolved.Num:
			resolved.Explicit = true // what the engine made of it is what was asked for
			out[id] = resolved
		}
	}
	if _, ok := out["kv_capacity_tokens"]; !ok && s.v0Blocks > 0 {
		size := 16.0 // V0 logs blocks only; 16 is its default size
		if f, ok := out["block_size"]; ok && f.IsNum {
			size = f.Num
		}
		out["kv_capacity_tokens"] = numberFact(s.v0Blocks * size)
	}
	switch {
	case s.graphs:
		out["cuda_graphs_captured"] = flagFact(true)
	case s.eager || s.serving && out["enforce_eager"].IsNum:
		out["cuda_graphs_captured"] = flagFact(false) // serving without a word of capturing
	}
	if len(s.announced) > 0 || s.engine {
		out["log_shows_start"] = flagFact(true)
		out["log_starting"] = flagFact(!s.serving && !s.stopping && s.events["log_engine_dead"] == nil)
	}
}

// tellEvent adds how often something was said, and the last line of it.
func (l *Reader) tellEvent(out Facts, name string, end time.Time) {
	s := l.start
	now := s.events[name]
	if name == "log_jit_compilation" && !s.monitored && now == nil {
		return // older releases do not report it: 0 would be a guess
	}
	since := end.Add(-recency)
	n := now.since(since)
	if out[name] = numberFact(n); n > 0 {
		out[name+"_line"] = line1(now.last)
	}
	old := l.before[name]
	if n := old.since(end.Add(-recencyBefore)); n > 0 {
		out[name+"_before_restart"] = numberFact(n)
		if now == nil {
			out[name+"_line"] = line1(old.last)
		}
	}
}

// line1 is a line with its time, to be shown.
func line1(x said) model.Fact {
	text := x.text
	if at := x.at.String(); at != "" {
		text = at + " " + text
	}
	return model.Fact{Text: text, From: "log"}
}

func flagFact(on bool) model.Fact {
	s := start{facts: Facts{}}
	s.flag("", on)
	return s.facts[""]
}
