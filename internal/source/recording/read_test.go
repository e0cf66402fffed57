package recording_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/recording"
)

const corpus = "../../../corpus"

func read(t *testing.T, text string) *samples.Store {
	t.Helper()
	st, err := recording.Read("r.om", strings.NewReader(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func points(t *testing.T, st *samples.Store, name string) []samples.Point {
	t.Helper()
	if len(st.Instances()) != 1 || len(st.Instances()[0].Named(name)) != 1 {
		t.Fatalf("no single series %s", name)
	}
	return st.Instances()[0].Named(name)[0].Points
}

func packed(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(text)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestEveryKindOfBadFileHasItsError(t *testing.T) {
	noise := make([]byte, 4096)
	_, _ = rand.New(rand.NewSource(1)).Read(noise) //nolint:gosec // the same noise every time
	good := packed(t, []byte(strings.Repeat("a{x=\"1\"} 1 1\n", 5000)+"# EOF\n"))
	broken := bytes.Clone(good)
	broken[len(broken)-6] ^= 0xff // in the checksum
	tests := []struct {
		name string
		in   string
		want error
	}{
		{"an empty file", "", recording.ErrEmpty},
		{"blank lines", "\n\n  \n", recording.ErrEmpty},
		{"no samples", "# TYPE a gauge\n# EOF\n", recording.ErrEmpty},
		{"an empty gz", string(packed(t, nil)), recording.ErrEmpty},
		{"random bytes", string(noise), recording.ErrBinary},
		{"random bytes in gz", string(packed(t, noise)), recording.ErrBinary},
		{"zstd", "\x28\xb5\x2f\xfdxxxxxxx", recording.ErrBinary},
		{"gz cut off", string(good[:len(good)/2]), recording.ErrGzip},
		{"gz cut off in its header", string(good[:5]), recording.ErrGzip},
		{"gz with a wrong checksum", string(broken), recording.ErrGzip},
		{"no # EOF", "a 1 1\na 2 2\n", recording.ErrTruncated},
		{"half a line", "a 1 1\na 2", recording.ErrTruncated},
		{"half of # EOF", "a 1 1\n# EO", recording.ErrTruncated},
		{"HTML", "<!DOCTYPE html>\n<html>", recording.ErrForeign},
		{"JSON", "{\n \"status\": \"success\"}", recording.ErrForeign},
		{"a JSON list", "[1, 2]", recording.ErrForeign},
		{"one scrape", "# HELP a text\n# TYPE a gauge\na 1\n# EOF\n", recording.ErrNoTimestamps},
		{"one scrape without # EOF", "a 1\n", recording.ErrNoTimestamps},
		{"one scrape with an exemplar", "a_bucket{le=\"1\"} 1 # {x=\"1\"} 1\n# EOF\n", recording.ErrNoTimestamps},
		{"milliseconds", "a 1 1795459324263\n# EOF\n", recording.ErrSyntax},
		{"prose", "hello world\nthis is text\n", recording.ErrSyntax},
		{"a bad value", "a 1 1\na x 2\n# EOF\n", recording.ErrSyntax},
		{"a bad timestamp", "a 1 1\na 1 NaN\n# EOF\n", recording.ErrSyntax},
		{"labels without an end", "a{x=\"1 1 1\n# EOF\n", recording.ErrSyntax},
		{"labels without a name", "{x=\"1\"} 1 1\n# EOF\n", recording.ErrSyntax},
		{"a label twice", "a{x=\"1\",x=\"2\"} 1 1\n# EOF\n", recording.ErrSyntax},
		{"a label that is not UTF-8", strings.Repeat("a 1 1\n", 200) + "a{x=\"\xff\"} 1 1\n# EOF\n", recording.ErrSyntax},
		{"text after # EOF", "a 1 1\n# EOF\na 2 2\n# EOF\n", recording.ErrSyntax},
		{"an unknown type", "# TYPE a thing\na 1 1\n# EOF\n", recording.ErrSyntax},
		{"rubbish behind the timestamp", "a 1 1 1\n# EOF\n", recording.ErrSyntax},
		{"a line of 2 MiB", "a{x=\"" + strings.Repeat("y", 2<<20) + "\"} 1 1\n# EOF\n", recording.ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			st, err := recording.Read("r.om", strings.NewReader(tt.in), nil)
			var where *recording.Error
			if !errors.Is(err, tt.want) || !errors.As(err, &where) || where.File != "r.om" || st != nil {
				t.Errorf("got %v, %v, want %v", st, err, tt.want)
			}
			if err != nil && (len(err.Error()) > 300 || strings.Contains(err.Error(), "\n")) {
				t.Errorf("the message is not one short line: %s", err)
			}
		})
	}
}

func TestAnErrorNamesFileAndLine(t *testing.T) {
	_, err := recording.Read("dir/r.om", strings.NewReader("# TYPE a gauge\na 1 1\n\na{x=1} 2 2\n# EOF\n"), nil)
	want := `dir/r.om:4: not a line of OpenMetrics text: expected label value in "a{x=1} 2 2"`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestAReaderThatFailsIsNotABadRecording(t *testing.T) {
	gone := errors.New("disk gone")
	in := io.MultiReader(strings.NewReader("a 1 1\n"), iotest.ErrReader(gone))
	_, err := recording.Read("r.om", in, nil)
	var bad *recording.Error
	if !errors.Is(err, gone) || errors.As(err, &bad) {
		t.Errorf("got %v", err)
	}
	if _, err := recording.Open(filepath.Join(t.TempDir(), "none.om"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestBackwardTimesAreSortedAndTheLastDuplicateWins(t *testing.T) {
	st := read(t, "a 3 3\na 1 1\na 2 2\na 4 2\na 5 3\na 6 3\n# EOF\n")
	want := []samples.Point{{T: 1000, V: 1}, {T: 2000, V: 4}, {T: 3000, V: 6}}
	if d := cmp.Diff(want, points(t, st, "a")); d != "" {
		t.Error(d)
	}
}

func TestOddButValidText(t *testing.T) {
	tests := []struct {
		name, in string
		want     float64
	}{
		{"CRLF", "a 7 1\r\n# EOF\r\n", 7},
		{"a byte order mark", "\xef\xbb\xbfa 7 1\n# EOF\n", 7},
		{"no line break after # EOF", "a 7 1\n# EOF", 7},
		{"an exemplar", "a 7 1 # {t=\"x\"} 1 1\n# EOF\n", 7},
		{"a quoted name", "{\"a\"} 7 1\n# EOF\n", 7},
		{"an escaped quote", "a{x=\"\\\"} 1 1 \\\\\"} 7 1\n# EOF\n", 7},
		{"an exponent as time", "a 7 1e0\n# EOF\n", 7},
		{"an exponent as value", "a 7e0 1.000\n# EOF\n", 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff([]samples.Point{{T: 1000, V: tt.want}}, points(t, read(t, tt.in), "a")); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestMillisecondsAreReadExactly(t *testing.T) {
	for in, want := range map[string]int64{
		"1.001": 1001, "1795459324.263": 1795459324263, "1795459324.2": 1795459324200, "4.35": 4350,
		"1.0014": 1001, "1.0016": 1002, "-1.5": -1500, "0": 0, "1.7954593242e9": 1795459324200,
	} {
		if got := points(t, read(t, "a 1 "+in+"\n# EOF\n"), "a")[0].T; got != want {
			t.Errorf("%s: got %d, want %d", in, got, want)
		}
	}
}

func TestKeepChoosesByTheNameAsExposedAndNeverDropsUp(t *testing.T) {
	text := "up 1 1\na_bucket{le=\"1\"} 1 1\na_sum 1 1\nb 1 1\n{\"c.d\"} 1 1\n# EOF\n"
	st, err := recording.Read("r.om", strings.NewReader(text), func(m string) bool { return m == "a_bucket" || m == "c.d" })
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"a_bucket", "c.d", "up"}, st.Instances()[0].Names()); d != "" {
		t.Error(d)
	}
}

func TestADroppedMetricMustStillBeWellFormed(t *testing.T) {
	none := func(string) bool { return false }
	if _, err := recording.Read("r.om", strings.NewReader("a 1 1\na y 2\n# EOF\n"), none); !errors.Is(err, recording.ErrSyntax) {
		t.Errorf("got %v", err)
	}
}

func TestEdgesAreWrittenAlikeHoweverTheyWereExposed(t *testing.T) {
	st := read(t, "# TYPE a histogram\na_bucket{le=\"1\"} 1 1\na_bucket{le=\"1.0\"} 2 2\n# EOF\n")
	if got := st.Instances()[0].Named("a_bucket"); len(got) != 1 || got[0].Labels.Get("le") != "1.0" {
		t.Errorf("got %v", got)
	}
}

func TestIdentityIsConfigurable(t *testing.T) {
	text := "a{pod=\"x\",job=\"j\"} 1 1\na{pod=\"y\",job=\"j\"} 1 1\n# EOF\n"
	st, err := recording.Options{Identity: []string{"pod"}}.Read("r.om", strings.NewReader(text))
	if err != nil || len(st.Instances()) != 2 {
		t.Errorf("got %v, %v", st, err)
	}
}

func TestRealRecordings(t *testing.T) {
	files, _ := filepath.Glob(corpus + "/*/metrics.om.gz")
	if len(files) == 0 {
		t.Fatal("no recordings in corpus/")
	}
	for _, f := range files {
		st, err := recording.Open(f, nil)
		if err != nil {
			t.Errorf("%s: %v", f, err)
			continue
		}
		if first, last, ok := st.Bounds(); !ok || last <= first {
			t.Errorf("%s: %d to %d", f, first, last)
		}
	}
}
