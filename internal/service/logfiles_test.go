package service

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/setup"
	"github.com/inferdx/inferdx/internal/source/scrape"
)

// unpack writes the log of a recording to a path.
func unpack(t *testing.T, recording, path string) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "corpus", recording, "server.log.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(text))
}

// listen makes the configured log files be read once.
func (w *watched) listen() {
	w.t.Helper()
	p := w.parts.Load()
	w.sources.only(p.sourceNames(), p.logNames()...)
	w.logs.Apply(p.logs)
	w.logs.Poll(w.t.Context())
	w.logsRead()
}

func TestWhatALogTellsIsOfItsServerAlone(t *testing.T) {
	dir := t.TempDir()
	unpack(t, "seqs8-c64", filepath.Join(dir, "h200-0.log"))
	w := serve(t, t0, `
urls: ['localhost:1']
log_files:
  - {path: '`+dir+`/*.log', labels: {job: vllm}, path_labels: '/(?P<host>[^/]+)\.log$'}
  - {path: '`+dir+`/h200-0.log*', labels: {instance: 'h200-0:8000'}}
`)
	w.listen()
	of := w.parts.Load().request.LogOf
	for instance, want := range map[string]string{"h200-0:8000": "", "h200-1:8000": ""} {
		if got := of(model.LabelsFrom(map[string]string{"job": "vllm", "instance": instance}))["max_num_seqs"].Text; got != want {
			t.Errorf("%s: got %q, want %q: the first entry asks for a host label", instance, got, want)
		}
	}
	if got := of(model.LabelsFrom(map[string]string{"job": "vllm", "host": "h200-0"}))["max_num_seqs"].Text; got != "8" {
		t.Errorf("got %q", got)
	}
}

func TestADiagnosisReadsTheLogOfItsServer(t *testing.T) {
	dir := t.TempDir()
	config := "urls: ['localhost:1']\nlog_files: [{path: '" + dir + "/*.log', labels: {instance: 'h200-0:8000'}}]\n"
	cap := func(config string) string {
		w := serve(t, t0, config)
		w.listen()
		f := &feeder{w: w, p: acts(t, t0, time.Hour, "seqs8-c64"), kept: map[string]any{}, target: map[string]scrape.ArchiveTarget{}}
		for range 20 {
			f.scrape()
			w.pass(2 * time.Second)
		}
		for _, d := range w.look().diagnoses {
			for _, c := range d.Causes {
				if c.ID == "max-num-seqs-too-low" && c.Primary {
					for _, e := range c.For {
						if strings.Contains(e.Text, "the cap of 8") {
							return d.Engine.Version + " " + e.Text
						}
					}
				}
			}
		}
		return ""
	}
	if got := cap("urls: ['localhost:1']\n"); strings.Contains(got, "reaches 8: the cap of 8") {
		t.Fatalf("the cap is known without the log: %q", got)
	}
	unpack(t, "seqs8-c64", filepath.Join(dir, "server.log"))
	if got := cap(config); !strings.Contains(got, "running reaches 8: the cap of 8") {
		t.Errorf("got %q", got)
	}
}

func TestALogThatCannotBeReadIsAFindingAndHidesNothing(t *testing.T) {
	w := serve(t, t0, "urls: ['localhost:1']\nlog_files: /nowhere/server.log\nreceivers: [{name: r, webhook: {url: 'http://127.0.0.1:1'}}]\nroute: {receiver: r, group_wait: 0s, group_interval: 1s}\n")
	for range patience {
		w.listen()
	}
	got := w.look()
	if len(got.sources) != 1 || got.sources[0].Status != model.Degraded || got.sources[0].Symptoms[0].Severity != model.Warning {
		t.Fatalf("got %+v", got.sources)
	}
	if text := got.sources[0].Symptoms[0].Evidence[0].Text; !strings.Contains(text, "/nowhere/server.log: no such file or directory") {
		t.Errorf("got %s", text)
	}
	if got.report.Partial {
		t.Error("a diagnosis without a log is called partial")
	}
	if w.sources.all()[0].blinds() {
		t.Error("what is seen of the servers is held because of a log")
	}
}

func TestAReloadFollowsOtherFiles(t *testing.T) {
	dir := t.TempDir()
	unpack(t, "seqs8-c64", filepath.Join(dir, "a.log"))
	w := serve(t, t0, "urls: ['localhost:1']\nlog_files: ["+filepath.Join(dir, "a.log")+"]\n")
	w.listen()
	target := model.LabelsFrom(map[string]string{"job": "vllm", "instance": "a"})
	if got := w.parts.Load().request.LogOf(target)["max_num_seqs"].Text; got != "8" {
		t.Fatalf("got %q", got)
	}
	text, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w.path, strings.Replace(string(text), "a.log", "b.log", 1))
	unpack(t, "seqs4-open", filepath.Join(dir, "b.log"))
	next, err := setup.Load(w.path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.newParts(w.o, next)
	if err != nil {
		t.Fatal(err)
	}
	w.parts.Store(p)
	w.listen()
	if got := w.parts.Load().request.LogOf(target)["max_num_seqs"].Text; got != "4" {
		t.Errorf("got %q", got)
	}
}
