package alerts_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/alerts"
	"github.com/inferdx/inferdx/internal/model"
)

var t0 = time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)

const hook = `{"version":"4","groupKey":"{}","truncatedAlerts":0,"status":"firing","receiver":"inferdx","new_field":1,"alerts":[
 {"status":"firing","labels":{"alertname":"HighTTFT","instance":"a:8000","severity":"page"},"annotations":{"summary":"TTFT is high","description":"P99 8 s"},"startsAt":"2026-11-24T02:55:00Z","endsAt":"0001-01-01T00:00:00Z","fingerprint":"x"}]}`

// desk takes alerts as the service does.
type desk struct {
	mu     sync.Mutex
	active alerts.Active
	now    time.Time
	full   bool
}

func (d *desk) take(all []alerts.Alert) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	next, ok := d.active.Apply(all, d.now)
	if !ok || d.full {
		return alerts.ErrFull
	}
	d.active = next
	return nil
}

func (d *desk) serve(change ...func(*alerts.Options)) http.Handler {
	o := alerts.Options{Take: d.take, ResolveTimeout: func() time.Duration { return 5 * time.Minute }, Now: func() time.Time { return d.now }}
	for _, f := range change {
		f(&o)
	}
	mux := http.NewServeMux()
	for pattern, h := range alerts.Handler(o) {
		mux.Handle(pattern, h)
	}
	return mux
}

func post(h http.Handler, path, body string, header ...string) (int, string) {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestAnAlertLastsUntilItsEndIsSaid(t *testing.T) {
	d := &desk{now: t0}
	h := d.serve()
	if code, body := post(h, "/api/v1/alertmanager", hook); code != 200 || !strings.HasPrefix(body, "1 alerts") {
		t.Fatalf("%d %s", code, body)
	}
	if len(d.active) != 1 || len(d.active.Expire(t0.Add(5*time.Hour))) != 1 {
		t.Fatalf("active: %v", d.active)
	}
	d.now = t0.Add(time.Minute)
	post(h, "/api/v1/alertmanager", strings.ReplaceAll(hook, `"firing"`, `"resolved"`))
	if len(d.active) != 0 {
		t.Errorf("still active: %v", d.active)
	}
}

func TestAnAlertOfPrometheusEndsWhenItIsNotSaidAgain(t *testing.T) {
	d := &desk{now: t0}
	h := d.serve()
	body := `[{"labels":{"alertname":"X","instance":"a:8000"},"startsAt":"2026-11-24T02:55:00Z","endsAt":"2026-11-24T03:04:00Z","generatorURL":"http://p"}]`
	if code, text := post(h, "/api/v2/alerts", body); code != 200 {
		t.Fatalf("%d %s", code, text)
	}
	if n := len(d.active.Expire(t0.Add(3 * time.Minute))); n != 1 {
		t.Errorf("%d before its end", n)
	}
	if n := len(d.active.Expire(t0.Add(4 * time.Minute))); n != 0 {
		t.Errorf("%d after its end", n)
	}
	post(h, "/api/v2/alerts", `[{"labels":{"alertname":"Y"}}]`)
	if n := len(d.active.Expire(t0.Add(5 * time.Minute))); n != 0 {
		t.Errorf("%d although nobody said an end for five minutes", n)
	}
}

func TestFault69WithoutTheTokenNothingIsTakenAndNothingIsTold(t *testing.T) {
	d := &desk{now: t0}
	h := d.serve(func(o *alerts.Options) { o.Token = func() (string, error) { return "s3cret", nil } })
	for _, auth := range []string{"", "Bearer wrong", "s3cret", "Basic s3cret"} {
		if code, body := post(h, "/api/v1/alertmanager", hook, "Authorization", auth); code != 401 || strings.Contains(body, "HighTTFT") {
			t.Errorf("%q: %d %s", auth, code, body)
		}
	}
	if code, _ := post(h, "/api/v1/alertmanager", hook, "Authorization", "Bearer s3cret"); code != 200 || len(d.active) != 1 {
		t.Errorf("with it: %d", code)
	}
}

func TestFault70ABodyOf48MBIsRefusedEarlyAndCostsNoMemory(t *testing.T) {
	d := &desk{now: t0}
	srv := httptest.NewServer(d.serve())
	defer srv.Close()
	big := bytes.Repeat([]byte(" "), 48<<20)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	begin := time.Now()
	for range 3 {
		resp, err := http.Post(srv.URL+"/api/v1/alertmanager", "application/json", bytes.NewReader(big)) //nolint:noctx // loopback
		if err != nil {
			continue // the server hung up while we were writing: refused all the same
		}
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("status %d", resp.StatusCode)
		}
		_ = resp.Body.Close()
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
		t.Errorf("%d bytes were allocated", grown)
	}
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestFault71AGzipBombIsRefused(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(bytes.Repeat([]byte(" "), 100<<20))
	_ = z.Close()
	d := &desk{now: t0}
	if code, _ := post(d.serve(), "/api/v1/alertmanager", b.String(), "Content-Encoding", "gzip"); code != 413 {
		t.Errorf("status %d", code)
	}
	b.Reset()
	z = gzip.NewWriter(&b)
	_, _ = z.Write([]byte(hook))
	_ = z.Close()
	if code, body := post(d.serve(), "/api/v1/alertmanager", b.String(), "Content-Encoding", "gzip"); code != 200 {
		t.Errorf("an honest one: %d %s", code, body)
	}
}

func TestFault72WhatIsWrongIsNamedByItsPlaceAndUnknownFieldsPass(t *testing.T) {
	d := &desk{now: t0}
	for _, c := range []struct{ path, body, says string }{
		{"/api/v1/alertmanager", strings.Replace(hook, `"4"`, `"3"`, 1), "version"},
		{"/api/v1/alertmanager", `{"version":"4"}`, "alerts: missing"},
		{"/api/v1/alertmanager", `{"version":"4","alerts":[{"status":"odd","labels":{"alertname":"x"}}]}`, "alerts[0].status"},
		{"/api/v1/alertmanager", `{"version":"4","alerts":[{"status":"firing","labels":{}}]}`, "alerts[0].labels"},
		{"/api/v1/alertmanager", `{"version":"4","alerts":[{"status":"firing","labels":{"alertname":7}}]}`, "alerts.labels"},
		{"/api/v2/alerts", `[{"labels":{"a":"b"}}]`, "[0].labels.alertname"},
		{"/api/v2/alerts", `[{"labels":{"alertname":"b"},"startsAt":"2026-11-24T02:00:00Z","endsAt":"2026-11-24T01:00:00Z"}]`, "[0].endsAt"},
		{"/api/v2/alerts", `{`, "unexpected"},
		{"/api/v2/alerts", `[] []`, "more follows"},
	} {
		if code, body := post(d.serve(), c.path, c.body); code != 400 || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s", c.body, code, body)
		}
	}
	if code, _ := post(d.serve(), "/api/v1/alertmanager", `{"version":"4","alerts":[]}`); code != 200 {
		t.Errorf("no alerts: %d", code)
	}
}

func TestFault73ABatchWithOneInvalidAlertIsRefusedAsAWhole(t *testing.T) {
	d := &desk{now: t0}
	code, body := post(d.serve(), "/api/v2/alerts", `[{"labels":{"alertname":"good"}},{"labels":{}}]`)
	if code != 400 || len(d.active) != 0 || !strings.Contains(body, "nothing was taken") {
		t.Errorf("%d %s %v", code, body, d.active)
	}
}

func TestFault74TheSameBatchAgainChangesNothing(t *testing.T) {
	d := &desk{now: t0}
	h := d.serve()
	post(h, "/api/v1/alertmanager", hook)
	before, _ := json.Marshal(d.active)
	post(h, "/api/v1/alertmanager", hook)
	if after, _ := json.Marshal(d.active); string(after) != string(before) {
		t.Errorf("was %s, is %s", before, after)
	}
}

func TestFault75WhenThereIsNoRoomTheSenderIsToldToComeAgain(t *testing.T) {
	d := &desk{now: t0}
	var many []string
	for i := range 10_000 {
		many = append(many, fmt.Sprintf(`{"labels":{"alertname":"x","instance":"i%d"}}`, i))
	}
	if code, body := post(d.serve(), "/api/v2/alerts", "["+strings.Join(many, ",")+"]"); code != 200 {
		t.Fatalf("10,000 alerts: %d %.200s", code, body)
	}
	r := httptest.NewRequest(http.MethodPost, "/api/v2/alerts", strings.NewReader(`[{"labels":{"alertname":"y"}}]`))
	w := httptest.NewRecorder()
	d.serve().ServeHTTP(w, r)
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || len(d.active) != 10_000 {
		t.Errorf("one more: %d, %d active", w.Code, len(d.active))
	}
}

func TestFault76RandomLabelsFillNoMemory(t *testing.T) {
	d := &desk{now: t0}
	h := d.serve()
	for n := range 30 {
		var many []string
		for i := range 1000 {
			many = append(many, fmt.Sprintf(`{"labels":{"alertname":"x","r":"%d-%d"}}`, n, i))
		}
		post(h, "/api/v2/alerts", "["+strings.Join(many, ",")+"]")
	}
	if len(d.active) > 10_000 {
		t.Errorf("%d are kept", len(d.active))
	}
}

func TestOurOwnAlertsAreDropped(t *testing.T) {
	d := &desk{now: t0}
	_, body := post(d.serve(), "/api/v2/alerts", `[{"labels":{"alertname":"InferdxDiagnosis","inferdx":"true"}}]`)
	if len(d.active) != 0 || !strings.Contains(body, "1 were inferdx's own") {
		t.Errorf("%s %v", body, d.active)
	}
}

func seen(instance string, status model.Status) model.Diagnosis {
	return model.Diagnosis{Target: map[string]string{"job": "vllm", "instance": instance, "model_name": "m", "namespace": "llm", "pod": "p-" + instance}, Scope: model.ScopeTarget, Status: status, Fingerprint: "f-" + instance}
}

func TestAnAlertFindsItsServersByTheLabelsThatBothHave(t *testing.T) {
	targets := []map[string]string{seen("a:8000", "").Target, seen("b:8000", "").Target}
	for _, c := range []struct {
		labels string
		want   string
	}{
		{`{"instance":"a:8000"}`, "[0]"},
		{`{"instance":"a"}`, "[0]"},
		{`{"instance":"a:9400"}`, "[]"},
		{`{"instance":"a:8000","job":"vllm-rules"}`, "[0]"},
		{`{"exported_instance":"b:8000","instance":"exporter:9100"}`, "[1]"},
		{`{"pod":"p-b:8000","namespace":"llm"}`, "[1]"},
		{`{"pod":"p-b:8000","namespace":"other"}`, "[]"},
		{`{"model_name":"m"}`, "[0 1]"},
		{`{"job":"vllm"}`, "[]"},
		{`{"team":"x"}`, "[]"},
	} {
		var a alerts.Alert
		if err := json.Unmarshal([]byte(`{"labels":`+c.labels+`}`), &a); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(alerts.Match(a, targets)); got != c.want {
			t.Errorf("%s: %s, want %s", c.labels, got, c.want)
		}
	}
}

func TestAnAlertBecomesASymptomThatSaysWhoSawIt(t *testing.T) {
	all, _, err := alerts.Webhook([]byte(hook), t0)
	if err != nil {
		t.Fatal(err)
	}
	ds := []model.Diagnosis{seen("a:8000", model.Healthy), seen("b:8000", model.Healthy)}
	got := alerts.Enrich(ds, all)
	s := got[0].Symptoms[0]
	if s.ID != "HighTTFT" || s.Severity != model.Critical || s.State != model.Firing || !s.Since.Equal(t0.Add(-5*time.Minute)) || !strings.Contains(fmt.Sprint(s.Evidence), "Alertmanager, receiver inferdx") {
		t.Errorf("got %+v", s)
	}
	if got[0].Status != model.Degraded || len(got[0].Notes) != 1 || got[0].Fingerprint == ds[0].Fingerprint || len(got[1].Symptoms) != 0 {
		t.Errorf("got %+v", got)
	}
	if ds[0].Status != model.Healthy || len(ds[0].Symptoms) != 0 {
		t.Error("what was given was changed")
	}
	all[0].Annotations["summary"] = "other words"
	if again := alerts.Enrich(ds, all); again[0].Fingerprint != got[0].Fingerprint {
		t.Error("other words are another problem")
	}
}

func TestFault57AnAlertAboutNoServerThatIsWatchedSaysSo(t *testing.T) {
	all, err := alerts.Alerts([]byte(`[{"labels":{"alertname":"X","instance":"z:1"},"annotations":{"summary":"<b>`+strings.Repeat("long ", 200)+`"}}]`), t0)
	if err != nil {
		t.Fatal(err)
	}
	got := alerts.Enrich([]model.Diagnosis{seen("a:8000", model.Healthy)}, all)
	d := got[1]
	if d.Status != model.Unknown || d.Scope != alerts.Scope || !strings.Contains(d.Notes[0], `instance="z:1"`) || !strings.Contains(d.Notes[0], "a:8000") || len(d.Summary) > 400 {
		t.Errorf("got %+v", d)
	}
}

func TestFault76LongTextsFillNoMoreThanTheirRoom(t *testing.T) {
	now := time.Now()
	long := func(i int) alerts.Alert {
		a := alerts.Alert{Labels: map[string]string{"alertname": fmt.Sprint(i)}, EndsAt: now.Add(time.Hour)}
		for k := range 63 {
			a.Labels[fmt.Sprint("l", k)] = strings.Repeat("x", 16<<10)
		}
		return a
	}
	var s alerts.Active
	for i := range 100 {
		next, ok := s.Apply([]alerts.Alert{long(i)}, now)
		if !ok {
			if i < 50 || len(s) != i {
				t.Errorf("refused after %d, %d are kept", i, len(s))
			}
			if next, ok = s.Apply([]alerts.Alert{{Labels: long(0).Labels, EndsAt: now}}, now); !ok || len(next) != i-1 {
				t.Error("an end is refused")
			}
			return
		}
		s = next
	}
	t.Error("a hundred alerts of a megabyte each were taken")
}

func TestAnEndThatDoesNotSayWhenItBeganIsTaken(t *testing.T) {
	active, _ := alerts.Active(nil).Apply([]alerts.Alert{{Labels: map[string]string{"alertname": "X"}, StartsAt: t0, EndsAt: t0.Add(time.Hour)}}, t0)
	ends, err := alerts.Alerts([]byte(`[{"labels":{"alertname":"X"},"endsAt":"`+t0.Add(time.Minute).Format(time.RFC3339)+`"}]`), t0.Add(2*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if active, ok := active.Apply(ends, t0.Add(2*time.Minute)); !ok || len(active) != 0 {
		t.Errorf("got %v", active)
	}
}
