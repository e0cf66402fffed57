package torchtrace

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/evidence/kernels"
)

// maxActivities bounds the kernels and copies that are kept, and likewise the launches and the calls of the host: each
// takes 16 bytes, and stands for 300 to 1,000 in the file.
const maxActivities = 2 << 20

// latest is a time that no clock shows, in microseconds: beyond it numbers are broken.
const latest = 1e18

// activity is a stretch in which the GPU was busy, in microseconds. Copies and fills have their length below zero, so
// that an activity stays at 16 bytes.
type activity struct {
	start       float64
	length      float32
	correlation uint32
}

func (a activity) end() float64 { return a.start + math.Abs(float64(a.length)) }

func (a activity) kernel() bool { return !math.Signbit(float64(a.length)) }

// launch is a call that gave the GPU work, and when it began.
type launch struct {
	at          float64
	correlation uint32
	graph       bool
}

// named adds up what has one name.
type named struct {
	class   kernels.Class
	seconds float64
	count   int
}

// device is what one GPU did.
type device struct {
	work    []activity
	kernels int
	by      map[uint32]*named
}

// collector takes events in any order.
type collector struct {
	events                int
	kept                  int // activities of all devices
	dropped               int
	broken                int // events that are no JSON
	gpu                   string
	hostName              string
	rank                  int
	world                 int
	base                  float64 // what times count from, in microseconds since 1970
	devices               map[int]*device
	names                 *names
	launches              []launch
	calls                 int // kernel and graph launches
	steps                 []step
	hosts                 []step
	threads               map[string]*thread
	hostKept, hostDropped int
	gc                    float64
	first                 float64 // of host and GPU
	last                  float64
}

func newCollector() *collector {
	return &collector{
		rank: -1, devices: map[int]*device{}, names: newNames(),
		threads: map[string]*thread{}, first: math.Inf(1), last: math.Inf(-1),
	}
}

// header reads what stands beside the events.
func (c *collector) header(key string, value []byte) {
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
			c.rank, c.world = max(-1, *d.Rank), max(0, d.World)
		}
	case "host_name":
		_ = json.Unmarshal(value, &c.hostName) // of another type it is as good as none
	case "baseTimeNanoseconds":
		var ns float64
		if json.Unmarshal(value, &ns) == nil && ns > 0 && ns < latest {
			c.base = ns / 1e3
		}
	}
}

func (c *collector) take(e *event) {
	c.events++
	if string(e.ph) == "M" && string(e.name) == "thread_name" {
		if t := c.thread(e); t != nil {
			t.name = string(e.label[:min(len(e.label), maxName)])
		}
	}
	if string(e.ph) != "X" || e.ts < 0 || e.dur < 0 || e.ts+e.dur > latest {
		return
	}
	switch string(e.cat) {
	case "kernel", "gpu_memcpy", "gpu_memset", "Kernel", "Memcpy", "Memset": // capitals: PyTorch before 1.13
		c.ran(e)
	case "cuda_runtime", "cuda_driver", "Runtime":
		c.called(e)
		c.host(e)
	case "gpu_user_annotation":
		c.annotated(e, &c.steps)
	case "user_annotation":
		c.annotated(e, &c.hosts)
		c.host(e)
	case "python_function":
		if string(e.name) == "Python GC" {
			c.gc += e.dur / 1e6
		}
		c.host(e)
	case "cpu_op", "Operator":
		c.host(e)
	}
}

// ran adds what the GPU did.
func (c *collector) ran(e *event) {
	if c.kept >= maxActivities {
		c.dropped++
		return
	}
	c.kept++
	c.seen(e)
	d := c.devices[e.device]
	if d == nil {
		d = &device{by: map[uint32]*named{}}
		c.devices[e.device] = d
	}
	length := float32(e.dur)
	kernel := string(e.cat) == "kernel" || string(e.cat) == "Kernel"
	if kernel {
		d.kernels++
	} else {
		length = -length
	}
	d.work = append(d.work, activity{e.ts, length, e.correlation})
	id, _ := c.names.id(e.name)
	n := d.by[id]
	if n == nil {
		n = &named{class: kernels.Copy}
		if kernel {
			n.class = classOf(e)
		}
		d.by[id] = n
	}
	n.seconds += e.dur / 1e6
	n.count++
}

// classOf tells what a kernel does. NCCL's send and receive make up an all-to-all or hand a pipeline's stage over: torch
// says which, where it launched them.
func classOf(e *event) kernels.Class {
	class := kernels.ClassOf(string(e.name))
	if class == kernels.AllToAll && len(e.collective) > 0 && kernels.ClassOf(string(e.collective)) != kernels.AllToAll {
		return kernels.Collective
	}
	return class
}

// called adds a call by which the host gives the GPU work.
func (c *collector) called(e *event) {
	launched := bytes.Contains(e.name, []byte("Launch"))
	if !launched && !bytes.Contains(e.name, []byte("Memcpy")) && !bytes.Contains(e.name, []byte("Memset")) || e.correlation == 0 {
		return
	}
	if len(c.launches) >= maxActivities {
		c.dropped++
		return
	}
	c.launches = append(c.launches, launch{e.ts, e.correlation, bytes.Contains(e.name, []byte("GraphLaunch"))})
	if !launched {
		return
	}
	c.calls++
	if t := c.thread(e); t != nil {
		t.launches++
	}
}

// launchOf finds the call that brought an activity; launches must be sorted.
func (c *collector) launchOf(a activity) (launch, bool) {
	i, ok := slices.BinarySearchFunc(c.launches, a.correlation, func(l launch, id uint32) int { return cmp.Compare(l.correlation, id) })
	if !ok {
		return launch{}, false
	}
	return c.launches[i], true
}

func (c *collector) sort() {
	slices.SortFunc(c.launches, func(a, b launch) int {
		return cmp.Or(cmp.Compare(a.correlation, b.correlation), cmp.Compare(a.at, b.at))
	})
	for _, d := range c.devices {
		slices.SortFunc(d.work, func(a, b activity) int { return cmp.Compare(a.start, b.start) })
	}
}

// seen widens the time that the trace covers.
func (c *collector) seen(e *event) {
	c.first, c.last = min(c.first, e.ts), max(c.last, e.ts+e.dur)
}

func (c *collector) notes() []string {
	var out []string
	if c.dropped > 0 {
		out = append(out, fmt.Sprintf("%d kernels and launches beyond the first %d were left out", c.dropped, maxActivities))
	}
	if c.broken > 0 {
		out = append(out, fmt.Sprintf("events that are no JSON were left out: %d", c.broken))
	}
	if c.hostDropped > 0 {
		out = append(out, fmt.Sprintf("%d calls of the host beyond the first %d were left out of the times by themselves", c.hostDropped, maxActivities))
	}
	if _, ok := c.names.ids[furtherNames]; ok {
		out = append(out, fmt.Sprintf("more than %d different names: the rest is one", maxNames))
	}
	return out
}

// isStep says whether a name is that of a step.
func isStep(name string) bool {
	if !strings.HasPrefix(name, "execute_") && !strings.HasPrefix(name, "step[") {
		return false
	}
	_, _, ok := stepOf(name)
	return ok
}
