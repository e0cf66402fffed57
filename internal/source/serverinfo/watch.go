package serverinfo

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/source/httpclient"
	"github.com/inferdx/inferdx/internal/source/refresh"
	"github.com/inferdx/inferdx/internal/source/scrape"
	"github.com/inferdx/inferdx/playbooks/knobs"
)

// Target is a server to ask.
type Target struct {
	Labels model.Labels
	// URL is where its metrics are.
	URL string
	// Client reaches it; nil takes that of the watch.
	Client *httpclient.Client
}

// WatchOptions say how servers are asked in the long run. Every, AtOnce and the pauses after failures
// are those of refresh.Options.
type WatchOptions struct {
	// Client reaches the servers that have none of their own.
	Client *httpclient.Client
	// Identity are the labels that tell targets apart; none means job and instance.
	Identity []string
	// Timeout for one server, both pages; 0 means 30 s: the first /server_info after a start makes vLLM
	// look over its whole environment, which takes seconds.
	Timeout, Every time.Duration
	AtOnce         int
}

// Watch knows what servers say of themselves: each is asked once at first sight, once after each
// restart, and seldom beside that. It is safe for concurrent use.
type Watch struct {
	o    WatchOptions
	keep *refresh.Keeper[place, Info]

	mu     sync.Mutex
	places map[string]place // by identity
}

// place is what is asked: two targets of one server share it.
type place struct {
	url    string
	client *httpclient.Client
}

// NewWatch makes a watch over no servers.
func NewWatch(o WatchOptions, c *knobs.Catalog) *Watch {
	if len(o.Identity) == 0 {
		o.Identity = []string{"instance", "job"}
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	return &Watch{o: o, keep: refresh.New(refresh.Options[place, Info]{
		Every: o.Every, Timeout: o.Timeout, AtOnce: o.AtOnce,
		Ask: func(ctx context.Context, p place) (Info, error) {
			u, err := url.Parse(p.url)
			if err != nil {
				return Info{}, fmt.Errorf("ask a server: %w", err)
			}
			return ask(ctx, p.client, u, c)
		},
	})}
}

// Run asks until ctx ends.
func (w *Watch) Run(ctx context.Context) { w.keep.Run(ctx) }

// Sync says which servers there are. What is no URL is left out.
func (w *Watch) Sync(targets []Target) {
	places := make(map[string]place, len(targets))
	all := make([]place, 0, len(targets))
	for _, t := range targets {
		u, err := scrape.Normalize(t.URL)
		p := place{client: t.Client}
		if p.client == nil {
			p.client = w.o.Client
		}
		if err != nil || p.client == nil {
			continue
		}
		p.url = u.String()
		places[w.key(t.Labels)] = p
		all = append(all, p)
	}
	w.mu.Lock()
	w.places = places
	w.mu.Unlock()
	w.keep.Keep(all)
}

// Restarted drops what a server said before it was restarted, and asks again.
func (w *Watch) Restarted(target model.Labels) {
	if p, ok := w.place(target); ok {
		w.keep.Again(p)
	}
}

// Of is what a server says of itself, and whether its settings are among that, as
// pipeline.Request.Server wants it. It gives nothing before the server answered.
func (w *Watch) Of(target model.Labels) (facts map[string]model.Fact, configured bool) {
	p, ok := w.place(target)
	if !ok {
		return nil, false
	}
	info, _, _ := w.keep.Get(p)
	return info.Facts, info.Configured
}

func (w *Watch) place(target model.Labels) (place, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.places[w.key(target)]
	return p, ok
}

func (w *Watch) key(labels model.Labels) string {
	own := make(model.Labels, 0, len(w.o.Identity))
	for _, l := range labels {
		if slices.Contains(w.o.Identity, l.Name) {
			own = append(own, l)
		}
	}
	return own.Key()
}
