package promapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/api"

	"github.com/inferdx/inferdx/internal/source/httpclient"
)

// How often and how long a server that is busy is asked again.
const (
	attempts    = 5
	longestWait = time.Minute
)

// transport is an api.Client that bounds answers, recognises pages that are no answers, and backs
// off when asked to. It is safe for concurrent use; one query that is told to wait makes all wait.
type transport struct {
	api.Client // for URL

	http    *httpclient.Client
	clock   clock
	limit   int64
	timeout time.Duration

	mu    sync.Mutex
	until time.Time
}

// Do implements api.Client.
func (t *transport) Do(ctx context.Context, req *http.Request) (*http.Response, []byte, error) {
	for n := 1; ; n++ {
		if err := t.pause(ctx); err != nil {
			return nil, nil, err
		}
		resp, err := t.once(ctx, req)
		wait, busy := retryAfter(resp, n)
		if !busy || n == attempts {
			return answer(resp, err)
		}
		if wait > longestWait {
			return nil, nil, fmt.Errorf("%w; it asks to wait %s", err, wait)
		}
		if deadline, ok := ctx.Deadline(); ok && time.Now().Add(wait).After(deadline) {
			return nil, nil, fmt.Errorf("%w; no time left to wait %s", err, wait)
		}
		t.hold(wait)
		if req.GetBody != nil {
			body, err := req.GetBody()
			if err != nil {
				return nil, nil, err
			}
			req.Body = body
		}
	}
}

func (t *transport) once(ctx context.Context, req *http.Request) (*httpclient.Response, error) {
	limited, stop := context.WithTimeout(ctx, t.timeout)
	defer stop()
	asked := time.Now()
	resp, err := t.http.Read(limited, req, t.limit, nil)
	if resp != nil {
		t.clock.read(resp.Header, asked)
	}
	return resp, err
}

// answer leaves to client_golang what is JSON of the API, an error with its reason included.
func answer(resp *httpclient.Response, err error) (*http.Response, []byte, error) {
	if resp == nil {
		return nil, nil, err
	}
	out := &http.Response{StatusCode: resp.Code, Header: resp.Header}
	switch {
	case httpclient.LooksLikeHTML(resp.Body) && err == nil:
		return nil, nil, &httpclient.Error{Kind: httpclient.HTML, Detail: "is this the address of the API, and is a login needed?"}
	case err == nil, resp.Code == http.StatusBadRequest, resp.Code == http.StatusUnprocessableEntity:
		return out, resp.Body, nil
	case fallback(resp.Code):
		return out, resp.Body, err // client_golang asks again by GET
	}
	return nil, nil, err
}

// fallback are the statuses by which servers refuse POST.
func fallback(code int) bool {
	return code == http.StatusForbidden || code == http.StatusMethodNotAllowed || code == http.StatusNotImplemented
}

// retryAfter tells how long a busy server wants to be left alone. 503 without a Retry-After is
// Prometheus's answer to a query that took too long: asking again would not help it.
func retryAfter(resp *httpclient.Response, n int) (time.Duration, bool) {
	if resp == nil || resp.Code != http.StatusTooManyRequests && resp.Code != http.StatusServiceUnavailable {
		return 0, false
	}
	given := resp.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(given); err == nil && seconds >= 0 {
		return max(time.Duration(min(seconds, 1<<20))*time.Second, 10*time.Millisecond), true
	}
	if at, err := http.ParseTime(given); err == nil {
		return max(time.Until(at), 10*time.Millisecond), true
	}
	return time.Second << (n - 1), resp.Code == http.StatusTooManyRequests
}

func (t *transport) hold(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if until := time.Now().Add(d); until.After(t.until) {
		t.until = until
	}
}

func (t *transport) pause(ctx context.Context) error {
	t.mu.Lock()
	d := time.Until(t.until)
	t.mu.Unlock()
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return errors.Join(errors.New("the server asked to wait"), ctx.Err())
	case <-timer.C:
		return nil
	}
}
