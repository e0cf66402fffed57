package canary

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/source/httpclient"
)

// Reason says why there was no answer.
type Reason string

// The reasons. The last two say nothing about the engine: it was never asked.
const (
	Timeout      Reason = "timeout"
	Refused      Reason = "refused"
	Broken       Reason = "broken"       // the connection ended without an answer
	Busy         Reason = "busy"         // 429 or 503
	ServerError  Reason = "server error" // any other 5xx
	Unauthorized Reason = "unauthorized"
	NotAsked     Reason = "not asked" // no such model or endpoint, no way to the server, no API key
)

// Result is the outcome of one request.
type Result struct {
	Target model.Labels
	// At is when the outcome was known.
	At       time.Time
	Answered bool
	// Seconds until the answer, or until it was given up.
	Seconds float64
	// Reason and Detail say why there was no answer.
	Reason Reason
	Detail string
	// Failures and Timeouts count the requests in a row, this one included, that were not answered and
	// not answered in time. What says nothing about the engine leaves them as they were.
	Failures, Timeouts int
	// Tokens that the engine was made to generate, as far as it said so.
	Tokens int
}

// Looked says whether the result says something about the engine. A refused API key does not.
func (r Result) Looked() bool {
	return r.Answered || r.Reason != Unauthorized && r.Reason != NotAsked
}

// Sample is one sample of a series of the target.
type Sample struct {
	Name  string
	Value float64
}

// Prefix begins the names of all samples.
const Prefix = "inferdx_canary_"

// Samples are what belongs into the store, at the time of the result and under the labels of the
// target. There are none where nothing was learnt about the engine.
func (r Result) Samples() []Sample {
	if !r.Looked() {
		return nil
	}
	up := 0.0
	if r.Answered {
		up = 1
	}
	return []Sample{
		{Prefix + "up", up},
		{Prefix + "duration_seconds", r.Seconds},
		{Prefix + "failures", float64(r.Failures)},
		{Prefix + "timeouts", float64(r.Timeouts)},
		{Prefix + "tokens", float64(r.Tokens)},
	}
}

// Fault says that a canary cannot look; false where it could.
func (r Result) Fault() (model.Fault, bool) {
	if r.Looked() {
		return model.Fault{}, false
	}
	return model.Fault{Source: "canary of " + r.Target.Get("instance"), Err: string(r.Reason) + ": " + r.Detail}, true
}

// reason sorts an error of the client.
func reason(err error) Reason {
	var failed *httpclient.Error
	if !errors.As(err, &failed) {
		return NotAsked
	}
	switch {
	case failed.Kind == httpclient.Timeout:
		return Timeout
	case failed.Kind == httpclient.Refused:
		return Refused
	case failed.Kind == httpclient.Body, failed.Kind == httpclient.Network && cutOff(failed.Detail):
		return Broken
	case failed.Kind != httpclient.Status:
		return NotAsked
	case failed.Code == http.StatusUnauthorized || failed.Code == http.StatusForbidden:
		return Unauthorized
	case failed.Code == http.StatusTooManyRequests || failed.Code == http.StatusServiceUnavailable:
		return Busy
	case failed.Code/100 == 5:
		return ServerError
	}
	return NotAsked
}

// cutOff tells a server that hung up from one that could not be reached.
func cutOff(detail string) bool {
	for _, s := range []string{"closed without an answer", "reset by peer", "broken pipe"} {
		if strings.Contains(detail, s) {
			return true
		}
	}
	return false
}
