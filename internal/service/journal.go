package service

import (
	"context"
	"log/slog"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/store"
)

// journal writes what is thought of each server into the log, whenever that changes: where nobody else
// is told, it stands there.
type journal struct{ last map[string]string }

// write tells what is new. What is well from the first look on is not worth a line.
func (j *journal) write(ctx context.Context, log *slog.Logger, ds []model.Diagnosis) {
	next := make(map[string]string, len(ds))
	for _, d := range ds {
		key := store.EntityKey(d.Scope, d.Target)
		next[key] = d.Fingerprint + string(d.Status)
		before, known := j.last[key]
		if before == next[key] || !known && (d.Status == model.Healthy || d.Status == model.Idle) {
			continue
		}
		attrs := []any{"target", name(d), "status", d.Status, "summary", d.Summary}
		for _, c := range d.Causes {
			if c.Primary {
				attrs = append(attrs, "cause", c.ID, "score", c.Score)
			}
		}
		level := slog.LevelInfo
		if d.Status == model.Degraded || d.Status == model.Down {
			level = slog.LevelWarn
		}
		log.Log(ctx, level, "diagnosis", attrs...)
	}
	j.last = next
}

func name(d model.Diagnosis) string {
	for _, k := range []string{"instance", "pod", "source", "model_name", "alertname"} {
		if v := d.Target[k]; v != "" {
			return v
		}
	}
	return d.Name
}
