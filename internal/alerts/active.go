package alerts

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Active are the alerts that have not ended, by their ID. It is plain data.
type Active map[string]Alert

// maxActive and maxTexts, in bytes, bound the memory that others can fill; what is beyond is refused.
const (
	maxActive = 10_000
	maxTexts  = 64 << 20
)

// Apply takes alerts in: those that fire are kept, those that ended are dropped. Saying the same twice
// changes nothing. It is false where there is no room, and then nothing was taken.
func (s Active) Apply(all []Alert, now time.Time) (Active, bool) {
	next := maps.Clone(s)
	if next == nil {
		next = Active{}
	}
	for _, a := range all {
		id := a.ID()
		if a.over(now) {
			if old, ok := next[id]; ok && !old.StartsAt.After(a.EndsAt) {
				delete(next, id)
			}
			continue
		}
		if old, ok := next[id]; ok && !old.over(now) { // the same problem, said again
			if old.StartsAt.Before(a.StartsAt) {
				a.StartsAt = old.StartsAt
			}
			a.Looked, a.Then = old.Looked, old.Then
		}
		next[id] = a
	}
	return next, len(next) <= maxActive && next.texts() <= maxTexts
}

// texts is how long all that others wrote is.
func (s Active) texts() (n int) {
	for _, a := range s {
		for _, m := range []map[string]string{a.Labels, a.Annotations} {
			for name, v := range m {
				n += len(name) + len(v)
			}
		}
	}
	return n
}

// Expire drops what has ended by its own word.
func (s Active) Expire(now time.Time) Active {
	var next Active
	for id, a := range s {
		if !a.over(now) {
			continue
		}
		if next == nil {
			next = maps.Clone(s)
		}
		delete(next, id)
	}
	if next == nil {
		return s
	}
	return next
}

func (a Alert) over(now time.Time) bool { return !a.EndsAt.IsZero() && !a.EndsAt.After(now) }

// Bounded gives alerts without an end the one that they have when nobody says them again: Alertmanager's
// resolve_timeout for alerts of Prometheus, and for those of Alertmanager, which repeats itself by its
// repeat_interval only, that.
func Bounded(all []Alert, now time.Time, limit time.Duration) []Alert {
	out := slices.Clone(all)
	for i := range out {
		if out[i].EndsAt.IsZero() {
			out[i].EndsAt = now.Add(limit)
		}
	}
	return out
}

// Sorted are the alerts in the order in which they began.
func (s Active) Sorted() []Alert {
	return slices.SortedFunc(maps.Values(s), func(a, b Alert) int {
		return cmp.Or(a.StartsAt.Compare(b.StartsAt), cmp.Compare(a.ID(), b.ID()))
	})
}
