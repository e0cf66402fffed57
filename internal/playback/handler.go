package playback

import (
	"net/http"
	"strings"
	"time"
)

// Handler serves each job's page as /JOB/metrics, at the time that now gives.
func (p *Player) Handler(now func() time.Time) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{job}/metrics", func(w http.ResponseWriter, r *http.Request) {
		var b strings.Builder
		if !p.Page(&b, r.PathValue("job"), now()) {
			http.Error(w, "the server is not there now", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write([]byte(b.String()))
	})
	return mux
}
