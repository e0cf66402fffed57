package otlpreceiver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/net/netutil"
)

// Endpoint is an address on which one protocol is taken.
type Endpoint struct {
	// Protocol is http or grpc.
	Protocol, Address string
}

// Listeners hold the endpoints open. They are not safe for concurrent use.
type Listeners struct {
	// ConfigFile is the web configuration file, with TLS and passwords; "" for none.
	ConfigFile string
	// Connections bounds those of an endpoint.
	Connections int
	Log         *slog.Logger

	open map[Endpoint]*listener
}

type listener struct {
	server *http.Server
	addr   net.Addr
	ended  sync.WaitGroup
}

// drain is how long messages under way may take when an endpoint is closed.
const drain = 5 * time.Second

// Apply opens the endpoints that are new and closes those that are no longer wanted; the others stay as they are. Where one
// cannot be opened, all is as it was.
func (l *Listeners) Apply(ctx context.Context, r *Receiver, want []Endpoint) error {
	next, leaving := map[Endpoint]*listener{}, maps.Clone(l.open)
	var missing []Endpoint
	for _, e := range want {
		delete(leaving, e)
		if was := l.open[e]; was != nil {
			next[e] = was
		} else {
			missing = append(missing, e)
		}
	}
	var inTheWay []Endpoint
	for e, x := range leaving {
		if slices.ContainsFunc(missing, e.samePort) {
			x.close(ctx)
			inTheWay = append(inTheWay, e)
			delete(l.open, e)
			delete(leaving, e)
		}
	}
	added, err := l.openAll(ctx, r, missing)
	if err != nil {
		again, failed := l.openAll(ctx, r, inTheWay)
		if l.open == nil {
			l.open = map[Endpoint]*listener{}
		}
		maps.Copy(l.open, again)
		return errors.Join(err, failed)
	}
	for _, x := range leaving {
		x.close(ctx)
	}
	maps.Copy(next, added)
	l.open = next
	return nil
}

// samePort says that two endpoints cannot be open at once: 0.0.0.0:4317 takes the port of localhost:4317.
func (e Endpoint) samePort(o Endpoint) bool {
	_, mine, err := net.SplitHostPort(e.Address)
	_, other, failed := net.SplitHostPort(o.Address)
	return err == nil && failed == nil && mine == other && mine != "0"
}

// openAll opens endpoints, none where one of them cannot be.
func (l *Listeners) openAll(ctx context.Context, r *Receiver, all []Endpoint) (map[Endpoint]*listener, error) {
	out := map[Endpoint]*listener{}
	for _, e := range all {
		x, err := l.listen(ctx, r, e)
		if err == nil {
			out[e] = x
			continue
		}
		for _, a := range out {
			a.close(ctx)
		}
		return nil, fmt.Errorf("take OTLP by %s: %w%s", e.Protocol, err, hint(e, err))
	}
	return out, nil
}

// hint says what to do about an address on which nothing can be opened.
func hint(e Endpoint, err error) string {
	what := "another process listens there, as a collector does"
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
	case errors.Is(err, syscall.EACCES):
		what = "ports below 1024 need a privilege"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		what = "this machine has no such address"
	default:
		return ""
	}
	return fmt.Sprintf("\nhint: %s; set another address in otlp.protocols.%s.endpoint", what, e.Protocol)
}

// Addresses are those of the open endpoints.
func (l *Listeners) Addresses() map[Endpoint]net.Addr {
	out := map[Endpoint]net.Addr{}
	for e, x := range l.open {
		out[e] = x.addr
	}
	return out
}

// Close finishes the messages under way and closes all endpoints.
func (l *Listeners) Close(ctx context.Context) {
	for _, x := range l.open {
		x.close(ctx)
	}
	l.open = nil
}

func (l *Listeners) listen(ctx context.Context, r *Receiver, e Endpoint) (*listener, error) {
	if err := toolkit.Validate(l.ConfigFile); err != nil {
		return nil, fmt.Errorf("web configuration %s: %w", l.ConfigFile, err)
	}
	at, err := (&net.ListenConfig{}).Listen(ctx, "tcp", e.Address)
	if err != nil {
		return nil, err
	}
	x := &listener{addr: at.Addr(), server: l.server(r, e)}
	flags := &toolkit.FlagConfig{WebListenAddresses: &[]string{e.Address}, WebSystemdSocket: new(bool), WebConfigFile: &l.ConfigFile}
	x.ended.Go(func() {
		err := toolkit.Serve(netutil.LimitListener(at, l.Connections), x.server, flags, slog.New(slog.DiscardHandler))
		if err != nil && !errors.Is(err, http.ErrServerClosed) {
			l.Log.Error("traces are no longer taken", "protocol", e.Protocol, "address", e.Address, "err", err)
		}
	})
	l.Log.Info("taking OTLP", "protocol", e.Protocol, "address", x.addr.String())
	return x, nil
}

func (l *Listeners) server(r *Receiver, e Endpoint) *http.Server {
	s := &http.Server{
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(l.Log.Handler(), slog.LevelDebug),
	}
	if e.Protocol == "http" {
		mux := http.NewServeMux()
		mux.Handle("/v1/traces", r)
		s.Handler = mux
		return s
	}
	s.Handler, s.Protocols = r.GRPC(), new(http.Protocols)
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetHTTP2(true)
	s.Protocols.SetUnencryptedHTTP2(true) // as exporters speak it without TLS
	s.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 64}
	return s
}

func (x *listener) close(ctx context.Context) {
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer stop()
	if x.server.Shutdown(last) != nil {
		_ = x.server.Close()
	}
	x.ended.Wait()
}
