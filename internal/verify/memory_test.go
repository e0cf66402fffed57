package verify_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/compare"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/verify"
	"github.com/inferdx/inferdx/notifiers"
)

// tried is one earlier change, as it is kept.
type tried struct {
	on       int // day of November
	cause    string
	from, to string
	verdict  compare.Verdict
	where    map[string]string
	also     []verify.Turn
}

func (x tried) kept(id int64) verify.Kept {
	t := verify.Trial{Target: target, Group: map[string]string{"model_name": "llama"}, Cause: x.cause}
	if x.where != nil {
		t.Target = x.where
	}
	t.Change.At = time.Date(2026, 11, x.on, 3, 50, 0, 0, time.UTC)
	t.Change.Turns = append([]verify.Turn{{Knob: "max_num_seqs", Flag: "--max-num-seqs", From: x.from, To: x.to}}, x.also...)
	c := verify.Conclude(t, compare.Result{Verdict: x.verdict, Why: "so it is", Lines: []string{"TTFT P99 13 s -> 0.3 s"}}, time.Date(2026, 11, x.on, 4, 0, 0, 0, time.UTC))
	return verify.Kept{ID: id, Record: c.Record}
}

var today = time.Date(2026, 11, 24, 4, 0, 0, 0, time.UTC)

func remember(t testing.TB, all []tried, said ...verify.Said) verify.Memory {
	t.Helper()
	var kept []verify.Kept
	for i, x := range all {
		kept = append(kept, x.kept(int64(i+1)))
	}
	m, err := verify.Recall(kept, said, today)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sick is a diagnosis with one cause that asks for --max-num-seqs.
func sick(cause, from, to string) model.Diagnosis {
	text := "--max-num-seqs " + from + " -> " + to
	return model.Diagnosis{
		Target: target, Scope: model.ScopeTarget, Status: model.Degraded, Fingerprint: "f", Summary: "slow - likeliest cause: it (0.90); " + text,
		Causes: []model.Cause{
			{ID: cause, Title: "the cap is off", Score: 0.9, Primary: true, Changes: []model.Action{
				{Kind: "knob", Knob: "max_num_seqs", Flag: "--max-num-seqs", From: &from, To: &to, Text: text, Why: "there is room"},
			}},
			{ID: "other", Title: "another", Score: 0.1},
		},
	}
}

func TestNoSuggestionIsRepeatedInVainOrTakenBack(t *testing.T) {
	low, high := "max-num-seqs-too-low", "kv-cache-too-small"
	improved, worse, unchanged, unclear := compare.Improved, compare.Worse, compare.Unchanged, compare.CannotTell
	elsewhere := map[string]string{"instance": "b:8000", "model_name": "llama"}
	for _, c := range []struct {
		name string
		past []tried
		now  model.Diagnosis
		want string // of the only change held back, "" when it stays
	}{
		{"what helped may be done again", []tried{{20, low, "8", "64", improved, nil, nil}}, sick(low, "8", "64"), ""},
		{"what made it worse", []tried{{20, low, "8", "64", worse, nil, nil}}, sick(low, "8", "64"), "it was tried: --max-num-seqs 8 -> 64 on 2026-11-20 made it worse here: TTFT P99 13 s -> 0.3 s"},
		{"what changed nothing", []tried{{20, low, "8", "64", unchanged, nil, nil}}, sick(low, "8", "64"), "it was tried"},
		{"more of what made it worse", []tried{{20, low, "8", "64", worse, nil, nil}}, sick(low, "8", "128"), "it was tried"},
		{"less of what made it worse", []tried{{20, low, "8", "64", worse, nil, nil}}, sick(low, "8", "32"), ""},
		{"a further step from where it changed nothing", []tried{{20, low, "8", "16", unchanged, nil, nil}}, sick(low, "16", "64"), ""},
		{"one of two that were turned together", []tried{{20, low, "8", "64", worse, nil, []verify.Turn{{Knob: "block_size", Flag: "--block-size", From: "16", To: "32"}}}}, sick(low, "8", "64"), ""},
		{"what could not be judged", []tried{{20, low, "8", "64", unclear, nil, nil}}, sick(low, "8", "64"), ""},
		{"back to before what helped", []tried{{20, low, "8", "64", improved, nil, nil}}, sick(low, "64", "8"), "it would take back what helped"},
		{"part of the way back", []tried{{20, low, "8", "64", improved, nil, nil}}, sick(low, "64", "32"), "it would take back what helped"},
		{"back, where another cause says why", []tried{{20, low, "8", "64", improved, nil, nil}}, sick(high, "64", "32"), ""},
		{"further the way that helped", []tried{{20, low, "8", "64", improved, nil, nil}}, sick(low, "64", "128"), ""},
		{"further down than before what helped, which is taken back", []tried{{20, low, "8", "64", improved, nil, nil}}, sick(low, "8", "4"), ""},
		{"taking back what made it worse", []tried{{20, low, "8", "64", worse, nil, nil}}, sick(high, "64", "8"), ""},
		{"forth again after back, each for its cause", []tried{{18, low, "8", "64", improved, nil, nil}, {20, high, "64", "8", improved, nil, nil}}, sick(low, "8", "64"), "it goes back and forth"},
		{"in vain once, and of use later", []tried{{18, low, "8", "64", unchanged, nil, nil}, {20, low, "8", "64", improved, nil, nil}}, sick(low, "8", "64"), ""},
		{"on another server of the group", []tried{{20, low, "8", "64", worse, elsewhere, nil}}, grouped(sick(low, "8", "64")), "made it worse on b:8000"},
		{"on a server of another group", []tried{{20, low, "8", "64", worse, elsewhere, nil}}, sick(low, "8", "64"), ""},
	} {
		m := remember(t, c.past)
		d := verify.Annotate([]model.Diagnosis{c.now}, m)[0]
		got := d.Causes[0].Changes
		notes := strings.Join(d.Notes, "\n")
		switch held := c.want != ""; {
		case !held && (len(got) != 1 || got[0].Kind != "knob"):
			t.Errorf("%s: held back: %s", c.name, notes)
		case held && (len(got) != 1 || got[0].Kind == "knob" || !strings.Contains(got[0].Why, c.want) || !strings.Contains(notes, c.want)):
			t.Errorf("%s: changes %+v, notes %q, want %q", c.name, got, notes, c.want)
		case held && (strings.Contains(d.Summary, "--max-num-seqs") || !strings.HasSuffix(d.Summary, got[0].Text)):
			t.Errorf("%s: the summary still says %q", c.name, d.Summary)
		}
	}
}

func grouped(d model.Diagnosis) model.Diagnosis {
	d.Target = map[string]string{"instance": "a:8000", "model_name": "llama"}
	return d
}

func TestWhatWasLongAgoIsToldButHoldsNothingBack(t *testing.T) {
	m := remember(t, []tried{{20, "max-num-seqs-too-low", "8", "64", compare.Worse, nil, nil}})
	m.Now = today.AddDate(0, 6, 0)
	d := verify.Annotate([]model.Diagnosis{sick("max-num-seqs-too-low", "8", "64")}, m)[0]
	if d.Causes[0].Changes[0].Kind != "knob" || !strings.Contains(strings.Join(d.Notes, "\n"), "made it worse here") {
		t.Errorf("%+v %q", d.Causes[0].Changes, d.Notes)
	}
}

func TestACauseTellsWhatHelpedBefore(t *testing.T) {
	m := remember(t, []tried{{20, "max-num-seqs-too-low", "8", "64", compare.Improved, nil, nil}})
	in := []model.Diagnosis{sick("max-num-seqs-too-low", "8", "64"), sick("kv-cache-too-small", "64", "32")}
	before, _ := json.Marshal(in)
	out := verify.Annotate(in, m)
	if after, _ := json.Marshal(in); string(after) != string(before) {
		t.Error("the diagnoses given were changed")
	}
	if want := []string{"the cap is off: --max-num-seqs 8 -> 64 on 2026-11-20 improved it here: TTFT P99 13 s -> 0.3 s"}; !slices.Equal(out[0].Notes, want) {
		t.Errorf("%q, want %q", out[0].Notes, want)
	}
	if len(out[1].Notes) != 1 || !strings.Contains(out[1].Notes[0], "takes back what helped against another cause") {
		t.Errorf("the way back is suggested without a word: %q", out[1].Notes)
	}
	for i := range out {
		out[i].Notes = nil
	}
	if diff := cmp.Diff(in, out); diff != "" {
		t.Errorf("more than notes: %s", diff)
	}
}

func TestAPersonsWordCountsWhereTheFiguresCouldNotTell(t *testing.T) {
	low := "max-num-seqs-too-low"
	said := func(outcome int64, helped bool) verify.Said {
		kind := notifiers.DidNotHelp
		if helped {
			kind = notifiers.Helped
		}
		return verify.Said{Outcome: outcome, Target: target, Cause: low, Kind: kind, By: "ada", At: today}
	}
	for _, c := range []struct {
		name    string
		verdict compare.Verdict
		said    verify.Said
		held    bool
		note    string
	}{
		{"no help", compare.CannotTell, said(1, false), true, "could not be judged here: so it is; ada says that it did not help"},
		{"help", compare.CannotTell, said(1, true), false, "ada says that it helped"},
		{"help where it was measured worse", compare.Worse, said(1, true), false, "made it worse here: TTFT P99 13 s -> 0.3 s; ada says that it helped"},
		{"a word on no outcome", compare.CannotTell, said(0, true), false, "what was done about it on 2026-11-24 here: ada says that it helped"},
	} {
		m := remember(t, []tried{{20, low, "8", "64", c.verdict, nil, nil}}, c.said)
		d := verify.Annotate([]model.Diagnosis{sick(low, "8", "64")}, m)[0]
		notes := strings.Join(d.Notes, "\n")
		if held := d.Causes[0].Changes[0].Kind != "knob"; held != c.held || !strings.Contains(notes, c.note) {
			t.Errorf("%s: held back %v, notes %q", c.name, held, notes)
		}
	}
}

func TestAnUnreadableRecordIsReportedAndLeavesTheOthers(t *testing.T) {
	good := tried{20, "max-num-seqs-too-low", "8", "64", compare.Improved, nil, nil}.kept(1)
	bad := verify.Kept{ID: 2, Record: verify.Record{Change: json.RawMessage("{")}}
	m, err := verify.Recall([]verify.Kept{bad, good}, nil, today)
	if err == nil || !strings.Contains(err.Error(), "outcome 2") {
		t.Errorf("error %v", err)
	}
	if d := verify.Annotate([]model.Diagnosis{sick("max-num-seqs-too-low", "8", "64")}, m)[0]; len(d.Notes) != 1 {
		t.Errorf("notes %q", d.Notes)
	}
}

func TestAWordWithoutAnOutcomeGoesToTheChangeItIsAbout(t *testing.T) {
	low := "max-num-seqs-too-low"
	for _, c := range []struct {
		name  string
		cause string // as it was matched
		said  verify.Said
		want  string
	}{
		{"applied, said after it was measured", "", verify.Said{Target: target, Kind: notifiers.Applied, Cause: low, By: "ada", At: today}, "--max-num-seqs 8 -> 64 on 2026-11-24 improved it here"},
		{"applied, said hours later", "", verify.Said{Target: target, Kind: notifiers.Applied, Cause: low, By: "ada", At: today.Add(5 * time.Hour)}, ""},
		{"helped", low, verify.Said{Target: target, Kind: notifiers.Helped, Cause: low, By: "ada", At: today}, "TTFT P99 13 s -> 0.3 s; ada says that it helped"},
		{"helped, before the change", low, verify.Said{Target: target, Kind: notifiers.Helped, Cause: low, By: "ada", At: today.Add(-time.Hour)}, "what was done about it on 2026-11-24 here: ada says that it helped"},
	} {
		m := remember(t, []tried{{24, c.cause, "8", "64", compare.Improved, nil, nil}}, c.said)
		notes := strings.Join(verify.Annotate([]model.Diagnosis{sick(low, "8", "64")}, m)[0].Notes, "\n")
		if c.want == "" && notes != "" || !strings.Contains(notes, c.want) {
			t.Errorf("%s: %q, want %q", c.name, notes, c.want)
		}
	}
}
