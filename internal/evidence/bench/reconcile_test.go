package bench_test

import (
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/evidence/bench"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/source/recording"
)

// diagnose looks at a recording of a real server together with what a client saw of it; no name is no benchmark.
func diagnose(t *testing.T, record, result string) model.Diagnosis {
	t.Helper()
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	st, err := recording.Open("testdata/"+record+".om.gz", func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	_, last, _ := st.Bounds()
	r := pipeline.Request{At: time.UnixMilli(last), Window: 5 * time.Minute}
	if result != "" {
		f := open(t, result+".json.gz")
		r.Benchmark = func(from, to time.Time) (map[string]model.Fact, []string) {
			return bench.During([]*bench.File{f}, from, to)
		}
	}
	report := pipeline.New(c, nil, engine.Fit{}).Diagnose(st, r)
	if len(report.Targets) != 1 {
		t.Fatalf("%d targets", len(report.Targets))
	}
	return report.Targets[0]
}

func primary(d model.Diagnosis) *model.Cause {
	for i := range d.Causes {
		if d.Causes[i].Primary {
			return &d.Causes[i]
		}
	}
	return nil
}

func symptom(d model.Diagnosis, id string) bool {
	for _, s := range d.Symptoms {
		if s.ID == id {
			return true
		}
	}
	return false
}

func TestARealClientThatStopsAtItsOwnLimitIsNamed(t *testing.T) {
	d := diagnose(t, "vllm-capped", "vllm-capped")
	c := primary(d)
	if c == nil || c.ID != "client-bottleneck" || !symptom(d, "client-sends-less-than-asked") {
		t.Fatalf("primary %v", c)
	}
	if want := "limit of 4 in flight"; !strings.Contains(c.For[0].Text, want) || !strings.Contains(c.Changes[0].Text, want) {
		t.Errorf("for %q, change %q", c.For[0].Text, c.Changes[0].Text)
	}
	if symptom(d, "clients-wait-before-server") {
		t.Error("client and server agree on the requests that were sent, and time is said to be lost between them")
	}
}

func TestARealProxyThatHoldsRequestsBackIsNamedWithTheTimeLost(t *testing.T) {
	d := diagnose(t, "vllm-proxy", "vllm-proxy")
	c := primary(d)
	if c == nil || c.ID != "client-bottleneck" || !symptom(d, "clients-wait-before-server") {
		t.Fatalf("primary %v", c)
	}
	// 32 in flight at the client, eight connections behind the proxy.
	if want := "of 31 requests in flight at the client 23 are not in the server"; !strings.Contains(c.For[0].Text, want) {
		t.Errorf("for %q", c.For[0].Text)
	}
}

func TestARealClientThatAgreesWithItsServerAccusesNobodyBetweenThem(t *testing.T) {
	d := diagnose(t, "vllm-sharegpt-detailed", "vllm-sharegpt-detailed")
	if symptom(d, "clients-wait-before-server") || symptom(d, "client-sends-less-than-asked") {
		t.Error("client and server agree, and time is said to be lost between them")
	}
	for _, c := range d.Causes {
		if c.ID == "client-bottleneck" {
			t.Errorf("client-bottleneck stands among the causes with %.2f", c.Score)
		}
	}
	if len(d.Notes) == 0 || !strings.Contains(strings.Join(d.Notes, "\n"), "vllm bench serve") {
		t.Errorf("the client's figures are not shown: %q", d.Notes)
	}
}

func TestWithoutTheBenchmarkNoneOfItIsSeen(t *testing.T) {
	for _, record := range []string{"vllm-capped", "vllm-proxy"} {
		if d := diagnose(t, record, ""); symptom(d, "clients-wait-before-server") || symptom(d, "client-sends-less-than-asked") {
			t.Errorf("%s: seen without the client's result", record)
		}
	}
}

func TestABenchmarkOfAnotherTimeIsNotReconciled(t *testing.T) {
	d := diagnose(t, "vllm-sharegpt-detailed", "vllm-capped") // four minutes apart
	if symptom(d, "client-sends-less-than-asked") || !strings.Contains(strings.Join(d.Notes, "\n"), "nothing of it is compared") {
		t.Errorf("notes %q", d.Notes)
	}
}
