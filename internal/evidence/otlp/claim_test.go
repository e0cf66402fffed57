package otlp

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// from is a request of an hour's first seconds whose sender tells its host.
func from(trace int, host string, end time.Time) string {
	return strings.Replace(spanOf(trace, "vllm", end), `{"key":"service.name"`, `{"key":"host.name","value":{"stringValue":"`+host+`"}},{"key":"service.name"`, 1)
}

func requestsOf(v *View, target map[string]string) int {
	if t := v.Traces(model.LabelsFrom(target)); t != nil {
		return t.Requests
	}
	return 0
}

func TestAServerThatIsNotWatchedIsNotTakenForAnotherOfItsName(t *testing.T) {
	targets := []map[string]string{{"instance": "10.0.0.1:8000", "job": "vllm"}}
	for _, c := range []struct {
		name  string
		hosts [2]string
		peers [2]string
		gap   time.Duration
		want  int
	}{
		{"two hosts of one name", [2]string{"gpu-1", "gpu-2"}, [2]string{}, 0, 0},
		{"one comes from where the metrics do", [2]string{}, [2]string{"10.0.0.1", "10.0.0.2"}, 0, 20},
		{"two addresses of one name behind a bridge", [2]string{}, [2]string{"172.17.0.2", "172.17.0.3"}, 0, 0},
		{"one behind a bridge", [2]string{}, [2]string{"172.17.0.2", "172.17.0.2"}, 0, 40},
		{"one that was started anew elsewhere", [2]string{"gpu-1", "gpu-2"}, [2]string{}, time.Minute, 40},
	} {
		w := NewWindow(Limits{Span: time.Hour, PerSender: 1000, Total: 1000, Senders: 10})
		for i := range 40 {
			which, at := i%2, noon.Add(time.Duration(i/2)*time.Second)
			if which == 1 {
				at = at.Add(c.gap)
			}
			text := from(i+1, c.hosts[which], at)
			if _, err := w.Add(batch(t, text), c.peers[which], noon); err != nil {
				t.Fatal(err)
			}
		}
		v := w.View(Matcher{}, targets, noon.Add(-time.Minute), noon)
		if got := requestsOf(v, targets[0]); got != c.want || got+v.Ambiguous["vllm"]+v.Ambiguous["vllm (host.name gpu-1)"]+v.Ambiguous["vllm (host.name gpu-2)"] != 40 {
			t.Errorf("%s: %d requests are of it, want %d; left out: %v", c.name, got, c.want, v.Ambiguous)
		}
		if got := len(v.Notes(targets[0])); (got == 1) != (c.want < 40) {
			t.Errorf("%s: %q", c.name, v.Notes(targets[0]))
		}
	}
}

func TestManySendersThatMayBeAnyServerAreOneNote(t *testing.T) {
	targets := []map[string]string{{"instance": "a:1", "job": "vllm"}, {"instance": "b:1", "job": "vllm"}}
	w := NewWindow(Limits{Span: time.Hour, PerSender: 1000, Total: 1000, Senders: 100})
	for i := range 50 {
		if _, err := w.Add(batch(t, from(i+1, fmt.Sprint("host-", i), noon)), "", noon); err != nil {
			t.Fatal(err)
		}
	}
	n := w.View(Matcher{}, targets, noon.Add(-time.Minute), noon).Notes(targets[0])
	if len(n) != 1 || !strings.HasPrefix(n[0], "50 traced requests of vllm (host.name host-0)") || !strings.Contains(n[0], "and 47 more") {
		t.Errorf("%q", n)
	}
}

func TestWhatACollectorKeptOverAnOutageIsNotNow(t *testing.T) {
	targets := []map[string]string{{"instance": "a:1", "job": "vllm"}}
	for _, skew := range []time.Duration{0, -24 * time.Hour, 24 * time.Hour} {
		w := NewWindow(Limits{Span: time.Hour, PerSender: 1000, Total: 1000, Senders: 100})
		for i := range 60 {
			end := noon.Add(skew - time.Duration(i%20)*time.Second)
			if i >= 20 {
				end = end.Add(-30 * time.Minute)
			}
			if _, err := w.Add(batch(t, spanOf(i+1, "vllm", end)), "", noon); err != nil {
				t.Fatal(err)
			}
		}
		v := w.View(Matcher{}, targets, noon.Add(-5*time.Minute), noon)
		if got, n := requestsOf(v, targets[0]), v.Notes(targets[0]); got != 20 || len(n) != 1 || !strings.HasPrefix(n[0], "40 traced requests ended long before") {
			t.Errorf("a clock that is off by %s: %d requests, %q", skew, got, n)
		}
	}
}
