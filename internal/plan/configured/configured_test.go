package configured_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/plan/configured"
)

const file = `
urls: [http://127.0.0.1:8000/metrics]
global: {external_labels: {site: ber}}
receivers:
  - {name: oncall, webhook: {url: "http://127.0.0.1:9/a"}}
  - {name: bus, webhook: {url: "http://127.0.0.1:9/b", send_resolved: false}}
route:
  receiver: oncall
  group_by: [model_name]
  routes: [{receiver: bus, match: {severity: info}, group_wait: 0s, mute_time_intervals: [may]}]
inhibit_rules: [{source_matchers: ['severity="critical"'], target_matchers: ['severity="info"'], equal: [model_name]}]
time_intervals: [{name: may, time_intervals: [{months: [may]}]}]
`

func TestThePolicySaysWhatTheFileSays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "inferdx.yml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	p := configured.PolicyOf(cfg)
	if diff := cmp.Diff(map[string]plan.Receiver{"oncall": {SendResolved: true}, "bus": {}}, p.Receivers); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"site": "ber"}, p.External); diff != "" {
		t.Error(diff)
	}
	root, bus := p.Route, p.Route.Routes[0]
	if root.Receiver != "oncall" || root.GroupWait != 30*time.Second || root.GroupInterval != 5*time.Minute || root.RepeatInterval != 4*time.Hour {
		t.Errorf("outermost route: %+v", root)
	}
	if bus.Receiver != "bus" || bus.GroupWait != 0 || bus.Matchers.String() != `{severity="info"}` || !cmp.Equal(bus.GroupBy, []string{"model_name"}) {
		t.Errorf("route to bus: %+v", bus)
	}
	if !bus.Mute[0].Contains(time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)) || bus.Mute[0].Contains(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)) {
		t.Error("the muted hours are not those of the file")
	}
	i := p.Inhibit[0]
	if i.Source.String() != `{severity="critical"}` || i.Target.String() != `{severity="info"}` || !cmp.Equal(i.Equal, []string{"model_name"}) {
		t.Errorf("inhibition: %+v", i)
	}
}
