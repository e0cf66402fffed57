package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"time"

	"github.com/spf13/pflag"

	"github.com/inferdx/inferdx/corpus"
	"github.com/inferdx/inferdx/internal/playback"
	"github.com/inferdx/inferdx/internal/source/recording"
)

// playing are the flags of `inferdx demo --serve`.
type playing struct {
	serve    bool
	listen   string
	fixAfter time.Duration
}

func (p *playing) flags(f *pflag.FlagSet) {
	f.BoolVar(&p.serve, "serve", false, "let the recording happen again and again behind a metrics page, for a service to watch")
	f.StringVar(&p.listen, "listen", "127.0.0.1:8000", "where --serve listens")
	f.DurationVar(&p.fixAfter, "fix-after", 10*time.Minute, "when --serve starts the server again without its fault; 0 is never")
}

// away is how long the demo's server takes to start again, a little more than a scrape interval.
const away = 20 * time.Second

// fills is how long the load of the recordings takes to fill the server.
const fills = 8 * time.Second

// playDemo serves the pages until ctx ends.
func (a *app) playDemo(ctx context.Context, p playing) error {
	sick, err := played(corpus.Demo())
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	cured, err := played(corpus.Cured())
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	player, err := playback.New(time.Now(),
		playback.Act{Recording: sick, Skip: fills, Lasts: p.fixAfter}, playback.Act{Recording: cured, Skip: fills, Restarts: "vllm", Away: away})
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.listen)
	if err != nil {
		return unreadable("give another address with --listen", "demo: %w", err)
	}
	if err := a.announce(l.Addr().String(), player.Jobs(), p.fixAfter); err != nil {
		return err
	}
	srv := &http.Server{Handler: player.Handler(time.Now), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("demo: %w", err)
	}
	return nil
}

// announce says what there is, and gives the configuration that watches it.
func (a *app) announce(addr string, jobs []string, fixAfter time.Duration) error {
	fate := "It stays as it is."
	if fixAfter > 0 {
		fate = fmt.Sprintf("After %s it is started again without that.", fixAfter)
	}
	text := fmt.Sprintf("A vLLM server whose --max-num-seqs was set to 8 while 64 clients ask, as it was recorded, again and again.\n%s\nWatch it with inferdx serve --config.file demo.yml, where demo.yml is:\n\nscrape_configs:\n", fate)
	for _, job := range jobs {
		text += fmt.Sprintf("  - {job_name: %s, metrics_path: /%s/metrics, static_configs: [{targets: ['%s']}]}\n", job, job, addr)
	}
	_, err := fmt.Fprint(a.out, text)
	return err
}

func played(files fs.FS) (playback.Recording, error) {
	types := map[string]string{}
	f, err := files.Open("metrics.om.gz")
	if err != nil {
		return playback.Recording{}, err
	}
	defer f.Close()
	st, err := recording.Options{Type: func(family, kind string) { types[family] = kind }}.Read("metrics.om.gz", f)
	return playback.Recording{Samples: st, Types: types}, err
}
