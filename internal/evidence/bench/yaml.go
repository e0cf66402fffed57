package bench

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"gopkg.in/yaml.v3"
)

// maxYAML bounds a report in YAML, which can't be read in pieces.
const maxYAML = 16 << 20

// readYAML reads a report of GuideLLM in YAML.
func readYAML(r io.Reader) ([]*Run, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxYAML+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxYAML {
		return nil, fmt.Errorf("a report in YAML of more than %d MiB is not read: pass the JSON", maxYAML>>20)
	}
	var node yaml.Node
	if err := yaml.Unmarshal(raw, &node); err != nil {
		return nil, errors.New("it is neither JSON nor a CSV nor YAML of a known tool")
	}
	if len(node.Content) != 1 || node.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("it is neither JSON nor a CSV nor YAML of a known tool")
	}
	t := &tree{d: newDocument(), left: maxNodes}
	if err := t.value(node.Content[0], "", 0); err != nil {
		return nil, err
	}
	return read(t.d), nil
}

// maxNodes is how many values of it are looked at, those that aliases repeat counted again.
const maxNodes = 4_000_000

// tree goes through YAML as the scanner does through JSON.
type tree struct {
	d    *document
	left int
}

func (t *tree) value(n *yaml.Node, path string, depth int) error {
	if t.left--; t.left <= 0 {
		return errors.New("it has too many values")
	}
	if depth > maxDepth || n.Kind == yaml.MappingNode && beside(path) {
		return nil
	}
	switch n.Kind {
	case yaml.AliasNode:
		return t.value(n.Alias, path, depth+1)
	case yaml.MappingNode:
		return t.mapping(n, path, depth)
	case yaml.SequenceNode:
		return t.entries(n, path, depth)
	case yaml.ScalarNode:
		return t.d.scalar(n, path)
	}
	return nil
}

func (t *tree) mapping(n *yaml.Node, path string, depth int) error {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := clip(n.Content[i].Value, maxKey)
		at := path + "." + key
		if depth == 0 {
			t.d.top[key], at = true, key
		}
		if err := t.value(n.Content[i+1], at, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (t *tree) entries(n *yaml.Node, path string, depth int) error {
	if rowsAt(path) {
		t.requests(n, path)
		return nil
	}
	for i, c := range n.Content[:min(len(n.Content), most(path))] {
		if err := t.value(c, path+"."+strconv.Itoa(i), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// requests takes the single requests of a run.
func (t *tree) requests(n *yaml.Node, path string) {
	rows := &rows{}
	t.d.rows[path] = rows
	for _, c := range n.Content {
		row := newRow()
		for i := 0; i+1 < len(c.Content); i += 2 {
			if into := row.field(c.Content[i].Value); into != nil {
				if v, err := strconv.ParseFloat(c.Content[i+1].Value, 64); err == nil {
					*into = v
				}
			}
		}
		rows.add(row)
	}
}

func (d *document) scalar(n *yaml.Node, path string) error {
	switch n.Tag {
	case "!!int", "!!float":
		if v, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return d.figure(path, v)
		}
	case "!!str":
		return d.word(path, n.Value)
	}
	return nil
}
