//go:build live

package live

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
)

// Load keeps `clients` requests in flight until ctx ends: 200 to 400 prompt tokens, 60 to 100 out.
func Load(ctx context.Context, url string, clients int) {
	var wg sync.WaitGroup
	for c := range clients {
		wg.Add(1)
		go func() {
			defer wg.Done()
			rnd := rand.New(rand.NewPCG(7, uint64(c)))
			for ctx.Err() == nil {
				request(ctx, url, rnd)
			}
		}()
	}
	wg.Wait()
}

func request(ctx context.Context, url string, rnd *rand.Rand) {
	prompt := make([]int, 200+rnd.IntN(200))
	for i := range prompt {
		prompt[i] = 3 + rnd.IntN(990)
	}
	body, err := json.Marshal(map[string]any{
		"model": "m", "prompt": prompt, "max_tokens": 60 + rnd.IntN(40), "ignore_eos": true, "stream": true,
	})
	if err != nil {
		return
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/completions", bytes.NewReader(body))
	if err != nil {
		return
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
}
