package serverinfo_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/source/httpclient"
	"github.com/inferdx/inferdx/internal/source/serverinfo"
	"github.com/inferdx/inferdx/playbooks/knobs"
)

// watching starts a watch and ends it with the test.
func watching(t *testing.T, timeout time.Duration) *serverinfo.Watch {
	t.Helper()
	c, err := knobs.Load(knobs.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	client, err := httpclient.New(httpclient.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := serverinfo.NewWatch(serverinfo.WatchOptions{Client: client, Timeout: timeout}, c)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done; client.Close() })
	return w
}

func labels(instance string) model.Labels {
	return model.LabelsFrom(map[string]string{"job": "vllm", "instance": instance, "pod": "chat-0"})
}

// soon waits for something that happens in another goroutine.
func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

func TestAServerIsAskedAtFirstSightAndAfterEachRestart(t *testing.T) {
	var asked, seqs atomic.Int32
	seqs.Store(8)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/version" {
			asked.Add(1)
			fmt.Fprint(w, `{"version":"0.32.0"}`)
			return
		}
		fmt.Fprintf(w, `{"vllm_config":{"scheduler_config":{"max_num_seqs":%d}}}`, seqs.Load())
	}))
	defer s.Close()
	w := watching(t, 0)
	now := func() string {
		facts, configured := w.Of(model.LabelsFrom(map[string]string{"job": "vllm", "instance": "a:8000", "model_name": "m"}))
		return fmt.Sprint(facts["max_num_seqs"].Text, configured)
	}
	targets := []serverinfo.Target{{Labels: labels("a:8000"), URL: s.URL + "/metrics"}, {Labels: labels("b:8000"), URL: "::"}}
	for range 20 { // discovery comes back again and again
		w.Sync(targets)
	}
	soon(t, "the settings of a", func() bool { return now() == "8true" })
	seqs.Store(64)
	w.Sync(targets)
	time.Sleep(20 * time.Millisecond)
	if got := now(); got != "8true" || asked.Load() != 1 {
		t.Errorf("%s, asked %d times", got, asked.Load())
	}
	w.Restarted(labels("a:8000"))
	if got := now(); got == "8true" {
		t.Error("what the server said before its restart is still given")
	}
	soon(t, "the settings after the restart", func() bool { return now() == "64true" })
	w.Sync(nil)
	if got := now(); got != "false" || asked.Load() != 2 {
		t.Errorf("a server that is gone: %s, asked %d times", got, asked.Load())
	}
}

func TestASickServerIsLeftAlone(t *testing.T) {
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer s.Close()
	w := watching(t, 0)
	w.Sync([]serverinfo.Target{{Labels: labels("a:8000"), URL: s.URL}})
	soon(t, "a question", func() bool { return asked.Load() == 1 })
	for range 20 {
		w.Sync([]serverinfo.Target{{Labels: labels("a:8000"), URL: s.URL}})
		time.Sleep(5 * time.Millisecond)
	}
	if facts, configured := w.Of(labels("a:8000")); asked.Load() != 1 || facts != nil || configured {
		t.Error(asked.Load(), facts, configured)
	}
}

func TestTheVersionIsKnownWhileTheSettingsDoNotCome(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/version" {
			fmt.Fprint(w, `{"version":"0.32.0"}`)
			return
		}
		<-r.Context().Done()
	}))
	defer s.Close()
	w := watching(t, 200*time.Millisecond)
	w.Sync([]serverinfo.Target{{Labels: labels("a:8000"), URL: s.URL}})
	soon(t, "the version", func() bool {
		facts, configured := w.Of(labels("a:8000"))
		return facts["engine_version"].Text == "0.32.0" && !configured
	})
}
