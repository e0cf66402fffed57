package signals

import (
	"fmt"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// Join says how GPU and host series find their target beside the built-in ways.
type Join struct {
	// GPUs maps a target's instance to the UUIDs of its GPUs.
	GPUs map[string][]string
	// GPULabels are labels that a GPU and its target both have: the first of them that the GPU has names
	// the target, if only one has its value. HostLabels likewise for exporters of the host, which may
	// stand for several targets.
	GPULabels, HostLabels []string
}

// sort tells engines from exporters by the metrics they show.
func (a *assembly) sort(st *samples.Store) {
	w := samples.Window{From: a.from, To: a.to}
	for _, in := range st.Instances() {
		x := a.req.Binding.of(in)
		matched := false
		for _, m := range x.markers {
			live := slices.ContainsFunc(m.series, func(s *samples.Series) bool { return len(w.In(s.Points)) > 0 })
			if !live && (m.d.Kind != "router" || firstIn(in.Failed, w) == 0) {
				continue
			}
			matched = true
			switch m.d.Kind {
			case "router":
				a.routers = append(a.routers, attached{in: in, d: m.d, bound: x})
			case "engine":
				a.targets = append(a.targets, &target{in: in, d: m.d, bound: x})
			case "gpu":
				a.gpus = append(a.gpus, x.gpus[m.d]...)
			default:
				a.hosts = append(a.hosts, attached{in: in, d: m.d, bound: x})
			}
		}
		if matched {
			continue
		}
		// Never answered, so nobody knows what it is: still a target, and down.
		if known, ok := a.silent(in); ok || len(in.Scrapes) == 0 && len(in.Failed) > 0 {
			a.targets = append(a.targets, &target{in: in, bound: x, known: known})
		}
	}
	slices.SortStableFunc(a.targets, func(x, y *target) int { return strings.Compare(x.bound.key, y.bound.key) })
}

// silent gives the labels of an instance that is known for a target and that only failed to answer in the window.
func (a *assembly) silent(in *samples.Instance) (model.Labels, bool) {
	w := samples.Window{From: a.from, To: a.to}
	if a.req.Known == nil || firstIn(in.Failed, w) == 0 || firstIn(in.Scrapes, w) != 0 {
		return nil, false
	}
	return a.req.Known(in.Labels)
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
				g := &gpu{in: in, d: d, labels: s.Labels, uuid: id, host: host(in)}
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
		labels := t.in.Labels
		var engine model.Engine
		if t.d != nil {
			t.self = t.bound.identity(t.d)
			labels, engine = t.self.labels, t.self.engine
		} else if t.known != nil {
			labels = t.known
		}
		t.id = a.es.Add(model.Entity{Scope: model.ScopeTarget, Labels: labels, Parent: a.group(labels, groups), Engine: engine})
		if t.d == nil {
			continue
		}
		for _, rank := range t.self.ranks {
			t.ranks = append(t.ranks, ranked{rank, a.es.Add(model.Entity{
				Scope: model.ScopeRank, Parent: t.id, Engine: engine,
				Labels: model.LabelsFrom(map[string]string{"engine": rank, "instance": labels.Get("instance")}),
			})})
		}
	}
	a.alone = a.aloneOnHost()
	a.joinGPUs()
	a.joinHosts()
	a.joinRouters()
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
	key := own.Key()
	id, ok := groups[key]
	if !ok {
		id = a.es.Add(model.Entity{Scope: model.ScopeGroup, Labels: own, Parent: model.NoEntity})
		groups[key] = id
	}
	return id
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

// joinGPUs gives devices to the targets that surely run on them. Looking the candidates up keeps a
// large fleet from comparing every target with every device.
func (a *assembly) joinGPUs() {
	by, labelled := indexGPUs(a.gpus), a.labelled()
	named := map[*target][]int{}
	for i, t := range labelled {
		named[t] = append(named[t], i)
	}
	for _, t := range a.targets {
		wanted := a.req.Join.GPUs[t.in.Labels.Get("instance")]
		pod := a.targetPod(t)
		for _, i := range by.candidates(wanted, pod, t.bound.host, named[t]) {
			g, owner := a.gpus[i], labelled[i]
			if len(wanted) == 0 && owner != nil && owner != t {
				continue
			}
			if len(wanted) == 0 && owner == t || a.owns(t, g, wanted, pod) {
				cp := *g
				cp.id = a.es.Add(model.Entity{Scope: model.ScopeGPU, Labels: gpuLabels(g), Parent: t.id})
				t.gpus = append(t.gpus, &cp)
			}
		}
		switch {
		case len(t.gpus) > 0:
		case len(a.gpus) == 0:
			t.noGPU = "no dcgm-exporter series were read: scrape dcgm-exporter as well"
		default:
			t.noGPU = fmt.Sprintf("%d GPUs are exported but none can be told to belong to this server: "+
				"run dcgm-exporter with its Kubernetes pod mapping, or list this server's GPU UUIDs", len(a.gpus))
		}
	}
}

// gpuIndex finds devices by what a target may know of them.
type gpuIndex struct{ uuid, pod, host map[string][]int }

func indexGPUs(gpus []*gpu) gpuIndex {
	by := gpuIndex{map[string][]int{}, map[string][]int{}, map[string][]int{}}
	for i, g := range gpus {
		uuid, _, _ := strings.Cut(g.uuid, "/")
		by.uuid[uuid] = append(by.uuid[uuid], i)
		pod := podOf(g.labels)
		by.pod[pod] = append(by.pod[pod], i)
		by.host[g.host] = append(by.host[g.host], i)
		if h := hostLabel(g.labels); h != g.host {
			by.host[h] = append(by.host[h], i)
		}
	}
	return by
}

// candidates lists the devices that may belong to a target, in their order.
func (by gpuIndex) candidates(wanted []string, pod, host string, named []int) []int {
	var out []int
	for _, uuid := range wanted {
		out = append(out, by.uuid[uuid]...)
	}
	if len(wanted) == 0 {
		out = append(out, named...)
		if pod != "" {
			out = append(out, by.pod[pod]...)
		}
		out = append(out, by.host[host]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (a *assembly) owns(t *target, g *gpu, wanted []string, pod string) bool {
	if len(wanted) > 0 {
		uuid, _, _ := strings.Cut(g.uuid, "/")
		return slices.Contains(wanted, uuid)
	}
	if gp := podOf(g.labels); gp != "" && pod != "" && !isExporterPod(g) {
		return gp == pod
	}
	return a.alone[t.bound.host] && (hostLabel(g.labels) == t.bound.host || g.host == t.bound.host)
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

// aloneOnHost lists the hosts with a single target.
func (a *assembly) aloneOnHost() map[string]bool {
	out := make(map[string]bool, len(a.targets))
	for _, t := range a.targets {
		h := t.bound.host
		_, twice := out[h]
		out[h] = h != "" && !twice
	}
	return out
}

// joinHosts gives node, process and container series to the targets they surely belong to.
func (a *assembly) joinHosts() {
	onHost, ofPod := map[string][]int{}, map[string][]int{}
	for i, x := range a.hosts {
		if x.d.Kind != "container" {
			onHost[x.bound.host] = append(onHost[x.bound.host], i)
			continue
		}
		for _, p := range x.bound.pods {
			ofPod[p] = append(ofPod[p], i)
		}
	}
	named := a.hostsByLabel()
	for _, t := range a.targets {
		pod := a.targetPod(t)
		near := onHost[t.bound.host]
		if len(named[t]) > 0 {
			near = slices.Concat(near, named[t])
			slices.Sort(near)
			near = slices.Compact(near)
		}
		if pod != "" && len(ofPod[pod]) > 0 {
			near = slices.Concat(near, ofPod[pod])
			slices.Sort(near)
		}
		for _, i := range near {
			x := a.hosts[i]
			switch x.d.Kind {
			case "container":
				x.of, x.keep = pod, func(s *samples.Series) bool { return podOf(s.Labels) == pod }
			case "process": // its processes may be anybody's unless this server is alone there
				if !a.alone[t.bound.host] {
					continue
				}
			default: // the whole machine: true for every server on it
			}
			t.side = append(t.side, x)
		}
	}
}

// podsOf lists the pods that an instance exports containers of.
func podsOf(in *samples.Instance, d *dialect) []string {
	var out []string
	seen := map[string]bool{"": true}
	for _, def := range d.defs {
		for _, n := range def.names {
			for _, s := range in.Named(n.main) {
				if p := podOf(s.Labels); !seen[p] {
					seen[p] = true
					out = append(out, p)
				}
			}
		}
	}
	return out
}
