package nsight

import "strings"

// maxName is how much of a kernel's name is kept: enough for its templates' first arguments.
const maxName = 400

// maxStalls bounds the reasons for which warps wait; ncu knows about twenty.
const maxStalls = 64

// page turns records into launches. each is called with every launch in order.
type page struct {
	each    func(*launch)
	columns map[string]int
	raw     []rawColumn // nil on a details page
	name    int
	units   []string
	gpu     string
	notes   []string
	style   style
	current *launch
	key     string
	cut     bool // a launch's record was too short
}

// rawColumn is a column of a raw page that is read.
type rawColumn struct {
	at     int
	metric metric // metrics when it is none of them
	stall  string
	tensor string // the kind of tensor operation that it counts
	peak   bool   // its peak instead of its count
}

func (p *page) kind() string {
	if p.raw != nil {
		return "raw"
	}
	return "details"
}

// record takes one record of the file: the profiler's own words, a header, units or values.
func (p *page) record(fields []string) {
	if columns := header(fields); columns != nil {
		p.flush()
		p.begin(fields, columns)
		return
	}
	switch {
	case p.columns == nil:
		p.said(strings.Join(fields, ","))
	case p.raw != nil && fields[0] == "":
		p.units = fields
	case len(fields) <= p.name || fields[0] == "" || fields[0][0] < '0' || fields[0][0] > '9':
		p.said(strings.Join(fields, ","))
	case p.raw != nil && len(fields) < len(p.columns):
		p.cut = true
	case p.raw != nil:
		p.style.learn(fields)
		p.rawLaunch(fields)
	default:
		p.style.learn(fields)
		p.detail(fields)
	}
}

// said keeps what ncu says of the whole run where it changes how the figures are to be read.
func (p *page) said(line string) {
	const clocks = "Running with unmodified GPU clocks"
	if strings.Contains(line, clocks) && len(p.notes) == 0 {
		p.notes = append(p.notes, "the GPU's clocks were not fixed: times of two runs do not compare exactly")
	}
}

func (p *page) begin(fields []string, columns map[string]int) {
	p.columns, p.name, p.units, p.raw = columns, columns["Kernel Name"], nil, nil
	if _, ok := columns["Metric Name"]; ok {
		return
	}
	p.raw = []rawColumn{}
	for i, f := range fields {
		if c, ok := columnOf(f); ok {
			c.at = i
			p.raw = append(p.raw, c)
		}
	}
}

// columnOf tells what a column of the raw page holds.
func columnOf(name string) (rawColumn, bool) {
	if m, ok := rawNames[name]; ok {
		return rawColumn{metric: m}, true
	}
	if rest, ok := strings.CutPrefix(name, "smsp__average_warps_issue_stalled_"); ok {
		if reason, ok := strings.CutSuffix(rest, "_per_issue_active.ratio"); ok && reason != "" {
			return rawColumn{metric: metrics, stall: reason}, true
		}
	}
	if rest, ok := strings.CutPrefix(name, "sm__ops_path_tensor_"); ok {
		if op, ok := strings.CutSuffix(rest, ".sum"); ok && op != "" {
			return rawColumn{metric: metrics, tensor: op}, true
		}
		if op, ok := strings.CutSuffix(rest, ".sum.peak_sustained"); ok && op != "" {
			return rawColumn{metric: metrics, tensor: op, peak: true}, true
		}
	}
	return rawColumn{}, false
}

func (p *page) rawLaunch(fields []string) {
	l := &launch{name: clip(fields[p.name], maxName)}
	for _, c := range p.raw {
		if c.at >= len(fields) || fields[c.at] == "" {
			continue
		}
		unit := ""
		if c.at < len(p.units) {
			unit = p.units[c.at]
		}
		switch v, ok := p.style.number(fields[c.at], unit, c.metric); {
		case !ok:
		case c.stall != "":
			l.stall(c.stall, v)
		case c.tensor != "":
			l.tensorOps(c.tensor, v, c.peak)
		default:
			l.set(c.metric, v)
		}
	}
	if i, ok := p.columns["device__attribute_display_name"]; ok && i < len(fields) && p.gpu == "" {
		p.gpu = clip(fields[i], 64)
	}
	p.each(l)
}

// detail takes one metric of a launch, whose records stand together.
func (p *page) detail(fields []string) {
	at := func(column string) string {
		if i, ok := p.columns[column]; ok && i < len(fields) {
			return fields[i]
		}
		return ""
	}
	if key := fields[0] + " " + at("Process ID") + " " + at("Device") + " " + at("Host Name"); p.current == nil || key != p.key {
		p.flush()
		p.current, p.key = &launch{name: clip(fields[p.name], maxName)}, key
	}
	name, unit := at("Metric Name"), at("Metric Unit")
	if reason, ok := strings.CutPrefix(name, "Stall "); ok {
		if v, ok := p.style.number(at("Metric Value"), "", metrics); ok {
			p.current.stall(strings.ReplaceAll(strings.ToLower(clip(reason, 40)), " ", "_"), v)
		}
		return
	}
	m, ok := detailNames[name]
	if !ok || m.ratio() && unit != "%" {
		return
	}
	if v, ok := p.style.number(at("Metric Value"), unit, m); ok {
		p.current.set(m, v)
	}
}

func (p *page) flush() {
	if p.current != nil {
		p.each(p.current)
		p.current = nil
	}
}
