package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/corpus"
	"github.com/inferdx/inferdx/internal/evidence/logs"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/shape"
	"github.com/inferdx/inferdx/internal/source/recording"
)

// scenario is what is known of the demo's recording.
type scenario struct {
	Causes   []string `yaml:"causes"`
	Injected string   `yaml:"injected"`
	Engine   string   `yaml:"engine"`
	Version  string   `yaml:"engine_version"`
	Hardware string   `yaml:"hardware"`
	Workload []struct {
		Conc int `yaml:"conc"`
	} `yaml:"workload"`
}

func (a *app) demo() *cobra.Command {
	var l looks
	var dir string
	var play playing
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Diagnose a real recording that ships with inferdx",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := l.check(); err != nil {
				return err
			}
			switch {
			case dir != "":
				return a.unpackDemo(dir)
			case play.serve:
				return a.playDemo(cmd.Context(), play)
			}
			return a.runDemo(&l)
		},
	}
	l.flags(cmd.Flags())
	play.flags(cmd.Flags())
	cmd.Flags().StringVar(&dir, "save", "", "write the recording and its log to this folder instead")
	return cmd
}

func (a *app) runDemo(l *looks) error {
	truth, r, p, err := diagnoseDemo()
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if l.format == "json" { // nothing but the contract
		return l.print(a.out, r)
	}
	clients := 0
	for _, w := range truth.Workload {
		clients += w.Conc
	}
	_, err = fmt.Fprintf(a.out, `A real recording that ships with inferdx: %s %s on %s, %d clients.
The fault was put there on purpose: %s.
inferdx sees only what the server exported and logged, and the config.json of its model:

`, truth.Engine, truth.Version, truth.Hardware, clients, truth.Injected)
	if err != nil {
		return err
	}
	if err := l.print(a.out, r); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, `
known fault: %s; %s
your server: inferdx diagnose --url host:8000
`, titles(p, truth.Causes), verdict(r, truth.Causes))
	return err
}

func diagnoseDemo() (scenario, *model.Report, *pipeline.Pipeline, error) {
	var truth scenario
	files := corpus.Demo()
	text, err := fs.ReadFile(files, "scenario.yaml")
	if err == nil {
		err = yaml.Unmarshal(text, &truth)
	}
	if err != nil {
		return truth, nil, nil, err
	}
	p, err := (&folders{}).pipeline()
	if err != nil {
		return truth, nil, nil, err
	}
	metrics, err := files.Open("metrics.om.gz")
	if err != nil {
		return truth, nil, nil, err
	}
	defer metrics.Close()
	st, err := recording.Read("metrics.om.gz", metrics, wanted(p.Content))
	if err != nil {
		return truth, nil, nil, err
	}
	_, last, ok := st.Bounds()
	if !ok {
		return truth, nil, nil, errors.New("the recording is empty")
	}
	log, err := files.Open("server.log.gz")
	if err != nil {
		return truth, nil, nil, err
	}
	defer log.Close()
	request := pipeline.Request{At: time.UnixMilli(last), Window: 5 * time.Minute}
	told, err := logs.Read(log)
	if err != nil {
		return truth, nil, nil, err
	}
	request.Log = told.Facts()
	text, err = corpus.DemoModel()
	if err != nil {
		return truth, nil, nil, err
	}
	m, err := shape.Read(bytes.NewReader(text))
	if err != nil {
		return truth, nil, nil, err
	}
	request.Model = func(model.Labels) *shape.Shape { return m }
	return truth, p.Diagnose(st, request), p, nil
}

func titles(p *pipeline.Pipeline, causes []string) string {
	var out []string
	for _, id := range causes {
		if c, ok := p.Content.Playbooks.Get(id); ok {
			out = append(out, c.Title+" ("+id+")")
		}
	}
	return strings.Join(out, " or ")
}

func verdict(r *model.Report, causes []string) string {
	for _, t := range r.Targets {
		for _, c := range t.Causes {
			if c.Primary && slices.Contains(causes, c.ID) {
				return "the diagnosis names it"
			}
		}
	}
	return "the diagnosis misses it"
}

// unpackDemo writes the recording out, for those who want to look inside.
func (a *app) unpackDemo(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	write := func(name string, text []byte, err error) error {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o644)
		}
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		return nil
	}
	files := corpus.Demo()
	for _, name := range []string{"metrics.om.gz", "server.log.gz", "scenario.yaml"} {
		text, err := fs.ReadFile(files, name)
		if err := write(name, text, err); err != nil {
			return err
		}
	}
	text, err := corpus.DemoModel()
	if err := write("config.json", text, err); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "inferdx diagnose --recording %s --log %s --model-config %s\n",
		filepath.Join(dir, "metrics.om.gz"), filepath.Join(dir, "server.log.gz"), filepath.Join(dir, "config.json"))
	return err
}
