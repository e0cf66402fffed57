package otlpreceiver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
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
	next := map[Endpoint]*listener{}
	var added []*listener
	for _, e := range want {
		if was := l.open[e]; was != nil {
			next[e] = was
			continue
		}
		x, err := l.listen(ctx, r, e)
		if err != nil {
			for _, a := range added {
				a.close(ctx)
			}
			return fmt.Errorf("take OTLP by %s: %w", e.Protocol, err)
		}
		next[e], added = x, append(added, x)
	}
	for e, x := range l.open {
		if next[e] == nil {
			x.close(ctx)
		}
	}
	l.open = next
	return nil
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
