package main

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/inferdx/inferdx/internal/evidence/profiles"
	"github.com/inferdx/inferdx/internal/evidence/torchtrace"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
)

// profiled adds what the profiles tell to a request.
func (e *evidence) profiled(r *pipeline.Request) error {
	ps, err := openProfiles(e.profiles)
	if err != nil {
		return fmt.Errorf("--profile: %w", err)
	}
	measured(r)
	maps.Copy(r.Measured, profiles.Facts(ps))
	for i, p := range ps {
		if t, ok := p.(*torchtrace.Profile); ok && t.Cut {
			r.Notes = append(r.Notes, e.profiles[i]+" breaks off: of the server it shows the beginning alone")
		}
	}
	if ranks := profiles.Ranks(ps); ranks != nil && ranks.Apart != "" {
		r.Notes = append(r.Notes, fmt.Sprintf("the %d traces of --profile are not of one moment of one server (%s): the one with most kernels counts; inferdx inspect compares them", len(ranks.Profiles), ranks.Apart))
	}
	return nil
}

func measured(r *pipeline.Request) {
	if r.Measured == nil {
		r.Measured = map[string]model.Fact{}
	}
}

// openProfiles reads every file and says all that is wrong with them.
func openProfiles(paths []string) ([]profiles.Profile, error) {
	var out []profiles.Profile
	var faults []error
	for _, path := range paths {
		p, err := profiles.Open(path)
		switch {
		case errors.Is(err, profiles.ErrUnknown):
			faults = append(faults, misfile("profile", path, fmt.Errorf("%w\nhint: pass %s", err, strings.Join(profiles.Kinds(), "; or "))))
		case err != nil:
			faults = append(faults, misfile("profile", path, err))
		default:
			out = append(out, p)
		}
	}
	return out, errors.Join(faults...)
}
