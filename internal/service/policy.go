package service

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/inferdx/inferdx/internal/matchers"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/store"
)

// said is what people said that the plan has to heed.
func said(ctx context.Context, s *store.Store, at time.Time) ([]plan.Silence, map[string]plan.Taken, error) {
	stored, err := s.Silences(ctx, at)
	if err != nil {
		return nil, nil, err
	}
	var silences []plan.Silence
	for _, x := range stored {
		ms, err := matchersOf(x.Matchers)
		if err != nil {
			return nil, nil, fmt.Errorf("silence %s: %w", x.ID, err)
		}
		silences = append(silences, plan.Silence{Matchers: ms, From: x.Starts, To: x.Ends})
	}
	taken, err := s.Acknowledgements(ctx)
	if err != nil {
		return nil, nil, err
	}
	acks := map[string]plan.Taken{}
	for key, a := range taken {
		acks[key] = plan.Taken{By: a.By, At: a.At, Severity: a.Severity}
	}
	return silences, acks, nil
}

// matchersOf reads the matchers of a stored silence: a list of texts.
func matchersOf(text json.RawMessage) (matchers.Matchers, error) {
	var texts []string
	if err := json.Unmarshal(text, &texts); err != nil {
		return nil, err
	}
	var out matchers.Matchers
	for _, t := range texts {
		ms, err := matchers.Parse(t)
		if err != nil {
			return nil, err
		}
		out = append(out, ms...)
	}
	return out, nil
}
