package plan

import (
	"fmt"
	"slices"
)

// Fold says what to deliver now when several messages of one receiver and key wait, oldest first, and
// for how many of them it stands. A run of messages about one lasting problem becomes its oldest, under
// the oldest's id and number, with the state of the newest: the reader sees that it fired and how it is
// now, not how it was in between. Resolved, Verified and Test always go out on their own, so a problem
// is never resolved before it fired, and nobody's question stays without its answer.
func Fold(waiting []Message) (Message, int) {
	head := waiting[0]
	if !lasting(head.Reason) {
		return head, 1
	}
	n := 1
	for n < len(waiting) && lasting(waiting[n].Reason) && waiting[n].Reason != First {
		n++
	}
	if n == 1 {
		return head, 1
	}
	newest := waiting[n-1]
	out := head
	out.Severity, out.Diagnoses, out.At, out.Gone = newest.Severity, newest.Diagnoses, newest.At, newest.Gone
	out.Recovered = slices.Clone(head.Recovered)
	for _, m := range waiting[1:n] {
		out.Reason = stronger(out.Reason, m.Reason)
		for _, r := range m.Recovered {
			if !slices.Contains(out.Recovered, r) {
				out.Recovered = append(out.Recovered, r)
			}
		}
	}
	out.Note = fmt.Sprintf("%d later messages waited with this one; the state shown is the latest", n-1)
	if n == 2 {
		out.Note = "1 later message waited with this one; the state shown is the latest"
	}
	if head.Note != "" {
		out.Note = head.Note + "; " + out.Note
	}
	return out, n
}

// lasting says that a message tells of a problem that goes on.
func lasting(r Reason) bool {
	return r == First || r == Worse || r == CauseChanged || r == Reminder
}

func stronger(a, b Reason) Reason {
	order := []Reason{Reminder, CauseChanged, Worse, First}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}
