package bench

import "strings"

// records is a list in PyTorch's benchmark format: an object for each metric of one run, as vLLM writes it beside its own result
// with SAVE_TO_PYTORCH_BENCHMARK_FORMAT. What vLLM's own result holds lies in extra_info.
type records struct {
	of []*document
	by map[string]*document
}

func newRecords() *records { return &records{by: map[string]*document{}} }

func (p *records) takes(d *document) bool {
	return d.has("benchmark", "metric", "model") && d.text("metric.name") != ""
}

// add puts the metric of a record under the name it has in vLLM's own file.
func (p *records) add(d *document) {
	key := d.text("model.name") + "\x00" + d.text("metric.extra_info.date") + "\x00" + d.text("benchmark.name")
	into := p.by[key]
	if into == nil {
		if len(p.of) >= maxRuns {
			return
		}
		into = newDocument()
		p.by[key], p.of = into, append(p.of, into)
	}
	const extra = "metric.extra_info."
	for path, v := range d.figures {
		if name, ok := strings.CutPrefix(path, extra); ok {
			into.figures[name], into.top[head(name)] = v, true
		}
	}
	for path, v := range d.texts {
		if name, ok := strings.CutPrefix(path, extra); ok {
			into.texts[name], into.top[head(name)] = v, true
		}
	}
	name := d.text("metric.name")
	if v := d.num("metric.benchmark_values.0"); v != nil {
		into.figures[name], into.top[name] = *v, true
	}
	for _, arg := range []string{"dataset_name", "dataset_path", "input_len", "output_len", "batch_size", "random_input_len"} {
		if v := d.num("benchmark.extra_info.args." + arg); v != nil {
			into.figures[arg] = *v
		}
		if t := d.text("benchmark.extra_info.args." + arg); t != "" {
			into.texts[arg] = t
		}
	}
	if into.texts["model_id"] == "" {
		into.texts["model_id"] = d.text("model.name")
	}
}

func head(path string) string {
	name, _, _ := strings.Cut(path, ".")
	return name
}

func (p *records) runs() []*Run {
	var out []*Run
	for _, d := range p.of {
		for _, r := range read(d) {
			if r.Kind == Latency && d.num("batch_size") != nil {
				r.Notes = []string{"each latency is of a whole batch of " + count(*d.num("batch_size")) + ", without a server"}
				r.Input.Mean, r.Output.Mean = d.num("input_len"), d.num("output_len")
			}
			if r.Kind == Throughput {
				r.workload(d.text("dataset_name", "dataset_path"))
			}
			out = append(out, r)
		}
	}
	return out
}
