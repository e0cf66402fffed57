package config

import (
	"net"
	"strconv"

	"gopkg.in/yaml.v3"
)

// OTLP says how traces of requests are taken, and whose they are. Its form is that of the OpenTelemetry collector's receiver.
type OTLP struct {
	// The protocols that are taken. Default none: traces are refused.
	Protocols Protocols `yaml:"protocols,omitempty"`
	// The largest message, unpacked. Default 4MiB.
	MaxMessageSize Size `yaml:"max_message_size,omitempty"`
	// The most messages taken at once; what is beyond them is told to come again. Default 16.
	MaxConcurrent int `yaml:"max_concurrent_requests,omitempty"`
	// The most requests kept of each sender for the window; with more, only the latest are told of. Default 20000.
	MaxRequests int `yaml:"max_requests,omitempty"`
	// Whose the traces of a sender are, where it does not tell by itself. The first entry that fits a sender counts.
	Match []*Sender `yaml:"match,omitempty"`
}

// Protocols are the protocols of OTLP.
type Protocols struct {
	// OTLP over HTTP, as protobuf and JSON. Without an endpoint of its own, POST /v1/traces is answered on the web listener.
	HTTP *Endpoint `yaml:"http,omitempty"`
	// OTLP over gRPC.
	GRPC *Endpoint `yaml:"grpc,omitempty"`
}

// Endpoint is where a protocol is taken.
type Endpoint struct {
	// The address, as 0.0.0.0:4317. Default localhost:4317 for grpc, the web listener for http.
	Address Listen `yaml:"endpoint,omitempty"`
}

// Sender says whose the traces of a sender are.
type Sender struct {
	// The sender, by regular expressions over the attributes of its resource, as service.name. Default all.
	Resource map[string]Regex `yaml:"resource,omitempty"`
	// The server, by regular expressions over its labels. One has to fit: traces of several are left out.
	Target Selector `yaml:"target,omitempty"`
}

// Fits says whether the attributes are those of the sender; one that is not there is empty.
func (s *Sender) Fits(attributes map[string]string) bool {
	for name, re := range s.Resource {
		if !re.Match(attributes[name]) {
			return false
		}
	}
	return true
}

// Listen is an address to listen on: host:port, or :port for all addresses of the machine.
type Listen string

// UnmarshalYAML implements yaml.Unmarshaler.
func (l *Listen) UnmarshalYAML(n *yaml.Node) error {
	s, err := text(n, "an address such as 0.0.0.0:4317")
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return fault(n, "want an address", "such as 0.0.0.0:4317")
	}
	if p, err := strconv.ParseUint(port, 10, 16); err != nil || p == 0 {
		return fault(n, "want a port from 1 to 65535", "such as 0.0.0.0:4317")
	}
	*l = Listen(s)
	return nil
}

// TraceLink is the address of a trace, with {trace_id} where its id goes.
type TraceLink string

// UnmarshalYAML implements yaml.Unmarshaler.
func (l *TraceLink) UnmarshalYAML(n *yaml.Node) error {
	s, err := text(n, "the address of a trace")
	if err != nil {
		return err
	}
	if err := CheckTraceLink(s); err != nil {
		return fault(n, err.Error(), "as https://jaeger.example/trace/{trace_id}")
	}
	*l = TraceLink(s)
	return nil
}

// OTLPDefaults are the limits where none are given.
const (
	defaultMessage  = Size(4 << 20)
	defaultAtOnce   = 16
	defaultRequests = 20_000
)

func (o *OTLP) defaults() {
	fill(&o.MaxMessageSize, defaultMessage)
	fill(&o.MaxConcurrent, defaultAtOnce)
	fill(&o.MaxRequests, defaultRequests)
	if g := o.Protocols.GRPC; g != nil {
		fill(&g.Address, "localhost:4317")
	}
}

func (o *OTLP) check(c *check, at place) {
	if o.MaxMessageSize > 64<<20 {
		c.fault(at.field("max_message_size"), "exporters send some hundred spans at once", "want at most 64MiB")
	}
	if o.MaxConcurrent < 1 || o.MaxConcurrent > 256 {
		c.fault(at.field("max_concurrent_requests"), "", "want a number from 1 to 256")
	}
	if o.MaxRequests < 100 || o.MaxRequests > 1_000_000 {
		c.fault(at.field("max_requests"), "a P99 needs 100 of them", "want a number from 100 to 1000000")
	}
	p := o.Protocols
	if p.HTTP == nil && p.GRPC == nil && !c.mistyped(at) {
		c.fault(at, "such as protocols: {http: {}, grpc: {endpoint: 0.0.0.0:4317}}", "protocols names neither http nor grpc: no traces would be taken")
	}
	if p.HTTP != nil && p.GRPC != nil && p.HTTP.Address != "" && p.HTTP.Address == p.GRPC.Address {
		c.fault(at.field("protocols").field("http"), "", "http and grpc have the same endpoint")
	}
	for i, m := range o.Match {
		if m != nil && len(m.Target) == 0 && !c.mistyped(at.field("match").item(i)) {
			c.missing(at.field("match").item(i), "target")
		}
	}
}

// ExpandYAML makes a protocol that is named without anything one with its defaults, as the collector does.
func (*Protocols) ExpandYAML(n *yaml.Node) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return n
	}
	out := *n
	out.Content = append([]*yaml.Node{}, n.Content...)
	for i := 1; i < len(out.Content); i += 2 {
		if v := out.Content[i]; v.ShortTag() == "!!null" {
			out.Content[i] = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: v.Line, Column: v.Column}
		}
	}
	return &out
}
