package alertmanager_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/require"
	"github.com/inferdx/inferdx/notifiers/alertmanager"
	"github.com/inferdx/inferdx/notifiers/notifiertest"
)

// held are the alerts that a real Alertmanager shows: those that have not ended.
func held(t *testing.T, url string) []alert {
	t.Helper()
	resp, err := http.Get(url + "/api/v2/alerts") //nolint:noctx // a loopback address of the test
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out []alert
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// until waits for the Alertmanager to hold n alerts.
func until(t *testing.T, url string, n int) []alert {
	t.Helper()
	var got []alert
	for range 100 {
		if got = held(t, url); len(got) == n {
			return got
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("the Alertmanager holds %d alerts, want %d: %+v", len(got), n, got)
	return nil
}

func TestARealAlertmanagerHoldsOneAlertThatChangesAndEnds(t *testing.T) {
	url := require.Alertmanager(t)
	resend := 500 * time.Millisecond
	n := notifier(t, alertmanager.Options{Resend: resend, Now: time.Now}, url)
	now := time.Now()
	m := notifiertest.Message()
	m.At, m.Onset, m.Diagnoses[0].Onset = now, now.Add(-time.Minute), ptr(now.Add(-time.Minute))
	if _, err := n.Notify(t.Context(), m, nil); err != nil {
		t.Fatal(err)
	}
	first := until(t, url, 1)[0]
	if first.Annotations["cause"] != "max-num-seqs-too-low" || first.StartsAt.Sub(now.Add(-time.Minute)).Abs() > time.Second {
		t.Errorf("got %+v", first)
	}

	// Kept past its first end, with another cause: still one alert.
	changed := notifiertest.Diagnosis("h200-0:8000")
	changed.Onset, changed.Causes[0].ID, changed.Causes[0].Score = m.Diagnoses[0].Onset, "over-capacity", 0.6
	for time.Since(now) < 6*resend {
		if err := n.Keep(t.Context(), []model.Diagnosis{changed}, time.Now()); err != nil {
			t.Fatal(err)
		}
		got := until(t, url, 1)[0]
		if got.Annotations["cause"] != "over-capacity" || !got.StartsAt.Equal(first.StartsAt) {
			t.Fatalf("got %+v", got)
		}
		time.Sleep(resend)
	}

	// Worse: the critical alert takes the place of the warning.
	worse := changed
	worse.Symptoms = []model.Symptom{changed.Symptoms[0]}
	worse.Symptoms[0].Severity = model.Critical
	if err := n.Keep(t.Context(), []model.Diagnosis{worse}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if got := until(t, url, 1)[0]; got.Labels["severity"] != "critical" {
		t.Errorf("got %+v", got)
	}

	end := notifiertest.Resolved()
	end.At, end.Diagnoses = time.Now(), []model.Diagnosis{worse}
	if _, err := n.Notify(t.Context(), end, nil); err != nil {
		t.Fatal(err)
	}
	until(t, url, 0)
}

func TestARealAlertmanagerEndsTheAlertsOfTheDead(t *testing.T) {
	url := require.Alertmanager(t)
	n := notifier(t, alertmanager.Options{Resend: 500 * time.Millisecond, Now: time.Now}, url)
	if err := n.Keep(t.Context(), notifiertest.Many(3).Diagnoses, time.Now()); err != nil {
		t.Fatal(err)
	}
	sent := time.Now()
	until(t, url, 3)
	until(t, url, 0)
	if lived := time.Since(sent); lived < 1500*time.Millisecond {
		t.Errorf("the alerts lived %s only", lived)
	}
}

func ptr[T any](v T) *T { return &v }
