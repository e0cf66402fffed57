package logs

import (
	"math"
	"regexp"
	"strings"
)

// sglangPeriodic are the lines of a prefill and, every 40 steps, of a decode. Which parts they have differs by version, model and role.
var sglangPeriodic = []pattern{
	{"Prefill batch", regexp.MustCompile(`Prefill batch(?: \[\d+\])?[.,] #new-seq: \d+, #new-token: (\d+), #cached-token: (\d+)(.*)`), "sglang", func(l *Reader, m []string) {
		l.serves()
		fresh, cached := number(m[1]), number(m[2])
		l.note("prefilled", fresh, 1)
		if fresh+cached > 0 {
			l.note("cached", cached/(fresh+cached), fresh+cached)
		}
		l.batch(m[0], false)
	}},
	{"Decode batch", regexp.MustCompile(`Decode batch(?: \[\d+\])?[.,] #running-req: \d+.*`), "sglang", func(l *Reader, m []string) {
		l.serves()
		if g := graph.FindStringSubmatch(m[0]); g != nil {
			l.start.load.decodes++
			if g[1] == "False" {
				l.start.load.eagerDecodes++
			}
		}
		l.batch(m[0], true)
	}},
}

var (
	graph  = regexp.MustCompile(`(?:cuda|cpu|npu|musa|hip|xpu) graph: (True|False)`)
	fields = regexp.MustCompile(`(#[a-z-]+-(?:req|token)|(?:[a-z-]+ )?(?:token )?usage|gen throughput \(token/s\)|accept len|accept rate): ([\d.]+)`)
	worker = regexp.MustCompile(`\(\w+ pid=\d+`)
	ranks  = regexp.MustCompile(`\[[\d\- :]{19}((?: (?:DP|TP|PP|EP)\d+)+)\]`)
)

// queues are the requests that wait for the other side of a disaggregated service, by any release's name for them. #prealloc-req
// is a queue of both sides.
func queues(decode bool) map[string]string {
	if decode {
		return map[string]string{"#prealloc-req": "prealloc", "#transfer-req": "transferring", "#pending-token": "pending"}
	}
	return map[string]string{
		"#bootstrap-req": "bootstrap", "#prealloc-req": "bootstrap", "#unbootstrapped-req": "bootstrap",
		"#inflight-req": "inflight", "#transferring-req": "inflight", "#pending-token": "pending",
	}
}

// batch reads what lines of prefills and of decodes have in common.
func (l *Reader) batch(text string, decode bool) {
	s := unsaid()
	length := math.NaN()
	other := queues(decode)
	for _, f := range fields.FindAllStringSubmatch(text, 32) {
		v := number(f[2])
		switch {
		case f[1] == "#running-req":
			s.running = v
		case f[1] == "#queue-req":
			s.waiting = v
		case f[1] == "gen throughput (token/s)":
			s.gen = v
		case f[1] == "accept len":
			length = v
		case f[1] == "accept rate":
			l.note("acceptance", v, 1)
		case f[1] == "pre-allocated usage":
			l.note("preallocated", v, 1)
		case strings.HasSuffix(f[1], "usage"):
			if !(s.kv >= v) {
				s.kv = v // of several pools of a hybrid model the fullest counts
			}
		case other[f[1]] != "":
			l.note(other[f[1]], v, 1)
		}
	}
	if length > 0 {
		l.note("acceptance_length", length, 1)
	}
	if key, ok := l.rank(); ok {
		l.sampled(key, s)
	}
}

// rank tells the engine whose line this is; false for ranks beside the first of an engine, which say the same.
func (l *Reader) rank() (string, bool) {
	key := worker.FindString(l.text)
	m := ranks.FindStringSubmatch(l.text)
	if m == nil {
		return key, true
	}
	dp := ""
	for tag := range strings.FieldsSeq(m[1]) {
		switch {
		case strings.HasPrefix(tag, "DP"):
			dp = tag
		case tag[:2] == "PP" && tag != "PP0", tag[:2] == "TP" && tag != "TP0" && dp == "":
			return "", false
		}
	}
	return key + dp, true
}
