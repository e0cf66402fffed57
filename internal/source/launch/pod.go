package launch

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/inferdx/inferdx/playbooks/knobs"
)

// Pod is the part of a pod that says what runs in it, as the Kubernetes API gives it.
type Pod struct {
	Spec struct {
		Containers []Container `json:"containers"`
	} `json:"spec"`
}

// Container is one container of a pod.
type Container struct {
	Name    string   `json:"name"`
	Image   string   `json:"image"`
	Command []string `json:"command"`
	Args    []string `json:"args"`
	Env     []struct {
		Name      string    `json:"name"`
		Value     string    `json:"value"`
		ValueFrom *struct{} `json:"valueFrom"`
	} `json:"env"`
	Ports []struct {
		ContainerPort int `json:"containerPort"`
	} `json:"ports"`
}

// inPod is where the specification of a target's pod can be read.
func inPod(t Target) (source, bool) {
	first := func(meta, label string) string {
		if v := t.Meta[meta]; v != "" {
			return v
		}
		return t.Labels.Get(label)
	}
	p := place{
		namespace: first("__meta_kubernetes_namespace", "namespace"),
		pod:       first("__meta_kubernetes_pod_name", "pod"),
		container: first("__meta_kubernetes_pod_container_name", "container"),
		port:      t.Meta["__meta_kubernetes_pod_container_port_number"],
	}
	if u, err := url.Parse(t.URL); err == nil && p.port == "" && t.URL != "" {
		p.port = u.Port()
	} else if _, port, err := net.SplitHostPort(t.Labels.Get("instance")); err == nil && p.port == "" {
		p.port = port
	}
	if p.namespace == "" || p.pod == "" {
		return source{}, false
	}
	return source{from: "pod " + p.namespace + "/" + p.pod, place: p}, true
}

// arguments are those of the container that serves the port.
func (p *Pod) arguments(container, port string) ([]string, error) {
	c, err := p.container(container, port)
	if err != nil {
		return nil, err
	}
	return c.arguments()
}

func (p *Pod) container(name, port string) (*Container, error) {
	all := p.Spec.Containers
	if len(all) == 1 {
		return &all[0], nil
	}
	var serving []*Container
	for i := range all {
		c := &all[i]
		if name != "" && c.Name == name {
			return c, nil
		}
		for _, x := range c.Ports {
			if strconv.Itoa(x.ContainerPort) == port {
				serving = append(serving, c)
				break
			}
		}
	}
	if len(serving) != 1 {
		return nil, fmt.Errorf("%d of its %d containers say that they serve port %s, so nobody knows whose arguments count: name the port in one", len(serving), len(all), port)
	}
	return serving[0], nil
}

var (
	errImage  = errors.New("the container's command lies in its image, not in the pod")
	errScript = errors.New("the container starts a script, whose command is not in the pod")
)

// arguments are what the container's command says, with the variables that the pod spells out.
func (c *Container) arguments() ([]string, error) {
	words := slices.Concat(c.Command, c.Args)
	if len(words) == 0 {
		return nil, errImage
	}
	env := map[string]string{}
	var set []string
	for _, e := range c.Env {
		if e.ValueFrom != nil {
			continue
		}
		env[e.Name] = c.expand(e.Value, env)
		if strings.HasPrefix(e.Name, "VLLM_") {
			set = append(set, e.Name+"="+env[e.Name])
		}
	}
	for i, w := range words {
		words[i] = c.expand(w, env)
	}
	if script, ok := shellScript(words); ok {
		words = ofShell(script, env)
	}
	args, found := knobs.Arguments(words)
	if !found && len(c.Command) > 0 && !flags(c.Command) {
		return nil, errScript
	}
	return append([]string{}, masked(append(set, args...))...), nil
}

// flags says that a command is arguments alone, as some write them there.
func flags(command []string) bool { return strings.HasPrefix(command[0], "-") }

var kubernetesVariable = regexp.MustCompile(`\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)`)

// expand puts in variables as the kubelet does: $(NAME), with $$ for a dollar; what is not known stays.
func (*Container) expand(text string, env map[string]string) string {
	return kubernetesVariable.ReplaceAllStringFunc(text, func(m string) string {
		if m == "$$" {
			return "$"
		}
		if v, ok := env[m[2:len(m)-1]]; ok {
			return v
		}
		return m
	})
}

// shellScript finds the script in sh -c SCRIPT.
func shellScript(words []string) (string, bool) {
	if len(words) < 3 || !slices.Contains([]string{"sh", "bash", "ash", "dash"}, path.Base(words[0])) {
		return "", false
	}
	for i, w := range words[1 : len(words)-1] {
		if strings.HasPrefix(w, "-") && strings.HasSuffix(w, "c") && !strings.HasPrefix(w, "--") {
			return words[i+2], true
		}
	}
	return "", false
}

var shellVariable = regexp.MustCompile(`\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))`)

// ofShell reads the words of the command in a script that starts the server.
func ofShell(script string, env map[string]string) []string {
	script = shellVariable.ReplaceAllStringFunc(script, func(m string) string {
		if v, ok := env[strings.Trim(m, "${}")]; ok {
			return v
		}
		return m
	})
	script = strings.ReplaceAll(script, "\\\n", " ")
	for _, line := range strings.Split(script, "\n") {
		for _, one := range commands(knobs.Words(line)) {
			if _, ok := knobs.Arguments(one); ok {
				return one
			}
		}
	}
	return nil
}

// commands parts the words of a line where the shell ends a command.
func commands(words []string) [][]string {
	var out [][]string
	var one []string
	for _, w := range words {
		end := slices.Contains([]string{"&&", "||", "|", "&", ";", "|&"}, w)
		if !end {
			one = append(one, strings.TrimSuffix(w, ";"))
		}
		if end || strings.HasSuffix(w, ";") {
			out, one = append(out, one), nil
		}
	}
	return append(out, one)
}
