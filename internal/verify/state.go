package verify

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// State is what is remembered from frame to frame. It is plain data and survives JSON; the functions of
// this package never change one that they are given.
type State struct {
	At      time.Time          `json:"at"`
	Targets map[string]Watched `json:"targets,omitempty"`
}

// Watched is what is remembered of one target.
type Watched struct {
	Target map[string]string `json:"target"`
	Group  map[string]string `json:"group,omitempty"`
	// Seen is the last frame with the target, Answered its last answered scrape.
	Seen     time.Time `json:"seen"`
	Answered time.Time `json:"answered"`
	// Started is the newest start of its process in seconds since 1970, Resets how often its counters
	// had fallen in the window.
	Started  float64            `json:"started,omitempty"`
	Resets   float64            `json:"resets,omitempty"`
	Settings map[string]Setting `json:"settings,omitempty"`
	// Harm is the last stretch in which it was degraded.
	Harm   Span     `json:"harm"`
	Advice []Advice `json:"advice,omitempty"`
	// Changed is when what is compared after the last change began.
	Changed time.Time `json:"changed"`
	Trial   *Trial    `json:"trial,omitempty"`
}

// Setting is the value of a launch flag as it was last known. A target has many, so their names are short.
type Setting struct {
	Value string `json:"v"`
	// From is where the value was read; nothing for a default, which stands because nothing else is set.
	From    string `json:"f,omitempty"`
	Default bool   `json:"d,omitempty"`
}

// Advice is a cause with the flags that were suggested for it.
type Advice struct {
	Cause   string    `json:"cause"`
	Primary bool      `json:"primary,omitempty"`
	Seen    time.Time `json:"seen"`
	Turns   []Turn    `json:"turns,omitempty"`
	// Ways are the directions of the turns that name no value: up, down or "".
	Ways []string `json:"ways,omitempty"`
}

func (s State) clone() State {
	s.Targets = maps.Clone(s.Targets)
	if s.Targets == nil {
		s.Targets = map[string]Watched{}
	}
	return s
}

// look is what one frame shows of a target.
type look struct {
	engine   string
	answered time.Time
	started  float64
	resets   float64
	failing  bool
	settings map[string]Setting
}

func (w *Watch) look(f *model.Frame, x model.Entity) look {
	out := look{engine: x.Engine.Name, answered: f.Span(x.ID).Last.UTC().Round(0), settings: map[string]Setting{}}
	if v, ok := f.Get(x.ID, "started_at"); ok {
		out.started = v.V
	}
	if v, ok := f.Get(x.ID, "counter_resets"); ok {
		out.resets = v.V
	}
	if v, ok := f.Get(x.ID, "scrape_failed_ratio"); ok {
		out.failing = v.V > 0
	}
	for name, fact := range f.AllFacts(x.ID) {
		if fact.Inferred || fact.Text == "" || strings.HasPrefix(fact.From, "inferred") {
			continue
		}
		if _, ok := w.knobs.Describe(x.Engine.Name, name); !ok {
			continue
		}
		if !fact.Explicit && strings.HasPrefix(fact.From, "default") {
			out.settings[name] = Setting{Value: fact.Text, Default: true}
		} else {
			out.settings[name] = Setting{Value: fact.Text, From: fact.From}
		}
	}
	return out
}

// restarted says that the process is another one. Where the start time is known it alone counts, and
// only a newer one: behind one address two servers may answer in turn.
func (x Watched) restarted(now look) bool {
	switch {
	case x.Started > 0 && now.started > 0:
		return now.started > x.Started+1
	case x.Started > 0 || now.started > 0:
		return false
	}
	return now.resets > x.Resets && now.failing
}

// turns are the flags whose value is another one. A value that was not known before is no change, nor is
// one that comes from elsewhere; a default beside a set value is one only when the process is new, as
// that may as well be a command line that became known.
func (w *Watch) turns(x Watched, now look, restarted bool) []Turn {
	var out []Turn
	for _, name := range slices.Sorted(maps.Keys(now.settings)) {
		s := now.settings[name]
		was, ok := x.Settings[name]
		if !ok || equal(was.Value, s.Value) {
			continue
		}
		if was.Default && s.Default || was.Default != s.Default && !restarted || was.Default == s.Default && was.From != s.From {
			continue
		}
		k, _ := w.knobs.Describe(now.engine, name)
		out = append(out, Turn{name, k.Flag, was.Value, s.Value})
	}
	return out
}

// remember takes over what a frame shows; what it does not show stays known.
func (x *Watched) remember(at time.Time, now look) {
	x.Seen = at
	if !now.answered.IsZero() {
		x.Answered = now.answered
	}
	x.Started, x.Resets = max(x.Started, now.started), now.resets
	changed := false
	for name, s := range now.settings {
		changed = changed || x.Settings[name] != s
	}
	if changed {
		x.Settings = maps.Clone(x.Settings)
		if x.Settings == nil {
			x.Settings = map[string]Setting{}
		}
		maps.Copy(x.Settings, now.settings)
	}
}
