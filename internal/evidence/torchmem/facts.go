package torchmem

import (
	"github.com/inferdx/inferdx/internal/model"
)

// Facts are what playbooks weigh. What a file cannot show is absent: a summary does not tell what the memory is for.
func (m *Memory) Facts() map[string]model.Fact {
	out := map[string]model.Fact{}
	set := func(name string, v float64) {
		out[name] = model.Measured(v, "memory "+m.From)
	}
	set("memory_reserved_bytes", float64(m.Reserved))
	set("memory_split_bytes", float64(m.Split))
	if m.Reserved > 0 {
		set("memory_split_ratio", float64(m.Split)/float64(m.Reserved))
	}
	if m.From == "snapshot" {
		set("memory_largest_free_bytes", float64(m.LargestFree))
	}
	for _, k := range m.Kinds {
		if k.Kind == Other {
			continue
		}
		set("memory_"+string(k.Kind)+"_bytes", float64(k.Bytes))
		if m.Active > 0 {
			set("memory_"+string(k.Kind)+"_ratio", float64(k.Bytes)/float64(m.Active))
		}
	}
	if m.Retries != nil {
		set("memory_retries", float64(*m.Retries))
	}
	if m.Retries != nil || m.Events > 0 {
		set("memory_ooms", float64(m.OOMs)) // a snapshot without a history does not tell
	}
	if m.OOMRequested > 0 {
		set("memory_oom_requested_bytes", float64(m.OOMRequested))
		set("memory_oom_free_ratio", float64(m.Split+m.Cached)/float64(m.OOMRequested))
	}
	return out
}
