// Package corpus holds recordings of real servers with known faults. All of them ship with the binary.
package corpus

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed */scenario.yaml seqs8-c64/metrics.om.gz seqs8-c64/server.log.gz models/llama-8b-dummy.json
var files embed.FS

// Demo is a recording of vLLM whose sequence cap was set too low: metrics.om.gz, scenario.yaml and
// server.log.gz.
func Demo() fs.FS {
	sub, err := fs.Sub(files, "seqs8-c64")
	if err != nil {
		return files
	}
	return sub
}

// DemoModel is the config.json of the model that the demo's server runs.
func DemoModel() ([]byte, error) {
	text, err := files.ReadFile("models/llama-8b-dummy.json")
	if err != nil {
		return nil, fmt.Errorf("read the demo's model: %w", err)
	}
	return text, nil
}

// Cured is the recording of the demo's server under the same load without the low cap.
func Cured() fs.FS {
	sub, err := fs.Sub(recordings, "base-c64")
	if err != nil {
		return recordings
	}
	return sub
}

// Behind counts, by cause, the recordings that a rule could be written on: those kept for tests (held
// out), those made afterwards to break the rules (probes) and simulated ones stand behind nothing.
func Behind() map[string]int {
	out := map[string]int{}
	names, err := fs.Glob(files, "*/scenario.yaml")
	if err != nil {
		return out
	}
	for _, n := range names {
		text, err := fs.ReadFile(files, n)
		if err != nil {
			continue
		}
		causes, apart := truth(string(text))
		if apart {
			continue
		}
		for _, c := range causes {
			out[c]++
		}
	}
	return out
}

// truth reads the causes of a scenario without a YAML parser: every start of the program pays for it.
func truth(text string) (causes []string, apart bool) {
	key := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if item, ok := strings.CutPrefix(strings.TrimLeft(line, " "), "- "); ok && (line[0] == ' ' || line[0] == '-') {
			if key == "causes" {
				causes = append(causes, strings.Trim(item, `"' `))
			}
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		if line == "" || line[0] == ' ' {
			continue
		}
		key = name
		if split := strings.TrimSpace(value); key == "split" && (split == "heldout" || split == "probe" || split == "simulated") {
			apart = true
		}
	}
	return causes, apart
}
