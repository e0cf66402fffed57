package signals

import (
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/yamlpos"
)

// Meaning is what a signal says, whatever server it comes from. One YAML file under meaning/ holds many.
type Meaning struct {
	Name  string      `yaml:"name"`  // what people call it: TTFT P99
	Unit  string      `yaml:"unit"`  // s, ratio, tokens, tokens/s, ...
	Is    string      `yaml:"is"`    // one sentence
	Needs string      `yaml:"needs"` // how to get it exported, shown when it is missing
	Scope model.Scope `yaml:"scope"` // whose signal it is; target when empty
	// Fold is how a wider entity reads it from its members: avg, max, min or sum.
	Fold string `yaml:"fold"`
	// Formula derives the signal from others and from numeric facts; absent operands and division
	// by zero make it absent. first(a, b) takes the first that is known.
	Formula yamlpos.Text `yaml:"formula"`
	// Least makes the formula absent where another signal is too small for it.
	Least Least `yaml:"least"`
	// PromQL reads the signal by a query of the user's own over one target; $match, $by and $window
	// stand for the target's matchers, its labels and what was observed of the window.
	PromQL yamlpos.Text `yaml:"promql"`
	// Trend keeps the signal's samples in the frame for charts and onset.
	Trend bool `yaml:"trend"`
	// Setting makes it a number that configuration sets, with this default.
	Setting *float64 `yaml:"setting"`
	// Fact makes it no signal but something that is known beside them, a number or a text: from arguments, logs, benchmarks, data
	// sheets. Content may refer to it; it has no history and no member.
	Fact bool `yaml:"fact"`
	// Core marks a signal whose absence is always worth a word when causes are ranked.
	Core bool `yaml:"core"`
	// Area is the name of the file that holds it: latency, kv, gpu.
	Area string `yaml:"-"`
}

// Least is how much of a signal is needed.
type Least struct {
	Of yamlpos.Text `yaml:"of"`
	N  float64      `yaml:"n"`
}

// Dialect says from which series a server's signals are read.
type Dialect struct {
	Name string `yaml:"dialect"`
	// Kind is engine, router, gpu, host, process or container: it decides whose entity the series belong to.
	Kind string `yaml:"kind"`
	// Markers are metric names whose presence chooses the dialect.
	Markers []string `yaml:"markers"`
	// Rank is the label that tells data-parallel engines of one target apart.
	Rank string `yaml:"rank"`
	// Started is the series that says when the process was started. What a frame says of a server is of
	// the process that runs: samples of the one before count only where starts themselves are counted.
	Started yamlpos.Text `yaml:"started"`
	// Copies are labels that tell repetitions of one quantity apart, as every worker of a tensor-parallel group
	// may report the same queue: of series that differ in nothing else the first is read.
	Copies []string `yaml:"copies"`
	// Facts are settings that gauges show: the fact and the series, or several whose product it is.
	Facts map[string][]yamlpos.Text `yaml:"facts"`
	// Model is the label that carries the served model's name.
	Model string `yaml:"model"`
	// Info are metrics whose labels are facts about the target.
	Info []string `yaml:"info"`
	// Versions infer the engine's version from what it exposes, oldest first.
	Versions []VersionMark           `yaml:"versions"`
	Series   map[string]SeriesDef    `yaml:"series"`
	Signals  map[string]SignalSource `yaml:"signals"`
}

// VersionMark says that a metric (or a label on it) is there since a version.
type VersionMark struct {
	Since  string `yaml:"since"`
	Metric string `yaml:"metric"`
	Label  string `yaml:"label"`
}

// SeriesDef names a quantity by its metric in every version: the first alternative that is present wins,
// so a renamed metric is never counted twice.
type SeriesDef struct {
	Gauge     []string          `yaml:"gauge"`
	Counter   []string          `yaml:"counter"`
	Histogram []string          `yaml:"histogram"`
	Match     map[string]string `yaml:"match"` // label: value, or ~regular expression (anchored)
	// Beside is a series that is there whenever this counter could be. Where only that one is, this one is 0: its
	// labels are exported from its first event on.
	Beside yamlpos.Text `yaml:"beside"`
}

// SignalSource is the statistic of a series that gives a signal.
type SignalSource struct {
	Of yamlpos.Text `yaml:"of"`
	// Stat: gauges avg min max last first sum count changes q slope bits present;
	// counters rate increase total resets flat; histograms q mean count rate above above_most longest ceiling.
	Stat  yamlpos.Text `yaml:"stat"`
	Q     float64      `yaml:"q"`     // the quantile of stat q, 0 to 1
	Least float64      `yaml:"least"` // observations needed; with fewer the signal is absent
	Fold  string       `yaml:"fold"`  // across series of one entity: sum (default), max, min, avg
	Above string       `yaml:"above"` // for stats above and above_most: a number, a setting or a signal of this file
	Times float64      `yaml:"times"` // multiplies above; 0 means 1
	Mask  uint64       `yaml:"mask"`  // stat bits: share of samples with any of these bits
	Scale float64      `yaml:"scale"` // multiplies the result; 0 means 1
	While []While      `yaml:"while"` // stat flat: only stretches during which these hold
}

// While is a condition on a gauge during a stretch of time.
type While struct {
	Of string `yaml:"of"`
	// Is: positive (above 0 at every sample), constant, rising (grows by at least By).
	Is string  `yaml:"is"`
	By float64 `yaml:"by"`
}

func (d SeriesDef) kind() string {
	switch {
	case len(d.Gauge) > 0:
		return "gauge"
	case len(d.Counter) > 0:
		return "counter"
	case len(d.Histogram) > 0:
		return "histogram"
	}
	return ""
}

func (d SeriesDef) names() []string {
	switch d.kind() {
	case "gauge":
		return d.Gauge
	case "counter":
		return d.Counter
	default:
		return d.Histogram
	}
}
