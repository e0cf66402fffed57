package discovery

import (
	"net/url"
	"time"

	commoncfg "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	prom "github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/dns"
	"github.com/prometheus/prometheus/discovery/file"
	sdhttp "github.com/prometheus/prometheus/discovery/http"
	"github.com/prometheus/prometheus/discovery/kubernetes"
	"github.com/prometheus/prometheus/discovery/targetgroup"

	"github.com/inferdx/inferdx/internal/config"
)

// providers are where a job's targets come from, as Prometheus wants it.
func providers(s *config.Scrape) (prom.Configs, error) {
	var out prom.Configs
	var static prom.StaticConfig
	for i, c := range s.StaticConfigs {
		g := &targetgroup.Group{Source: string(rune('0' + i)), Labels: model.LabelSet{}}
		for name, v := range c.Labels {
			g.Labels[model.LabelName(name)] = model.LabelValue(v)
		}
		for _, a := range c.Targets {
			g.Targets = append(g.Targets, model.LabelSet{model.AddressLabel: model.LabelValue(a)})
		}
		static = append(static, g)
	}
	if len(static) > 0 {
		out = append(out, static)
	}
	for _, c := range s.FileSDConfigs {
		sd := &file.SDConfig{RefreshInterval: model.Duration(c.RefreshInterval)}
		for _, f := range c.Files {
			sd.Files = append(sd.Files, string(f))
		}
		out = append(out, sd)
	}
	for _, c := range s.HTTPSDConfigs {
		out = append(out, &sdhttp.SDConfig{URL: string(c.URL), RefreshInterval: model.Duration(c.RefreshInterval), HTTPClientConfig: client(&c.HTTP)})
	}
	for _, c := range s.DNSSDConfigs {
		out = append(out, &dns.SDConfig{Names: c.Names, Type: c.Type, Port: c.Port, RefreshInterval: model.Duration(c.RefreshInterval)})
	}
	for _, c := range s.KubernetesSDConfigs {
		sd, err := kube(c)
		if err != nil {
			return nil, err
		}
		out = append(out, sd)
	}
	return out, nil
}

func kube(c *config.KubernetesSD) (*kubernetes.SDConfig, error) {
	sd := &kubernetes.SDConfig{Role: kubernetes.Role(c.Role), KubeConfig: string(c.KubeconfigFile), HTTPClientConfig: client(&c.HTTP)}
	if c.APIServer != "" {
		u, err := url.Parse(string(c.APIServer))
		if err != nil {
			return nil, err
		}
		sd.APIServer = commoncfg.URL{URL: u}
	}
	if n := c.Namespaces; n != nil {
		sd.NamespaceDiscovery = kubernetes.NamespaceDiscovery{IncludeOwnNamespace: n.Own, Names: n.Names}
	}
	for _, x := range c.Selectors {
		sd.Selectors = append(sd.Selectors, kubernetes.SelectorConfig{Role: kubernetes.Role(x.Role), Label: x.Label, Field: x.Field})
	}
	if a := c.AttachMetadata; a != nil {
		sd.AttachMetadata.Node, sd.AttachMetadata.Namespace = a.Node, a.Namespace
	}
	return sd, nil
}

// client is the part of an HTTP configuration that Prometheus's clients take. Secrets stay in their
// files; one from the environment is read now.
func client(h *config.HTTP) commoncfg.HTTPClientConfig {
	out := commoncfg.DefaultHTTPClientConfig
	out.FollowRedirects = h.FollowRedirects
	if h.EnableHTTP2 != nil {
		out.EnableHTTP2 = *h.EnableHTTP2
	}
	if b := h.BasicAuth; b != nil {
		out.BasicAuth = &commoncfg.BasicAuth{Username: b.Username, PasswordFile: string(b.PasswordFile)}
		if p, err := b.PasswordEnv.Read(); b.PasswordEnv != "" && err == nil {
			out.BasicAuth.Password = commoncfg.Secret(p.Reveal())
		}
	}
	file, env, kind := h.BearerTokenFile, h.BearerTokenEnv, "Bearer"
	if a := h.Authorization; a != nil {
		file, env = a.CredentialsFile, a.CredentialsEnv
		if a.Type != "" {
			kind = a.Type
		}
	}
	if file != "" || env != "" {
		out.Authorization = &commoncfg.Authorization{Type: kind, CredentialsFile: string(file)}
		if s, err := env.Read(); env != "" && err == nil {
			out.Authorization.Credentials = commoncfg.Secret(s.Reveal())
		}
	}
	if t := h.TLS; t != nil {
		out.TLSConfig = commoncfg.TLSConfig{
			CAFile: string(t.CAFile), CertFile: string(t.CertFile), KeyFile: string(t.KeyFile), ServerName: t.ServerName,
			InsecureSkipVerify: t.InsecureSkipVerify,
		}
	}
	if h.ProxyURL != "" {
		if u, err := url.Parse(string(h.ProxyURL)); err == nil {
			out.ProxyURL = commoncfg.URL{URL: u}
			out.NoProxy = h.NoProxy
		}
	}
	out.ProxyFromEnvironment = h.ProxyFromEnvironment
	return out
}

// interval writes a duration as labels have it.
func interval(d config.Duration) string { return model.Duration(time.Duration(d)).String() }
