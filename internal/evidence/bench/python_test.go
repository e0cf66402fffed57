package bench

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestWhatPythonWritesBesideTheStandardBecomesJSONOfTheSameLength(t *testing.T) {
	for in, want := range map[string]string{
		`{"a": NaN, "b": Infinity, "c": -Infinity}`: `{"a": "" , "b": "inf"   , "c": "-inf"   }`,
		`[NaN,-1,-Infinity]`:                        `["" ,-1,"-inf"   ]`,
		`{"NaN": "NaN \" Infinity \\"}`:             `{"NaN": "NaN \" Infinity \\"}`,
		`{"a\\": Infinity}`:                         `{"a\\": "inf"   }`,
		`[1, -2.5e-3, null, true]`:                  `[1, -2.5e-3, null, true]`,
		`[NotANumber]`:                              `["otA"umber]`,
		`["open`:                                    `["open`,
	} {
		for how, r := range map[string]io.Reader{
			"at once": strings.NewReader(in), "byte by byte": iotest.OneByteReader(strings.NewReader(in)), "in halves": iotest.HalfReader(strings.NewReader(in)),
		} {
			got, err := io.ReadAll(&small{newPython(r)})
			if err != nil || string(got) != want {
				t.Errorf("%s %s: %q, want %q (%v)", in, how, got, want, err)
			}
		}
		if got, _ := io.ReadAll(newPython(strings.NewReader(in))); string(got) != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// small asks for three bytes at a time, so that words lie across reads.
type small struct{ r io.Reader }

func (s *small) Read(p []byte) (int, error) { return s.r.Read(p[:min(3, len(p))]) }
