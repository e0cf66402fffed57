package selfmetrics

import (
	"errors"
	"hash/fnv"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/outbox"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/store"
	"github.com/inferdx/inferdx/notifiers"
)

// Other is the label of what is on none of the fixed lists.
const Other = "other"

var (
	knownHealth     = []string{"up", "down", "unknown"}
	knownFailures   = []string{"timeout", "connection", "tls", "auth", "status", "parse", "too_large"}
	knownSuppressed = []string{"silence", "inhibition", "mute_time_interval", "active_time_interval", "acknowledged"}
	knownReceived   = []string{"accepted", "duplicate", "own", "invalid", "overloaded", "too_large", "unauthorized"}
	knownSpans      = []string{"kept", "duplicate", "other", "evicted", "refused"}
	knownExported   = []string{"accepted", "partial", "invalid", "unsupported", "too_large", "overloaded", "full", "too_slow", "failed"}
	knownStore      = []string{string(store.DiskFull), string(store.ReadOnly), string(store.IOFailed), string(store.Locked), "corrupt", Other}
	knownStatus     = []model.Status{model.Healthy, model.Idle, model.Degraded, model.Down, model.Unknown}
	knownSeverity   = []model.Severity{model.Info, model.Warning, model.Critical}
	knownState      = []model.SymptomState{model.Pending, model.Firing}
	knownReasons    = []notifiers.Reason{
		notifiers.ClientError, notifiers.ServerError, notifiers.AuthError, notifiers.RateLimited, notifiers.Canceled,
		notifiers.DeadlineReached, notifiers.DNSError, notifiers.TLSError, notifiers.ProxyError,
	}
)

func among[T ~string](known []T, x T) string {
	if slices.Contains(known, x) {
		return string(x)
	}
	return Other
}

// Reloaded tells of an attempt to load the configuration; a failed one leaves hash and time as they are.
func (m *Metrics) Reloaded(ok bool, hash string, at time.Time) {
	if !ok {
		m.reloadOK.Set(0)
		return
	}
	h := fnv.New32a() // a float64 holds 32 bits exactly
	_, _ = h.Write([]byte(hash))
	m.reloadOK.Set(1)
	m.reloadAt.Set(seconds(at))
	m.configHash.Set(float64(h.Sum32()))
}

// Interval tells how often evaluations are due.
func (m *Metrics) Interval(d time.Duration) { m.interval.Set(d.Seconds()) }

// Evaluated tells of an evaluation that ended at a time.
func (m *Metrics) Evaluated(at time.Time, took time.Duration, err error) {
	m.evaluations.Inc()
	m.took.Observe(took.Seconds())
	if err != nil {
		m.evaluationsFailed.Inc()
		return
	}
	m.evaluated.Set(seconds(at))
}

// Missed tells of evaluations that were left out.
func (m *Metrics) Missed(n int) { m.missed.Add(float64(max(n, 0))) }

// ClockJumped tells of a jump of the wall clock.
func (m *Metrics) ClockJumped() { m.jumps.Inc() }

// Sources replaces the sources that there are, by their configured names; others are no longer shown.
func (m *Metrics) Sources(up map[string]bool) {
	m.sourceUp.Reset()
	for name, ok := range up {
		m.sourceUp.WithLabelValues(name).Set(number(ok))
	}
}

// SourceFailed counts a failure of a source: timeout, connection, tls, auth, status, parse, too_large or other.
func (m *Metrics) SourceFailed(source, reason string) {
	m.sourceFailures.WithLabelValues(source, among(knownFailures, reason)).Inc()
}

// LogRead tells how many files of a source are followed and how many lines were read since it was told last.
func (m *Metrics) LogRead(source string, files int, lines int64) {
	m.logFiles.WithLabelValues(source).Set(float64(files))
	m.logLines.WithLabelValues(source).Add(float64(max(lines, 0)))
}

// Scraped counts a scrape of a target.
func (m *Metrics) Scraped(ok bool) { m.scrapes.WithLabelValues(result(ok)).Inc() }

// Counts is what is there after an evaluation.
type Counts struct {
	Targets   map[string]int // by health: up, down or unknown
	Diagnoses []model.Diagnosis
}

// Counts tells what is there now.
func (m *Metrics) Counts(c Counts) {
	for _, h := range knownHealth {
		m.targets.WithLabelValues(h).Set(float64(c.Targets[h]))
	}
	status, symptoms := map[model.Status]int{}, map[[2]string]int{}
	for _, d := range c.Diagnoses {
		status[d.Status]++
		for _, s := range d.Symptoms {
			symptoms[[2]string{string(s.Severity), string(s.State)}]++
		}
	}
	for _, s := range knownStatus {
		m.diagnoses.WithLabelValues(string(s)).Set(float64(status[s]))
	}
	for _, v := range knownSeverity {
		for _, s := range knownState {
			m.symptoms.WithLabelValues(string(v), string(s)).Set(float64(symptoms[[2]string{string(v), string(s)}]))
		}
	}
}

// Suppressed counts a message kept back: by silence, inhibition, mute_time_interval, active_time_interval or acknowledged.
func (m *Metrics) Suppressed(reason string) {
	m.suppressed.WithLabelValues(among(knownSuppressed, reason)).Inc()
}

// Received counts alerts that others posted: accepted, duplicate, own, invalid, overloaded, too_large or unauthorized.
func (m *Metrics) Received(result string, n int) {
	m.received.WithLabelValues(among(knownReceived, result)).Add(float64(max(n, 0)))
}

// Exported counts a message with traces: a protocol of http and grpc, and accepted, partial, invalid, unsupported,
// too_large, overloaded, full, too_slow or failed.
func (m *Metrics) Exported(protocol, result string) {
	m.exported.WithLabelValues(protocol, among(knownExported, result)).Inc()
}

// Spans counts spans by what became of them: kept, duplicate, other, evicted or refused.
func (m *Metrics) Spans(n map[string]int) {
	for result, k := range n {
		m.spans.WithLabelValues(among(knownSpans, result)).Add(float64(max(k, 0)))
	}
}

// Traced tells how many spans are kept, and how many requests fit no target or several.
func (m *Metrics) Traced(kept, none, several int) {
	m.spansKept.Set(float64(kept))
	m.unassigned.WithLabelValues("none").Set(float64(none))
	m.unassigned.WithLabelValues("several").Set(float64(several))
}

// Heartbeat counts a sign of life.
func (m *Metrics) Heartbeat(err error) { m.heartbeats.WithLabelValues(result(err == nil)).Inc() }

// Stored tells how a write to the store ended.
func (m *Metrics) Stored(err error) {
	m.storeWritable.Set(number(err == nil))
	if err == nil {
		return
	}
	reason := Other
	var full *store.Unwritable
	var corrupt *store.Corrupt
	switch {
	case errors.As(err, &full):
		reason = among(knownStore, string(full.Fault))
	case errors.As(err, &corrupt):
		reason = "corrupt"
	}
	m.storeErrors.WithLabelValues(reason).Inc()
}

// TSDB tells the size of the samples on disk.
func (m *Metrics) TSDB(bytes int64) { m.tsdbBytes.Set(float64(bytes)) }

// Receivers makes the series of the configured receivers exist before anything is sent to them, and
// drops those of receivers that are no longer configured.
func (m *Metrics) Receivers(rs []outbox.Receiver) {
	m.queued.Reset()
	for _, r := range rs {
		m.queued.WithLabelValues(r.Integration, r.Name)
		for _, v := range []*prometheus.CounterVec{m.notified, m.dead, m.disabled} {
			v.WithLabelValues(r.Integration, r.Name)
		}
	}
}

// OutboxHooks count what the outbox does.
func (m *Metrics) OutboxHooks() outbox.Hooks {
	return outbox.Hooks{
		Attempted: func(a outbox.Attempt) {
			m.notified.WithLabelValues(a.Receiver.Integration, a.Receiver.Name).Inc()
			if a.Reason == "" {
				m.latency.Observe(a.Waited.Seconds())
				return
			}
			m.notifyFailed.WithLabelValues(a.Receiver.Integration, a.Receiver.Name, among(knownReasons, a.Reason)).Inc()
		},
		DeadLetter: func(r outbox.Receiver, _ plan.Message, _ string) {
			m.dead.WithLabelValues(r.Integration, r.Name).Inc()
		},
		Waiting:     func(r outbox.Receiver, n int) { m.queued.WithLabelValues(r.Integration, r.Name).Set(float64(n)) },
		Disabled:    func(r outbox.Receiver, _ string) { m.disabled.WithLabelValues(r.Integration, r.Name).Inc() },
		QueueFailed: func(error) { m.queueErrors.Inc() },
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func number(ok bool) float64 {
	if ok {
		return 1
	}
	return 0
}

func result(ok bool) string {
	if ok {
		return "success"
	}
	return "failure"
}
