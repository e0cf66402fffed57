package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/inferdx/inferdx/internal/hardware"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
	"github.com/inferdx/inferdx/rules/signals"
)

// facts gathers what is known of a target beside its numbers. What the running server shows wins over
// what it was asked to do: labels, then its own endpoints, then the log, then the arguments, then the defaults of its version.
func (p *Pipeline) facts(t signals.Target, r Request) (own, shared map[string]model.Fact, notes []string) {
	out := map[string]model.Fact{}
	if t.Engine.Name == "" {
		return out, nil, nil
	}
	args := r.args(t.Labels)
	gpu := machine(out, t, r)
	labels := p.Content.Knobs.FromLabels(t.Engine.Name, t.Info)
	log := r.log(t.Labels)
	foreign := contradictions("the log is not this server's, or of an earlier start: it says", log, labels, t)
	if foreign != "" {
		log = nil
	}
	said, notes := p.launch(t, args, log["log_shows_start"].Num == 1, labels)
	maps.Copy(out, said.facts)
	if foreign != "" {
		notes = append(notes, foreign)
	}
	if n := r.apart(log); n != "" {
		notes = append(notes, n)
	}
	merge(out, log)
	merge(out, r.Measured)
	if r.MeasuredOf != nil {
		merge(out, r.MeasuredOf(t.Labels))
	}
	if r.Server != nil {
		own, configured := r.Server(t.Labels)
		merge(out, own)
		said.whole = said.whole || configured
	}
	merge(out, labels)
	for name, v := range t.Shown {
		merge(out, map[string]model.Fact{name: number(v, "its metrics")})
	}
	version := ""
	if f, ok := out["engine_version"]; ok {
		version = f.Text
	} else if !t.Engine.AtLeastOnly {
		version = t.Engine.Version
	}
	if version == "" {
		version = ">=" + t.Engine.Version
	}
	shared = p.defaults(t.Engine.Name, version, out, said)
	if f, ok := weightBytes(known(out, shared, "quantization", "dtype"), t.Labels.Get("model_name")); ok {
		out["weight_bytes_fact"] = f
	}
	if n := physics(out, shared, t, r, gpu); n != "" {
		notes = append(notes, n)
	}
	if f, ok := processor(out, args, t); ok {
		out["processor"] = f
	}
	role(out, t.Labels)
	return out, shared, notes
}

// launch is what is known of how a server was started.
type launch struct {
	facts map[string]model.Fact
	// whole says that all settings are known, so that the others have their defaults, but for the doubtful.
	whole    bool
	doubtful []string
}

// args are the launch arguments of one target; nil is unknown.
func (r Request) args(target model.Labels) []string {
	if r.ArgsOf != nil {
		if own := r.ArgsOf(target); own != nil {
			return own
		}
	}
	return r.Args
}

// log is what the log of one target tells; nil is unknown.
func (r Request) log(target model.Labels) map[string]model.Fact {
	if r.LogOf != nil {
		if own := r.LogOf(target); own != nil {
			return own
		}
	}
	return r.Log
}

// distant is how far the end of a log may be from what is diagnosed: an idle server is silent for a while.
const distant = 30 * time.Minute

// apart says that a log is of another time, where it tells its time zone. The log of a server that is followed may be silent.
func (r Request) apart(log map[string]model.Fact) string {
	ends, ok := log["log_ends_at"]
	if !ok || r.LogOf != nil {
		return ""
	}
	switch d := r.At.Sub(time.Unix(int64(ends.Num), 0)); {
	case d > distant:
		return "the log ends " + units.Duration(d) + " before what is diagnosed: what it says of errors and load is of then"
	case d < -distant:
		return "the log goes on for " + units.Duration(-d) + " after what is diagnosed: what it says of errors and load is of then"
	}
	return ""
}

// launch reads the launch arguments; with the log of a start the rest of the settings is known, too. Arguments of
// another server are left out.
func (p *Pipeline) launch(t signals.Target, given []string, log bool, labels map[string]model.Fact) (launch, []string) {
	args := p.Content.Knobs.FromArgs(t.Engine.Name, given)
	out := launch{facts: args.Facts, whole: given != nil && !args.Partial || log, doubtful: args.Doubtful}
	if n := contradictions("the launch arguments are not this server's: they say", args.Facts, labels, t); n != "" {
		return launch{whole: log}, append(args.Notes, n)
	}
	return out, args.Notes
}

// known picks facts by name, a target's own before shared ones.
func known(own, shared map[string]model.Fact, names ...string) map[string]model.Fact {
	out := map[string]model.Fact{}
	for _, n := range names {
		if f, ok := own[n]; ok {
			out[n] = f
		} else if f, ok := shared[n]; ok {
			out[n] = f
		}
	}
	return out
}

// merge takes over what a closer look at the server says; that a value was set on purpose is kept.
func merge(out, closer map[string]model.Fact) {
	for name, f := range closer {
		if was, ok := out[name]; ok {
			f.Explicit = f.Explicit || was.Explicit
		}
		out[name] = f
	}
}

// machine adds what the GPU can do and what runs on it: the given device, else the one that metrics name.
func machine(out map[string]model.Fact, t signals.Target, r Request) hardware.GPU {
	var g hardware.GPU
	if t.GPU != nil {
		out["backend"] = model.Fact{Text: "cuda", From: "dcgm-exporter"}
	}
	if name := t.GPU["modelName"]; name != "" {
		out["gpu_name"] = model.Fact{Text: name, From: "dcgm-exporter"}
		g, _ = hardware.Find(name)
	}
	if r.GPU != nil {
		if given := r.GPU(t.Labels); given != nil {
			g = *given
		}
	}
	for name, v := range map[string]float64{"gpu_peak_flops": g.Half, "gpu_bandwidth": g.Bandwidth, "gpu_memory_gib": g.MemoryGiB} {
		if v > 0 {
			out[name] = number(v, g.Source)
		}
	}
	if t.GPUMemoryMiB > 0 {
		out["gpu_memory_gib"] = number(t.GPUMemoryMiB/1024, "dcgm-exporter")
	}
	return g
}

func number(v float64, from string) model.Fact {
	return model.Fact{Text: fmt.Sprintf("%g", v), Num: v, IsNum: true, From: from}
}

// checked are the settings that the running server shows by itself, so that arguments of another
// server can be found out.
var checked = []string{"gpu_memory_utilization", "num_gpu_blocks_override", "enable_prefix_caching", "block_size", "kv_cache_dtype"}

// contradictions compares the given arguments, or the settings in a log, with what the server shows. What does not fit is
// somebody else's and is left out as a whole.
func contradictions(says string, args, labels map[string]model.Fact, t signals.Target) string {
	for _, name := range checked {
		a, okA := args[name]
		l, okL := labels[name]
		if okA && a.Explicit && okL && a.Text != l.Text && (!a.IsNum || !l.IsNum || a.Num != l.Num) {
			return fmt.Sprintf("%s %s %s, the server shows %s: left out as a whole", says, name, a.Text, l.Text)
		}
	}
	if cap, ok := args["max_num_seqs"]; ok && cap.IsNum {
		ranks := 1.0
		if dp, ok := args["data_parallel_size"]; ok && dp.IsNum {
			ranks = dp.Num
		}
		if t.RunningMax > cap.Num*ranks {
			return fmt.Sprintf("%s that at most %s run, %g were seen: left out as a whole", says, cap.Text, t.RunningMax)
		}
	}
	return ""
}

// circumstances are the facts that defaults depend on, beside other knobs that were set on purpose.
var circumstances = []string{"backend", "gpu_name", "gpu_memory_gib", "performance_mode", "tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size", "max_model_len", "enable_dp_attention", "disaggregation_mode", "speculative_algorithm"}

// defaults gives the value that every knob has by default, as <id>_default; and as the value itself
// only where the launch command is known, so that what it does not set is known, too. The answer is
// remembered by version and circumstances: a fleet has few.
func (p *Pipeline) defaults(server, version string, known map[string]model.Fact, said launch) map[string]model.Fact {
	key := fmt.Sprint(server, "\xff", version, "\xff", said.whole, said.doubtful)
	given := map[string]model.Fact{}
	for _, name := range circumstances {
		if f, ok := known[name]; ok {
			given[name] = f
			key += "\xff" + name + "=" + f.Text
		}
	}
	if got, ok := p.remembered.Load(key); ok {
		return got.(map[string]model.Fact) //nolint:forcetypeassert // only this function stores
	}
	got := map[string]model.Fact{}
	for name, f := range p.Content.Knobs.Defaults(server, version, given) {
		got[name+"_default"] = f
		if said.whole && !slices.Contains(said.doubtful, name) {
			got[name] = f
		}
	}
	p.remembered.Store(key, got)
	return got
}
