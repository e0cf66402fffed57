package yamlpos_test

import (
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/internal/yamlpos"
)

// Each capital letter stands once in the source and once in the value; At must
// lead from the one to the other.
func TestAtFindsEveryCharacterInTheFile(t *testing.T) {
	tests := []struct{ name, in string }{
		{"plain", "k: Ab C"},
		{"plain, after text that is not ASCII", "k: ä✓ A ä B"},
		{"plain over several lines", "k: A b   \n\n\n   C\n  D  E\n"},
		{"plain in a flow list", "k: [x, A\n  B]"},
		{"single quoted", "k: 'A''B ''''C'"},
		{"single quoted over lines", "k: 'A  \n\n   B\n C'"},
		{"double quoted", `k: "A\tB\"C\x20D\u00e4E\U0001F600F\_G\LH\\I"`},
		{"double quoted over lines", "k: \"A  \n\n   B\n C \\\n   D  \\\n  \\ E\""},
		{"literal", "k: |\n  A\n    B\n\n  C D\n"},
		{"literal that starts with space", "k: |2\n    A\n  B\n"},
		{"literal after empty lines", "k: |-\n\n\n  A\n  B\n"},
		{"literal with a comment in its header", "k: |+ # Z\n    A ä B\n    C\n\n"},
		{"folded", "k: >\n  A b\n  C\n\n  D\n\n\n  E\n"},
		{"folded with lines further in", "k: >-\n  A\n  B\n\n    C\n    D\n\n\n    E\n  F\n\n  G\n"},
		{"folded after empty lines", "k: >\n\n\n  A\n  B\n"},
		{"anchored and tagged", "k: &anchor !!str A B"},
		{"on the line after its anchor", "k: &anchor # Z\n\n  'A B'"},
		{"literal with an anchor", "k: &a |\n  A\n  B\n"},
		{"in a list of blocks", "k:\n  - x\n  - >\n    A\n    B\n"},
		{"with CRLF", "k: |\r\n  A\r\n  B\r\nl: x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var doc map[string]yaml.Node
			if _, err := yamlpos.Decode("t.yaml", []byte(tt.in), &doc); err != nil {
				t.Fatal(err)
			}
			text := lastText(t, tt.in, doc["k"].Kind == yaml.SequenceNode)
			lines := strings.Split(strings.ReplaceAll(tt.in, "\r\n", "\n"), "\n")
			letters := 0
			for i, r := range text.S {
				if r < 'A' || r > 'Y' {
					continue
				}
				letters++
				at := text.At(i)
				line := []rune(lines[at.Line-1])
				if at.Col > len(line) || line[at.Col-1] != r {
					t.Errorf("%c of %q is said to be at %v", r, text.S, at)
				}
			}
			if letters < 2 {
				t.Fatalf("nothing tested in %q", text.S)
			}
		})
	}
}

func lastText(t *testing.T, in string, list bool) yamlpos.Text {
	t.Helper()
	if list {
		var doc map[string][]yamlpos.Text
		if _, err := yamlpos.Decode("t.yaml", []byte(in), &doc); err != nil {
			t.Fatal(err)
		}
		return doc["k"][len(doc["k"])-1]
	}
	var doc map[string]yamlpos.Text
	if _, err := yamlpos.Decode("t.yaml", []byte(in), &doc); err != nil {
		t.Fatal(err)
	}
	return doc["k"]
}

func TestTextsOfATypeThatDecodesItselfKnowTheirFile(t *testing.T) {
	for _, in := range []string{"either: >\n  a\n  B\n", "either:\n  text: |\n    a\n    B\n"} {
		r, fault := decode(t, in)
		if fault != "" {
			t.Fatal(fault)
		}
		at := r.Either.Text.At(strings.Index(r.Either.Text.S, "B"))
		if line := strings.Split(in, "\n")[at.Line-1]; line[at.Col-1] != 'B' {
			t.Errorf("%q: B is said to be at %v", in, at)
		}
	}
}

func TestAtStaysInsideTheText(t *testing.T) {
	r, _ := decode(t, "id: abc")
	for off, want := range map[int]yamlpos.Pos{-1: {1, 5}, 0: {1, 5}, 3: {1, 8}, 99: {1, 8}} {
		if got := r.ID.At(off); got != want {
			t.Errorf("At(%d) = %v, want %v", off, got, want)
		}
	}
	if at := (yamlpos.Text{}).At(0); at != (yamlpos.Pos{}) {
		t.Errorf("nowhere is said to be at %v", at)
	}
}

func TestATextWithoutAFileStillHasAPlace(t *testing.T) {
	var doc map[string]yamlpos.Text
	if err := yaml.Unmarshal([]byte(`k: "a b"`), &doc); err != nil {
		t.Fatal(err)
	}
	if at := doc["k"].At(2); at != (yamlpos.Pos{Line: 1, Col: 7}) {
		t.Errorf("got %v", at)
	}
}
