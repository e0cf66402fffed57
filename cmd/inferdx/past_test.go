package main

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/require"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/recording"
)

// TestARegressionIsFoundInARecordingAndInPrometheus has a server slow down in the last hour of two
// days, within every objective. Both sources know yesterday; one hour alone knows nothing of it.
func TestARegressionIsFoundInARecordingAndInPrometheus(t *testing.T) {
	const symptom = "decode-slower-than-its-past"
	whole, hour := twoDays(t, 0), twoDays(t, 47*time.Hour)
	want := reportOf(t, "--recording", whole)
	if !strings.Contains(strings.Join(gist(want), "\n"), symptom) {
		t.Fatalf("the recording of two days shows %v", gist(want))
	}
	if got := gist(reportOf(t, "--recording", hour)); strings.Contains(strings.Join(got, "\n"), symptom) {
		t.Errorf("one hour cannot show it, got %v", got)
	}
	for _, x := range want.Targets[0].Symptoms {
		if x.ID == symptom && x.Evidence[0].Text != "mean inter-token time 60 ms; 20 ms a day ago" {
			t.Errorf("got %q", x.Evidence[0].Text)
		}
	}
	for file, want := range map[string]model.Report{whole: want, hour: reportOf(t, "--recording", hour)} {
		url := require.Prometheus(t, file)
		at := func(later time.Duration) string {
			return want.GeneratedAt.Add(later).Format("2006-01-02T15:04:05.999Z07:00")
		}
		for name, args := range map[string][]string{
			"at the end":          {"--at", at(0)},
			"with a query offset": {"--at", at(90 * time.Second), "--query-offset", "90s"},
		} {
			if diff := cmp.Diff(gist(want), gist(reportOf(t, append(args, "--prometheus", url)...))); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}

// twoDays writes a recording of one server, scraped every 30 s, from a time since the start on.
func twoDays(t *testing.T, from time.Duration) string {
	t.Helper()
	begin := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	st := samples.NewStore()
	fast, all := 0.0, 0.0
	for at := time.Duration(0); at <= 48*time.Hour; at += 30 * time.Second {
		all += 900
		if at < 47*time.Hour {
			fast += 900
		}
		if at < from {
			continue
		}
		add := func(name string, v float64, more ...string) {
			labels := map[string]string{"job": "vllm", "instance": "a:8000"}
			if name != "up" {
				labels["model_name"] = "m"
			}
			if len(more) > 0 {
				labels["le"] = more[0]
			}
			st.Series(name, model.LabelsFrom(labels)).Add(begin.Add(at).UnixMilli(), v)
		}
		add("up", 1)
		add("vllm:num_requests_running", 16)
		add("vllm:num_requests_waiting", 0)
		add("vllm:num_preemptions_total", 0)
		add("vllm:generation_tokens_total", all)
		const itl = "vllm:inter_token_latency_seconds"
		add(itl+"_bucket", fast, "0.025")
		add(itl+"_bucket", all, "0.1")
		add(itl+"_bucket", all, "+Inf")
		add(itl+"_sum", 0.02*fast+0.06*(all-fast))
		add(itl+"_count", all)
	}
	st.Finish()
	return written(t, st, "two-days.om.gz")
}

// written puts samples into a recording.
func written(t *testing.T, st *samples.Store, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	if err := recording.Write(z, st, nil); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestABurningBudgetIsFoundInARecordingAndInPrometheus has three first tokens in ten come late in the last
// hours of ten. Both sources know the hours before; ten minutes alone know nothing of them.
func TestABurningBudgetIsFoundInARecordingAndInPrometheus(t *testing.T) {
	whole, minutes := tenHours(t, 0), tenHours(t, 10*time.Hour-10*time.Minute)
	want := reportOf(t, "--recording", whole)
	shown := map[string]model.Symptom{}
	for _, x := range want.Targets[0].Symptoms {
		shown[x.ID] = x
	}
	for id, text := range map[string]string{
		"ttft-budget-burning":        "357 of 1,190 first tokens came later than 2.0 s in the last hour",
		"ttft-budget-burning-slowly": "1,080 of 7,190 first tokens came later than 2.0 s in the last 6 hours",
	} {
		if x, ok := shown[id]; !ok || x.Evidence[0].Text != text {
			t.Errorf("%s: got %+v", id, x)
		}
	}
	for _, c := range want.Targets[0].Causes {
		if !slices.Contains(c.Explains, "ttft-budget-burning") {
			t.Errorf("%s explains %v only", c.ID, c.Explains)
		}
	}
	if got := strings.Join(gist(reportOf(t, "--recording", minutes)), "\n"); strings.Contains(got, "budget") || !strings.Contains(got, "ttft-high") {
		t.Errorf("ten minutes show %s", got)
	}
	url := require.Prometheus(t, whole)
	got := reportOf(t, "--prometheus", url, "--at", want.GeneratedAt.Format("2006-01-02T15:04:05.999Z07:00"))
	if diff := cmp.Diff(ids(want), ids(got)); diff != "" {
		t.Error(diff)
	}
}

func ids(r model.Report) []string {
	var out []string
	for _, x := range r.Targets[0].Symptoms {
		out = append(out, x.ID)
	}
	return out
}

// tenHours writes a recording of one server, scraped every 30 s, from a time since the start on. In its last three
// hours three first tokens in ten come late.
func tenHours(t *testing.T, from time.Duration) string {
	t.Helper()
	begin := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	st := samples.NewStore()
	fast, all := 0.0, 0.0
	for at := time.Duration(0); at <= 10*time.Hour; at += 30 * time.Second {
		all += 10
		if fast += 10; at > 7*time.Hour {
			fast -= 3
		}
		if at < from {
			continue
		}
		add := func(name string, v float64, more ...string) {
			labels := map[string]string{"job": "vllm", "instance": "a:8000"}
			if name != "up" {
				labels["model_name"] = "m"
			}
			if len(more) > 0 {
				labels["le"] = more[0]
			}
			st.Series(name, model.LabelsFrom(labels)).Add(begin.Add(at).UnixMilli(), v)
		}
		add("up", 1)
		add("vllm:num_requests_running", 16)
		add("vllm:num_requests_waiting", 3)
		const ttft = "vllm:time_to_first_token_seconds"
		add(ttft+"_bucket", fast, "2.0")
		add(ttft+"_bucket", all, "+Inf")
		add(ttft+"_sum", all)
		add(ttft+"_count", all)
	}
	st.Finish()
	return written(t, st, "ten-hours.om.gz")
}
