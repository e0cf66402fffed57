package main

import (
	"errors"

	"github.com/inferdx/inferdx/rules/signals"
)

// earlier is the page of a signal with a time; they are too many to be listed.
func (r *reference) earlier(id string) (page, bool, error) {
	a, ok, err := r.c.Signals.Timed(id)
	var refused *signals.Refusal
	switch {
	case errors.As(err, &refused):
		return page{}, false, usage(refused.Hint, "%s", refused.Msg)
	case !ok:
		return page{}, false, nil
	}
	m, _ := r.c.Signals.Meaning(id)
	p := page{kind: "signal", id: id, title: m.Name}
	unit := "Unit: " + m.Unit + "."
	if m.Unit == "" {
		unit = ""
	}
	p.add("Meaning", []string{m.Is + ".", unit}, nil)
	var points []string
	for _, d := range r.c.Signals.Dialects() {
		if text, err := r.c.Signals.PromQL(d, id, signals.PromQLOptions{Window: "5m", By: []string{"job", "instance"}}); err == nil {
			points = append(points, d+": "+code(text))
		}
	}
	from, window := "What "+code(a.Signal)+" is read from, "+a.Words()+" earlier.", " As PromQL, over a window of 5 minutes:"
	if a.Length > 0 {
		from, window = "What "+code(a.Signal)+" is read from, over "+a.Words()+".", " As PromQL:"
	}
	if len(points) > 0 {
		from += window
	}
	p.add("Read from", []string{from}, points)
	p.add("How to get it", []string{"It needs " + m.Needs + "."}, nil)
	p.add("Read by", []string{listed("", r.readBy[id])}, nil)
	return p, true, nil
}
