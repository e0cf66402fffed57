package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/corpus"
	"github.com/inferdx/inferdx/internal/secret"
	"github.com/inferdx/inferdx/internal/selfmetrics"
	"github.com/inferdx/inferdx/internal/service"
	"github.com/inferdx/inferdx/internal/setup"
	"github.com/inferdx/inferdx/internal/web"
)

// serving are the flags of `inferdx serve`, in the words of Prometheus's programs.
type serving struct {
	config    string
	web       web.Options
	external  string
	tokenFile string
	logLevel  string
	logFormat string
}

func (a *app) serve() *cobra.Command {
	o := &serving{}
	cmd := &cobra.Command{
		Use:   "serve --config.file FILE",
		Short: "Watch servers, diagnose them all the time, and tell people",
		Long: `Watches the servers that the configuration names, by scraping them or through a Prometheus-compatible
API, diagnoses them at an interval by the rules and playbooks of diagnose, and tells receivers what
hurts, why, what to turn, and whether it helped. What it remembers lies in storage.path and survives a
restart. SIGHUP loads the configuration again; one with a fault changes nothing.

Exit status: 0 after SIGTERM or an interrupt, 1 when it cannot start or go on, 2 usage.`,
		Example: `  inferdx serve --config.file inferdx.yml
  inferdx check config inferdx.yml`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runServe(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.config, "config.file", "inferdx.yml", "the configuration: docs/configuration.md")
	f.StringArrayVar(&o.web.Listen, "web.listen-address", []string{"127.0.0.1:9798"}, "where to answer HTTP (repeatable)")
	f.StringVar(&o.web.ConfigFile, "web.config.file", "", "TLS and passwords, in the form of Prometheus's exporter-toolkit")
	f.StringVar(&o.external, "web.external-url", "", "the URL under which people reach this inferdx, for links in messages")
	f.StringVar(&o.web.Prefix, "web.route-prefix", "", "a path that stands before every path")
	f.BoolVar(&o.web.Lifecycle, "web.enable-lifecycle", false, "let POST /-/reload load the configuration again")
	f.IntVar(&o.web.MaxConnections, "web.max-connections", 512, "the most connections at once, of each address")
	f.StringVar(&o.tokenFile, "receiver.token-file", "", "a file with the bearer token that senders of alerts have to give (default none)")
	f.StringVar(&o.logLevel, "log.level", "info", "debug, info, warn or error")
	f.StringVar(&o.logFormat, "log.format", "logfmt", "logfmt or json")
	return cmd
}

func (a *app) runServe(ctx context.Context, o *serving) error {
	log, err := a.logger(o)
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(service.GCPercent)
	}
	if err := o.oneWayIn(); err != nil {
		return err
	}
	cfg, err := a.load(o.config, log)
	if err != nil {
		return err
	}
	metrics := selfmetrics.New(version())
	s, err := service.New(ctx, service.Options{Metrics: metrics, Setup: cfg, Recordings: corpus.Behind(), Log: log, ExternalURL: o.external, WebConfigFile: o.web.ConfigFile, Connections: o.web.MaxConnections})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &reloader{load: func() (*setup.Setup, error) { return a.load(o.config, log) }, into: s, log: log, metrics: metrics}
	o.web.Metrics = metrics.Handler()
	o.web.Log, o.web.Ready, o.web.Reload = log, s.Ready, r.reload
	o.web.Handlers = map[string]http.Handler{}
	maps.Copy(o.web.Handlers, s.AlertHandlers(o.token()))
	maps.Copy(o.web.Handlers, s.API(version()))
	o.web.Handlers["POST /api/v1/slack"], o.web.Handlers["POST /api/v1/slack/{receiver...}"] = s.SlackHandler(), s.SlackHandler()
	o.web.Handlers["/v1/traces"] = s.TraceHandler()
	var all sync.WaitGroup
	all.Go(func() { r.follow(ctx) })
	var webErr error
	all.Go(func() {
		if webErr = web.Serve(ctx, o.web, func([]net.Addr) {}); webErr != nil {
			stop(webErr)
		}
	})
	log.Info("inferdx is watching", "version", version(), "config", o.config)
	err = s.Run(ctx)
	stop(nil)
	all.Wait()
	return errors.Join(err, webErr)
}

// token is what senders of alerts have to give; nil where anybody may send.
func (o *serving) token() func() (string, error) {
	if o.tokenFile == "" {
		return nil
	}
	return func() (string, error) { return secret.ReadFile(o.tokenFile) }
}

// oneWayIn refuses what no sender of alerts could satisfy: a password and a token in one header.
func (o *serving) oneWayIn() error {
	users, err := web.Users(o.web.ConfigFile)
	if err != nil {
		return unreadable("it has the form of Prometheus's exporter-toolkit", "%w", err)
	}
	if users && o.tokenFile != "" {
		return unreadable("leave --receiver.token-file out: senders of alerts then give a user of "+o.web.ConfigFile,
			"%s asks for passwords and --receiver.token-file for a token: no request can carry both", o.web.ConfigFile)
	}
	return nil
}

// load reads the configuration and says what is odd about it.
func (a *app) load(path string, log *slog.Logger) (*setup.Setup, error) {
	s, err := setup.Load(path)
	if err != nil {
		hint := "`inferdx check config " + path + "` checks it"
		if errors.Is(err, fs.ErrNotExist) {
			hint = "name it with --config.file; " + here()
		}
		return nil, unreadable(hint, "%w", err)
	}
	for _, w := range s.Warnings {
		log.Warn(w.Error())
	}
	return s, nil
}

func (a *app) logger(o *serving) (*slog.Logger, error) {
	var level slog.Level
	if err := oneOf("log.level", o.logLevel, "debug", "info", "warn", "error"); err != nil {
		return nil, err
	}
	if err := oneOf("log.format", o.logFormat, "logfmt", "json"); err != nil {
		return nil, err
	}
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return nil, usage("debug, info, warn or error", "--log.level: %w", err)
	}
	h := &slog.HandlerOptions{Level: level}
	if o.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(a.err, h)), nil
	}
	return slog.New(slog.NewTextHandler(a.err, h)), nil
}

// reloader loads the configuration again, for whoever asks. However often that is while one is being
// loaded, one more follows.
type reloader struct {
	load    func() (*setup.Setup, error)
	into    *service.Service
	log     *slog.Logger
	metrics *selfmetrics.Metrics

	mu sync.Mutex
}

func (r *reloader) reload(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	begin := time.Now()
	s, err := r.load()
	if err == nil {
		err = r.into.Reload(s)
	}
	if err != nil {
		r.metrics.Reloaded(false, "", time.Time{})
		r.log.Error("the configuration was not loaded, the old one goes on", "err", err)
		return fmt.Errorf("load the configuration: %w", err)
	}
	r.log.Info("the configuration was loaded again", "took", time.Since(begin))
	return nil
}

// follow loads on SIGHUP until ctx ends.
func (r *reloader) follow(ctx context.Context) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			_ = r.reload(ctx) // it has been logged
		}
	}
}
