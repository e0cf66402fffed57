// Package web is the HTTP server of `inferdx serve`: TLS and authentication by the web configuration
// file that Prometheus's programs share, the endpoints that its users expect, and what keeps browsers
// from doing harm.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path"
	"strings"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/net/netutil"
)

// Options are what is served and where.
type Options struct {
	// Listen are the addresses, as host:port; ConfigFile is the web configuration file, "" for plain HTTP.
	Listen     []string
	ConfigFile string
	// Prefix stands before every path, as /inferdx.
	Prefix string
	// MaxConnections bounds the connections of an address; 512 if 0.
	MaxConnections int
	// Lifecycle lets /-/reload be called.
	Lifecycle bool
	// Ready says why not, Reload loads the configuration again.
	Ready  func() error
	Reload func(context.Context) error
	// Metrics and the handlers by their pattern, as http.ServeMux has them, are the rest.
	Metrics  http.Handler
	Handlers map[string]http.Handler
	Log      *slog.Logger
}

// drain is how long answers under way may take when the server ends.
const drain = 10 * time.Second

// Serve answers until ctx ends, then finishes what is under way. listening is told the addresses once they are open.
func Serve(ctx context.Context, o Options, listening func([]net.Addr)) error {
	if err := toolkit.Validate(o.ConfigFile); err != nil {
		return fmt.Errorf("web configuration %s: %w", o.ConfigFile, err)
	}
	if o.MaxConnections <= 0 {
		o.MaxConnections = 512
	}
	var listeners []net.Listener
	var addrs []net.Addr
	for _, a := range o.Listen {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a)
		if err != nil {
			for _, open := range listeners {
				err = errors.Join(err, open.Close())
			}
			return fmt.Errorf("listen: %w", err)
		}
		listeners, addrs = append(listeners, netutil.LimitListener(l, o.MaxConnections)), append(addrs, l.Addr())
	}
	srv := &http.Server{
		Handler: o.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	plain := false
	go func() {
		ended <- toolkit.ServeMultiple(listeners, srv, &toolkit.FlagConfig{WebListenAddresses: &o.Listen, WebSystemdSocket: &plain, WebConfigFile: &o.ConfigFile}, slog.New(slog.DiscardHandler))
	}()
	listening(addrs)
	for _, a := range addrs {
		o.Log.Info("listening", "address", a.String(), "web_config", o.ConfigFile)
	}
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer stop()
	if err := srv.Shutdown(last); err != nil {
		return errors.Join(fmt.Errorf("finish requests: %w", err), srv.Close())
	}
	return nil
}

// Handler is all that is served, without the listeners.
func (o Options) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/-/healthy", get(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "inferdx is healthy.") }))
	mux.HandleFunc("/-/ready", get(o.ready))
	mux.HandleFunc("/-/reload", o.reload)
	if o.Metrics != nil {
		mux.Handle("GET /metrics", o.Metrics)
	}
	for pattern, h := range o.Handlers {
		mux.Handle(pattern, h)
	}
	var h http.Handler = mux
	if prefix := strings.TrimRight(path.Clean("/"+o.Prefix), "/"); prefix != "" {
		outer := http.NewServeMux()
		outer.Handle(prefix+"/", http.StripPrefix(prefix, mux))
		h = outer
	}
	return careful(h)
}

func get(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		h(w, r)
	}
}

func (o Options) ready(w http.ResponseWriter, _ *http.Request) {
	if err := o.Ready(); err != nil {
		http.Error(w, "inferdx is not ready: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = fmt.Fprintln(w, "inferdx is ready.")
}

func (o Options) reload(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method != http.MethodPost && r.Method != http.MethodPut:
		w.Header().Set("Allow", "POST, PUT")
		http.Error(w, "only POST and PUT", http.StatusMethodNotAllowed)
	case !o.Lifecycle:
		http.Error(w, "reloading by HTTP is off: start with --web.enable-lifecycle, or send SIGHUP", http.StatusForbidden)
	default:
		if err := o.Reload(r.Context()); err != nil {
			http.Error(w, "the configuration was not loaded, the old one goes on:\n"+err.Error(), http.StatusInternalServerError)
		}
	}
}

// careful lets no other site act through somebody's browser, and no answer be taken for something else.
func careful(h http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	guarded := guard.Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("X-Frame-Options", "DENY")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		guarded.ServeHTTP(w, r)
	})
}
