package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/store"
	"github.com/inferdx/inferdx/notifiers"
)

var t0 = time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)

func open(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), path, store.Options{Now: func() time.Time { return t0 }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func fresh(t testing.TB) (*store.Store, string) {
	path := filepath.Join(t.TempDir(), "data", "inferdx.db")
	return open(t, path), path
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func message(receiver, key string, n int, r plan.Reason) plan.Message {
	return plan.Message{
		ID: fmt.Sprintf("%s/%s/%d", receiver, key, n), Receiver: receiver, Key: key, Number: n, Reason: r,
		At: t0, Onset: t0, Deadline: t0.Add(time.Hour),
	}
}

func hurt(instance, fingerprint string) store.Observed {
	onset := t0.Add(-time.Minute)
	return store.Observed{
		Diagnosis: model.Diagnosis{
			Target: map[string]string{"instance": instance, "job": "vllm"}, Scope: model.ScopeTarget, Status: model.Degraded,
			Fingerprint: fingerprint, Onset: &onset, Causes: []model.Cause{{ID: "kv-cache-too-small", Score: 0.9, Primary: true}},
		},
		Signals: map[string]float64{"waiting": 53},
	}
}

func TestATickIsThereAfterAReopen(t *testing.T) {
	s, path := fresh(t)
	state := engine.State{"rule\xfftarget\xffinstance\xffa\xfe": {Since: t0, Observed: time.Minute, LastSeen: t0, LastTrue: t0, Firing: true}}
	sent := store.Sent{{Receiver: "oncall", Key: "a"}: json.RawMessage(`{"n":1}`)}
	tick := store.Tick{
		At: t0, State: state, Sent: sent,
		Transitions: []store.Transition{{
			At: t0, Entity: store.EntityKey(model.ScopeTarget, map[string]string{"instance": "a"}),
			Symptom: "queue-growing", From: model.Pending, To: model.Firing, Severity: model.Critical,
		}},
		Diagnoses: []store.Observed{hurt("a", "f1")},
		Messages:  []plan.Message{message("oncall", "a", 1, plan.First)},
	}
	must(t, s.Tick(t.Context(), tick))
	must(t, s.Close())

	s = open(t, path)
	gotState, gotSent := s.Load()
	if diff := cmp.Diff(state, gotState); diff != "" {
		t.Error("state", diff)
	}
	if diff := cmp.Diff(sent, gotSent); diff != "" {
		t.Error("sent", diff)
	}
	ts, err := s.Transitions(t.Context(), store.Range{})
	must(t, err)
	if diff := cmp.Diff(tick.Transitions, ts, cmpopts.IgnoreFields(store.Transition{}, "ID")); diff != "" {
		t.Error("transitions", diff)
	}
	ds, err := s.Diagnoses(t.Context(), store.Range{Entity: `target{"instance":"a","job":"vllm"}`})
	must(t, err)
	if len(ds) != 1 || !ds[0].Onset || ds[0].Signals["waiting"] != 53 || ds[0].Cause != "kv-cache-too-small" || ds[0].Score != 0.9 {
		t.Errorf("the snapshot at onset is %+v", ds)
	}
	ms, err := s.Notifications(t.Context(), store.NotificationQuery{State: store.Waiting})
	must(t, err)
	if len(ms) != 1 || !cmp.Equal(ms[0].Message, tick.Messages[0]) {
		t.Errorf("open messages are %+v", ms)
	}

	must(t, s.Tick(t.Context(), store.Tick{At: t0, State: engine.State{}, Sent: store.Sent{}}))
	must(t, s.Close())
	gotState, gotSent = open(t, path).Load()
	if gotState != nil || len(gotSent) != 0 {
		t.Errorf("after everything ended, %v and %v are remembered", gotState, gotSent)
	}
}

func TestATickThatFailsLeavesNothing(t *testing.T) {
	s, _ := fresh(t)
	bad := hurt("a", "f1")
	bad.Diagnosis.Changed = []model.Change{{From: func() {}}} // has no JSON
	tick := store.Tick{
		At: t0, State: engine.State{"x": {Since: t0}}, Sent: store.Sent{{Receiver: "r", Key: "k"}: json.RawMessage(`1`)},
		Transitions: []store.Transition{{At: t0, Symptom: "s"}}, Diagnoses: []store.Observed{bad},
		Messages: []plan.Message{message("r", "k", 1, plan.First)},
	}
	if err := s.Tick(t.Context(), tick); err == nil {
		t.Fatal("no error")
	}
	ts, err := s.Transitions(t.Context(), store.Range{})
	must(t, err)
	ms, err := s.Notifications(t.Context(), store.NotificationQuery{})
	must(t, err)
	if state, sent := s.Load(); len(ts)+len(ms)+len(state)+len(sent) != 0 {
		t.Errorf("left: %v %v %v %v", ts, ms, state, sent)
	}
	tick.Diagnoses = nil
	must(t, s.Tick(t.Context(), tick)) // what failed is not taken for written
	if state, sent := s.Load(); len(state) != 1 || len(sent) != 1 {
		t.Errorf("the next tick wrote %v %v", state, sent)
	}
}

func TestADiagnosisIsStoredWhenItSaysSomethingNew(t *testing.T) {
	s, path := fresh(t)
	well := hurt("a", "")
	well.Diagnosis.Status, well.Diagnosis.Onset = model.Healthy, nil
	at := t0
	tick := func(o store.Observed) {
		at = at.Add(15 * time.Second)
		must(t, s.Tick(t.Context(), store.Tick{At: at, Diagnoses: []store.Observed{o}}))
	}
	for _, o := range []store.Observed{well, well, hurt("a", "f1"), hurt("a", "f1"), hurt("a", "f2"), well, hurt("a", "f2")} {
		tick(o)
	}
	must(t, s.Close())
	s = open(t, path)
	tick(hurt("a", "f2")) // a restart is nothing new

	ds, err := s.Diagnoses(t.Context(), store.Range{})
	must(t, err)
	var got []string
	for _, d := range ds {
		got = append(got, fmt.Sprintf("%s %s %v", d.Status, d.Fingerprint, d.Onset))
	}
	want := []string{"degraded f2 true", "healthy  false", "degraded f2 false", "degraded f1 true", "healthy  false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	one, err := s.Diagnosis(t.Context(), ds[2].ID)
	must(t, err)
	if diff := cmp.Diff(ds[2], one); diff != "" {
		t.Error(diff)
	}
}

func TestHistoryIsReadInPagesAndRanges(t *testing.T) {
	s, _ := fresh(t)
	var ts []store.Transition
	for i := range 25 {
		ts = append(ts, store.Transition{At: t0.Add(time.Duration(i) * time.Minute), Entity: fmt.Sprint(i % 2), Symptom: fmt.Sprint(i)})
	}
	must(t, s.Tick(t.Context(), store.Tick{At: t0, Transitions: ts}))
	q := store.Range{Entity: "1", From: t0.Add(5 * time.Minute), To: t0.Add(21 * time.Minute), Limit: 3}
	var got []string
	for {
		page, err := s.Transitions(t.Context(), q)
		must(t, err)
		if len(page) == 0 {
			break
		}
		for _, x := range page {
			got = append(got, x.Symptom)
		}
		q.Before = page[len(page)-1].ID
	}
	if diff := cmp.Diff([]string{"19", "17", "15", "13", "11", "9", "7", "5"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestClocksThatRunOnAreWrittenOnceInAWhile(t *testing.T) {
	s, path := fresh(t)
	at := t0
	tick := func(firing bool) time.Time {
		at = at.Add(15 * time.Second)
		must(t, s.Tick(t.Context(), store.Tick{At: at, State: engine.State{"x": {
			Since: t0, Observed: at.Sub(t0), LastSeen: at, LastTrue: at, Firing: firing,
		}}}))
		return at
	}
	stored := func() time.Time {
		must(t, s.Close())
		s = open(t, path)
		state, _ := s.Load()
		return state["x"].LastSeen
	}
	first := tick(false)
	tick(false)
	if got := stored(); !got.Equal(first) {
		t.Errorf("15 s later, %v was written", got)
	}
	if third := tick(false); !stored().Equal(third) {
		t.Error("30 s later it was not written")
	}
	if fires := tick(true); !stored().Equal(fires) {
		t.Error("that it fires was not written at once")
	}
}

func TestPeoplesWordsAreKept(t *testing.T) {
	s, _ := fresh(t)
	ctx := t.Context()
	silence := store.Silence{
		ID: "s1", Matchers: json.RawMessage(`[{"name":"job","value":"vllm"}]`), Starts: t0, Ends: t0.Add(time.Hour),
		CreatedBy: "ada", Comment: "rollout",
	}
	must(t, s.SetSilence(ctx, silence))
	silence.Comment = "rollout of 0.25"
	must(t, s.SetSilence(ctx, silence))
	got, err := s.Silences(ctx, t0)
	must(t, err)
	if diff := cmp.Diff([]store.Silence{silence}, got); diff != "" {
		t.Error(diff)
	}
	must(t, s.EndSilence(ctx, "s1", t0.Add(time.Minute)))
	if got, err = s.Silences(ctx, t0.Add(time.Minute)); err != nil || len(got) != 0 {
		t.Errorf("an ended silence is listed: %v %v", got, err)
	}
	if err := s.EndSilence(ctx, "s2", t0); err == nil {
		t.Error("a silence that is not there was ended")
	}

	ack := store.Acknowledgement{Key: "k", By: "ada", At: t0, Severity: model.Warning}
	must(t, s.Acknowledge(ctx, ack))
	acks, err := s.Acknowledgements(ctx)
	must(t, err)
	if diff := cmp.Diff(map[string]store.Acknowledgement{"k": ack}, acks); diff != "" {
		t.Error(diff)
	}
	must(t, s.Unacknowledge(ctx, "k"))
	if acks, err = s.Acknowledgements(ctx); err != nil || len(acks) != 0 {
		t.Errorf("a forgotten acknowledgement is listed: %v %v", acks, err)
	}

	o := store.Outcome{
		At: t0, Entity: "e", Cause: "c", Change: json.RawMessage(`{"knob":"max_num_seqs"}`), Verdict: "improved",
		Before: store.Span{From: t0.Add(-time.Hour), To: t0}, After: store.Span{From: t0, To: t0.Add(time.Hour)},
		Comparison: json.RawMessage(`{"version":"1"}`),
	}
	o.ID, err = s.AddOutcome(ctx, o)
	must(t, err)
	os, err := s.Outcomes(ctx, store.Range{Entity: "e"})
	must(t, err)
	if diff := cmp.Diff([]store.Outcome{o}, os); diff != "" {
		t.Error(diff)
	}
	a := store.Answer{ID: 1, Outcome: o.ID, Answer: notifiers.Answer{Kind: notifiers.Helped, Key: "k", Cause: "c", User: "ada", At: t0}}
	must(t, s.AddAnswer(ctx, a))
	as, err := s.Answers(ctx, store.Range{From: t0})
	must(t, err)
	if diff := cmp.Diff([]store.Answer{a}, as); diff != "" {
		t.Error(diff)
	}
}

func TestPruneKeepsWhatIsStillOpen(t *testing.T) {
	s, _ := fresh(t)
	ctx := t.Context()
	var ts []store.Transition
	for i := range 1200 { // more than two batches
		ts = append(ts, store.Transition{At: t0, Symptom: fmt.Sprint(i)})
	}
	ts = append(ts, store.Transition{At: t0.Add(48 * time.Hour), Symptom: "young"})
	must(t, s.Tick(ctx, store.Tick{
		At: t0, State: engine.State{"x": {Since: t0, LastSeen: t0}}, Transitions: ts, Diagnoses: []store.Observed{hurt("a", "f")},
		Messages: []plan.Message{message("r", "sent", 1, plan.First), message("r", "open", 1, plan.First)},
	}))
	claims, err := s.Claim(ctx, store.ClaimQuery{Receiver: "r", Now: t0, Limit: 1, Owner: "me", Lease: time.Minute})
	must(t, err)
	must(t, s.Settle(ctx, store.Settlement{Claim: claims.Ready[0], At: t0, State: store.Delivered, Thread: json.RawMessage(`"ts"`)}))
	must(t, s.SetSilence(ctx, store.Silence{ID: "old", Starts: t0, Ends: t0.Add(time.Hour)}))
	must(t, s.SetSilence(ctx, store.Silence{ID: "holds", Starts: t0, Ends: t0.Add(72 * time.Hour)}))

	n, err := s.Prune(ctx, t0.Add(24*time.Hour))
	must(t, err)
	if n != 1200+1+1+1+1 {
		t.Errorf("%d rows were pruned", n)
	}
	left, err := s.Transitions(ctx, store.Range{})
	must(t, err)
	ms, err := s.Notifications(ctx, store.NotificationQuery{})
	must(t, err)
	silences, err := s.Silences(ctx, time.Time{})
	must(t, err)
	if len(left) != 1 || len(ms) != 1 || ms[0].Message.Key != "open" || len(silences) != 1 {
		t.Errorf("left: %d transitions, %v, %v", len(left), ms, silences)
	}
	if state, _ := s.Load(); len(state) != 1 {
		t.Error("what the judge remembers was pruned")
	}
}

func TestAStoreInMemoryDoesAllTheSame(t *testing.T) {
	s := open(t, store.InMemory)
	ctx := context.Background()
	must(t, s.Tick(ctx, store.Tick{At: t0, Messages: []plan.Message{message("r", "k", 1, plan.First)}}))
	claims, err := s.Claim(ctx, store.ClaimQuery{Receiver: "r", Now: t0, Limit: 1, Owner: "me", Lease: time.Minute})
	must(t, err)
	if len(claims.Ready) != 1 || claims.Waiting != 1 {
		t.Errorf("claimed %+v", claims)
	}
}

func TestATickWithNothingNewTouchesNoFile(t *testing.T) {
	s, path := fresh(t)
	at := func(d time.Duration) store.Tick {
		x := thousand(true, t0.Add(d))
		x.Sent[store.SentKey{Receiver: "r", Key: "k"}] = json.RawMessage(`1`)
		return x
	}
	must(t, s.Tick(t.Context(), at(0)))
	before, err := os.Stat(path + "-wal")
	must(t, err)
	must(t, s.Tick(t.Context(), at(15*time.Second)))
	after, err := os.Stat(path + "-wal")
	must(t, err)
	if !before.ModTime().Equal(after.ModTime()) || before.Size() != after.Size() {
		t.Errorf("the log went from %d to %d bytes", before.Size(), after.Size())
	}
	must(t, s.Tick(t.Context(), at(30*time.Second)))
	if after, err = os.Stat(path + "-wal"); err != nil || before.ModTime().Equal(after.ModTime()) {
		t.Errorf("clocks that were due were not written: %v", err)
	}
}

func TestWhatPartsRememberComesBackWithTheTickThatWroteIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "inferdx.db")
	s := open(t, path)
	part := func(v string) map[string]json.RawMessage {
		return map[string]json.RawMessage{"alerts": json.RawMessage(v)}
	}
	for _, tick := range []store.Tick{{At: t0, Parts: part(`{"a":1}`)}, {At: t0, Parts: part(`{"a":2}`)}, {At: t0}} {
		if err := s.Tick(t.Context(), tick); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := string(open(t, path).Parts()["alerts"]); got != `{"a":2}` {
		t.Errorf("got %s", got)
	}
}
