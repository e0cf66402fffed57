package launch_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/inferdx/inferdx/internal/source/launch"
)

// podOf is a pod of containers in JSON.
func podOf(t *testing.T, containers ...string) *launch.Pod {
	t.Helper()
	p := &launch.Pod{}
	if err := json.Unmarshal([]byte(`{"spec": {"containers": [`+strings.Join(containers, ",")+`]}}`), p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhatAContainerWasStartedWith(t *testing.T) {
	const sidecar = `{"name": "proxy", "args": ["--concurrency", "2"], "ports": [{"containerPort": 15090}]}`
	const server = `{"name": "vllm", "args": ["--max-num-seqs", "8"], "ports": [{"containerPort": 8000}]}`
	for _, tc := range []struct{ name, in, want string }{
		{"arguments of an image that is the server", `{"args": ["--model", "m", "--max-num-seqs", "8"]}`, "--model m --max-num-seqs 8"},
		{"a command", `{"command": ["vllm", "serve", "m"], "args": ["--max-num-seqs", "8"]}`, "m --max-num-seqs 8"},
		{"python", `{"command": ["python3", "-m", "vllm.entrypoints.openai.api_server", "--max-num-seqs=8"]}`, "--max-num-seqs=8"},
		{"a shell", `{"command": ["/bin/sh", "-c"], "args": ["ulimit -n 65535; pip list && exec vllm serve m \\\n --max-num-seqs 8 2>&1 | tee $LOG"]}`, "m --max-num-seqs 8 2>&1"},
		{"variables", `{"command": ["vllm", "serve", "$(MODEL)"], "args": ["--max-num-seqs=$(SEQS)", "$(MORE)", "$$(SEQS)"],
			"env": [{"name": "MODEL", "value": "m"}, {"name": "SEQS", "value": "8"}, {"name": "MORE", "valueFrom": {"configMapKeyRef": {}}}]}`, "m --max-num-seqs=8 $(MORE) $(SEQS)"},
		{"variables of a shell", `{"command": ["bash", "-ec", "vllm serve $MODEL --max-num-seqs ${SEQS} $MORE"], "env": [{"name": "MODEL", "value": "m"}, {"name": "SEQS", "value": "8"}]}`, "m --max-num-seqs 8 $MORE"},
		{"the environment", `{"args": ["--model", "m"], "env": [{"name": "VLLM_ATTENTION_BACKEND", "value": "FLASHINFER"}, {"name": "VLLM_API_KEY", "value": "s3cret"},
			{"name": "VLLM_HOST_IP", "valueFrom": {"fieldRef": {}}}, {"name": "PATH", "value": "/bin"}]}`, "VLLM_ATTENTION_BACKEND=FLASHINFER VLLM_API_KEY=<secret> --model m"},
		{"the container that serves the port", sidecar + "," + server, "--max-num-seqs 8"},
		{"nobody says who serves the port", sidecar + "," + `{"args": ["--max-num-seqs", "8"]}`, "read pod llm/a: 0 of its 2 containers say that they serve port 8000, so nobody knows whose arguments count: name the port in one"},
		{"a script", `{"command": ["/start.sh"], "args": ["--fast"]}`, "read pod llm/a: the container starts a script, whose command is not in the pod"},
		{"a script in a shell", `{"command": ["sh", "-c", "/start.sh"]}`, "read pod llm/a: the container starts a script, whose command is not in the pod"},
		{"the image alone", `{"image": "ours/llm:3"}`, "read pod llm/a: the container's command lies in its image, not in the pod"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := running(t, launch.Options{Pods: &pods{all: map[string]any{"llm/a": podOf(t, tc.in)}}})
				f.Sync([]launch.Target{target("a:8000")})
				synctest.Wait()
				got := strings.TrimSuffix(said(f, "a:8000"), " (pod llm/a)")
				if got == "unknown" {
					got = strings.TrimPrefix(strings.TrimSpace(faults(f)), "launch arguments of a:8000: ")
				}
				if got != tc.want {
					t.Errorf("%s\nwant %s", got, tc.want)
				}
			})
		})
	}
}

func TestDiscoveryMayNameTheContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := running(t, launch.Options{Pods: &pods{all: map[string]any{"llm/a": podOf(t, `{"name": "x", "args": ["--max-num-seqs", "1"]}`, `{"name": "vllm", "args": ["--max-num-seqs", "8"]}`)}}})
		f.Sync([]launch.Target{target("a:8000", "__meta_kubernetes_pod_container_name", "vllm")})
		synctest.Wait()
		if got := said(f, "a:8000"); got != "--max-num-seqs 8 (pod llm/a)" {
			t.Error(got)
		}
	})
}

// api is Kubernetes as far as it is asked: over TLS, for who has the token.
type api struct {
	*launch.Cluster
	asked []string
}

func newAPI(t *testing.T) *api {
	t.Helper()
	a := &api{}
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.asked = append(a.asked, r.Method+" "+r.URL.Path)
		switch {
		case r.Header.Get("Authorization") != "Bearer t0ken-2":
			w.WriteHeader(http.StatusUnauthorized)
		case strings.HasPrefix(r.URL.Path, "/api/v1/namespaces/other/"):
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"kind": "Status", "message": "pods is forbidden"}`)
		case r.URL.Path == "/api/v1/namespaces/llm/pods/chat-0":
			fmt.Fprint(w, `{"kind": "Pod", "spec": {"containers": [{"name": "vllm", "args": ["--max-num-seqs", "8"]}]}}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(s.Close)
	dir := t.TempDir()
	a.Cluster = &launch.Cluster{Server: s.URL, TokenFile: filepath.Join(dir, "token"), CAFile: filepath.Join(dir, "ca.crt")}
	write(t, a.TokenFile, "t0ken-1\n")
	write(t, a.CAFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	return a
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAPodIsReadWithTheTokenAsItIsNow(t *testing.T) {
	a := newAPI(t)
	if _, err := a.Pod(t.Context(), "llm", "chat-0"); err == nil || !strings.Contains(err.Error(), "read pod llm/chat-0: status 401") || strings.Contains(err.Error(), "t0ken") {
		t.Errorf("the old token: %v", err)
	}
	write(t, a.TokenFile, "t0ken-2\n")
	p, err := a.Pod(t.Context(), "llm", "chat-0")
	if err != nil || len(p.Spec.Containers) != 1 || p.Spec.Containers[0].Args[1] != "8" {
		t.Fatal(p, err)
	}
	for _, tc := range [][2]string{
		{"other/chat-0", "read pods of namespace other: not allowed: the service account needs the verb get on pods"},
		{"llm/chat-1", "read pod llm/chat-1: this cluster has no such pod"},
	} {
		namespace, name, _ := strings.Cut(tc[0], "/")
		if _, err := a.Pod(t.Context(), namespace, name); err == nil || err.Error() != tc[1] {
			t.Errorf("%s: %v", tc[0], err)
		}
	}
	if got := a.asked[len(a.asked)-1]; got != "GET /api/v1/namespaces/llm/pods/chat-1" {
		t.Error(got)
	}
}

func TestTheAuthorityIsReadWhenItIsUsed(t *testing.T) {
	a := newAPI(t)
	write(t, a.TokenFile, "t0ken-2")
	if _, err := a.Pod(t.Context(), "llm", "chat-0"); err != nil {
		t.Fatal(err)
	}
	write(t, a.CAFile, "no certificate")
	if _, err := a.Pod(t.Context(), "llm", "chat-0"); err == nil || !strings.Contains(err.Error(), "no certificate in it") {
		t.Error(err)
	}
}

func TestOnlyInAClusterThereIsOne(t *testing.T) {
	env := map[string]string{}
	if _, ok := launch.InCluster(func(n string) string { return env[n] }); ok {
		t.Error("found a cluster where there is none")
	}
	env["KUBERNETES_SERVICE_HOST"], env["KUBERNETES_SERVICE_PORT"] = "fd00::1", "443"
	c, ok := launch.InCluster(func(n string) string { return env[n] })
	if !ok || c.Server != "https://[fd00::1]:443" {
		t.Error(c, ok)
	}
}
