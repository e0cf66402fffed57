package recording_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/recording"
)

// flat is a store in comparable form: points by full labels and name.
func flat(st *samples.Store) map[string][]samples.Point {
	out := map[string][]samples.Point{}
	for _, in := range st.Instances() {
		for _, name := range in.Names() {
			for _, s := range in.Named(name) {
				out[in.Labels.Key()+"|"+name+"|"+s.Labels.Key()] = s.Points
			}
		}
	}
	return out
}

func write(t testing.TB, st *samples.Store, types map[string]string) string {
	t.Helper()
	var b strings.Builder
	if err := recording.Write(&b, st, types); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRealRecordingsSurviveWriting(t *testing.T) {
	files, _ := filepath.Glob(corpus + "/*/metrics.om.gz")
	for _, f := range files {
		types := map[string]string{}
		o := recording.Options{Type: func(family, kind string) { types[family] = kind }}
		before, err := o.Open(f)
		if err != nil {
			t.Fatal(err)
		}
		text := write(t, before, types)
		written := map[string]string{}
		o.Type = func(family, kind string) { written[family] = kind }
		after, err := o.Read(f, strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		same := func(a, b samples.Point) bool { return a.T == b.T && math.Float64bits(a.V) == math.Float64bits(b.V) }
		if !maps.EqualFunc(flat(before), flat(after), func(a, b []samples.Point) bool { return slices.EqualFunc(a, b, same) }) {
			t.Errorf("%s: not the same after writing", f)
		}
		if d := cmp.Diff(types, written); d != "" {
			t.Errorf("%s: types: %s", f, d)
		}
		if write(t, after, written) != text {
			t.Errorf("%s: written twice, it differs", f)
		}
	}
}

func TestFamiliesAreContiguousAndTyped(t *testing.T) {
	st := samples.NewStore()
	for _, name := range []string{"b", "a_x", "h_sum", "h_bucket", "a_total", "h_count", "up", "it_total_bucket", "it_total_sum"} {
		for _, instance := range []string{"i1", "i2"} {
			st.Series(name, model.Labels{{Name: "instance", Value: instance}}).Add(1500, 1)
		}
	}
	st.Finish()
	got := write(t, st, map[string]string{"a_total": "counter", "h": "histogram", "up": "gauge", "it_total": "histogram", "b": "untyped", "gone": "gauge"})
	var order []string
	for line := range strings.Lines(got) {
		order = append(order, strings.TrimSpace(strings.ReplaceAll(strings.TrimSuffix(line, " 1 1.500\n"), "instance=", "")))
	}
	want := []string{
		"# TYPE a counter", `a_total{"i1"}`, `a_total{"i2"}`,
		"# TYPE a_x unknown", `a_x{"i1"}`, `a_x{"i2"}`,
		"# TYPE b unknown", `b{"i1"}`, `b{"i2"}`,
		"# TYPE h histogram", `h_bucket{"i1"}`, `h_bucket{"i2"}`, `h_count{"i1"}`, `h_count{"i2"}`, `h_sum{"i1"}`, `h_sum{"i2"}`,
		"# TYPE it_total histogram", `it_total_bucket{"i1"}`, `it_total_bucket{"i2"}`, `it_total_sum{"i1"}`, `it_total_sum{"i2"}`,
		"# TYPE up gauge", `up{"i1"}`, `up{"i2"}`,
		"# EOF",
	}
	if d := cmp.Diff(want, order); d != "" {
		t.Error(d)
	}
}

func TestOddValuesNamesAndLabelsSurviveWriting(t *testing.T) {
	st := samples.NewStore()
	s := st.Series("a", model.Labels{{Name: "instance", Value: "i"}, {Name: "job", Value: "j"}, {Name: "x", Value: "a\"b\\c\nd} 1 1 {{ é\u202e🙂"}})
	for i, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, -0.5, 5e-324, math.MaxFloat64, 1.0 / 3} {
		s.Add(int64(i*7-9)*1001, v)
	}
	st.Series("a metric.with \"quotes\"", nil).Add(1, 1)
	st.Series("dotted.label", model.Labels{{Name: "k8s.pod", Value: "p"}}).Add(999, 1)
	st.Series("plain", nil).Add(0, 1)
	st.Finish()
	after, err := recording.Read("r.om", strings.NewReader(write(t, st, nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(flat(st), flat(after), cmpopts.EquateNaNs()); d != "" {
		t.Error(d)
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"# TYPE a counter\na_total{x=\"1\"} 1 1.5\na_total{x=\"1\"} NaN 2\n# EOF\n", "{\"a.b\",x=\"\\n\"} -Inf -1e3 # {} 1\n# EOF",
		"a 1\n", "<html>", "{}", "\x1f\x8b", "# HELP a b\n# UNIT a_s s\n# EOF\n", "a{le=\"1\"} 1 1\n# TYPE a histogram\na{le=\"1\"} 1 1\n# EOF\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		types := map[string]string{}
		st, err := recording.Options{Type: func(n, k string) { types[n] = k }}.Read("f", bytes.NewReader(in))
		if err != nil {
			return
		}
		text := write(t, st, types)
		again, err := recording.Read("again", strings.NewReader(text), nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if a, b := count(st), count(again); a < b || a > 0 && b == 0 {
			t.Errorf("%d points, then %d\n%s", a, b, text)
		}
	})
}

func count(st *samples.Store) int {
	n := 0
	for _, ps := range flat(st) {
		n += len(ps)
	}
	return n
}

func BenchmarkRead(b *testing.B) {
	z, err := os.ReadFile(corpus + "/base-c64/metrics.om.gz")
	if err != nil {
		b.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(z))
	if err != nil {
		b.Fatal(err)
	}
	plain, _ := io.ReadAll(r)
	few := func(m string) bool { return strings.HasPrefix(m, "vllm:num_requests") }
	for _, bb := range []struct {
		name string
		in   []byte
		keep func(string) bool
	}{{"gz", z, nil}, {"plain", plain, nil}, {"plain, few metrics", plain, few}} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := recording.Read("b", bytes.NewReader(bb.in), bb.keep); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
