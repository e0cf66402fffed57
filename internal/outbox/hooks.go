package outbox

import (
	"time"

	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers"
)

// Hooks are told what happens, for metrics. Any may be nil; they are called from several goroutines and
// must not block.
type Hooks struct {
	// Attempted is told of every call of a notifier.
	Attempted func(Attempt)
	// DeadLetter is told of every message that was given up, and why.
	DeadLetter func(r Receiver, m plan.Message, why string)
	// Waiting is told how many messages of a receiver are not settled, whenever the queue was looked at.
	Waiting func(r Receiver, n int)
	// Disabled is told when a receiver asked never to be called again.
	Disabled func(r Receiver, why string)
	// QueueFailed is told when the queue could not be read or written; it is tried again.
	QueueFailed func(error)
}

// Attempt is one call of a notifier.
type Attempt struct {
	Receiver Receiver
	Message  plan.Message
	Number   int              // from 1, over processes
	Reason   notifiers.Reason // of the failure, "" when it was delivered
	Took     time.Duration
	// Waited is the time since the message was enqueued.
	Waited time.Duration
}

func (h Hooks) withDefaults() Hooks {
	if h.Attempted == nil {
		h.Attempted = func(Attempt) {}
	}
	if h.DeadLetter == nil {
		h.DeadLetter = func(Receiver, plan.Message, string) {}
	}
	if h.Waiting == nil {
		h.Waiting = func(Receiver, int) {}
	}
	if h.Disabled == nil {
		h.Disabled = func(Receiver, string) {}
	}
	if h.QueueFailed == nil {
		h.QueueFailed = func(error) {}
	}
	return h
}
