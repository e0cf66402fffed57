package service

import (
	"context"
	"net/http"
	"sync"

	"github.com/inferdx/inferdx/internal/receivers"
)

// hear lets people answer the messages of some receivers, until ctx ends.
func (s *Service) hear(ctx context.Context, rs *receivers.Set, all *sync.WaitGroup) {
	i, err := rs.Interactions(s.Answer)
	if err != nil {
		s.log.Error("answers to messages cannot be heard", "err", err)
		return
	}
	s.ears.Store(i)
	for _, run := range i.Sockets {
		all.Go(func() {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("answers are not heard through Socket Mode any more", "err", err)
			}
		})
	}
	all.Go(func() {
		<-ctx.Done()
		i.Wait()
		i.Close()
	})
}

// SlackHandler takes what Slack posts when a button is pressed: for each receiver at its name, and for
// the only one at no name.
func (s *Service) SlackHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := s.ears.Load()
		if i == nil {
			http.NotFound(w, r)
			return
		}
		lane := r.PathValue("receiver")
		h := i.Handlers[lane]
		if h == nil && lane == "" && len(i.Handlers) > 0 {
			for _, x := range i.Handlers {
				if h = x; len(i.Handlers) > 1 {
					http.Error(w, "several receivers hear answers: put the receiver's name behind the path", http.StatusNotFound)
					return
				}
			}
		}
		if h == nil {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}
