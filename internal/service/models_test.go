package service

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/source/scrape"
)

func TestTheServiceKnowsTheCeilingOfAConfiguredModel(t *testing.T) {
	shape, err := filepath.Abs("../../corpus/models/llama-8b-dummy.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		match string
		known bool
	}{{"{instance: 'h200-.*'}", true}, {"{instance: 'other.*'}", false}} {
		w := serve(t, t0, "urls: ['localhost:1']\nmodels: [{match: "+tc.match+", config_file: "+shape+"}]\n")
		f := &feeder{w: w, p: acts(t, t0, 15*time.Minute, "seqs8-c64"), kept: map[string]any{}, target: map[string]scrape.ArchiveTarget{}}
		f.live(2 * time.Minute)
		var c *model.Ceiling
		for _, d := range w.last.diagnoses {
			if d.Ceiling != nil {
				c = d.Ceiling
			}
		}
		if (c != nil) != tc.known || c != nil && (c.Limit != "bandwidth" || c.Ratio < 0.5 || c.Ratio > 0.65) {
			t.Errorf("%s: %+v", tc.match, c)
		}
	}
}
