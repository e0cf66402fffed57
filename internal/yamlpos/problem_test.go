package yamlpos_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/yamlpos"
)

func TestAProblemShowsItsLine(t *testing.T) {
	src, err := yamlpos.Decode("rules/x.yaml", []byte("id: x\n\n\nwhen: waitng > 50\n"), new(any))
	if err != nil {
		t.Fatal(err)
	}
	got := src.Problem(yamlpos.Pos{Line: 4, Col: 7}, 6, "unknown name waitng", "signals of this rule: waiting").Error()
	want := `rules/x.yaml:4:7: unknown name waitng
4 | when: waitng > 50
  |       ^~~~~~ signals of this rule: waiting`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestProblemText(t *testing.T) {
	tests := []struct {
		name string
		in   yamlpos.Problem
		want string
	}{
		{"without a line", yamlpos.Problem{File: "f", Msg: "m"}, "f: m"},
		{"without a column", yamlpos.Problem{File: "f", Line: 2, Msg: "m", Text: "t"}, "f:2: m"},
		{"without a text, the hint follows", yamlpos.Problem{File: "f", Line: 2, Col: 1, Msg: "m", Hint: "h"}, "f:2:1: m (h)"},
		{"a tab is one column", yamlpos.Problem{File: "f", Line: 2, Col: 3, Width: 1, Msg: "m", Text: "a\tb"}, "f:2:3: m\n2 | a b\n  |   ^"},
		{"the caret may stand behind the line", yamlpos.Problem{File: "f", Line: 10, Col: 9, Width: 9, Msg: "m", Text: "ab"}, "f:10:9: m\n10 | ab\n   |   ^"},
		{"escapes do not reach the terminal", yamlpos.Problem{File: "f", Line: 1, Col: 1, Width: 1, Msg: "m", Text: "\x1b[2J"}, "f:1:1: m\n1 | \ufffd[2J\n  | ^"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.in.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestALongLineIsCutAroundTheCaret(t *testing.T) {
	for _, before := range []int{0, 100, 5000, 9994} {
		text := strings.Repeat("x", before) + "waitng" + strings.Repeat("y", 9994-before)
		p := yamlpos.Problem{File: "f", Line: 1, Col: before + 1, Width: 6, Msg: "m", Text: text}
		lines := strings.Split(p.Error(), "\n")
		at := strings.Index(lines[2], "^")
		if shown := []rune(lines[1]); len(shown) > 130 || string(shown[at:at+6]) != "waitng" || !strings.Contains(lines[2], "^~~~~~") {
			t.Errorf("%d before:\n%s", before, p.Error())
		}
	}
}

func TestProblemsAreInOrder(t *testing.T) {
	ps := yamlpos.Problems{{File: "b", Line: 1, Col: 1, Msg: "m"}, {File: "a", Line: 10, Msg: "m"}, {File: "a", Line: 9, Col: 2, Msg: "m"}, {File: "a", Line: 9, Col: 1, Msg: "m"}}
	if want := "a:9:1: m\na:9:2: m\na:10: m\nb:1:1: m"; ps.Err().Error() != want {
		t.Errorf("got %s", ps.Err())
	}
	if err := (yamlpos.Problems{}).Err(); err != nil {
		t.Errorf("no problems are an error: %v", err)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"waiting", "running", "kv_used_ratio", "for", "ttft_p99_s", "x"}
	for in, want := range map[string]string{
		"waitng": "waiting", "wiating": "waiting", "kv-used-ratio": "kv_used_ratio", "KV_USED_RATIO": "kv_used_ratio",
		"fro": "for", "ttft_p90_s": "ttft_p99_s", "cost": "", "y": "", "": "", "completely_else": "",
		strings.Repeat("waiting", 100_000): "",
	} {
		if got := yamlpos.Nearest(in, known); got != want {
			t.Errorf("%.20s: got %q, want %q", in, got, want)
		}
	}
}
