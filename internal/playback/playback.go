// Package playback lets recordings happen again: as metrics pages whose counters go on growing however
// often a recording is repeated. It serves demonstrations and tests of what watches for longer than any
// recording lasts.
package playback

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// Recording is what happens: samples, and the types of their metric families as recording.Options.Type
// tells them.
type Recording struct {
	Samples *samples.Store
	Types   map[string]string
}

// Act is a recording that is repeated for a while.
type Act struct {
	Recording
	// Skip leaves the beginning of the recording out, as while a load began that a repetition goes on with.
	Skip time.Duration
	// Lasts is how long; 0 is for ever, as the last act does in any case.
	Lasts time.Duration
	// Restarts is the job that is started anew when the act begins: it does not answer for Away, and its
	// counters begin at nothing. All else goes on.
	Restarts string
	Away     time.Duration
}

// Player plays acts one after another from a beginning on. It is read-only and safe for concurrent use.
type Player struct {
	begin time.Time
	acts  []*act
}

// New prepares acts. Each needs a recording of two scrapes at least.
func New(begin time.Time, acts ...Act) (*Player, error) {
	p := &Player{begin: begin}
	var at time.Duration
	for i, a := range acts {
		x, err := prepare(a)
		if err != nil {
			return nil, fmt.Errorf("act %d: %w", i+1, err)
		}
		x.from = at
		if i > 0 {
			x.carry(p.acts[i-1])
		}
		p.acts = append(p.acts, x)
		if at += a.Lasts; a.Lasts == 0 {
			break
		}
	}
	if len(p.acts) == 0 {
		return nil, fmt.Errorf("nothing to play")
	}
	return p, nil
}

// Jobs lists the jobs of all acts, sorted. Each has a page.
func (p *Player) Jobs() []string {
	var out []string
	for _, a := range p.acts {
		for job := range a.jobs {
			out = append(out, job)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Page writes what a job shows at a time, in the older text format. It is false while the job does not
// answer: before the beginning, while it is started anew, and in an act that does not have it.
func (p *Player) Page(b *strings.Builder, job string, at time.Time) bool {
	t := at.Sub(p.begin)
	if t < 0 {
		return false
	}
	a := p.acts[0]
	for _, x := range p.acts {
		if t >= x.from {
			a = x
		}
	}
	lines, ok := a.jobs[job]
	if t -= a.from; !ok || a.Restarts == job && t < a.Away {
		return false
	}
	for _, l := range lines {
		if v, ok := l.at(t, a); ok {
			if l.started {
				v = float64(p.begin.Add(a.from).UnixMilli())/1000 - 60
				if a.Restarts == job {
					v += 60 + a.Away.Seconds()/2
				}
			}
			fmt.Fprintf(b, "%s %v\n", l.text, v)
		}
	}
	return true
}

// act is a prepared one.
type act struct {
	Act
	from          time.Duration // since the player's beginning
	first, period int64         // in milliseconds
	step          int64
	jobs          map[string][]*line
	byText        map[string]*line
}

// line is a series on a page.
type line struct {
	text       string // name and labels, but job and instance
	points     []samples.Point
	cumulative bool
	whole      bool    // it counts things: its share of a repetition is rounded down, as there is no half request
	started    bool    // it says when the process was started
	base       float64 // is added: what it had reached before, or less what it had when recording began
	gain       float64 // of one repetition
}

func prepare(a Act) (*act, error) {
	first, last, ok := a.Samples.Bounds()
	if first += a.Skip.Milliseconds(); !ok || first >= last {
		return nil, fmt.Errorf("the recording has fewer than two scrapes")
	}
	x := &act{Act: a, first: first, jobs: map[string][]*line{}, byText: map[string]*line{}}
	for _, in := range a.Samples.Instances() {
		job := in.Labels.Get("job")
		if step, ok := in.Interval(samples.Window{From: first - 1, To: last}); ok {
			x.step = max(x.step, step)
		}
		for _, name := range in.Names() {
			for _, s := range in.Named(name) {
				points := samples.Window{From: first - 1, To: last}.In(s.Points)
				if name == "up" || len(points) == 0 {
					continue
				}
				l := &line{text: text(name, s.Labels), points: points, cumulative: cumulative(name, a.Types), started: name == "process_start_time_seconds"}
				x.jobs[job] = append(x.jobs[job], l)
				x.byText[job+"\xff"+l.text] = l
			}
		}
	}
	x.period = last - first + x.step
	for job, lines := range x.jobs {
		for _, l := range lines {
			l.prepare(job == a.Restarts, x.period)
		}
	}
	return x, nil
}

// prepare works out what a counter gains in a repetition: as much as it did, and a step's worth for the
// time from the last sample to the first one of the next.
func (l *line) prepare(anew bool, period int64) {
	if !l.cumulative {
		return
	}
	l.whole = !slices.ContainsFunc(l.points, func(p samples.Point) bool { return p.V != math.Trunc(p.V) })
	a, b := l.points[0], l.points[len(l.points)-1]
	if b.T > a.T {
		l.gain = max(b.V-a.V, 0) * float64(period) / float64(b.T-a.T)
	}
	if anew {
		l.base = -a.V
	}
}

// carry lets counters go on from where they were when the act before ended.
func (x *act) carry(before *act) {
	for job, lines := range x.jobs {
		if job == x.Restarts {
			continue
		}
		for _, l := range lines {
			if old := before.byText[job+"\xff"+l.text]; old != nil && l.cumulative {
				if v, ok := old.at(before.Lasts, before); ok {
					l.base = v - l.points[0].V
				}
			}
		}
	}
}

// at is the value at a time of the act; false when the series was not there then.
func (l *line) at(t time.Duration, a *act) (float64, bool) {
	ms := t.Milliseconds()
	turn := ms / a.period
	now := a.first + ms%a.period
	i := sort.Search(len(l.points), func(i int) bool { return l.points[i].T > now }) - 1
	if i < 0 || now-l.points[i].T > 2*a.step {
		return 0, false
	}
	v := l.points[i].V
	if l.cumulative {
		v += l.base + float64(turn)*l.gain
		if l.whole {
			v = math.Floor(v)
		}
	}
	return v, true
}

func text(name string, labels model.Labels) string {
	if len(labels) == 0 {
		return name
	}
	var b strings.Builder
	b.WriteString(name + "{")
	for i, l := range labels {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(l.Name + `="` + escaper.Replace(l.Value) + `"`)
	}
	b.WriteByte('}')
	return b.String()
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// cumulative says that a metric only grows, by the type of its family.
func cumulative(name string, types map[string]string) bool {
	if types[name] == "counter" {
		return true
	}
	for _, suffix := range []string{"_total", "_bucket", "_count", "_sum"} {
		if base, ok := strings.CutSuffix(name, suffix); ok {
			switch types[base] {
			case "counter", "histogram", "summary":
				return true
			}
		}
	}
	return false
}
