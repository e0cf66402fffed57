package plan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
)

func TestFoldingLeavesTheReaderWithTheTruth(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"one message is itself", "first", "first:1@1"},
		{"the oldest carries the newest state", "first worse reminder", "first:1@3"},
		{"a problem that ended is told, then its end", "first worse resolved", "first:1@2 resolved:3@3"},
		{"what got worse is not called a reminder", "reminder worse", "worse:1@2"},
		{"worse stays worse under later reminders", "worse reminder cause_changed", "worse:1@3"},
		{"two problems are never made one", "first resolved first worse resolved", "first:1@1 resolved:2@2 first:3@4 resolved:5@5"},
		{"a second beginning stands alone", "first first", "first:1@1 first:2@2"},
		{"what a change did is told on its own", "first verified reminder", "first:1@1 verified:2@2 reminder:3@3"},
		{"a person's test is not swallowed", "test first worse", "test:1@1 first:2@3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var waiting []plan.Message
			for i, r := range strings.Fields(c.in) {
				waiting = append(waiting, plan.Message{
					ID: fmt.Sprint(i + 1), Number: i + 1, Reason: plan.Reason(r),
					At: time.Unix(int64(i+1), 0), Diagnoses: []model.Diagnosis{{Fingerprint: fmt.Sprint(i + 1)}},
				})
			}
			var got []string
			for len(waiting) > 0 {
				m, n := plan.Fold(waiting)
				got = append(got, fmt.Sprintf("%s:%d@%s", m.Reason, m.Number, m.Diagnoses[0].Fingerprint))
				waiting = waiting[n:]
			}
			if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFoldingNamesEveryTargetThatRecovered(t *testing.T) {
	m, _ := plan.Fold([]plan.Message{
		{Reason: plan.Worse, Recovered: []string{"a"}, Note: "for oncall"},
		{Reason: plan.Reminder, Recovered: []string{"b", "a"}},
	})
	want := plan.Message{
		Reason: plan.Worse, Recovered: []string{"a", "b"},
		Note: "for oncall; 1 later message waited with this one; the state shown is the latest",
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
}
