package api

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/inferdx/inferdx/internal/matchers"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/store"
)

type record struct {
	ID        int64              `json:"id"`
	At        time.Time          `json:"at"`
	Entity    string             `json:"entity"`
	Onset     bool               `json:"onset"`
	Signals   map[string]float64 `json:"signals"`
	Diagnosis model.Diagnosis    `json:"diagnosis"`
}

func recordOf(x store.Record) record {
	if x.Signals == nil {
		x.Signals = map[string]float64{}
	}
	return record{x.ID, x.At, x.Entity, x.Onset, x.Signals, x.Diagnosis}
}

type transition struct {
	ID       int64     `json:"id"`
	At       time.Time `json:"at"`
	Entity   string    `json:"entity"`
	Symptom  string    `json:"symptom"`
	From     string    `json:"from"`
	To       string    `json:"to"`
	Severity string    `json:"severity"`
}

func transitionOf(x store.Transition) transition {
	return transition{x.ID, x.At, x.Entity, x.Symptom, string(x.From), string(x.To), string(x.Severity)}
}

type outcome struct {
	ID         int64           `json:"id"`
	At         time.Time       `json:"at"`
	Entity     string          `json:"entity"`
	Cause      string          `json:"cause"`
	Verdict    string          `json:"verdict"`
	Change     json.RawMessage `json:"change"`
	Comparison json.RawMessage `json:"comparison"`
}

func outcomeOf(x store.Outcome) outcome {
	return outcome{x.ID, x.At, x.Entity, x.Cause, x.Verdict, x.Change, x.Comparison}
}

type notification struct {
	ID       string    `json:"id"`
	Receiver string    `json:"receiver"`
	Key      string    `json:"key"`
	Reason   string    `json:"reason"`
	Severity string    `json:"severity"`
	State    string    `json:"state"`
	Enqueued time.Time `json:"enqueued"`
	Attempts int       `json:"attempts"`
	Error    string    `json:"error"`
}

func notificationOf(x store.Notification) notification {
	m := x.Message
	return notification{m.ID, m.Receiver, m.Key, string(m.Reason), string(m.Severity), string(x.State), x.Enqueued, x.Attempts, x.LastError}
}

type silence struct {
	ID        string          `json:"id"`
	Matchers  json.RawMessage `json:"matchers"`
	StartsAt  time.Time       `json:"startsAt"`
	EndsAt    time.Time       `json:"endsAt"`
	CreatedBy string          `json:"createdBy"`
	Comment   string          `json:"comment"`
}

func silenceOf(x store.Silence) silence {
	return silence{x.ID, x.Matchers, x.Starts, x.Ends, x.CreatedBy, x.Comment}
}

// newSilence is what is posted: matchers in Alertmanager's syntax, as severity="warning".
type newSilence struct {
	Matchers  []string   `json:"matchers"`
	StartsAt  *time.Time `json:"startsAt,omitempty"`
	EndsAt    time.Time  `json:"endsAt"`
	CreatedBy string     `json:"createdBy"`
	Comment   string     `json:"comment"`
}

type created struct {
	ID string `json:"id"`
}

type config struct {
	YAML string `json:"yaml"`
}

// longestSilence keeps a slip of the pen from silencing for good.
const longestSilence = 366 * 24 * time.Hour

func addSilence(o Options, r *http.Request, _ query) (any, error) {
	var in newSilence
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return nil, bad("read the silence: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, bad("more follows after the silence")
	}
	now := o.Clock()
	starts := now
	if in.StartsAt != nil && in.StartsAt.After(now) {
		starts = *in.StartsAt
	}
	matches := false
	for _, text := range in.Matchers {
		ms, err := matchers.Parse(text)
		if err != nil {
			return nil, bad("matchers: %w", err)
		}
		matches = matches || len(ms) > 0
	}
	switch {
	case !matches:
		return nil, bad(`matchers: want at least one, as severity="warning": a silence of everything is not meant`)
	case !in.EndsAt.After(starts):
		return nil, bad("endsAt: want a time after the start")
	case in.EndsAt.Sub(now) > longestSilence:
		return nil, bad("endsAt: more than a year away")
	case in.CreatedBy == "" || len(in.CreatedBy)+len(in.Comment) > 4096:
		return nil, bad("createdBy: want who silences, in fewer than 4096 characters with the comment")
	}
	text, err := json.Marshal(in.Matchers)
	if err != nil {
		return nil, err
	}
	id := rand.Text()
	err = o.History.SetSilence(r.Context(), store.Silence{ID: id, Matchers: text, Starts: starts, Ends: in.EndsAt, CreatedBy: in.CreatedBy, Comment: in.Comment})
	if err == nil && o.Changed != nil {
		o.Changed()
	}
	return created{id}, err
}
