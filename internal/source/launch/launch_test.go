package launch_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/source/httpclient"
	"github.com/inferdx/inferdx/internal/source/launch"
)

// pods are a cluster by hand. A pod that is an error fails.
type pods struct {
	mu   sync.Mutex
	all  map[string]any
	read []string
}

func (p *pods) Pod(_ context.Context, namespace, name string) (*launch.Pod, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read = append(p.read, name)
	switch x := p.all[namespace+"/"+name].(type) {
	case *launch.Pod:
		return x, nil
	case error:
		return nil, x
	}
	return nil, errors.New("this cluster has no such pod")
}

func (p *pods) set(name string, x any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all[name] = x
}

// running starts a finder and ends it with the test.
func running(t *testing.T, o launch.Options) *launch.Finder {
	t.Helper()
	f := launch.New(o)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); f.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	return f
}

func configured(t *testing.T, text string) []*config.Launch {
	t.Helper()
	var out []*config.Launch
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func target(instance string, meta ...string) launch.Target {
	t := launch.Target{Labels: labels(instance), URL: "http://" + instance + "/metrics", Meta: map[string]string{
		"__meta_kubernetes_namespace": "llm", "__meta_kubernetes_pod_name": strings.Split(instance, ":")[0],
	}}
	for i := 0; i+1 < len(meta); i += 2 {
		t.Meta[meta[i]] = meta[i+1]
	}
	return t
}

func labels(instance string) model.Labels {
	return model.LabelsFrom(map[string]string{"job": "vllm", "instance": instance})
}

// said is what is known of a server, as "arguments (where from)".
func said(f *launch.Finder, instance string) string {
	args, from, ok := f.Of(append(labels(instance), model.Label{Name: "model_name", Value: "m"}))
	if !ok {
		return "unknown"
	}
	return strings.Join(args, " ") + " (" + from + ")"
}

func TestTheConfigurationIsTrustedFirstThenTheAnnotationThenThePod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := &pods{all: map[string]any{"llm/a": podOf(t, `{"args": ["--max-num-seqs", "3"]}`), "llm/d": podOf(t, `{"args": ["--max-num-seqs", "3"]}`)}}
		f := running(t, launch.Options{Pods: cluster, Launch: configured(t, `
- {match: {instance: 'c:.*'}, args: vllm serve m --max-num-seqs 1}
- {match: {instance: 'd:.*'}, args_file: /there/is/no/such/file}
- {match: {instance: 'c:.*'}, args: --max-num-seqs 9}
`)})
		const annotation = "__meta_kubernetes_pod_annotation_inferdx_io_args"
		f.Sync([]launch.Target{
			target("a:8000"), target("b:8000", annotation, "--max-num-seqs 2"), target("c:8000", annotation, "--max-num-seqs 2"), target("d:8000"),
			target("e:8000"), target("f:8000", "__inferdx_args__", "--max-num-seqs 4"), target("g:8000", annotation, ""),
		})
		synctest.Wait()
		for instance, want := range map[string]string{
			"a:8000": "--max-num-seqs 3 (pod llm/a)",
			"b:8000": "--max-num-seqs 2 (annotation inferdx.io/args)",
			"c:8000": "m --max-num-seqs 1 (configuration)",
			"d:8000": "unknown", // whoever wrote the file knows better than the pod: it is not asked instead
			"e:8000": "unknown",
			"f:8000": "--max-num-seqs 4 (label __inferdx_args__)",
			"g:8000": " (annotation inferdx.io/args)", // started without arguments
			"h:8000": "unknown",
		} {
			if got := said(f, instance); got != want {
				t.Errorf("%s: %s, want %s", instance, got, want)
			}
		}
		want := "launch arguments of d:8000: read launch arguments: open /there/is/no/such/file: no such file or directory\n" +
			"launch arguments of e:8000: this cluster has no such pod\n"
		if got := faults(f); got != want {
			t.Errorf("faults:\n%s", got)
		}
	})
}

func faults(f *launch.Finder) string {
	var b strings.Builder
	for _, x := range f.Faults() {
		fmt.Fprintf(&b, "%s: %s\n", x.Source, x.Err)
	}
	return b.String()
}

func TestTheConfigurationSpeaksOfServersThatNobodyListed(t *testing.T) {
	f := launch.New(launch.Options{Launch: configured(t, `[{match: {model_name: m}, args: --max-num-seqs 1}]`)})
	if got := said(f, "somewhere:8000"); got != "--max-num-seqs 1 (configuration)" {
		t.Error(got)
	}
}

func TestAfterARestartThePodIsReadAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := &pods{all: map[string]any{"llm/a": podOf(t, `{"args": ["--max-num-seqs", "8"]}`)}}
		f := running(t, launch.Options{Pods: cluster})
		f.Sync([]launch.Target{target("a:8000")})
		synctest.Wait()
		cluster.set("llm/a", podOf(t, `{"args": ["--max-num-seqs", "64"]}`))
		f.Sync([]launch.Target{target("a:8000")})
		synctest.Wait()
		if got := said(f, "a:8000"); got != "--max-num-seqs 8 (pod llm/a)" {
			t.Errorf("nothing was restarted: %s", got)
		}
		f.Restarted(labels("a:8000"))
		synctest.Wait()
		if got := said(f, "a:8000"); got != "--max-num-seqs 64 (pod llm/a)" {
			t.Error(got)
		}
		cluster.set("llm/a", podOf(t, `{"args": ["--max-num-seqs", "65"]}`))
		time.Sleep(13 * time.Minute)
		synctest.Wait()
		if got := said(f, "a:8000"); got != "--max-num-seqs 65 (pod llm/a)" || len(cluster.read) != 3 {
			t.Errorf("it is read again now and then: %s after %d reads", got, len(cluster.read))
		}
		cluster.set("llm/a", errors.New("the API is away"))
		f.Restarted(labels("a:8000"))
		synctest.Wait()
		if got := said(f, "a:8000"); got != "unknown" {
			t.Errorf("what it was started with before is no answer: %s", got)
		}
		f.Sync(nil)
		if got := faults(f); got != "" {
			t.Errorf("of a server that is gone: %s", got)
		}
	})
}

func TestManyThatFailAlikeAreOneFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("not allowed")
		f := running(t, launch.Options{Pods: &pods{all: map[string]any{"llm/a": refused, "llm/b": refused, "llm/c": refused}}})
		f.Sync([]launch.Target{target("c:8000"), target("a:8000"), target("b:8000")})
		synctest.Wait()
		if got := faults(f); got != "launch arguments of a:8000 and 2 more: not allowed\n" {
			t.Error(got)
		}
	})
}

func TestAPageOrAFileHoldsACommandLineOrAListOfWords(t *testing.T) {
	for name, text := range map[string]string{
		"a command line": "vllm serve m \\\n  --max-num-seqs 8 --api-key 'top secret'\n",
		"a list":         `["vllm", "serve", "m", "--max-num-seqs", "8", "--api-key", "top secret"]`,
	} {
		const want = "m --max-num-seqs 8 --api-key <secret>"
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }))
		file := filepath.Join(t.TempDir(), "args")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		client, err := httpclient.New(httpclient.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f := running(t, launch.Options{Client: client, Launch: configured(t, fmt.Sprintf(
			"- {match: {instance: 'page:1'}, url: %q}\n- {match: {instance: 'file:1'}, args_file: %q}", s.URL+"/args?token=t0p", file))})
		f.Sync([]launch.Target{target("page:1"), target("file:1")})
		for instance, from := range map[string]string{"page:1": "page " + s.URL + "/args?<secret>", "file:1": "file " + file} {
			end := time.Now().Add(10 * time.Second)
			for said(f, instance) == "unknown" && time.Now().Before(end) {
				time.Sleep(5 * time.Millisecond)
			}
			if got := said(f, instance); got != want+" ("+from+")" {
				t.Errorf("%s: %s", name, got)
			}
		}
		s.Close()
		client.Close()
	}
}

func TestSecretsAreTakenOutWhereverTheyStand(t *testing.T) {
	f := launch.New(launch.Options{Launch: configured(t, `
- args: >-
    VLLM_API_KEY=s3cret HF_TOKEN=s3cret VLLM_ATTENTION_BACKEND=FLASHINFER vllm serve m --api-key s3cret --hf-token=s3cret
    --api_key "s3cret with words" --otlp-traces-endpoint http://user:s3cret@otel:4317/v1 --max-num-batched-tokens 8192
`)})
	got := said(f, "a:8000")
	want := "VLLM_API_KEY=<secret> HF_TOKEN=<secret> VLLM_ATTENTION_BACKEND=FLASHINFER m --api-key <secret> --hf-token=<secret> " +
		"--api_key <secret> --otlp-traces-endpoint http://<secret>@otel:4317/v1 --max-num-batched-tokens 8192 (configuration)"
	if got != want {
		t.Error(got)
	}
}
