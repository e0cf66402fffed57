package signals

import (
	"fmt"
	"testing"

	"github.com/inferdx/inferdx/internal/model"
)

func slot(i int) map[string]string { return map[string]string{"slot": fmt.Sprint(i)} }

func TestGPUsJoinTheServerThatTheirLabelsName(t *testing.T) {
	f := frame(t, fourServers(func(i int) map[string]string { return slot(i / 2) }, slot), Join{GPULabels: []string{"rack", "slot"}})
	for i := range 4 {
		e := byInstance(t, f, fmt.Sprintf("node-a:%d", 8000+i))
		if n := len(f.Entities.Children(e.ID, model.ScopeGPU)); n != 2 {
			t.Errorf("server %d has %d GPUs, want 2", i, n)
		}
	}
}

func TestALabelThatSeveralServersShareGivesAwayNoGPU(t *testing.T) {
	same := func(int) map[string]string { return map[string]string{"rack": "r1"} }
	f := frame(t, fourServers(same, same), Join{GPULabels: []string{"rack"}})
	for i := range 4 {
		e := byInstance(t, f, fmt.Sprintf("node-a:%d", 8000+i))
		if n := len(f.Entities.Children(e.ID, model.ScopeGPU)); n != 0 {
			t.Errorf("server %d got %d GPUs that nobody can attribute", i, n)
		}
	}
}

func TestAHostExporterElsewhereJoinsByLabel(t *testing.T) {
	st := fourServers(none, func(int) map[string]string { return map[string]string{"node": "n7"} })
	page(st, "node_memory_MemAvailable_bytes", map[string]string{"job": "node", "instance": "10.0.0.7:9100", "node": "n7"}, constant(1e9))
	page(st, "node_memory_MemTotal_bytes", map[string]string{"job": "node", "instance": "10.0.0.7:9100", "node": "n7"}, constant(1e10))
	page(st, "node_load1", map[string]string{"job": "node", "instance": "10.0.0.7:9100", "node": "n7"}, constant(3))
	page(st, "node_cpu_seconds_total", map[string]string{"job": "node", "instance": "10.0.0.7:9100", "node": "n7", "cpu": "0", "mode": "idle"}, func(i int) float64 { return float64(i) * 7 })
	seen := func(j Join) (n int) {
		f := frame(t, st, j)
		e := byInstance(t, f, "node-a:8000")
		for _, s := range f.Signals() {
			if _, ok := f.Get(e.ID, s); ok {
				n++
			}
		}
		return n
	}
	if without, with := seen(Join{}), seen(Join{HostLabels: []string{"node"}}); with <= without {
		t.Errorf("%d signals with the label, %d without", with, without)
	}
}
