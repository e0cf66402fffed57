package canary

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/source/httpclient"
)

// probing runs a prober until the test ends and collects what it reports by instance.
type probing struct {
	*Prober
	stop func()
	mu   sync.Mutex
	got  map[string][]Result
}

func newProbing(t *testing.T, o Options) *probing {
	t.Helper()
	client, err := httpclient.New(httpclient.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := &probing{got: map[string][]Result{}}
	o.Client = client
	o.Report = func(r Result) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.got[r.Target.Get("instance")] = append(p.got[r.Target.Get("instance")], r)
	}
	if p.Prober, err = New(o); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); p.Run(ctx) }()
	p.stop = sync.OnceFunc(func() { stop(); <-done; client.Close() })
	t.Cleanup(p.stop)
	return p
}

func (p *probing) count(instance string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.got[instance])
}

func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

func at(instance, url string) Target {
	return Target{Labels: model.LabelsFrom(map[string]string{"job": "vllm", "instance": instance}), URL: url}
}

func TestNeverMoreThanOneRequestIsUnderWayAtATarget(t *testing.T) {
	var now, most atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		most.Store(max(most.Load(), n))
		_, _ = io.Copy(io.Discard, r.Body) // only then the server sees that the client went away
		<-r.Context().Done()
	}))
	defer s.Close()
	p := newProbing(t, Options{Interval: 30 * time.Millisecond, Timeout: 30 * time.Millisecond, Model: "m"})
	for range 10 {
		p.Sync([]Target{at("a:8000", s.URL)})
	}
	soon(t, "five results", func() bool { return p.count("a:8000") >= 5 })
	p.stop()
	for i, r := range p.got["a:8000"] {
		if r.Reason != Timeout || r.Timeouts != i+1 {
			t.Errorf("%+v", r)
		}
	}
	// The server learns of a request given up a moment later than the prober does.
	if most.Load() > 2 {
		t.Errorf("%d requests at once", most.Load())
	}
}

func TestATargetThatIsGoneIsNotAskedAndOthersGoOn(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, completion[4:])
	}))
	defer s.Close()
	p := newProbing(t, Options{
		Interval: 20 * time.Millisecond, Model: "m",
		Match: func(l map[string]string) bool { return l["instance"] != "c:8000" },
	})
	a, b := at("a:8000", s.URL), at("b:8000", s.URL)
	p.Sync([]Target{a, b, at("c:8000", s.URL), at("d:8000", "::")})
	soon(t, "results of both", func() bool { return p.count("a:8000") > 0 && p.count("b:8000") > 0 })
	p.Sync([]Target{b})
	time.Sleep(30 * time.Millisecond) // what was under way ends
	gone, more := p.count("a:8000"), p.count("b:8000")+3
	soon(t, "more results of b", func() bool { return p.count("b:8000") > more })
	if p.count("a:8000") != gone || p.count("c:8000")+p.count("d:8000") > 0 {
		t.Errorf("a %d then %d, c %d, d %d", gone, p.count("a:8000"), p.count("c:8000"), p.count("d:8000"))
	}
}

func TestTargetsAreSpreadOverTheInterval(t *testing.T) {
	var mu sync.Mutex
	var when []time.Time
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		when = append(when, time.Now())
		mu.Unlock()
		fmt.Fprint(w, completion[4:])
	}))
	defer s.Close()
	const interval = 400 * time.Millisecond
	p := newProbing(t, Options{Interval: interval, Model: "m"})
	var all []Target
	for i := range 40 {
		all = append(all, at(fmt.Sprintf("10.0.0.%d:8000", i), s.URL))
	}
	p.Sync(all)
	soon(t, "a result of each", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(when) >= 40
	})
	p.stop()
	parts := map[int]int{}
	for _, x := range when[:40] {
		parts[int(x.Sub(when[0])*4/interval)]++
	}
	for part, n := range parts {
		if n > 25 {
			t.Errorf("%d of 40 in part %d of the interval: %v", n, part, parts)
		}
	}
}
