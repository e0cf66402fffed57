// Package notifiers holds what every receiver of messages shares: what a failed delivery means for the
// next try, and what people answer.
package notifiers

import (
	"errors"
	"time"
)

// Reason classes a failed delivery, in Alertmanager's words.
type Reason string

// The reasons of failure.
const (
	ClientError     Reason = "clientError"
	ServerError     Reason = "serverError"
	AuthError       Reason = "authError"
	RateLimited     Reason = "rateLimited"
	Canceled        Reason = "contextCanceled"
	DeadlineReached Reason = "contextDeadlineExceeded"
	Other           Reason = "other"
)

// Error is a delivery that failed. Its text holds no secret.
type Error struct {
	Reason Reason
	// Final says that trying the same again cannot help.
	Final bool
	// Disable says that the endpoint asks never to be called again (410 Gone).
	Disable bool
	// RetryAfter is the earliest time from now at which the receiver wants to be asked again; 0 if it did not say.
	RetryAfter time.Duration
	Err        error
}

// Error gives the cause's text.
func (e *Error) Error() string { return string(e.Reason) + ": " + e.Err.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Final says whether a delivery that failed with err is not worth another try.
func Final(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Final || e.Disable)
}

// Answer is what a person said about a problem, by a button or a command.
type Answer struct {
	Kind AnswerKind
	// Key is the message key that the answer is about; Receiver who got it.
	Key, Receiver string
	// Cause is the cause that the message named, for Applied, Helped and DidNotHelp.
	Cause string
	User  string
	At    time.Time
	// For is how long a silence lasts.
	For time.Duration
}

// AnswerKind is one of the buttons.
type AnswerKind string

// What people can answer.
const (
	Acknowledge AnswerKind = "acknowledge"
	Silence     AnswerKind = "silence"
	Applied     AnswerKind = "applied"
	Helped      AnswerKind = "helped"
	DidNotHelp  AnswerKind = "did_not_help"
)
