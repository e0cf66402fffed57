package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/render"
	"github.com/inferdx/inferdx/internal/replay"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/samples/promadapter"
)

// backtest are the flags of `inferdx replay`.
type backtest struct {
	recording  string
	history    string
	prometheus prometheus
	http       httpFlags
	from, to   string
	step       time.Duration
	window     time.Duration
	symptoms   []string
	evidence   evidence
	folders    folders
	looks      looks
	failOn     string
}

func (a *app) replay() *cobra.Command {
	o := &backtest{}
	cmd := &cobra.Command{
		Use:   "replay --recording FILE | --prometheus URL | --history DATA_DIR",
		Short: "Say what would have fired over a stretch of the past, and with which for",
		Long: `Goes through the past step by step, judges every step as the service would have, and says what
would have fired when, for how long, for which cause; and how often each symptom would have fired
with another 'for'. Where nothing was scraped it shows a gap, not health.

Exit status: 0 nothing fired, 1 nothing could be read, 2 usage, 3 something fired at or above
--fail-on, 4 not enough to tell.`,
		Example: `  inferdx replay --recording incident.om.gz
  inferdx replay --prometheus http://prometheus:9090 --from -30d --match 'namespace="prod"'
  inferdx replay --history /var/lib/inferdx --from -7d --symptom ttft-high --rules ./rules`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runReplay(cmd, o) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.recording, "recording", "", "OpenMetrics text with timestamps, plain or gzip")
	o.prometheus.flags(f)
	f.StringVar(&o.history, "history", "", "the data folder of an inferdx service, whether it runs or not, or of a Prometheus")
	f.StringVar(&o.from, "from", "", "where to begin: RFC 3339, seconds since 1970, or -30d (default a day before --to, or all of a recording or history)")
	f.StringVar(&o.to, "to", "", "where to end (default the latest)")
	f.DurationVar(&o.step, "step", time.Minute, "time from look to look; of a recording its own scrape interval where that is shorter and --step is not given")
	f.DurationVar(&o.window, "window", 5*time.Minute, "how much before each step is looked at")
	f.StringArrayVar(&o.symptoms, "symptom", nil, "tell of this symptom alone (repeatable)")
	o.evidence.flags(f)
	o.looks.flags(f)
	f.StringVar(&o.failOn, "fail-on", "warning", "the least severity that gives exit status 3: info, warning or critical")
	o.folders.flags(f)
	o.http.flags(f)
	return cmd
}

func (o *backtest) check() error {
	given := 0
	for _, set := range []bool{o.recording != "", o.history != "", o.prometheus.url != ""} {
		if set {
			given++
		}
	}
	switch {
	case given != 1:
		return usage("as `inferdx replay --recording incident.om.gz`", "exactly one of --recording, --prometheus and --history is needed")
	case o.window < time.Millisecond:
		return usage("as 5m", "--window must be above 0")
	case o.step < time.Second:
		return usage("as 1m", "--step must be 1s or more")
	case len(o.prometheus.match) > 0 && o.prometheus.url == "":
		return usage("--match belongs to --prometheus", "--match needs --prometheus")
	case o.prometheus.offset < 0:
		return usage("as 30s", "--query-offset must not be negative")
	}
	if err := oneOf("fail-on", o.failOn, string(model.Info), string(model.Warning), string(model.Critical)); err != nil {
		return err
	}
	return o.looks.check()
}

func (a *app) runReplay(cmd *cobra.Command, o *backtest) error {
	if err := o.check(); err != nil {
		return err
	}
	request, err := o.evidence.request(cmd.Flags())
	if err != nil {
		return err
	}
	p, err := o.folders.pipeline()
	if err != nil {
		return err
	}
	for _, s := range o.symptoms {
		if err := oneOf("symptom", s, p.Content.Rules.IDs()...); err != nil {
			return err
		}
	}
	past, err := o.past(cmd.Context(), p.Content)
	if err != nil {
		return err
	}
	defer past.close()
	step := o.step
	if past.interval > 0 && past.interval < step && !cmd.Flags().Changed("step") {
		step = max(past.interval, time.Second)
	}
	r, err := replay.Run(cmd.Context(), replay.Options{
		Pipeline: p, Source: past.source, From: past.from, To: past.to, Step: step, Window: o.window, Request: request,
		Symptoms: o.symptoms, PromQL: ownQueries(p), Progress: a.progressOf(past),
	})
	if err != nil {
		return unreadable(past.hint, "%w", err)
	}
	if len(r.Targets) == 0 {
		return past.noTarget(r)
	}
	if err := o.looks.printReplay(a.out, r); err != nil {
		return err
	}
	return status(replayExit(r, model.Severity(o.failOn)))
}

// ownQueries answers users' own signals; nil where there are none.
func ownQueries(p *pipeline.Pipeline) func(*samples.Store) func(string, time.Time) (map[string]float64, error) {
	if len(p.Content.Signals.Own()) == 0 {
		return nil
	}
	return func(st *samples.Store) func(string, time.Time) (map[string]float64, error) {
		return promadapter.NewEvaluator(st, promadapter.Options{}).ByInstance
	}
}

// progressOf shows how far it is, on a terminal.
func (a *app) progressOf(p *past) func(done, total time.Duration) {
	if !isTerminal(a.err) || p.interval > 0 {
		return nil
	}
	return func(done, total time.Duration) {
		if done >= total {
			_, _ = io.WriteString(a.err, "\r\x1b[K")
			return
		}
		_, _ = fmt.Fprintf(a.err, "\r\x1b[K%.0f %% read (ctrl-C ends)", 100*float64(done)/float64(total))
	}
}

// replayExit gives 3 where something fired, 4 where some target could hardly be judged.
func replayExit(r *replay.Result, failOn model.Severity) int {
	if slices.ContainsFunc(r.Episodes, func(e replay.Episode) bool { return e.Fired && e.Severity.Rank() >= failOn.Rank() }) {
		return exitFindings
	}
	for _, t := range r.Targets {
		var known, unknown time.Duration
		for _, s := range t.Segments {
			if s.State == replay.Unknown || s.State == replay.Gap {
				unknown += s.To.Sub(s.From)
			} else {
				known += s.To.Sub(s.From)
			}
		}
		if unknown > known {
			return exitUnknown
		}
	}
	return exitOK
}

func (l *looks) printReplay(w io.Writer, r *replay.Result) error {
	switch l.format {
	case "json":
		return render.ReplayJSON(w, r)
	case "markdown":
		return render.ReplayMarkdown(w, r)
	default:
		return render.ReplayText(w, r, render.TextOptions{Width: width(w), Colour: l.colour(w)})
	}
}
