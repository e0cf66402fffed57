package render

import (
	"testing"

	"github.com/inferdx/inferdx/internal/model"
)

func TestAPriceIsSaidOnce(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   model.Action
		want string
	}{
		{"nothing", model.Action{When: "now", Cost: "none"}, "can be done now"},
		{"changed answers that the price explains", model.Action{Restart: true, ChangesOutput: true, Cost: "Answers can change a little"}, "restart; Answers can change a little"},
		{"changed answers that it does not", model.Action{Restart: true, ChangesOutput: true, Cost: "another checkpoint"}, "restart; answers may change; another checkpoint"},
	} {
		if got := priceOf(tc.in); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}
