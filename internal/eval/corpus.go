// Package eval measures the diagnosis against recordings whose causes are known: how often the right
// cause is named, how often a healthy server is accused, and what of it survives missing counters,
// coarse scrapes and older versions. It goes through the same pipeline as every command.
package eval

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/internal/evidence/logs"
	"github.com/inferdx/inferdx/internal/evidence/torchtrace"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/recording"
)

// Scenario is the truth about one recording, as its scenario.yaml gives it.
type Scenario struct {
	ID     string       `yaml:"id"`
	Status model.Status `yaml:"status"`
	// Causes are the right answers: where several are listed nothing on the server tells them apart,
	// and any of them is a hit.
	Causes []string `yaml:"causes"`
	// AlsoAcceptable may stand beside the right one, or as a note on a healthy recording.
	AlsoAcceptable []string           `yaml:"also_acceptable"`
	FixedBy        string             `yaml:"fixed_by"`
	Args           []string           `yaml:"args"`
	Client         map[string]float64 `yaml:"client"`
	Engine         string             `yaml:"engine"`
	EngineVersion  string             `yaml:"engine_version"`
	Hardware       string             `yaml:"hardware"`
	Instance       string             `yaml:"instance"`
	// Scope is group where the truth is about all servers of the recording together; empty is one server.
	Scope model.Scope `yaml:"scope"`
	// Split is dev, heldout, probe or simulated; empty is a given recording. Nothing is fitted or tuned on heldout.
	Split  string `yaml:"split"`
	Family string `yaml:"family"`
	Rig    string `yaml:"rig"`
}

// The splits of a corpus.
const (
	Given   = "given"
	Dev     = "dev"
	Heldout = "heldout"
	// Probe recordings were made to break the rules after they were written: measured and reported, not
	// yet required of them.
	Probe = "probe"
	// Simulated recordings have the names, labels and refresh rules of a released engine and an invented load:
	// nothing is fitted on them and they stand behind no score.
	Simulated = "simulated"
)

// Recording is one server, or the replicas of one service, over some time, with its truth.
type Recording struct {
	Scenario
	Store *samples.Store
	// Last is the time of the last scrape, and Scrapes those of the server itself, failed ones included.
	Last    time.Time
	Scrapes []time.Time
	// Log is what the server's log tells, Profile what a PyTorch profile of it does; nil where there is none.
	Log, Profile map[string]model.Fact
}

// Faulty says that the recording has a cause to find.
func (r *Recording) Faulty() bool { return len(r.Causes) > 0 }

// Quiet says that nothing may be accused on it.
func (r *Recording) Quiet() bool {
	return !r.Faulty() && (r.Status == model.Healthy || r.Status == model.Idle)
}

// Right says whether a cause is among the right ones.
func (r *Recording) Right(cause string) bool { return slices.Contains(r.Causes, cause) }

// Accepts says whether a cause may be listed without being wrong.
func (r *Recording) Accepts(cause string) bool {
	return r.Right(cause) || slices.Contains(r.AlsoAcceptable, cause)
}

// ErrNoRecordings is returned for a folder without a single scenario.yaml.
var ErrNoRecordings = errors.New("no recordings")

// Load reads every folder that holds a scenario.yaml and a metrics.om.gz, in order of id.
// Every fault is reported.
func Load(fsys fs.FS) ([]*Recording, error) {
	names, err := fs.Glob(fsys, "*/scenario.yaml")
	if err != nil {
		return nil, fmt.Errorf("list recordings: %w", err)
	}
	var out []*Recording
	var faults []error
	for _, name := range names {
		r, err := load(fsys, path.Dir(name))
		if err != nil {
			faults = append(faults, err)
			continue
		}
		out = append(out, r)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%w: no folder here holds a scenario.yaml", ErrNoRecordings)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out, errors.Join(faults...)
}

func load(fsys fs.FS, dir string) (*Recording, error) {
	s, err := scenario(fsys, dir)
	if err != nil {
		return nil, err
	}
	r := &Recording{Scenario: *s}
	name := path.Join(dir, "metrics.om.gz")
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	if r.Store, err = recording.Read(name, bytes.NewReader(b), nil); err != nil {
		return nil, err
	}
	_, last, ok := r.Store.Bounds()
	if !ok {
		return nil, fmt.Errorf("%s: holds no sample", name)
	}
	r.Last = time.UnixMilli(last)
	for _, in := range r.Store.Instances() {
		if r.Instance == "" && engineSeries(in) {
			r.Instance = in.Labels.Get("instance")
		}
		if in.Labels.Get("instance") == r.Instance {
			for _, t := range slices.Sorted(slices.Values(append(slices.Clone(in.Scrapes), in.Failed...))) {
				r.Scrapes = append(r.Scrapes, time.UnixMilli(t))
			}
		}
	}
	if len(r.Scrapes) == 0 {
		return nil, fmt.Errorf("%s: holds no scrape of %s, the instance that %s/scenario.yaml names", name, r.Instance, dir)
	}
	return r, r.evidence(fsys, dir)
}

// evidence reads what lies beside the metrics.
func (r *Recording) evidence(fsys fs.FS, dir string) error {
	for name, read := range map[string]func(io.Reader) error{
		"server.log.gz": func(f io.Reader) error {
			l, err := logs.Read(f)
			if err == nil {
				r.Log = l.Facts()
			}
			return err
		},
		"profile.trace.json.gz": func(f io.Reader) error {
			p, err := torchtrace.Read(f)
			if err == nil {
				r.Profile = p.Facts()
			}
			return err
		},
	} {
		name = path.Join(dir, name)
		f, err := fsys.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read recording: %w", err)
		}
		err = read(f)
		_ = f.Close()
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
	}
	return nil
}

func scenario(fsys fs.FS, dir string) (*Scenario, error) {
	name := path.Join(dir, "scenario.yaml")
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	s := &Scenario{}
	if err := yaml.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("read scenario %s: %w", name, err)
	}
	if s.ID == "" {
		s.ID = dir
	}
	if s.Status == "" {
		return nil, fmt.Errorf("read scenario %s: status is missing", name)
	}
	if s.Split == "" {
		s.Split = Given
	}
	if s.Rig == "" {
		s.Rig = rigOf(s.Hardware)
	}
	if s.Family == "" {
		s.Family = familyOf(s.ID)
	}
	s.Family = s.Rig + "/" + s.Family
	return s, nil
}

// rigOf names the machine by the hardware line: what was recorded on one says little about another.
func rigOf(hardware string) string {
	switch {
	case strings.HasPrefix(hardware, "CPU"):
		return "cpu"
	case strings.Contains(hardware, "H200"):
		return "h200"
	case hardware == "":
		return "unknown"
	}
	return strings.ToLower(strings.Join(strings.Fields(hardware), "-"))
}

// families are the loads of recordings that do not name theirs, by what their id holds. A fault and
// its cure share a load, so they are always left out together.
var families = []struct{ part, family string }{
	{"prefix", "prefix"},
	{"longmix", "longmix"},
	{"burst", "burst"},
	{"budget", "budget"},
	{"overload", "overload"},
	{"kv", "kv"},
	{"c64", "c64"},
	{"c8", "c8"},
	{"cpu-starved", "c64"},
	{"gpu-contention", "c64"},
	{"healthy", "healthy"},
	{"low-traffic", "low-traffic"},
}

func familyOf(id string) string {
	for _, f := range families {
		if strings.Contains(id, f.part) {
			return f.family
		}
	}
	return id
}

// Select returns the recordings of the given splits; none means all.
func Select(rs []*Recording, splits ...string) []*Recording {
	var out []*Recording
	for _, r := range rs {
		if len(splits) == 0 || slices.Contains(splits, r.Split) {
			out = append(out, r)
		}
	}
	return out
}
