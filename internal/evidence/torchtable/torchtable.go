// Package torchtable reads the table that the PyTorch profiler prints by key: key_averages().table(), as vLLM writes it beside
// a trace (*.profiler_out.txt). It has no timeline: it tells what the GPU's and the host's time went into, and how kernels were launched.
package torchtable

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/evidence/kernels"
	"github.com/inferdx/inferdx/internal/evidence/packed"
)

// ErrUnrecognised is the fault of a text without a table.
var ErrUnrecognised = errors.New("no table of the PyTorch profiler found")

const hint = "\nhint: pass the text of prof.key_averages().table(), or the *.profiler_out.txt that vLLM's /stop_profile wrote"

// Profile is what a table tells. Times are by themselves, in seconds.
type Profile struct {
	// Device is what was profiled beside the CPU, as torch names it (CUDA, XPU); "" of the CPU alone.
	Device        string  `json:"device,omitempty"`
	HostSeconds   float64 `json:"host_seconds"`
	DeviceSeconds float64 `json:"device_seconds,omitempty"`
	// Kernels ran on the device, copies and fills not among them.
	Kernels int     `json:"kernels,omitempty"`
	Classes []Group `json:"classes,omitempty"`
	Top     []Group `json:"top,omitempty"`
	// Spots are what the host was busy with.
	Spots []Group `json:"host,omitempty"`
	// Launches and GraphLaunches are the host's calls; nil where the table was cut, so that they may be missing.
	Launches      *int     `json:"kernel_launches,omitempty"`
	GraphLaunches *int     `json:"graph_launches,omitempty"`
	Notes         []string `json:"notes,omitempty"`

	unpacking float64
}

// Group is what has one name or class; Share is of the device's or the host's time.
type Group struct {
	Name    string        `json:"name"`
	Class   kernels.Class `json:"class,omitempty"`
	Count   int           `json:"count"`
	Seconds float64       `json:"seconds"`
	Share   float64       `json:"share"`
}

// topRows is how many kernels and calls are kept.
const topRows = 12

// Open reads a file, which may be compressed with gzip.
func Open(path string) (*Profile, error) { return packed.Open(path, "profiler table", Read) }

// Recognise says whether the beginning of a file, unzipped, has such a table.
func Recognise(head []byte) bool {
	for line := range bytes.Lines(head) {
		if header(gaps.Split(strings.TrimSpace(string(line)), -1)) != nil {
			return true
		}
	}
	return false
}

// Read reads the last table of a text that has rows. Memory is bounded by the rows and names of one table.
func Read(r io.Reader) (*Profile, error) {
	br, err := packed.Reader(r)
	if err != nil {
		return nil, err
	}
	var last, current *table
	tables := 0
	err = scan(br, func(t *table) {
		if current != nil && len(current.rows) > 0 {
			last = current
		}
		tables++
		current = t
	})
	if current != nil && len(current.rows) > 0 {
		last = current
	}
	switch {
	case last == nil && err != nil:
		return nil, fmt.Errorf("%w%s", err, hint)
	case current == nil:
		return nil, fmt.Errorf("%w%s", ErrUnrecognised, hint)
	case last == nil:
		return nil, fmt.Errorf("the table has no row that can be read%s", hint)
	}
	p := last.profile()
	if tables > 1 {
		p.Notes = append(p.Notes, fmt.Sprintf("one of %d tables: the last with rows", tables))
	}
	if err != nil {
		p.Notes = append(p.Notes, fmt.Sprintf("the file breaks off: %v", err))
	}
	return p, nil
}

// annotation is a name that spans kernels: a step of an engine or of the profiler, a compiled graph, an exchange of NCCL.
var annotation = regexp.MustCompile(`^(execute_\w*(context|generation|new)_|step\[|ProfilerStep|## |nccl:|gpu_model_runner: |cuda(Graph)?Launch|cuLaunch|hip(Graph|Ext)?\w*Launch|cuda\w+|hip\w+|cu[A-Z]\w+|aten::|Command Buffer Full|Activity Buffer)`)

// whole is the share of the host's total from which on the rows are all that matters; most is the share of the device's
// from which on the kernels are, and of the kernels that must have launches of their own to say that no graph ran any.
const whole, most = 0.99, 0.9

func (t *table) profile() *Profile {
	p := &Profile{Device: t.device, HostSeconds: t.host, DeviceSeconds: t.gpu}
	hosts := map[string]bool{}
	listed := 0.0
	for _, r := range t.rows {
		listed += r.host
		if r.total > 0 {
			hosts[r.name] = true
			if r.host > 0 && !annotated(r.name) {
				p.Spots = append(p.Spots, Group{Name: r.name, Count: r.calls, Seconds: r.host})
			}
		}
	}
	if p.HostSeconds == 0 {
		p.HostSeconds = listed
	}
	seen := p.kernels(t.rows, hosts)
	p.launches(t.rows, t.host > 0 && listed >= whole*t.host, seen >= most)
	p.Spots = longestFirst(p.Spots, p.HostSeconds)
	p.Top = longestFirst(p.Top, p.DeviceSeconds)
	p.Spots, p.Top = p.Spots[:min(len(p.Spots), topRows)], p.Top[:min(len(p.Top), topRows)]
	if !t.end {
		p.Notes = append(p.Notes, "the table has no totals below it: it was cut")
	}
	if t.strange || t.left > 0 {
		p.Notes = append(p.Notes, "some rows were left out")
	}
	return p
}

// annotated says whether a row is the frame around a step rather than work.
func annotated(name string) bool {
	return strings.HasPrefix(name, "execute_") || strings.HasPrefix(name, "step[") || strings.HasPrefix(name, "ProfilerStep")
}

// kernels adds up what ran on the device: rows without time of the host. Annotations have a row on either side. It gives the
// share of the device's time that the rows show.
func (p *Profile) kernels(rows []row, hosts map[string]bool) float64 {
	classes := map[kernels.Class]*Group{}
	sum := 0.0
	for _, r := range rows {
		class := kernels.ClassOf(r.name)
		twice := hosts[r.name] && class == kernels.Other && !strings.Contains(r.name, "kernel") // Triton's kernels have a row on either side, too
		if r.device <= 0 || r.total > 0 || twice || annotation.MatchString(r.name) {
			continue
		}
		if !strings.HasPrefix(r.name, "Mem") {
			p.Kernels += r.calls
		}
		sum += r.device
		if kernels.UnpacksWeights(r.name) {
			p.unpacking += r.device
		}
		p.Top = append(p.Top, Group{Name: r.name, Class: class, Count: r.calls, Seconds: r.device})
		if classes[class] == nil {
			classes[class] = &Group{Name: string(class), Class: class}
		}
		classes[class].Count += r.calls
		classes[class].Seconds += r.device
	}
	p.DeviceSeconds = max(p.DeviceSeconds, sum)
	for _, c := range kernels.Classes() {
		if g := classes[c]; g != nil {
			p.Classes = append(p.Classes, *g)
		}
	}
	p.Classes = longestFirst(p.Classes, p.DeviceSeconds)
	if p.DeviceSeconds <= 0 {
		return 0
	}
	return sum / p.DeviceSeconds
}

// launches counts the calls that gave the device work. That there was no graph is known where all rows are there, or where
// the kernels that are have each their own launch.
func (p *Profile) launches(rows []row, complete, kernelsSeen bool) {
	single, graphs := 0, 0
	for _, r := range rows {
		switch name := strings.ToLower(r.name); {
		case r.total <= 0 || strings.Contains(name, "hostfunc"):
		case strings.HasPrefix(name, "cudagraphlaunch") || strings.HasPrefix(name, "cugraphlaunch") || strings.HasPrefix(name, "hipgraphlaunch"):
			graphs += r.calls
		case strings.HasPrefix(name, "cudalaunch") || strings.HasPrefix(name, "culaunch") || strings.HasPrefix(name, "hip") && strings.Contains(name, "launch"):
			single += r.calls
		}
	}
	complete = complete || graphs > 0 || kernelsSeen && p.Kernels > 0 && float64(single) >= most*float64(p.Kernels)
	if p.Device != "" && complete && single+graphs > 0 {
		p.Launches, p.GraphLaunches = &single, &graphs
	}
}

func longestFirst(gs []Group, all float64) []Group {
	for i := range gs {
		if all > 0 {
			gs[i].Share = min(1, gs[i].Seconds/all)
		}
	}
	slices.SortStableFunc(gs, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(a.Name, b.Name))
	})
	return gs
}
