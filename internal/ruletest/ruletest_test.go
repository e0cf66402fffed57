package ruletest_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/ruletest"
)

const queueRule = `title: requests wait
when: waiting_p25 >= 1 and waiting >= 1
for: 2m
onset: waiting
`

// run loads one rule with its test and gives the results as lines, and the faults.
func run(t *testing.T, rule, test string) (results []string, faults string) {
	t.Helper()
	fsys := fstest.MapFS{"queue/q.yaml": {Data: []byte(rule)}, "queue/q.test.yaml": {Data: []byte(test)}}
	c, err := content.Load(content.Options{NoBuiltin: true, Rules: []fs.FS{fsys}})
	if err != nil {
		t.Fatal(err)
	}
	list, err := ruletest.Run(c, pipeline.New(c, nil, engine.Fit{}), fsys)
	for _, r := range list {
		line := r.Name + ": ok"
		if r.Err != nil {
			line = r.Err.Error()
		}
		results = append(results, line)
	}
	if err != nil {
		faults = err.Error()
	}
	return results, faults
}

func TestAFailureShowsWhereAndWhy(t *testing.T) {
	results, faults := run(t, queueRule, `
- name: somebody waits
  frame: {waiting: 3, waiting_p25: 2}
  expect: firing
- name: wrong on purpose
  frame: {waiting_p25: 0}
  expect: firing
`)
	want := []string{"somebody waits: ok", `queue/q.test.yaml:7:11: want firing, got inactive
7 |   expect: firing
  |           ^~~~~~ waiting_p25 >= 1 is false (0); waiting >= 1 is unknown`}
	if diff := cmp.Diff(want, results); diff != "" || faults != "" {
		t.Errorf("%s\n%s", diff, faults)
	}
}

func TestAllFaultsOfAFileAreToldAtOnce(t *testing.T) {
	_, faults := run(t, queueRule, `
- name: slips
  frame: {waitng: 3, max_num_seqs: 8, running: many, kv_used_ratio: "<0.5"}
  facts: {max_num_sqs: 8}
  expect: fireing
- name: slips
  series:
    vllm:num_requests_waiting: 3x20 4+x
    vllm:num_requests_running{engine=0}: 3x20
    vllm:gauge: 3x20
  expct: {5m: firing}
- name: no time
  series: {"vllm:num_requests_waiting": 3x20}
  expect: firing
- name: between two scrapes
  series: {"vllm:num_requests_waiting": 3x20}
  expect: {4m20s: firing}
- name: copied
  like: no tme
  expect: {5m: firing}
- name: taken away twice
  frame: {waiting: 3}
- like: taken away twice
  name: nothing to take
  without: [running]
  expect: unknown
`)
	for _, want := range []string{
		"3:11: unknown name waitng", "did you mean waiting?",
		"3:22: max_num_seqs is a fact, no signal",
		`3:48: "many" is no value`,
		"4:11: unknown name max_num_sqs", "did you mean max_num_seqs?",
		`5:11: expect: "fireing" is not allowed`,
		"6:9: a case of this name stands above",
		`8:37: "4+x" is no series value`,
		`9:5: "vllm:num_requests_running{engine=0}" is no metric with labels`,
		"11:3: unknown field expct", "did you mean expect?",
		"14:11: with series, expect says when",
		"17:12: nothing is judged at this time",
		"19:9: no case of this name stands above", "did you mean no time?",
		"21:9: expect is missing",
		"25:13: running is not there to be taken away",
	} {
		if !strings.Contains(faults, want) {
			t.Errorf("%q is not told", want)
		}
	}
	if t.Failed() {
		t.Log(faults)
	}
}

func TestSeriesAreJudgedStepByStep(t *testing.T) {
	results, faults := run(t, queueRule, `
- name: for counts
  every: 30s
  series:
    vllm:num_requests_running: 3x20
    vllm:num_requests_waiting: 5x20
  expect: {1m: pending, 2m: firing}
- name: what is hidden is unknown
  without: [waiting_p25]
  expect: {2m: unknown}
- name: a gap is no zero
  series:
    vllm:num_requests_running: 3x10
    vllm:num_requests_waiting: _x11
  expect: {2m: unknown}
`)
	want := []string{"for counts: ok", "what is hidden is unknown: ok", "a gap is no zero: ok"}
	if diff := cmp.Diff(want, results); diff != "" || faults != "" {
		t.Errorf("%s\n%s", diff, faults)
	}
}

func TestRequireNamesWhatIsNotTested(t *testing.T) {
	fsys := fstest.MapFS{
		"a/untested.yaml":  {Data: []byte(queueRule)},
		"a/half.yaml":      {Data: []byte(queueRule)},
		"a/half.test.yaml": {Data: []byte("- {name: x, frame: {waiting: 1}, expect: firing}\n")},
		"a/gone.yaml":      {Data: []byte("disabled: true\n")},
		"b/cause.yaml":     {Data: []byte("decided_by: [profile]\nfor: [{when: waiting > 1}]\n")},
		"b/cause.test.yaml": {Data: []byte(`- {name: x, frame: {waiting: 1}, symptoms: [half], expect: primary}
- {name: y, without: [waiting], expect: absent}
`)},
	}
	want := strings.TrimSpace(`
a/half.test.yaml:1:1: no case of a near miss that stays silent (expect: inactive)
a/half.test.yaml:1:1: no case with a signal missing (expect: unknown)
a/untested.yaml:1:1: rule untested has no test (write a/untested.test.yaml)
b/cause.test.yaml:1:1: no case in which the cause is listed (expect: candidate)`)
	if diff := cmp.Diff(want, ruletest.Require(fsys).Error()); diff != "" {
		t.Error(diff)
	}
}

func TestReplacedContentIsNotTested(t *testing.T) {
	firing := "- {name: x, frame: {waiting: 9, waiting_p25: 9}, expect: firing}\n"
	old := fstest.MapFS{"queue/q.yaml": {Data: []byte(queueRule)}, "queue/q.test.yaml": {Data: []byte(firing)}}
	own := fstest.MapFS{
		"q.yaml":          {Data: []byte("title: patience\nwhen: waiting > 50\n")},
		"q.test.yaml":     {Data: []byte(strings.Replace(firing, "firing", "inactive", 1))},
		"stray.test.yaml": {Data: []byte(firing)},
	}
	c, err := content.Load(content.Options{NoBuiltin: true, Rules: []fs.FS{old, own}})
	if err != nil {
		t.Fatal(err)
	}
	list, err := ruletest.Run(c, pipeline.New(c, nil, engine.Fit{}), old, own)
	if len(list) != 1 || list[0].File != "q.test.yaml" || list[0].Err != nil {
		t.Errorf("got %+v", list)
	}
	if want := "stray.test.yaml:1:1: there is no stray.yaml beside this test"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
