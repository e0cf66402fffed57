package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/samples/promadapter"
	"github.com/inferdx/inferdx/internal/source/serverinfo"
	"github.com/inferdx/inferdx/rules/signals"
)

// diagnosis are the flags of `inferdx diagnose`.
type diagnosis struct {
	recording  string
	live       live
	prometheus prometheus
	http       httpFlags
	at         string
	window     time.Duration
	windowSet  bool
	evidence   evidence
	folders    folders
	looks      looks
	failOn     string
}

func (a *app) diagnose() *cobra.Command {
	o := &diagnosis{}
	cmd := &cobra.Command{
		Use:   "diagnose --recording FILE | --url URL... | --prometheus URL",
		Short: "Say what hurts, why, and what to turn",
		Long: `Reads metrics from a recording, from the live endpoints or from a Prometheus-compatible API and
says of each inference server what hurts, why, what to turn, and what could not be seen.

Exit status: 0 healthy or idle, 1 no target could be read (a file, a page or an API that cannot be
read; an API without any server that matches), 2 usage, 3 findings at or above --fail-on, 4 not
enough to tell. Over several targets 3 wins over 4, and 4 over 0.`,
		Example: `  inferdx diagnose --url h200-0:8000 --url h200-0:9400 --args "$(cat launch.sh)"
  inferdx diagnose --recording incident.om.gz --log server.log
  inferdx diagnose --prometheus https://mimir.example/prometheus --header X-Scope-OrgID=gpu --at -10m`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.windowSet = cmd.Flags().Changed("window")
			return a.runDiagnose(cmd, o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.recording, "recording", "", "OpenMetrics text with timestamps, plain or gzip, as `inferdx record` writes it")
	unquoteUsage(f, "recording")
	o.live.flags(f)
	o.prometheus.flags(f)
	f.StringVar(&o.at, "at", "", "the time to look at: RFC 3339, seconds since 1970, or -10m (default the latest)")
	f.DurationVar(&o.window, "window", 5*time.Minute, "how much before --at is looked at")
	o.evidence.flags(f)
	o.looks.flags(f)
	f.StringVar(&o.failOn, "fail-on", "warning", "the least severity of a finding for exit status 3: info, warning or critical")
	o.folders.flags(f)
	o.http.flags(f)
	return cmd
}

func (a *app) runDiagnose(cmd *cobra.Command, o *diagnosis) error {
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
	read, err := a.read(cmd.Context(), o, p.Content)
	if err != nil {
		return err
	}
	request.At, request.Window, request.Faults = read.at, read.window, read.faults
	request.Server, request.Earlier = read.server, read.earlier
	if len(p.Content.Signals.Own()) > 0 {
		request.PromQL = promadapter.NewEvaluator(read.store, promadapter.Options{}).ByInstance
		for i, e := range request.Earlier {
			if e.Store != nil {
				request.Earlier[i].PromQL = promadapter.NewEvaluator(e.Store, promadapter.Options{}).ByInstance
			}
		}
	}
	o.evidence.timely(&request)
	for _, line := range o.evidence.apart(p, read.store, &request) {
		_, _ = fmt.Fprintln(a.err, "warning: "+printable(line))
	}
	r := p.Diagnose(read.store, request)
	if err := o.looks.print(a.out, r); err != nil {
		return err
	}
	return a.conclude(r, o, request, read)
}

// conclude says on stderr what the report itself cannot and gives the exit status.
func (a *app) conclude(r *model.Report, o *diagnosis, request pipeline.Request, read *reading) error {
	servers := 0
	for _, t := range r.Targets {
		if t.Scope == model.ScopeTarget {
			servers++
		}
	}
	for _, line := range o.evidence.astray(r) {
		_, _ = fmt.Fprintln(a.err, "warning: "+printable(line))
	}
	if servers > 1 && (request.Args != nil || request.Log != nil) {
		_, _ = fmt.Fprintf(a.err, "warning: --args and --log were taken to be of each of the %d servers\n", servers)
	}
	if servers > 1 && request.Model != nil {
		_, _ = fmt.Fprintf(a.err, "warning: --model-config was taken to be of each of the %d servers\n", servers)
	}
	if len(r.Targets) == 0 {
		return read.noTarget()
	}
	return status(exitOf(r, model.Severity(o.failOn)))
}

func (o *diagnosis) check() error {
	given := 0
	for _, set := range []bool{o.recording != "", len(o.live.urls) > 0, o.prometheus.url != ""} {
		if set {
			given++
		}
	}
	switch {
	case given == 0:
		return usage("try `inferdx demo`, or `inferdx diagnose --url host:8000`", "one of --recording, --url and --prometheus is needed")
	case given > 1:
		return usage("give one of them; --url may stand several times", "only one of --recording, --url and --prometheus can be read at once")
	case o.window <= 0:
		return usage("as 5m", "--window must be above 0")
	case o.at != "" && len(o.live.urls) > 0:
		return usage("--at belongs to --recording and --prometheus", "--url is read now, there is no other time to look at")
	case len(o.prometheus.match) > 0 && o.prometheus.url == "":
		return usage("--match belongs to --prometheus", "--match needs --prometheus")
	}
	if _, err := parseTime(o.at, time.Time{}); err != nil {
		return err
	}
	if err := oneOf("fail-on", o.failOn, string(model.Info), string(model.Warning), string(model.Critical)); err != nil {
		return err
	}
	return o.looks.check()
}

// reading is what a source gave.
type reading struct {
	store  *samples.Store
	at     time.Time
	window time.Duration
	faults []model.Fault
	// earlier are the windows that the store does not hold.
	earlier []signals.Earlier
	// info is what the servers' own endpoints say, by instance.
	info map[string]serverinfo.Info
	// noTarget is the error where no server was found in what was read, with what to try.
	noTarget func() error
}

// read is the only step in which the sources differ.
func (a *app) read(ctx context.Context, o *diagnosis, c *content.Content) (*reading, error) {
	switch {
	case o.recording != "":
		return o.fromRecording(c)
	case o.prometheus.url != "":
		return o.fromPrometheus(ctx, c)
	default:
		return a.fromPages(ctx, o, c)
	}
}

// server implements pipeline.Request.Server.
func (r *reading) server(target model.Labels) (facts map[string]model.Fact, configured bool) {
	info := r.info[target.Get("instance")]
	return info.Facts, info.Configured
}
