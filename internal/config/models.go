package config

import (
	"bytes"
	"errors"

	"github.com/inferdx/inferdx/internal/hardware"
	"github.com/inferdx/inferdx/internal/shape"
)

// Model is what a server serves, and on what.
type Model struct {
	// The servers, by regular expressions over their labels. Default all.
	Match Selector `yaml:"match,omitempty"`
	// The config.json beside the model's weights.
	ConfigFile File `yaml:"config_file,omitempty"`
	// The GPU where metrics do not tell: its name, or its rates as 'half: 9.89e14, bandwidth: 4.8e12'.
	GPU string `yaml:"gpu,omitempty"`
}

// Device is the given GPU; false where none is.
func (m *Model) Device() (hardware.GPU, bool) {
	if m.GPU == "" {
		return hardware.GPU{}, false
	}
	if g, ok := hardware.Find(m.GPU); ok {
		return g, true
	}
	g, err := hardware.Parse(m.GPU)
	return g, err == nil
}

func (m *Model) check(c *check, at place) {
	if m.ConfigFile == "" && m.GPU == "" && !c.mistyped(at) {
		c.fault(at, "", "want config_file, gpu or both")
	}
	if _, ok := m.Device(); m.GPU != "" && !ok {
		c.fault(at.field("gpu"), "a name, or as 'half: 9.89e14, bandwidth: 4.8e12'", "%s is no known GPU", shorten(m.GPU))
	}
}

// models reads the shapes, for their faults.
func (s *Snapshot) models(c *check) {
	for i, m := range c.cfg.Models {
		if m == nil || m.ConfigFile == "" {
			continue
		}
		if _, err := s.Shape(m); errors.Is(err, shape.ErrNotConfig) { // a file that cannot be read is told of by the general check
			c.fault(c.root.field("models").item(i).field("config_file"), "", "%s", err)
		}
	}
}

// Shape is what the file of a model says; nil where none is given.
func (s *Snapshot) Shape(m *Model) (*shape.Shape, error) {
	if m.ConfigFile == "" {
		return nil, nil
	}
	text, err := s.reader.read(join(s.dir, string(m.ConfigFile)))
	if err != nil {
		return nil, err
	}
	return shape.Read(bytes.NewReader(text))
}
