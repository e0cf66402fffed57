package canary

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/source/httpclient"
)

// name is what the canary calls itself wherever a server can see it.
const name = "inferdx-canary"

// bodyLimit bounds an answer: one token is a few hundred bytes, a list of models some kilobytes.
const bodyLimit = 1 << 20

// asker asks one target and remembers what it learnt of it. One goroutine uses it.
type asker struct {
	o                  Options
	target             Target
	model              string // that the server listed
	chat               bool   // it only has /v1/chat/completions
	failures, timeouts int
}

// ask sends one request and says what came of it.
func (a *asker) ask(ctx context.Context) Result {
	limited, stop := context.WithTimeout(ctx, a.o.Timeout)
	defer stop()
	begin := time.Now()
	tokens, sent, err := a.request(limited)
	r := Result{Target: a.target.Labels, At: time.Now(), Answered: err == nil, Tokens: tokens}
	if err == nil {
		begin = sent // finding the model is no part of the answer
	}
	r.Seconds = r.At.Sub(begin).Seconds()
	if err != nil {
		r.Reason, r.Detail = reason(err), err.Error()
	}
	switch {
	case r.Answered:
		a.failures, a.timeouts = 0, 0
	case r.Reason == Timeout:
		a.failures, a.timeouts = a.failures+1, a.timeouts+1
	case r.Looked():
		a.failures, a.timeouts = a.failures+1, 0
	}
	r.Failures, r.Timeouts = a.failures, a.timeouts
	return r
}

// request finds the model and asks for a token; sent is when that was asked for.
func (a *asker) request(ctx context.Context) (tokens int, sent time.Time, err error) {
	model := cmp.Or(a.o.Model, a.model)
	if model == "" {
		if model, err = a.first(ctx); err != nil {
			return 0, sent, fmt.Errorf("list models: %w", err)
		}
		a.model = model
	}
	sent = time.Now()
	tokens, err = a.complete(ctx, model, a.chat)
	if !elsewhere(err) {
		return tokens, sent, err
	}
	// The endpoint is not there, or not for this model: there may be the other.
	sent = time.Now()
	n, second := a.complete(ctx, model, !a.chat)
	if elsewhere(second) {
		a.model, a.chat = "", false // another model may be served by now
		return 0, sent, err
	}
	a.chat = !a.chat
	return n, sent, second
}

// elsewhere says that a server does not want to be asked like this.
func elsewhere(err error) bool {
	var failed *httpclient.Error
	if !errors.As(err, &failed) || failed.Kind != httpclient.Status {
		return false
	}
	switch failed.Code {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnprocessableEntity, http.StatusNotImplemented:
		return true
	}
	return false
}

// first is the first model that the server lists.
func (a *asker) first(ctx context.Context) (string, error) {
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := a.do(ctx, http.MethodGet, "/v1/models", nil, &list); err != nil {
		return "", err
	}
	if len(list.Data) == 0 || list.Data[0].ID == "" {
		return "", errors.New("the server lists none")
	}
	return list.Data[0].ID, nil
}

// complete asks for the tokens and returns how many the server says it made.
func (a *asker) complete(ctx context.Context, model string, chat bool) (int, error) {
	path := "/v1/completions"
	body := map[string]any{"model": model, "max_tokens": a.o.MaxTokens, "temperature": 0, "user": name, "stream": false}
	if chat {
		path = "/v1/chat/completions"
		body["messages"] = []map[string]string{{"role": "user", "content": "ping"}}
	} else {
		body["prompt"] = "ping"
	}
	text, err := json.Marshal(body)
	if err != nil {
		return 0, fmt.Errorf("write request: %w", err)
	}
	answer := struct {
		Choices []json.RawMessage `json:"choices"`
		Usage   struct {
			Tokens int `json:"completion_tokens"`
		} `json:"usage"`
	}{}
	answer.Usage.Tokens = a.o.MaxTokens
	if err := a.do(ctx, http.MethodPost, path, text, &answer); err != nil {
		return 0, err
	}
	if len(answer.Choices) == 0 {
		return 0, errors.New("the answer holds no completion")
	}
	return answer.Usage.Tokens, nil
}

func (a *asker) do(ctx context.Context, method, path string, body []byte, into any) error {
	u, err := url.Parse(a.target.URL)
	if err != nil {
		return fmt.Errorf("read the target's URL: %w", err)
	}
	u.Path, u.RawPath, u.RawQuery = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/metrics")+path, "", ""
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make a request: %w", err)
	}
	req.Close = true // an old connection may have been closed by the server just now
	req.Header.Set("User-Agent", name)
	req.Header.Set("X-Inferdx-Canary", "1")
	req.Header.Set("X-Request-Id", fmt.Sprintf("%s-%016x", name, rand.Uint64())) //nolint:gosec // tells requests apart, guards nothing
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := a.o.Client.Read(ctx, req, bodyLimit, nil)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(resp.Body, into); err != nil {
		return errors.New("the answer is no JSON")
	}
	return nil
}
