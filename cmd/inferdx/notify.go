package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/outbox"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/receivers"
	"github.com/inferdx/inferdx/internal/setup"
	"github.com/inferdx/inferdx/internal/yamlpos"
)

// notification are the flags of `inferdx notify`.
type notification struct {
	config, receiver, reason string
	dryRun                   bool
	timeout                  time.Duration
	diagnosis                diagnosis
}

func (a *app) notify() *cobra.Command {
	o := &notification{}
	cmd := &cobra.Command{
		Use:   "notify --config.file FILE --receiver NAME",
		Short: "Send a diagnosis to a receiver, to see whether it arrives",
		Long: `Diagnoses a recording, or the one that ships with inferdx, and sends what it finds to a receiver of
the configuration of serve, by each way that the receiver has. Exit status: 0 all delivered, 1 one was not
or nothing could be read, 2 usage.`,
		Example: `  inferdx notify --config.file inferdx.yml --receiver oncall
  inferdx notify --config.file inferdx.yml --receiver oncall --recording incident.om.gz --dry-run`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.diagnosis.windowSet = cmd.Flags().Changed("window")
			return a.runNotify(cmd, o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.config, "config.file", "", "the configuration of serve")
	f.StringVar(&o.receiver, "receiver", "", "the name of the receiver there")
	f.StringVar(&o.reason, "reason", string(plan.Test), "why the message goes out: "+strings.Join(reasons(), ", "))
	f.BoolVar(&o.dryRun, "dry-run", false, "print what would be sent instead of sending it")
	f.DurationVar(&o.timeout, "timeout", 30*time.Second, "how long each way of the receiver may take")
	f.StringVar(&o.diagnosis.recording, "recording", "", "OpenMetrics text with timestamps, plain or gzip (default the recording of `inferdx demo`)")
	unquoteUsage(f, "recording")
	f.StringVar(&o.diagnosis.at, "at", "", "the time to look at: RFC 3339, seconds since 1970, or -10m (default the latest)")
	f.DurationVar(&o.diagnosis.window, "window", 5*time.Minute, "how much before --at is looked at")
	o.diagnosis.evidence.flags(f)
	return cmd
}

func reasons() []string {
	var out []string
	for _, r := range []plan.Reason{plan.Test, plan.First, plan.Worse, plan.CauseChanged, plan.Reminder, plan.Resolved} {
		out = append(out, string(r))
	}
	return out
}

func (o *notification) check() error {
	switch {
	case o.config == "":
		return usage("as --config.file inferdx.yml", "--config.file is needed: it names the receivers")
	case o.receiver == "":
		return usage("as --receiver oncall", "--receiver is needed")
	case o.timeout <= 0:
		return usage("as 30s", "--timeout must be above 0")
	case o.diagnosis.window <= 0:
		return usage("as 5m", "--window must be above 0")
	}
	return oneOf("reason", o.reason, reasons()...)
}

func (a *app) runNotify(cmd *cobra.Command, o *notification) error {
	if err := o.check(); err != nil {
		return err
	}
	s, err := setup.Load(o.config)
	if s != nil {
		a.warn(s.Warnings)
	}
	if err != nil {
		return &failure{code: exitFailure, err: err, hints: []string{"`inferdx check config " + o.config + "` says the same"}}
	}
	if err := among(s.Config, o.receiver); err != nil {
		return err
	}
	report, err := o.report(a, cmd)
	if err != nil {
		return err
	}
	set, err := receivers.Build(s.Config, s.Templates, receivers.Options{Hooks: receivers.Hooks{Fault: func(lane string, err error) {
		_, _ = fmt.Fprintln(a.err, printable("warning: "+lane+": "+err.Error()))
	}}})
	if err != nil {
		return unreadable("", "%w", err)
	}
	defer set.Close()
	m, err := o.message(report)
	if err != nil {
		return err
	}
	return a.sendAll(cmd.Context(), o, set, m)
}

// among says whether a receiver exists.
func among(c *config.Config, name string) error {
	var names []string
	for _, r := range c.Receivers {
		if r.Name == name {
			return nil
		}
		names = append(names, r.Name)
	}
	hint := "the configuration has no receivers"
	if near := yamlpos.Nearest(name, names); near != "" {
		hint = "did you mean " + near + "?"
	} else if len(names) > 0 {
		hint = "receivers: " + strings.Join(names, ", ")
	}
	return usage(hint, "no receiver is called %q", name)
}

// report is what is found in the recording, by the one path.
func (o *notification) report(a *app, cmd *cobra.Command) (*model.Report, error) {
	if o.diagnosis.recording == "" {
		_, r, _, err := diagnoseDemo()
		return r, err
	}
	request, err := o.diagnosis.evidence.request(cmd.Flags())
	if err != nil {
		return nil, err
	}
	p, err := o.diagnosis.folders.pipeline()
	if err != nil {
		return nil, err
	}
	read, err := a.read(cmd.Context(), &o.diagnosis, p.Content)
	if err != nil {
		return nil, err
	}
	request.At, request.Window, request.Faults = read.at, read.window, read.faults
	r := p.Diagnose(read.store, request)
	if len(r.Targets) == 0 {
		return nil, read.noTarget()
	}
	return r, nil
}

// message tells of every target that something is wrong with. Its id is new each time, so that no receiver
// takes it for one that it knows.
func (o *notification) message(r *model.Report) (plan.Message, error) {
	now := time.Now()
	m := plan.Message{
		ID: fmt.Sprintf("notify-%d", now.UnixNano()), Receiver: o.receiver, Key: "inferdx notify", Number: 1, Reason: plan.Reason(o.reason),
		Severity: model.Info, At: now, Onset: r.GeneratedAt, Deadline: now.Add(time.Hour),
	}
	for _, d := range r.Targets {
		if d.Status != model.Degraded && d.Status != model.Down {
			continue
		}
		m.Diagnoses = append(m.Diagnoses, d)
		for i, s := range d.Symptoms {
			d.Symptoms[i].State = model.Firing // as a service that has watched for longer would say
			if s.Severity.Rank() > m.Severity.Rank() {
				m.Severity = s.Severity
			}
		}
		if d.Onset != nil && d.Onset.Before(m.Onset) {
			m.Onset = *d.Onset
		}
	}
	if len(m.Diagnoses) == 0 {
		return m, unreadable("leave --recording out to send the one that ships with inferdx", "nothing hurts in the recording: there is nothing to tell")
	}
	return m, nil
}

// sendAll tells each lane, whatever became of the others.
func (a *app) sendAll(ctx context.Context, o *notification, set *receivers.Set, m plan.Message) error {
	byName := map[string]outbox.Receiver{}
	for _, r := range set.Receivers() {
		byName[r.Name] = r
	}
	told := set.Fan(m)
	if len(told) == 0 {
		return unreadable("", "receiver %s takes no message of reason %s", o.receiver, o.reason)
	}
	failed := 0
	for _, one := range told {
		r := byName[one.Receiver]
		if o.dryRun {
			if err := a.preview(set, r, one); err != nil {
				return err
			}
			continue
		}
		within, cancel := context.WithTimeout(ctx, o.timeout)
		began := time.Now()
		_, err := r.Notifier.Notify(within, one, nil)
		cancel()
		if err != nil {
			failed++
			_, _ = fmt.Fprintln(a.out, printable(fmt.Sprintf("%s (%s): not delivered: %v\nhint: %s", r.Name, r.Integration, err, remedy(err))))
			continue
		}
		_, _ = fmt.Fprintln(a.out, printable(fmt.Sprintf("%s (%s): delivered in %s", r.Name, r.Integration, time.Since(began).Round(time.Millisecond))))
	}
	if failed > 0 {
		return unreadable("", "%d of %d not delivered", failed, len(told))
	}
	return nil
}
