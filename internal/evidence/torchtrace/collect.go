package torchtrace

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/inferdx/inferdx/internal/evidence/kernels"
)

// event is one entry of traceEvents; times are in microseconds.
type event struct {
	Ph   string          `json:"ph"`
	Cat  string          `json:"cat"`
	Name string          `json:"name"`
	Pid  json.RawMessage `json:"pid"`
	Tid  json.RawMessage `json:"tid"`
	Ts   float64         `json:"ts"`
	Dur  float64         `json:"dur"`
	Args struct {
		Correlation int64  `json:"correlation"`
		Device      *int   `json:"device"`
		Name        string `json:"name"`
	} `json:"args"`
}

// maxActivities bounds the kernels, copies and launches that are kept, maxNames the different names.
const maxActivities, maxNames = 2 << 20, 1 << 16

// latest is a time that no clock shows, in microseconds: beyond it numbers are broken.
const latest = 1e18

// activity is a stretch in which the GPU was busy, in microseconds.
type activity struct {
	start, end  float64
	correlation int64
}

// named adds up what has one name.
type named struct {
	class   kernels.Class
	seconds float64
	count   int
}

// collector takes events in any order.
type collector struct {
	events   int
	dropped  int
	gpu      string
	rank     int
	world    int
	work     map[int][]activity // by device
	names    map[string]*named
	launches map[int64]float64 // when the host began to launch, by correlation
	graphs   map[int64]bool    // correlations of graph launches
	calls    int               // kernel and graph launches
	steps    []step
	hosts    []step
	threads  map[string]*thread
	threadOf map[string]string
	gc       float64
	first    float64 // of host and GPU
	last     float64
}

func newCollector() *collector {
	return &collector{
		rank: -1, work: map[int][]activity{}, names: map[string]*named{}, launches: map[int64]float64{}, graphs: map[int64]bool{},
		threads: map[string]*thread{}, threadOf: map[string]string{}, first: math.Inf(1), last: math.Inf(-1),
	}
}

// header reads what stands beside the events.
func (c *collector) header(key json.Token, value json.RawMessage) {
	switch key {
	case "deviceProperties":
		var ds []struct {
			Name string `json:"name"`
		}
		if json.Unmarshal(value, &ds) == nil && len(ds) > 0 {
			c.gpu = ds[0].Name
		}
	case "distributedInfo":
		var d struct {
			Rank  *int `json:"rank"`
			World int  `json:"world_size"`
		}
		if json.Unmarshal(value, &d) == nil && d.Rank != nil {
			c.rank, c.world = *d.Rank, d.World
		}
	}
}

func (c *collector) take(e *event) {
	c.events++
	if e.Ph == "M" && e.Name == "thread_name" {
		c.threadOf[string(e.Pid)+"/"+string(e.Tid)] = e.Args.Name
	}
	if e.Ph != "X" || e.Ts < 0 || e.Dur < 0 || e.Ts+e.Dur > latest {
		return
	}
	switch e.Cat {
	case "kernel", "gpu_memcpy", "gpu_memset":
		c.ran(e)
	case "cuda_runtime", "cuda_driver":
		c.called(e)
		c.host(e)
	case "gpu_user_annotation":
		c.annotated(e, &c.steps)
	case "user_annotation":
		c.annotated(e, &c.hosts)
		c.host(e)
	case "cpu_op", "python_function":
		c.host(e)
	case "python_gc":
		c.gc += e.Dur / 1e6
	}
}

// ran adds what the GPU did.
func (c *collector) ran(e *event) {
	device := 0
	if e.Args.Device != nil {
		device = *e.Args.Device
	}
	if len(c.work[device]) >= maxActivities {
		c.dropped++
		return
	}
	c.seen(e)
	c.work[device] = append(c.work[device], activity{e.Ts, e.Ts + e.Dur, e.Args.Correlation})
	n, ok := c.names[e.Name]
	if !ok {
		class := kernels.ClassOf(e.Name)
		if e.Cat != "kernel" {
			class = kernels.Copy
		}
		if len(c.names) >= maxNames {
			e.Name = "others"
		}
		if n = c.names[e.Name]; n == nil {
			n = &named{class: class}
			c.names[strings.Clone(e.Name)] = n
		}
	}
	n.seconds += e.Dur / 1e6
	n.count++
}

// called adds a call by which the host gives the GPU work.
func (c *collector) called(e *event) {
	launch := strings.Contains(e.Name, "Launch") || strings.HasPrefix(e.Name, "cudaMemcpy") || strings.HasPrefix(e.Name, "cudaMemset")
	if !launch || e.Args.Correlation == 0 {
		return
	}
	if len(c.launches) >= maxActivities {
		c.dropped++
		return
	}
	c.launches[e.Args.Correlation] = e.Ts
	if strings.Contains(e.Name, "GraphLaunch") {
		c.graphs[e.Args.Correlation] = true
	}
	if strings.Contains(e.Name, "Launch") {
		c.calls++
	}
}

// seen widens the time that the trace covers.
func (c *collector) seen(e *event) {
	c.first, c.last = min(c.first, e.Ts), max(c.last, e.Ts+e.Dur)
}

func (c *collector) notes() []string {
	if c.dropped == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d kernels and launches beyond the first %d were left out", c.dropped, maxActivities)}
}
