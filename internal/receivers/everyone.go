package receivers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers"
)

// everyone delivers one message by all lanes of a receiver. It has been delivered when each lane has taken
// it or refused it for good, and one has taken it.
type everyone struct {
	set   *Set
	lanes []*lane
}

// told is the receipt: what each lane gave, and which have taken or refused the message under way.
type told struct {
	Message string                     `json:"message"`
	Done    map[string]bool            `json:"done"` // by lane; false where it refused
	Threads map[string]json.RawMessage `json:"threads,omitempty"`
}

// Notify delivers to the lanes that have not settled the message in an earlier attempt, whose receipt came back.
func (e *everyone) Notify(ctx context.Context, m plan.Message, thread json.RawMessage) (json.RawMessage, error) {
	var r told
	if len(thread) > 0 && json.Unmarshal(thread, &r) != nil {
		r = told{} // a single lane's, from before there were several
	}
	if r.Message != m.ID {
		r.Message, r.Done = m.ID, nil
	}
	if r.Done == nil {
		r.Done = map[string]bool{}
	}
	if r.Threads == nil {
		r.Threads = map[string]json.RawMessage{}
	}
	var open, refused []error
	for _, l := range e.lanes {
		if _, settled := r.Done[l.name]; settled || m.Reason == plan.Resolved && !l.resolved {
			continue
		}
		receipt, err := l.notifier.Notify(ctx, m, r.Threads[l.name])
		if receipt != nil {
			r.Threads[l.name] = receipt
		}
		switch {
		case err == nil:
			r.Done[l.name] = true
		case notifiers.Final(err):
			r.Done[l.name] = false
			refused = append(refused, fmt.Errorf("%s: %w", l.name, err))
			e.set.fault(l.name, err)
		default:
			open = append(open, fmt.Errorf("%s: %w", l.name, err))
		}
	}
	receipt, err := json.Marshal(r)
	if err != nil {
		return thread, fmt.Errorf("keep the receipts: %w", err)
	}
	if len(open) > 0 {
		return receipt, together(open, false)
	}
	for _, taken := range r.Done {
		if taken {
			return receipt, nil
		}
	}
	if len(refused) == 0 { // none wants to hear of it, or all refused in an attempt before
		return receipt, nil
	}
	return receipt, together(refused, true)
}

// together is one error for several, of the first one's reason. It never disables: only a part may be gone.
func together(errs []error, final bool) error {
	out := &notifiers.Error{Reason: notifiers.Other, Final: final, Err: errors.Join(errs...)}
	var first *notifiers.Error
	if errors.As(errs[0], &first) {
		out.Reason = first.Reason
	}
	for _, err := range errs {
		var e *notifiers.Error
		if errors.As(err, &e) && (out.RetryAfter == 0 || e.RetryAfter < out.RetryAfter) {
			out.RetryAfter = e.RetryAfter
		}
	}
	return out
}
