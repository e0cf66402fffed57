package eval

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// row is one series with its instance's labels, on the way from one store to another.
type row struct {
	in     *samples.Instance
	name   string
	labels model.Labels // without the instance's own
	own    model.Labels
	points []samples.Point
}

// rebuild makes a new store of what edit leaves of every series; edit may be nil and returns false
// to drop the series. The points of a row must not be changed in place.
func rebuild(st *samples.Store, edit func(*row) bool) *samples.Store {
	out := samples.NewStore()
	for _, r := range rows(st) {
		if edit != nil && !edit(&r) {
			continue
		}
		add(out, r)
	}
	out.Finish()
	return out
}

func add(out *samples.Store, r row) {
	if len(r.points) == 0 {
		return
	}
	all := append(slices.Clone(r.own), r.labels...)
	all.Sort()
	s := out.Series(r.name, all)
	s.Points = append(s.Points, r.points...)
}

func rows(st *samples.Store) []row {
	var out []row
	for _, in := range st.Instances() {
		for _, name := range in.Names() {
			for _, s := range in.Named(name) {
				out = append(out, row{in: in, name: name, labels: s.Labels, own: in.Labels, points: s.Points})
			}
		}
	}
	return out
}

// engineSeries says whether an instance is an inference server and no exporter beside it: vLLM and SGLang put
// their name and a colon before their metrics, exporters have none.
func engineSeries(in *samples.Instance) bool {
	return slices.ContainsFunc(in.Names(), func(n string) bool { return strings.Contains(n, ":") })
}

// defaultDCGM are the counters that dcgm-exporter 4 collects without a file of its own
// (etc/default-counters.csv). SM activity and occupancy, clock reasons and violations are off there.
var defaultDCGM = map[string]bool{
	"DCGM_FI_DEV_SM_CLOCK": true, "DCGM_FI_DEV_MEM_CLOCK": true, "DCGM_FI_DEV_MEMORY_TEMP": true, "DCGM_FI_DEV_GPU_TEMP": true,
	"DCGM_FI_DEV_POWER_USAGE": true, "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": true, "DCGM_FI_DEV_PCIE_REPLAY_COUNTER": true,
	"DCGM_FI_DEV_GPU_UTIL": true, "DCGM_FI_DEV_MEM_COPY_UTIL": true, "DCGM_FI_DEV_ENC_UTIL": true, "DCGM_FI_DEV_DEC_UTIL": true,
	"DCGM_FI_DEV_XID_ERRORS": true, "DCGM_FI_DEV_FB_FREE": true, "DCGM_FI_DEV_FB_USED": true, "DCGM_FI_DEV_FB_RESERVED": true,
	"DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS": true, "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS": true, "DCGM_FI_DEV_ROW_REMAP_FAILURE": true,
	"DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL": true, "DCGM_FI_DEV_VGPU_LICENSE_STATUS": true, "DCGM_FI_PROF_GR_ENGINE_ACTIVE": true,
	"DCGM_FI_PROF_PIPE_TENSOR_ACTIVE": true, "DCGM_FI_PROF_DRAM_ACTIVE": true, "DCGM_FI_PROF_PCIE_TX_BYTES": true, "DCGM_FI_PROF_PCIE_RX_BYTES": true,
}

// dcgmDefault keeps the default GPU counters and leaves process-exporter's series out.
func dcgmDefault(st *samples.Store) *samples.Store {
	return rebuild(st, func(r *row) bool {
		if strings.HasPrefix(r.name, "DCGM_") {
			return defaultDCGM[r.name]
		}
		return !strings.HasPrefix(r.name, "namedprocess_")
	})
}

// engineOnly keeps the server's own page and nothing of the GPU's and the host's exporters.
func engineOnly(st *samples.Store) *samples.Store {
	keep := map[*samples.Instance]bool{}
	for _, in := range st.Instances() {
		keep[in] = engineSeries(in)
	}
	return rebuild(st, func(r *row) bool { return keep[r.in] })
}

// between keeps the samples that are in the given stretch of time, in milliseconds.
func between(st *samples.Store, from, to int64) *samples.Store {
	return rebuild(st, func(r *row) bool {
		r.points = samples.Window{From: from - 1, To: to}.In(r.points)
		return true
	})
}

// thinned keeps of every instance the first scrape of each step of time.
func thinned(st *samples.Store, step, phase int64) *samples.Store {
	first, _, _ := st.Bounds()
	keep := map[*samples.Instance]map[int64]bool{}
	for _, in := range st.Instances() {
		times := slices.Sorted(slices.Values(append(slices.Clone(in.Scrapes), in.Failed...)))
		keep[in] = map[int64]bool{}
		next := first + phase
		for _, t := range times {
			if t >= next {
				keep[in][t] = true
				for next <= t {
					next += step
				}
			}
		}
	}
	return rebuild(st, func(r *row) bool {
		ps := make([]samples.Point, 0, len(r.points))
		for _, p := range r.points {
			if keep[r.in][p.T] {
				ps = append(ps, p)
			}
		}
		r.points = ps
		return true
	})
}

// shifted moves every sample in time.
func shifted(st *samples.Store, by int64) *samples.Store {
	return rebuild(st, func(r *row) bool {
		ps := slices.Clone(r.points)
		for i := range ps {
			ps[i].T += by
		}
		r.points = ps
		return true
	})
}

// shuffled adds instances, series and samples in another order.
func shuffled(st *samples.Store, seed uint64) *samples.Store {
	rng := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // the order must be the same in every run
	all := rows(st)
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	out := samples.NewStore()
	for _, r := range all {
		r.points = slices.Clone(r.points)
		rng.Shuffle(len(r.points), func(i, j int) { r.points[i], r.points[j] = r.points[j], r.points[i] })
		add(out, r)
	}
	out.Finish()
	return out
}

// relabelled renames host, job and model and adds a label to every series, as another deployment would.
func relabelled(st *samples.Store) *samples.Store {
	hosts := map[string]string{}
	for _, in := range st.Instances() {
		if h, _, ok := strings.Cut(in.Labels.Get("instance"), ":"); ok {
			hosts[h] = "node7.rack2.example"
		}
	}
	return rebuild(st, func(r *row) bool {
		own, rest := r.own.Map(), r.labels.Map()
		own["job"] = "serving/" + own["job"]
		for _, m := range []map[string]string{own, rest} {
			for k, v := range m {
				host, port, _ := strings.Cut(v, ":")
				if to, ok := hosts[host]; ok {
					m[k] = strings.TrimSuffix(to+":"+port, ":")
				}
			}
		}
		if rest["model_name"] != "" {
			rest["model_name"] = "org/another-model"
		}
		rest["cluster"] = "eu-1"
		r.own, r.labels = model.LabelsFrom(own), model.LabelsFrom(rest)
		return true
	})
}

// reset lets every counter of the server begin again after the middle of the recording, as if nothing
// had been lost: what it counts between two scrapes stays the same.
func reset(st *samples.Store) *samples.Store {
	first, last, _ := st.Bounds()
	mid := (first + last) / 2
	return rebuild(st, func(r *row) bool {
		if !engineSeries(r.in) || !counts(r.name) {
			return true
		}
		ps := slices.Clone(r.points)
		base := 0.0
		for i := range ps {
			if ps[i].T <= mid {
				base = ps[i].V
			} else {
				ps[i].V -= base
			}
		}
		r.points = ps
		return true
	})
}

func counts(name string) bool {
	for _, s := range []string{"_total", "_bucket", "_sum", "_count"} {
		if strings.HasSuffix(name, s) {
			return true
		}
	}
	return false
}

// labelsWithout drops labels by name.
func labelsWithout(ls model.Labels, drop ...string) model.Labels {
	m := ls.Map()
	maps.DeleteFunc(m, func(k, _ string) bool { return slices.Contains(drop, k) })
	return model.LabelsFrom(m)
}
