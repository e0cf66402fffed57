package engine

import (
	"strconv"
	"strings"
	"testing"

	"github.com/inferdx/inferdx/internal/model"
)

func ftoa(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }

var queue = map[string]string{"queue": "{title: q, when: waiting > 5}"}

const capYAML = `
title: cap
is: a cap
explains: [queue]
requires: waiting > 1
decided_by: [metrics]
for:
  - {when: running == 8, weight: strong, group: flat, text: "running {running}"}
  - {when: running > 7, weight: decisive, group: flat, text: "running is high"}
  - {when: kv < 0.5, weight: moderate, by: args, text: "kv {kv}"}
against:
  - {when: tensor > 0.6, weight: strong, text: "busy"}
explains_away: [load]
changes:
  - {kind: knob, knob: max_num_seqs, direction: up, to: "running * 4", why: "w"}
  - {kind: knob, knob: gone, to: "1", why: "w"}
`

const loadYAML = `
title: load
is: load
explains: [queue]
for:
  - {when: waiting > 5, weight: moderate, text: "waiting {waiting}"}
`

func diagnose(e *Engine, values map[string]float64, facts ...model.Fact) model.Diagnosis {
	f := at(t0, values, facts...)
	_, ss := e.Judge(nil, f)
	return e.Diagnose(f, ss)[0]
}

func TestOfAGroupOnlyTheStrongestCounts(t *testing.T) {
	e := newEngine(t, queue, map[string]string{"cap": capYAML, "load": loadYAML})
	d := diagnose(e, map[string]float64{"waiting": 9, "running": 8})
	c := d.Causes[0]
	if c.ID != "cap" || len(c.For) != 1 || c.For[0].Weight != 4 {
		t.Fatalf("got %+v, want cap on one decisive item", c)
	}
}

func TestAbsentEvidenceCountsNothing(t *testing.T) {
	e := newEngine(t, queue, map[string]string{"cap": capYAML, "load": loadYAML})
	with := diagnose(e, map[string]float64{"waiting": 9, "running": 8, "kv": 0.1}).Causes[0].Score
	without := diagnose(e, map[string]float64{"waiting": 9, "running": 8}).Causes[0].Score
	against := diagnose(e, map[string]float64{"waiting": 9, "running": 8, "tensor": 0.9}).Causes[0].Score
	if !(with > without && without > against) {
		t.Errorf("scores %.3f with, %.3f without, %.3f against", with, without, against)
	}
}

func TestACauseBelowUnknownIsListedAndNotPrimary(t *testing.T) {
	e := newEngine(t, queue, map[string]string{"load": loadYAML})
	e.o.Fit.Unknown = 2
	d := diagnose(e, map[string]float64{"waiting": 9})
	if len(d.Causes) != 1 || d.Causes[0].Primary {
		t.Errorf("got %+v, want one candidate that is not primary", d.Causes)
	}
	if d.UnknownScore <= 0.5 {
		t.Errorf("unknown %.2f, want the larger share", d.UnknownScore)
	}
}

func TestWhatMustDecideAndWasNotSeenCannotBePrimary(t *testing.T) {
	e := newEngine(t, queue, map[string]string{"cap": capYAML, "load": "{disabled: true}"})
	d := diagnose(e, map[string]float64{"waiting": 9, "kv": 0.1})
	if len(d.Causes) != 1 || d.Causes[0].Primary {
		t.Errorf("got %+v: args alone may not decide what metrics must", d.Causes)
	}
}

func TestConsequencesFoldUnderTheirCauseWithTheirScores(t *testing.T) {
	e := newEngine(t, queue, map[string]string{"cap": capYAML, "load": loadYAML})
	d := diagnose(e, map[string]float64{"waiting": 9, "running": 8})
	if len(d.Causes) != 2 || d.Causes[1].ConsequenceOf != "cap" || d.Causes[1].Score <= 0 {
		t.Errorf("got %+v, want load folded under cap", d.Causes)
	}
}

func TestIndependentFaultsDoNotHalveEachOther(t *testing.T) {
	e := newEngine(t, map[string]string{"queue": queue["queue"], "hot": "{title: h, when: temp > 90}"}, map[string]string{
		"cap": capYAML, "load": "{disabled: true}", "cooling": "{title: c, is: c, explains: [hot], for: [{when: temp > 90, weight: decisive, text: hot}]}",
	})
	both := diagnose(e, map[string]float64{"waiting": 9, "running": 8, "temp": 95})
	alone := diagnose(e, map[string]float64{"waiting": 9, "running": 8})
	if len(both.Causes) != 2 {
		t.Fatalf("got %d causes, want both", len(both.Causes))
	}
	for _, c := range both.Causes {
		if c.ID == "cap" && c.Score != alone.Causes[0].Score {
			t.Errorf("cap scores %.3f beside another fault, %.3f alone", c.Score, alone.Causes[0].Score)
		}
	}
}

func TestAStateAnswersOnlyWhereNoCauseDoes(t *testing.T) {
	state := "{title: s, kind: state, is: s, explains: [queue], for: [{when: waiting > 5, weight: decisive, text: s}]}"
	e := newEngine(t, queue, map[string]string{"restart": state, "cap": capYAML, "load": "{disabled: true}"})
	if d := diagnose(e, map[string]float64{"waiting": 9, "running": 8}); d.Causes[0].ID != "cap" || len(d.Causes) != 1 {
		t.Errorf("got %+v, want the cause alone: it explains all that the state does", d.Causes)
	}
	if d := diagnose(e, map[string]float64{"waiting": 9, "running": 1}); d.Causes[0].ID != "restart" || !d.Causes[0].Primary {
		t.Errorf("first is %+v, want the state", d.Causes[0])
	}
}

func TestChangesHaveValuesAndNeverPointTheWrongWay(t *testing.T) {
	e := newEngine(t, queue, map[string]string{"cap": capYAML, "load": "{disabled: true}"})
	values := map[string]float64{"waiting": 9, "running": 8}
	for _, tc := range []struct {
		name, want string
		facts      []model.Fact
	}{
		{"current value unknown", "--max-num-seqs ? -> 32", nil},
		{"current value known", "--max-num-seqs 8 -> 32", []model.Fact{{From: "max_num_seqs", Text: "8", Num: 8, IsNum: true}}},
		{"already above", "", []model.Fact{{From: "max_num_seqs", Text: "64", Num: 64, IsNum: true}}},
		{"already set", "", []model.Fact{{From: "max_num_seqs", Text: "32", Num: 32, IsNum: true}}},
	} {
		got := ""
		if cs := diagnose(e, values, tc.facts...).Causes[0].Changes; len(cs) > 0 {
			got = cs[0].Text
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestAnUnknownValueIsInferredFromThePlateauAndMarkedSo(t *testing.T) {
	src := strings.Replace(capYAML, "knob: max_num_seqs,", "knob: max_num_seqs, from: running,", 1)
	e := newEngine(t, queue, map[string]string{"cap": src, "load": "{disabled: true}"})
	a := diagnose(e, map[string]float64{"waiting": 9, "running": 8}).Causes[0].Changes[0]
	if a.From == nil || *a.From != "8" || a.FromSource != "inferred" || a.Text != "--max-num-seqs ~8 -> 32" {
		t.Errorf("got %+v", a)
	}
}

func TestStatusIsNeverHealthyOnWhatWasNotSeen(t *testing.T) {
	e := newEngine(t, queue, nil)
	all := map[string]float64{"running": 1, "running_max": 2, "waiting": 0, "gen_tokens_per_s": 10, "preemptions_per_s": 0, "requests_started": 4}
	if got := diagnose(e, all).Status; got != model.Healthy {
		t.Errorf("everything seen: %s", got)
	}
	for s := range all {
		if s == "running_max" {
			continue
		}
		cut := map[string]float64{}
		for k, v := range all {
			if k != s {
				cut[k] = v
			}
		}
		if got := diagnose(e, cut).Status; got != model.Unknown {
			t.Errorf("without %s: %s, want unknown", s, got)
		}
	}
	quiet := map[string]float64{"running": 0, "waiting": 0, "gen_tokens_per_s": 0, "preemptions_per_s": 0, "requests_started": 0}
	if got := diagnose(e, quiet).Status; got != model.Idle {
		t.Errorf("no traffic: %s, want idle", got)
	}
}

func TestACacheThatKeptRoomStandsForPreemptionsNobodyCounts(t *testing.T) {
	e := newEngine(t, queue, nil)
	for _, tt := range []struct {
		kv   float64
		want model.Status
	}{{0.5, model.Healthy}, {0.79, model.Healthy}, {0.8, model.Unknown}, {-1, model.Unknown}} {
		seen := map[string]float64{"running": 1, "running_max": 2, "waiting": 0, "gen_tokens_per_s": 10, "requests_started": 4, "kv_used_max_ratio_uncounted": tt.kv}
		if got := diagnose(e, seen).Status; got != tt.want {
			t.Errorf("KV cache at most %v used: %s, want %s", tt.kv, got, tt.want)
		}
	}
}
