package notifiertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers"
)

// Secret is the word that must not be seen. The contract puts it in the endpoint's path; a test puts it
// in whatever else its notifier keeps secret.
const Secret = "TOPSECRETWORD"

// Notifier is what every notifier is.
type Notifier interface {
	Notify(ctx context.Context, m plan.Message, thread json.RawMessage) (json.RawMessage, error)
}

// Contract proves how a notifier over HTTP fails: 4xx is final, 429 and 5xx are tried again, a hang ends
// with the context, and no error shows a secret although the server quotes all that it was sent. New
// makes the notifier for an endpoint.
func Contract(t *testing.T, newNotifier func(url string) Notifier) {
	t.Helper()
	status := make(chan int, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		code := <-status
		if code == 0 {
			<-r.Context().Done()
			return
		}
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(code)
		fmt.Fprint(w, r.URL, r.Header, string(body))
	}))
	t.Cleanup(s.Close)
	n := newNotifier(s.URL + "/" + Secret)
	for code, want := range map[int]string{
		400: "clientError final", 401: "authError final", 403: "authError final", 404: "clientError final",
		410: "clientError final disable", 429: "rateLimited after 3s", 500: "serverError after 3s", 503: "serverError after 3s",
	} {
		status <- code
		_, err := n.Notify(t.Context(), Message(), nil)
		if got := describe(t, err); got != want {
			t.Errorf("%d: got %s (%v), want %s", code, got, err, want)
		}
	}
	for want, stop := range map[string]func() (context.Context, context.CancelFunc){
		"contextDeadlineExceeded": func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(t.Context(), 50*time.Millisecond)
		},
		"contextCanceled": func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(50*time.Millisecond, cancel)
			return ctx, cancel
		},
	} {
		ctx, cancel := stop()
		status <- 0
		began := time.Now()
		_, err := n.Notify(ctx, Message(), nil)
		cancel()
		if got := describe(t, err); got != want || time.Since(began) > 5*time.Second {
			t.Errorf("a hang: got %s after %s, want %s", got, time.Since(began), want)
		}
	}
}

func describe(t *testing.T, err error) string {
	t.Helper()
	var e *notifiers.Error
	if !errors.As(err, &e) {
		return fmt.Sprintf("no error of a notifier: %v", err)
	}
	if strings.Contains(err.Error(), Secret) || strings.Contains(strings.ToLower(err.Error()), strings.ToLower(Secret)[:10]) {
		t.Errorf("an error shows a secret: %v", err)
	}
	got := string(e.Reason)
	if e.Final {
		got += " final"
	}
	if e.Disable {
		got += " disable"
	}
	if e.RetryAfter > 0 {
		got += " after " + e.RetryAfter.String()
	}
	return got
}
