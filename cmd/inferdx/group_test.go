package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestWhatIsWrongWithAServiceComesBeforeItsMembers(t *testing.T) {
	var out, errs bytes.Buffer
	run([]string{"diagnose", "--recording", "../../corpus/group-skewed/metrics.om.gz"}, strings.NewReader(""), &out, &errs)
	text := strings.Join(strings.Fields(out.String()), " ")
	group, member, found := strings.Cut(text, "cpu-0:8201 ·")
	if !found || !strings.HasPrefix(group, "group m ·") || !strings.Contains(group, "replica-imbalance") {
		t.Fatalf("the group is not first:\n%s%s", out.String(), errs.String())
	}
	if !strings.Contains(member, "note the whole service has a cause of its own: one replica has the work (replica-imbalance, 0.98); mend that first") {
		t.Errorf("the member does not point to it:\n%s", out.String())
	}
	if strings.Contains(group, "mend that first") {
		t.Errorf("the group points to itself:\n%s", out.String())
	}
}
