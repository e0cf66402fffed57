package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/replay"
	"github.com/inferdx/inferdx/internal/require"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/recording"
	"github.com/inferdx/inferdx/internal/source/tsdb"
)

// A recording, a Prometheus that it was loaded into, and the folder of a service that scraped the same give
// the same episodes.
func TestEverySourceReplaysTheSame(t *testing.T) {
	for _, id := range []string{"restart", "seqs4-open", "k_engine_hung", "j_down"} {
		t.Run(id, func(t *testing.T) {
			file := filepath.Join("..", "..", "corpus", id, "metrics.om.gz")
			want := replayOf(t, "--recording", file)
			stretch := []string{
				"--from", want.From.Format(time.RFC3339Nano), "--to", want.To.Format(time.RFC3339Nano),
				"--step", (time.Duration(want.StepSeconds) * time.Second).String(),
			}
			if len(want.Episodes) == 0 {
				t.Fatal("nothing happened in it")
			}
			url := require.Prometheus(t, file)
			for name, args := range map[string][]string{
				"--prometheus": {"--prometheus", url}, "--history": {"--history", historyOf(t, file)},
			} {
				got := replayOf(t, append(args, stretch...)...)
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("%s: %s", name, d)
				}
			}
		})
	}
}

func replayOf(t *testing.T, args ...string) replay.Result {
	t.Helper()
	var out, errs bytes.Buffer
	run(append([]string{"replay", "--format", "json"}, args...), strings.NewReader(""), &out, &errs)
	var r replay.Result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("replay %v: %v\n%s", args, err, errs.String())
	}
	return r
}

// historyOf scrapes a recording into the data folder of a service, and leaves it running.
func historyOf(t *testing.T, file string) string {
	t.Helper()
	st, err := recording.Open(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	db, err := tsdb.Open(filepath.Join(dir, tsdb.Folder), tsdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, in := range st.Instances() {
		target := db.Target(in.Labels)
		at := map[int64][]tsdb.Sample{}
		for _, name := range in.Names() {
			for _, s := range in.Named(name) {
				if name == "up" {
					continue
				}
				x := target.Series(name, s.Labels)
				for _, p := range s.Points {
					at[p.T] = append(at[p.T], tsdb.Sample{Series: x, Point: samples.Point{T: p.T, V: p.V}})
				}
			}
		}
		all := slices.Sorted(slices.Values(slices.Concat(in.Scrapes, in.Failed)))
		for _, ms := range all {
			if err := target.Append(ms, slices.Contains(in.Scrapes, ms), at[ms]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}
