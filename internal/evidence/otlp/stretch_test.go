package otlp

import (
	"testing"
	"time"
)

func TestTheStretchIsThatOfTheRequests(t *testing.T) {
	real, err := Open("testdata/vllm-0.25.1-longmix-1.pb")
	if err != nil {
		t.Fatal(err)
	}
	from, to, ok := real.Stretch()
	if want := time.Date(2026, 11, 23, 18, 54, 0, 0, time.UTC); !ok || from.Truncate(time.Minute) != want || to.Sub(from).Round(time.Second) != 5*time.Second {
		t.Errorf("%v to %v, %v", from, to, ok)
	}
	if _, _, ok := (&Traces{requests: []request{{}, {start: 1e300, end: 1e301}}}).Stretch(); ok {
		t.Error("requests without a time have a stretch")
	}
}
