package replay_test

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

func sorted(less func(a, b string) bool) cmp.Option { return cmpopts.SortSlices(less) }

// script is a server made of two recordings, whose counters go on until it is restarted.
type script struct {
	instance string
	series   map[string]*scripted
	n        int
}

type scripted struct {
	name            string
	labels          model.Labels
	healthy, capped []samples.Point
	counter         bool
	sum             float64
}

func newScript(instance string, healthy, capped *samples.Store) *script {
	s := &script{instance: instance, series: map[string]*scripted{}}
	each(healthy, func(x *samples.Series) {
		if strings.HasPrefix(x.Name, "process_start") {
			return
		}
		y := &scripted{name: x.Name, labels: x.Labels, healthy: x.Points, capped: x.Points}
		for _, suffix := range []string{"_total", "_bucket", "_sum", "_count"} {
			y.counter = y.counter || strings.HasSuffix(x.Name, suffix)
		}
		s.series[x.Name+x.Labels.Key()] = y
	})
	each(capped, func(x *samples.Series) {
		if y := s.series[x.Name+x.Labels.Key()]; y != nil {
			y.capped = x.Points
		}
	})
	return s
}

func (s *script) restart() {
	for _, x := range s.series {
		x.sum = 0
	}
}

func (s *script) add(st *samples.Store, at time.Time, ill bool) {
	s.n++
	own := map[string]string{"job": "vllm", "instance": s.instance}
	st.Series("up", model.LabelsFrom(own)).Add(at.UnixMilli(), 1)
	for _, key := range slices.Sorted(maps.Keys(s.series)) {
		x := s.series[key]
		ps := x.healthy
		if ill {
			ps = x.capped
		}
		k := len(ps)/4 + s.n%(len(ps)-len(ps)/4)
		v := ps[k].V
		if x.counter {
			x.sum += max(v-ps[max(k-1, 0)].V, 0)
			v = x.sum
		}
		labels := x.labels.Map()
		maps.Copy(labels, own)
		st.Series(x.name, model.LabelsFrom(labels)).Add(at.UnixMilli(), v)
	}
}
