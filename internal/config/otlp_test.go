package config_test

import (
	"testing"

	"github.com/inferdx/inferdx/internal/config"
)

func TestProtocolsOfOTLPAreOffUntilTheyAreNamed(t *testing.T) {
	if c := load(t, "urls: a:8000"); c.OTLP != nil {
		t.Errorf("traces are taken: %+v", c.OTLP)
	}
	c := load(t, "urls: a:8000\notlp:\n  protocols:\n    http:\n    grpc:\n")
	if p := c.OTLP.Protocols; p.HTTP == nil || p.HTTP.Address != "" || p.GRPC == nil || p.GRPC.Address != "localhost:4317" {
		t.Errorf("named without anything, as in the collector: %+v", p)
	}
	if c.OTLP.MaxMessageSize != 4<<20 || c.OTLP.MaxConcurrent != 16 || c.OTLP.MaxRequests != 20_000 {
		t.Errorf("limits %+v", c.OTLP)
	}
	c = load(t, "urls: a:8000\notlp: {protocols: {grpc: {endpoint: ':4317'}}}")
	if p := c.OTLP.Protocols; p.HTTP != nil || p.GRPC.Address != ":4317" {
		t.Errorf("gRPC alone: %+v", p)
	}
}

func TestTheSenderOfTracesIsKnownByItsResource(t *testing.T) {
	c := load(t, "urls: a:8000\notlp: {protocols: {http: }, match: [{resource: {service.name: vllm-.*}, target: {instance: 'a:8000'}}]}")
	m := c.OTLP.Match[0]
	for name, want := range map[string]bool{"vllm-a": true, "vllm": false, "": false} {
		if got := m.Fits(map[string]string{"service.name": name}); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
	if !m.Target.Match(map[string]string{"instance": "a:8000"}) {
		t.Error("its target is not found")
	}
}

func TestATraceLinkHasAPlaceForTheID(t *testing.T) {
	for link, ok := range map[string]bool{
		"https://jaeger.example/trace/{trace_id}": true, "https://grafana.example/explore?left={trace_id}": true,
		"https://jaeger.example/trace/": false, "javascript:{trace_id}": false, "{trace_id}": false, "": false,
	} {
		if err := config.CheckTraceLink(link); (err == nil) != ok {
			t.Errorf("%q: %v", link, err)
		}
	}
}
