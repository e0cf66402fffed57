package shape

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
)

// ErrNotConfig is the fault of a file that describes no language model.
var ErrNotConfig = errors.New("no config.json of a language model")

const (
	maxFile   = 4 << 20 // the largest published ones, with lists of layers that are not quantised, are below 1 MiB
	maxLayers = 2000
	maxNumber = 1e9
)

// fields are those of one object of the file. Faults are gathered in the order in which fields are asked for.
type fields struct {
	m       map[string]any
	missing []string
}

// Open reads the config.json in a file.
func Open(path string) (*Shape, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read model configuration: %w", err)
	}
	defer func() { _ = f.Close() }()
	s, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Read reads a config.json to its end.
func Read(r io.Reader) (*Shape, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read model configuration: %w", err)
	}
	if len(raw) > maxFile {
		return nil, fmt.Errorf("%w: it is larger than %d MiB", ErrNotConfig, maxFile>>20)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotConfig, err)
	}
	top := &fields{m: m}
	f := top.language()
	s := &Shape{Architecture: top.name(), Multimodal: f != top}
	if err := s.read(f, top); err != nil {
		return nil, err
	}
	return s, nil
}

// language is the object that describes the language model: the file itself, or a part of it.
func (f *fields) language() *fields {
	if _, ok := f.m["num_hidden_layers"]; ok {
		return f
	}
	for _, name := range []string{"text_config", "llm_config", "language_config", "thinker_config"} {
		if m, ok := f.m[name].(map[string]any); ok {
			return (&fields{m: m}).language()
		}
	}
	return f
}

func (f *fields) name() string {
	if list, ok := f.m["architectures"].([]any); ok && len(list) > 0 {
		if s, ok := list[0].(string); ok {
			return s
		}
	}
	return f.text("model_type")
}

// number is the first of the fields that is there; 0 where none is.
func (f *fields) number(names ...string) float64 {
	for _, n := range names {
		if v, ok := f.m[n].(float64); ok && v > 0 && v <= maxNumber && v == math.Trunc(v) {
			return v
		}
	}
	return 0
}

// need is number, and notes the absence.
func (f *fields) need(names ...string) float64 {
	v := f.number(names...)
	if v == 0 {
		f.missing = append(f.missing, names[0])
	}
	return v
}

func (f *fields) text(names ...string) string {
	for _, n := range names {
		if s, ok := f.m[n].(string); ok {
			return s
		}
	}
	return ""
}

func (f *fields) yes(name string) bool {
	b, ok := f.m[name].(bool)
	return ok && b
}

func (f *fields) has(name string) bool {
	v, ok := f.m[name]
	return ok && v != nil
}

func (f *fields) object(name string) *fields {
	m, ok := f.m[name].(map[string]any)
	if !ok {
		return nil
	}
	return &fields{m: m}
}

// words are the texts of a list.
func (f *fields) words(name string) []string {
	list, ok := f.m[name].([]any)
	if !ok {
		return nil
	}
	var out []string
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// numbers are the whole numbers of a list.
func (f *fields) numbers(name string) []int {
	list, ok := f.m[name].([]any)
	if !ok {
		return nil
	}
	var out []int
	for _, v := range list {
		if n, ok := v.(float64); ok && n >= 0 && n < maxLayers {
			out = append(out, int(n))
		}
	}
	return out
}

// fault says which fields the file leaves to the defaults of a class that is not at hand.
func (f *fields) fault() error {
	if len(f.missing) == 0 {
		return nil
	}
	slices.Sort(f.missing)
	return fmt.Errorf("%w: it does not say %s\nhint: the file next to the weights; add fields that it leaves to the defaults of its class",
		ErrNotConfig, strings.Join(slices.Compact(f.missing), ", "))
}
