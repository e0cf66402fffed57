package service

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/require"
	"github.com/inferdx/inferdx/internal/setup"
	"github.com/inferdx/inferdx/internal/source/recording"
)

// watched is a service whose time the test tells.
type watched struct {
	*Service
	*fakeClock
	t    testing.TB
	path string // of the configuration
}

// serve makes a service of a configuration, which stands in a folder of its own.
func serve(t testing.TB, at time.Time, config string) *watched {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "inferdx.yml")
	write(t, path, config+"\nstorage: {path: "+filepath.Join(dir, "data")+"}\n")
	return start(t, &fakeClock{wall: at}, path)
}

func start(t testing.TB, f *fakeClock, path string) *watched {
	t.Helper()
	cfg, err := setup.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), Options{Setup: cfg, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return f.wall }})
	if err != nil {
		t.Fatal(err)
	}
	s.clock = f.clock()
	w := &watched{s, f, t, path}
	t.Cleanup(w.stop)
	return w
}

func (w *watched) stop() { _ = w.close(w.t.Context()) }

// again is the service after a restart.
func (w *watched) again() *watched {
	w.stop()
	return start(w.t, w.fakeClock, w.path)
}

// look polls every source and evaluates once.
func (w *watched) look() seen {
	w.t.Helper()
	p := w.parts.Load()
	for _, srv := range p.servers {
		w.poll(w.t.Context(), p, srv)
	}
	if err := w.evaluate(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return w.last
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// ill is a Prometheus that answers as it is told to.
type ill struct {
	URL         string
	first, last time.Time // of what it holds
	answer      atomic.Pointer[http.HandlerFunc]
}

// prometheus is a real one that holds a recording, behind a proxy that can be made to fail.
func prometheus(t *testing.T, name string) *ill {
	t.Helper()
	path := filepath.Join("..", "..", "corpus", name, "metrics.om.gz")
	real, err := url.Parse(require.Prometheus(t, path))
	if err != nil {
		t.Fatal(err)
	}
	st, err := recording.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	x, proxy := &ill{}, httputil.NewSingleHostReverseProxy(real)
	first, last, _ := st.Bounds()
	x.first, x.last = time.UnixMilli(first), time.UnixMilli(last)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := x.answer.Load(); f != nil {
			(*f)(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	x.URL = srv.URL
	return x
}

func (x *ill) fails(f http.HandlerFunc) { x.answer.Store(&f) }

func status(ds []model.Diagnosis) map[string]model.Status {
	out := map[string]model.Status{}
	for _, d := range ds {
		out[d.Target["instance"]] = d.Status
	}
	return out
}
