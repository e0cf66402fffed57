// Package selfmetrics counts what the service itself does, for its /metrics. No label takes a value from
// outside: names come from the configuration, everything else from fixed lists.
package selfmetrics

import (
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is one registry. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	reloadOK, reloadAt, configHash, interval, evaluated gauge
	evaluations, evaluationsFailed, missed, jumps       prometheus.Counter
	took, latency                                       prometheus.Histogram
	storeWritable, tsdbBytes                            gauge
	heartbeats                                          *prometheus.CounterVec
	sourceUp, targets, diagnoses, symptoms, queued      *prometheus.GaugeVec
	logFiles                                            *prometheus.GaugeVec
	sourceFailures, scrapes, notified, notifyFailed     *prometheus.CounterVec
	logLines                                            *prometheus.CounterVec
	dead, suppressed, received, storeErrors, disabled   *prometheus.CounterVec
	queueErrors                                         prometheus.Counter
	exported, spans                                     *prometheus.CounterVec
	spansKept                                           gauge
	unassigned                                          *prometheus.GaugeVec
}

type gauge = prometheus.Gauge

// New makes a registry with the counters of the Go runtime and of the process.
func New(version string) *Metrics {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	f := factory{r}
	m := &Metrics{
		registry:   r,
		reloadOK:   f.gauge("config_last_reload_successful", "Whether the last attempt to load the configuration succeeded."),
		reloadAt:   f.gauge("config_last_reload_success_timestamp_seconds", "When the configuration in use was loaded."),
		configHash: f.gauge("config_hash", "A number that changes with the configuration in use and the files that it names."),
		interval:   f.gauge("evaluation_interval_seconds", "How often an evaluation is due."),
		evaluated:  f.gauge("last_evaluation_timestamp_seconds", "When the last evaluation succeeded."),

		evaluations:       f.counter("evaluations_total", "Evaluations, the failed ones included."),
		evaluationsFailed: f.counter("evaluation_failures_total", "Evaluations that failed."),
		missed:            f.counter("iterations_missed_total", "Evaluations left out because the one before took too long, or the machine slept."),
		jumps:             f.counter("clock_jumps_total", "Times at which the wall clock went another way than the time that passed."),
		queueErrors:       f.counter("notification_queue_errors_total", "Times the queue of notifications could not be read or written."),
		took: f.histogram("evaluation_duration_seconds", "How long an evaluation took.",
			.001, .005, .01, .05, .1, .5, 1, 5, 15, 60),
		latency: f.histogram("notification_latency_seconds", "Time from the decision to send a message to its delivery.",
			.1, .5, 1, 5, 15, 60, 300, 1800, 7200),

		sourceUp:       f.gauges("source_up", "Whether a source answered when it was last asked.", "source"),
		logFiles:       f.gauges("log_files", "Log files that are followed, by source.", "source"),
		logLines:       f.counters("log_lines_total", "Lines of log files that were read.", "source"),
		targets:        f.gauges("targets", "Targets by what was last heard of them.", "health"),
		diagnoses:      f.gauges("diagnoses", "Entities by the status of their latest diagnosis.", "status"),
		symptoms:       f.gauges("symptoms", "Symptoms that are there.", "severity", "state"),
		queued:         f.gauges("notifications_queued", "Messages that are neither delivered nor given up.", "integration", "receiver"),
		sourceFailures: f.counters("source_failures_total", "Requests to a source that failed.", "source", "reason"),
		scrapes:        f.counters("scrapes_total", "Scrapes of targets.", "result"),
		notified:       f.counters("notifications_total", "Attempts to deliver a message, the failed ones included.", "integration", "receiver"),
		notifyFailed:   f.counters("notifications_failed_total", "Attempts to deliver a message that failed.", "integration", "receiver", "reason"),
		dead:           f.counters("dead_letters_total", "Messages that were given up.", "integration", "receiver"),
		disabled:       f.counters("receivers_disabled_total", "Receivers that asked never to be called again.", "integration", "receiver"),
		suppressed:     f.counters("notifications_suppressed_total", "Messages kept back.", "reason"),
		received:       f.counters("received_alerts_total", "Alerts that others posted, by what became of them.", "result"),
		heartbeats:     f.counters("heartbeats_total", "Signs of life sent to the heartbeat URL.", "result"),

		exported:   f.counters("otlp_requests_total", "Messages with traces, by what became of them.", "protocol", "result"),
		spans:      f.counters("otlp_spans_total", "Spans that came by OTLP, by what became of them; evicted ones were kept before.", "result"),
		spansKept:  f.gauge("otlp_spans_kept", "Spans that are kept."),
		unassigned: f.gauges("otlp_requests_unassigned", "Traced requests of the window that were left out, as they fit no target, or several.", "fits"),

		storeWritable: f.gauge("store_writable", "Whether the last write to the store succeeded."),
		storeErrors:   f.counters("store_errors_total", "Reads and writes of the store that failed.", "reason"),
		tsdbBytes:     f.gauge("tsdb_size_bytes", "Size of the samples kept on disk."),
	}
	f.gauges("build_info", "The release that runs; always 1.", "version", "goversion").WithLabelValues(version, runtime.Version()).Set(1)
	m.zero()
	return m
}

// zero makes every series of a fixed list exist from the start, so that a first failure is an increase.
func (m *Metrics) zero() {
	for _, k := range knownSuppressed {
		m.suppressed.WithLabelValues(k)
	}
	for _, k := range knownReceived {
		m.received.WithLabelValues(k)
	}
	for _, k := range knownStore {
		m.storeErrors.WithLabelValues(k)
	}
	for _, k := range knownSpans {
		m.spans.WithLabelValues(k)
	}
	for _, protocol := range []string{"http", "grpc"} {
		for _, result := range knownExported {
			m.exported.WithLabelValues(protocol, result)
		}
	}
	m.Traced(0, 0, 0)
	for _, k := range []string{"success", "failure"} {
		m.scrapes.WithLabelValues(k)
		m.heartbeats.WithLabelValues(k)
	}
	m.Counts(Counts{})
	m.storeWritable.Set(1)
}

// Handler serves the registry in Prometheus's formats.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true, MaxRequestsInFlight: 10})
}

// factory makes and registers metrics under the prefix of the program.
type factory struct{ r *prometheus.Registry }

const namespace = "inferdx"

func (f factory) gauge(name, help string) prometheus.Gauge {
	x := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
	f.r.MustRegister(x)
	return x
}

func (f factory) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	x := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
	f.r.MustRegister(x)
	return x
}

func (f factory) counter(name, help string) prometheus.Counter {
	x := prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
	f.r.MustRegister(x)
	return x
}

func (f factory) counters(name, help string, labels ...string) *prometheus.CounterVec {
	x := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	f.r.MustRegister(x)
	return x
}

func (f factory) histogram(name, help string, buckets ...float64) prometheus.Histogram {
	x := prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
	f.r.MustRegister(x)
	return x
}
