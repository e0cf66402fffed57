package signals

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// Join says how GPU and host series find their target beside the built-in ways.
type Join struct {
	// GPUs maps a target's instance to the UUIDs of its GPUs.
	GPUs map[string][]string
}

// sort tells engines from exporters by the metrics they show.
func (a *assembly) sort(st *samples.Store) {
	for _, in := range st.Instances() {
		matched := false
		for _, d := range a.c.dialects {
			if !shows(in, d, samples.Window{From: a.from, To: a.to}) {
				continue
			}
			matched = true
			switch d.Kind {
			case "engine":
				a.targets = append(a.targets, &target{in: in, d: d})
			case "gpu":
				a.gpus = append(a.gpus, gpusOf(in, d)...)
			default:
				a.hosts = append(a.hosts, attached{in: in, d: d})
			}
		}
		// Never answered, so nobody knows what it is: still a target, and down.
		if !matched && len(in.Scrapes) == 0 && len(in.Failed) > 0 {
			a.targets = append(a.targets, &target{in: in})
		}
	}
	sort.SliceStable(a.targets, func(i, j int) bool { return a.targets[i].in.Labels.Key() < a.targets[j].in.Labels.Key() })
}

func shows(in *samples.Instance, d *dialect, w samples.Window) bool {
	for _, m := range d.Markers {
		for _, n := range spellings(m) {
			for _, s := range in.Named(n) {
				if len(w.In(s.Points)) > 0 {
					return true
				}
			}
		}
	}
	return false
}

// gpuID identifies a device across the label spellings of dcgm-exporter's versions.
func gpuID(ls model.Labels) string {
	for _, k := range []string{"UUID", "uuid"} {
		if v := ls.Get(k); v != "" {
			return v + "/" + ls.Get("GPU_I_ID")
		}
	}
	return hostLabel(ls) + "/" + ls.Get("gpu") + "/" + ls.Get("GPU_I_ID")
}

func hostLabel(ls model.Labels) string {
	for _, k := range []string{"Hostname", "hostname", "node", "nodename", "kubernetes_node"} {
		if v := ls.Get(k); v != "" {
			return v
		}
	}
	return ""
}

func gpusOf(in *samples.Instance, d *dialect) []*gpu {
	byID := map[string]*gpu{}
	var out []*gpu
	for _, m := range d.Markers {
		for _, s := range in.Named(m) {
			id := gpuID(s.Labels)
			if byID[id] == nil {
				g := &gpu{in: in, d: d, labels: s.Labels, uuid: id}
				byID[id] = g
				out = append(out, g)
			}
		}
	}
	return out
}

// entities builds the tree: groups, targets, their ranks and their GPUs.
func (a *assembly) entities() {
	groups := map[string]model.EntityID{}
	for _, t := range a.targets {
		labels := slices.Clone(t.in.Labels)
		var engine model.Engine
		if t.d != nil {
			engine = a.version(t)
			if m := a.modelName(t); m != "" {
				labels = append(labels, model.Label{Name: "model_name", Value: m})
			}
			for _, k := range []string{"namespace", "pod"} {
				if v := firstLabel(t, k); v != "" && labels.Get(k) == "" {
					labels = append(labels, model.Label{Name: k, Value: v})
				}
			}
			labels.Sort()
		}
		t.id = a.es.Add(model.Entity{Scope: model.ScopeTarget, Labels: labels, Parent: a.group(labels, groups), Engine: engine})
		t.ranks = map[string]model.EntityID{}
		for _, rank := range ranksOf(t) {
			t.ranks[rank] = a.es.Add(model.Entity{
				Scope: model.ScopeRank, Parent: t.id, Engine: engine,
				Labels: model.LabelsFrom(map[string]string{"engine": rank, "instance": labels.Get("instance")}),
			})
		}
	}
	a.joinGPUs()
	a.joinHosts()
}

// group returns the entity of the service a target belongs to; a target without the labels has none.
func (a *assembly) group(labels model.Labels, groups map[string]model.EntityID) model.EntityID {
	by := a.req.Group
	if len(by) == 0 {
		by = []string{"namespace", "model_name"}
	}
	own := model.Labels{}
	for _, k := range by {
		if v := labels.Get(k); v != "" {
			own = append(own, model.Label{Name: k, Value: v})
		}
	}
	if len(own) == 0 {
		return model.NoEntity
	}
	own.Sort()
	id, ok := groups[own.Key()]
	if !ok {
		id = a.es.Add(model.Entity{Scope: model.ScopeGroup, Labels: own, Parent: model.NoEntity})
		groups[own.Key()] = id
	}
	return id
}

func (a *assembly) modelName(t *target) string { return firstLabel(t, t.d.Model) }

func firstLabel(t *target, label string) string {
	for _, m := range t.d.Markers {
		for _, n := range spellings(m) {
			for _, s := range t.in.Named(n) {
				if v := s.Labels.Get(label); v != "" {
					return v
				}
			}
		}
	}
	return ""
}

// ranksOf lists the data-parallel engines of a target; one alone is the target itself.
func ranksOf(t *target) []string {
	if t.d == nil || t.d.Rank == "" {
		return nil
	}
	var out []string
	for _, n := range spellings(t.d.Markers[0]) {
		for _, s := range t.in.Named(n) {
			if v := s.Labels.Get(t.d.Rank); v != "" && !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	if len(out) < 2 {
		return nil
	}
	sort.Strings(out)
	return out
}

// host is the machine part of an instance label.
func host(in *samples.Instance) string {
	inst := in.Labels.Get("instance")
	if i := strings.LastIndexByte(inst, ':'); i >= 0 && !strings.HasSuffix(inst, "]") {
		inst = inst[:i]
	}
	return strings.Trim(inst, "[]")
}

// podOf is the workload a GPU or container series belongs to. With honorLabels off, `pod` names the
// exporter itself and the workload is exported_pod.
func podOf(ls model.Labels) string {
	if p := ls.Get("exported_pod"); p != "" {
		return ls.Get("exported_namespace") + "/" + p
	}
	if p := ls.Get("pod"); p != "" {
		return ls.Get("namespace") + "/" + p
	}
	return ""
}

func (a *assembly) targetPod(t *target) string {
	ls := a.es.Get(t.id).Labels
	if p := ls.Get("pod"); p != "" {
		return ls.Get("namespace") + "/" + p
	}
	return ""
}

func (a *assembly) joinGPUs() {
	alone := a.aloneOnHost()
	for _, t := range a.targets {
		t.unseen = map[string]string{}
		wanted := a.req.Join.GPUs[t.in.Labels.Get("instance")]
		pod := a.targetPod(t)
		for _, g := range a.gpus {
			if a.owns(t, g, wanted, pod, alone) {
				cp := *g
				cp.id = a.es.Add(model.Entity{Scope: model.ScopeGPU, Labels: gpuLabels(g), Parent: t.id})
				t.gpus = append(t.gpus, &cp)
			}
		}
		switch {
		case len(t.gpus) > 0:
		case len(a.gpus) == 0:
			t.unseen["gpu"] = "no dcgm-exporter series were read: scrape dcgm-exporter as well"
		default:
			t.unseen["gpu"] = fmt.Sprintf("%d GPUs are exported but none can be told to belong to this server: "+
				"run dcgm-exporter with its Kubernetes pod mapping, or list this server's GPU UUIDs", len(a.gpus))
		}
	}
}

func (a *assembly) owns(t *target, g *gpu, wanted []string, pod string, alone map[*target]bool) bool {
	if len(wanted) > 0 {
		uuid, _, _ := strings.Cut(g.uuid, "/")
		return slices.Contains(wanted, uuid)
	}
	if gp := podOf(g.labels); gp != "" && pod != "" && !isExporterPod(g) {
		return gp == pod
	}
	return alone[t] && (hostLabel(g.labels) == host(t.in) || host(g.in) == host(t.in))
}

// isExporterPod guards against `pod` naming dcgm-exporter itself.
func isExporterPod(g *gpu) bool {
	return g.labels.Get("exported_pod") == "" && strings.Contains(g.labels.Get("pod"), "dcgm")
}

func gpuLabels(g *gpu) model.Labels {
	m := map[string]string{"UUID": strings.TrimSuffix(g.uuid, "/")}
	for _, k := range []string{"gpu", "modelName", "GPU_I_ID"} {
		m[k] = g.labels.Get(k)
	}
	return model.LabelsFrom(m)
}

// aloneOnHost marks the targets that share their host with no other.
func (a *assembly) aloneOnHost() map[*target]bool {
	n := map[string]int{}
	for _, t := range a.targets {
		n[host(t.in)]++
	}
	out := map[*target]bool{}
	for _, t := range a.targets {
		out[t] = host(t.in) != "" && n[host(t.in)] == 1
	}
	return out
}

// joinHosts gives node, process and container series to the targets they surely belong to.
func (a *assembly) joinHosts() {
	alone := a.aloneOnHost()
	for _, t := range a.targets {
		pod := a.targetPod(t)
		for _, x := range a.hosts {
			switch x.d.Kind {
			case "container":
				if pod != "" {
					x.keep = func(s *samples.Series) bool { return podOf(s.Labels) == pod }
					t.side = append(t.side, x)
				}
			case "process": // its processes may be anybody's unless this server is alone there
				if alone[t] && host(x.in) == host(t.in) {
					t.side = append(t.side, x)
				}
			default: // the whole machine: true for every server on it
				if host(x.in) == host(t.in) {
					t.side = append(t.side, x)
				}
			}
		}
		for _, kind := range []string{"host", "process", "container"} {
			if !slices.ContainsFunc(t.side, func(x attached) bool { return x.d.Kind == kind }) {
				t.unseen[kind] = "not read for this server's host"
			}
		}
	}
}
