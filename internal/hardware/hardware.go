// Package hardware knows what GPUs can do at best, by their makers' data sheets.
package hardware

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"
)

//go:embed gpus.yaml
var table []byte

// GPU is what one device can do at best. Rates are dense operations per second, bandwidths bytes per second; 0 stands for
// what the device does not have or its maker does not state.
type GPU struct {
	// Match is a regular expression over the device's name.
	Match string `yaml:"match"`
	// Half is FP16 or BF16, Single is TF32 (FP32 where there is none), FP4 is NVFP4 or MXFP4.
	Half   float64 `yaml:"half"`
	Single float64 `yaml:"single"`
	FP8    float64 `yaml:"fp8"`
	Int8   float64 `yaml:"int8"`
	FP4    float64 `yaml:"fp4"`
	// Bandwidth is the memory's.
	Bandwidth float64 `yaml:"bandwidth"`
	MemoryGiB float64 `yaml:"memory_gib"`
	// Link is that of all links to other GPUs in one direction, PCIe that of the slot.
	Link float64 `yaml:"link"`
	PCIe float64 `yaml:"pcie"`
	// Source names where the figures are from.
	Source string `yaml:"source"`
	re     *regexp.Regexp
}

var load = sync.OnceValues(func() ([]GPU, error) {
	var gpus []GPU
	d := yaml.NewDecoder(bytes.NewReader(table))
	d.KnownFields(true)
	if err := d.Decode(&gpus); err != nil {
		return nil, fmt.Errorf("read GPU table: %w", err)
	}
	for i := range gpus {
		re, err := regexp.Compile(gpus[i].Match)
		if err != nil {
			return nil, fmt.Errorf("GPU table: %w", err)
		}
		gpus[i].re = re
	}
	return gpus, nil
})

// Find returns the ceiling of a device by its marketing name; false when it is not in the table.
func Find(name string) (GPU, bool) {
	gpus, err := load()
	if err != nil {
		return GPU{}, false
	}
	for _, g := range gpus {
		if g.re.MatchString(name) {
			return g, true
		}
	}
	return GPU{}, false
}

// Parse reads a user's own device: "half: 9.89e14, bandwidth: 4.8e12", by the names of the table.
func Parse(text string) (GPU, error) {
	var g GPU
	if strings.ContainsAny(text, "{}[]") {
		return GPU{}, fmt.Errorf("read GPU %q: want rates by name\nhint: as 'half: 9.89e14, bandwidth: 4.8e12'", text)
	}
	d := yaml.NewDecoder(strings.NewReader("{" + text + "}"))
	d.KnownFields(true)
	if err := d.Decode(&g); err != nil {
		return GPU{}, fmt.Errorf("read GPU %q: %w", text, err)
	}
	for _, v := range []float64{g.Half, g.Single, g.FP8, g.Int8, g.FP4, g.Bandwidth, g.MemoryGiB, g.Link, g.PCIe} {
		if v < 0 || math.IsNaN(v) || math.IsInf(v, 0) {
			return GPU{}, fmt.Errorf("read GPU %q: %g is no rate", text, v)
		}
	}
	if g.Bandwidth == 0 && g.Half == 0 {
		return GPU{}, errors.New("a GPU needs its bandwidth, or half, its 16-bit rate")
	}
	if g.Source == "" {
		g.Source = "the given GPU"
	}
	return g, nil
}

// Between is the bandwidth to other GPUs in one direction: of the links, else of the slot. 0 is unknown.
func (g GPU) Between() float64 {
	if g.Link > 0 {
		return g.Link
	}
	return g.PCIe
}

// Rate is the highest rate at which weights of so many bits can be multiplied: the device may unpack them to wider types, never
// to narrower ones. Integer says that they are integers. 0 is unknown.
func (g GPU) Rate(bits float64, integer bool) float64 {
	best := g.Single
	if bits <= 16 {
		best = max(best, g.Half)
	}
	if bits <= 8 {
		if integer {
			best = max(best, g.Int8)
		} else {
			best = max(best, g.FP8)
		}
	}
	if bits <= 4 && !integer {
		best = max(best, g.FP4)
	}
	return best
}
