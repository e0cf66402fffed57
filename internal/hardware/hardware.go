// Package hardware knows what GPUs can do at best.
package hardware

import (
	_ "embed"
	"fmt"
	"regexp"
	"sync"

	"gopkg.in/yaml.v3"
)

//go:embed gpus.yaml
var table []byte

// GPU is one device's ceiling: dense 16-bit operations per second, bytes per second from its
// memory, and its memory in GiB.
type GPU struct {
	Match     string  `yaml:"match"`
	Flops     float64 `yaml:"flops"`
	Bandwidth float64 `yaml:"bandwidth"`
	MemoryGiB float64 `yaml:"memory_gib"`
	re        *regexp.Regexp
}

var load = sync.OnceValues(func() ([]GPU, error) {
	var gpus []GPU
	if err := yaml.Unmarshal(table, &gpus); err != nil {
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
