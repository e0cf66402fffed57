package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
)

func TestALogIsOfEveryServerOrOfOne(t *testing.T) {
	dir := t.TempDir()
	file := func(name, cap string) string {
		path := filepath.Join(dir, name)
		text := "INFO 11-23 18:25:53 [api_utils.py:273] non-default args: {'max_num_seqs': " + cap + "}\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	all, own, odd := file("all.log", "8"), file("own.log", "16"), file("a=b.log", "32")
	tests := []struct {
		name string
		in   []string
		want string // of the servers a:1 and b:1, and of all
	}{
		{"of every server", []string{all}, "- - 8"},
		{"of one", []string{"a:1=" + own}, "16 - -"},
		{"of one, and of the rest", []string{"a:1=" + own, all}, "16 - 8"},
		{"a file with such a name", []string{odd}, "- - 32"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r pipeline.Request
			if err := (&evidence{logs: tt.in}).logged(&r); err != nil {
				t.Fatal(err)
			}
			cap := func(facts map[string]model.Fact) string {
				if f, ok := facts["max_num_seqs"]; ok {
					return f.Text
				}
				return "-"
			}
			of := func(instance string) string {
				if r.LogOf == nil {
					return "-"
				}
				return cap(r.LogOf(model.LabelsFrom(map[string]string{"instance": instance})))
			}
			if got := of("a:1") + " " + of("b:1") + " " + cap(r.Log); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	var r pipeline.Request
	if err := (&evidence{logs: []string{"a:1=" + dir + "/nowhere.log"}}).logged(&r); err == nil || !strings.Contains(err.Error(), "--log: read log: open ") {
		t.Errorf("got %v", err)
	}
}
