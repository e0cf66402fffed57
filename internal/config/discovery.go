package config

import (
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"
)

// StaticConfig lists targets.
type StaticConfig struct {
	// Addresses as host:port.
	Targets []Address `yaml:"targets,omitempty"`
	// Labels of all these targets.
	Labels map[Label]string `yaml:"labels,omitempty"`
}

// Address is host:port, without scheme and path.
type Address string

// UnmarshalYAML implements yaml.Unmarshaler.
func (a *Address) UnmarshalYAML(n *yaml.Node) error {
	s, err := text(n, "host:port")
	switch {
	case err != nil:
		return err
	case strings.Contains(s, "://"):
		return fault(n, "want host:port, not a URL", "the scheme goes into scheme, the path into metrics_path")
	case s == "" || strings.ContainsAny(s, "/ \t\n@"):
		return fault(n, "want host:port", "the path goes into metrics_path")
	}
	*a = Address(s)
	return checkURL(n, "http://"+s)
}

// FileSD reads targets from files.
type FileSD struct {
	// Paths that end in .json, .yml or .yaml; the last part may hold a *.
	Files []Glob `yaml:"files,omitempty"`
	// How often to read them again, beside being told of changes. Default 5m.
	RefreshInterval Duration `yaml:"refresh_interval,omitempty"`
}

func (s *FileSD) check(c *check, at place) {
	c.require(at, "files", len(s.Files) > 0)
	for i, f := range s.Files {
		here := at.field("files").item(i)
		switch filepath.Ext(string(f)) {
		case ".json", ".yml", ".yaml":
		default:
			c.fault(here, "", "want a file that ends in .json, .yml or .yaml")
		}
		if strings.Contains(filepath.Dir(string(f)), "*") {
			c.fault(here, "", "only the last part of the path may hold a *")
		}
		s.Files[i] = Glob(c.join(string(f)))
	}
	fill(&s.RefreshInterval, defaultRefresh)
}

// HTTPSD asks an HTTP server for targets.
type HTTPSD struct {
	// Where to ask.
	URL URL `yaml:"url,omitempty"`
	// How often to ask. Default 1m.
	RefreshInterval Duration `yaml:"refresh_interval,omitempty"`

	HTTP `yaml:",inline"`
}

func (s *HTTPSD) check(c *check, at place) {
	c.require(at, "url", s.URL != "")
	fill(&s.RefreshInterval, defaultAsk)
}

// DNSSD asks DNS for targets.
type DNSSD struct {
	// The names to ask for.
	Names []string `yaml:"names,omitempty"`
	// A, AAAA, SRV, MX or NS. Default SRV.
	Type string `yaml:"type,omitempty"`
	// The port of the targets; SRV records bring their own.
	Port int `yaml:"port,omitempty"`
	// How often to ask. Default 30s.
	RefreshInterval Duration `yaml:"refresh_interval,omitempty"`
}

func (s *DNSSD) check(c *check, at place) {
	c.require(at, "names", len(s.Names) > 0)
	if s.Type == "" {
		s.Type = "SRV"
	}
	s.Type = strings.ToUpper(s.Type)
	known := c.oneOf(at.field("type"), s.Type, "SRV", "A", "AAAA", "MX", "NS")
	if s.Port < 0 || s.Port > 65535 {
		c.fault(at.field("port"), "", "want a port from 1 to 65535")
	} else if known && s.Type != "SRV" && s.Port == 0 {
		c.fault(at.field("type"), "", "records of type %s name no port: give port", s.Type)
	}
	fill(&s.RefreshInterval, defaultDNS)
}

// KubernetesSD asks Kubernetes for targets.
type KubernetesSD struct {
	// pod, service, endpoints, endpointslice, node or ingress. Required.
	Role string `yaml:"role,omitempty"`
	// The API server; the one of the own cluster where it is left out.
	APIServer URL `yaml:"api_server,omitempty"`
	// A kubeconfig to use instead of api_server and the authentication below.
	KubeconfigFile File `yaml:"kubeconfig_file,omitempty"`
	// Where to look; everywhere when it is left out.
	Namespaces *Namespaces `yaml:"namespaces,omitempty"`
	// What to ask Kubernetes for, to have it send less.
	Selectors []*KubernetesSelector `yaml:"selectors,omitempty"`
	// Whose labels to add.
	AttachMetadata *AttachMetadata `yaml:"attach_metadata,omitempty"`

	HTTP `yaml:",inline"`
}

// Namespaces are those in which targets are looked for.
type Namespaces struct {
	// The namespace that this server itself runs in.
	Own bool `yaml:"own_namespace,omitempty"`
	// Others by name.
	Names []string `yaml:"names,omitempty"`
}

// KubernetesSelector narrows what Kubernetes sends.
type KubernetesSelector struct {
	// What it selects among: one of the roles.
	Role string `yaml:"role,omitempty"`
	// By label, such as app=vllm.
	Label string `yaml:"label,omitempty"`
	// By field, such as spec.nodeName=gpu-1.
	Field string `yaml:"field,omitempty"`
}

// AttachMetadata says whose labels targets get beside their own.
type AttachMetadata struct {
	// Those of the node.
	Node bool `yaml:"node,omitempty"`
	// Those of the namespace.
	Namespace bool `yaml:"namespace,omitempty"`
}

func (s *KubernetesSD) check(c *check, at place) {
	roles := []string{"pod", "service", "endpoints", "endpointslice", "node", "ingress"}
	if c.require(at, "role", s.Role != "") {
		c.oneOf(at.field("role"), s.Role, roles...)
	}
	for i, sel := range s.Selectors {
		if here := at.field("selectors").item(i); sel != nil && c.require(here, "role", sel.Role != "") {
			c.oneOf(here.field("role"), sel.Role, roles...)
		}
	}
	if s.KubeconfigFile != "" && s.APIServer != "" {
		c.fault(at.field("api_server"), "", "kubeconfig_file already names the server")
	}
}
