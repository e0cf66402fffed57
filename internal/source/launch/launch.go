// Package launch finds out with which arguments each server was started. It asks, in order of trust:
//
//  1. the configuration: whoever writes arguments there for a server knows better than we could find out;
//  2. an annotation of the pod, or a label of the target: written for us where the server is deployed;
//  3. the pod's specification: what Kubernetes was told to start.
//
// The first that has something to say of a server is taken, also where it then fails: a file that cannot
// be read is no reason to believe somebody else. What the running server itself shows (its metric labels,
// its info endpoint) is no business of this package and wins over all of these, see internal/pipeline.
// Values of keys and tokens are taken out before anything is handed on.
package launch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/source/httpclient"
	"github.com/inferdx/inferdx/internal/source/refresh"
	"github.com/inferdx/inferdx/playbooks/knobs"
)

// Target is a server as discovery knows it.
type Target struct {
	Labels model.Labels
	// Meta are its labels before relabelling, those of discovery among them.
	Meta map[string]string
	// URL is where its metrics are; its port tells the container apart from others of the pod.
	URL string
}

// Options say where to look.
type Options struct {
	// Launch is what the configuration says; of those that match a target the first is taken.
	Launch []*config.Launch
	// Client fetches the pages that the configuration names.
	Client *httpclient.Client
	// Pods reads pods; nil where there is no Kubernetes.
	Pods Pods
	// Identity are the labels that tell targets apart; none means job and instance.
	Identity []string
	// Every is how often files, pages and pods are read again; 0 means ten minutes.
	Every time.Duration
}

// Pods reads the specification of a pod.
type Pods interface {
	Pod(ctx context.Context, namespace, name string) (*Pod, error)
}

// Finder knows the launch arguments of targets. It is safe for concurrent use.
type Finder struct {
	o    Options
	keep *refresh.Keeper[place, []string]

	mu      sync.Mutex
	targets map[string]source // by identity
}

// source is who has the say about a target.
type source struct {
	target string // for people
	from   string
	args   []string // where they are known at once
	place  place    // where to read them, else
}

// place is something to read: a file, a page, or the container of a pod.
type place struct {
	file, page                      string
	namespace, pod, container, port string
}

// New makes a finder for no targets.
func New(o Options) *Finder {
	if len(o.Identity) == 0 {
		o.Identity = []string{"instance", "job"}
	}
	if o.Every <= 0 {
		o.Every = 10 * time.Minute
	}
	f := &Finder{o: o}
	f.keep = refresh.New(refresh.Options[place, []string]{Ask: f.read, Every: o.Every})
	return f
}

// Run reads what there is to read until ctx ends.
func (f *Finder) Run(ctx context.Context) { f.keep.Run(ctx) }

// Sync says which targets there are.
func (f *Finder) Sync(targets []Target) {
	next := make(map[string]source, len(targets))
	var places []place
	for _, t := range targets {
		s, ok := f.source(t)
		if !ok {
			continue
		}
		next[f.key(t.Labels)] = s
		if s.args == nil {
			places = append(places, s.place)
		}
	}
	f.mu.Lock()
	f.targets = next
	f.mu.Unlock()
	f.keep.Keep(places)
}

// Restarted drops what was read of a target before it was restarted, and reads it again.
func (f *Finder) Restarted(target model.Labels) {
	if s, ok := f.of(target); ok && s.args == nil {
		f.keep.Again(s.place)
	}
}

// Of gives the launch arguments of a target, without secrets, and where they are from; false where they
// are not known.
func (f *Finder) Of(target model.Labels) (args []string, from string, ok bool) {
	s, ok := f.of(target)
	if !ok {
		return nil, "", false
	}
	if s.args != nil {
		return s.args, s.from, true
	}
	args, ok, _ = f.keep.Get(s.place)
	if !ok {
		return nil, "", false
	}
	return args, s.from, true
}

// ArgsOf is Of as pipeline.Request.ArgsOf wants it.
func (f *Finder) ArgsOf(target model.Labels) []string {
	args, _, _ := f.Of(target)
	return args
}

// Faults say of which targets the arguments could not be read, and why. Those that fail alike are one fault.
func (f *Finder) Faults() []model.Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	failed := map[string][]string{}
	for _, s := range f.targets {
		if s.args != nil {
			continue
		}
		if _, _, err := f.keep.Get(s.place); err != nil {
			failed[err.Error()] = append(failed[err.Error()], s.target)
		}
	}
	out := make([]model.Fault, 0, len(failed))
	for text, targets := range failed {
		slices.Sort(targets)
		of := targets[0]
		if n := len(targets) - 1; n > 0 {
			of += fmt.Sprintf(" and %d more", n)
		}
		out = append(out, model.Fault{Source: "launch arguments of " + of, Err: text})
	}
	slices.SortFunc(out, func(a, b model.Fault) int { return strings.Compare(a.Source+a.Err, b.Source+b.Err) })
	return out
}

// of finds who has the say about a target. The configuration also speaks of targets that nobody listed.
func (f *Finder) of(target model.Labels) (source, bool) {
	f.mu.Lock()
	s, ok := f.targets[f.key(target)]
	f.mu.Unlock()
	if ok {
		return s, true
	}
	if s, ok = f.configured(target.Map()); ok && s.args != nil {
		return s, true
	}
	return source{}, false
}

func (f *Finder) source(t Target) (source, bool) {
	s, ok := f.configured(t.Labels.Map())
	if !ok {
		s, ok = annotated(t)
	}
	if !ok && f.o.Pods != nil {
		s, ok = inPod(t)
	}
	s.target = t.Labels.Get("instance")
	return s, ok
}

// configured is what the configuration says of a target.
func (f *Finder) configured(labels map[string]string) (source, bool) {
	for _, l := range f.o.Launch {
		switch {
		case l == nil || !l.Match.Match(labels):
		case l.Args != "":
			return source{from: "configuration", args: split(string(l.Args))}, true
		case l.ArgsFile != "":
			return source{from: "file " + string(l.ArgsFile), place: place{file: string(l.ArgsFile)}}, true
		default:
			return source{from: "page " + l.URL.String(), place: place{page: string(l.URL)}}, true
		}
	}
	return source{}, false
}

// Where arguments may stand at a target. The last one survives relabelling.
const (
	annotation  = "__meta_kubernetes_pod_annotation_inferdx_io_args"
	hiddenLabel = "__inferdx_args__"
	plainLabel  = "inferdx_args"
)

func annotated(t Target) (source, bool) {
	for _, name := range []string{annotation, hiddenLabel, plainLabel} {
		from := "label " + name
		if name == annotation {
			from = "annotation inferdx.io/args"
		}
		if text, ok := t.Meta[name]; ok {
			return source{from: from, args: split(text)}, true
		}
	}
	if text := t.Labels.Get(plainLabel); text != "" {
		return source{from: "label " + plainLabel, args: split(text)}, true
	}
	return source{}, false
}

func (f *Finder) read(ctx context.Context, p place) ([]string, error) {
	switch {
	case p.file != "":
		return readFile(p.file)
	case p.page != "":
		return readPage(ctx, f.o.Client, p.page)
	}
	pod, err := f.o.Pods.Pod(ctx, p.namespace, p.pod)
	if err != nil {
		return nil, err
	}
	args, err := pod.arguments(p.container, p.port)
	if err != nil {
		return nil, fmt.Errorf("read pod %s/%s: %w", p.namespace, p.pod, err)
	}
	return args, nil
}

var errNoClient = errors.New("read launch arguments: no way to fetch pages")

// split reads a command line. Its arguments are known, if there are none, too.
func split(text string) []string { return append([]string{}, masked(knobs.SplitArgs(text))...) }

func (f *Finder) key(labels model.Labels) string {
	own := make(model.Labels, 0, len(f.o.Identity))
	for _, l := range labels {
		if slices.Contains(f.o.Identity, l.Name) {
			own = append(own, l)
		}
	}
	return own.Key()
}
