package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/inferdx/inferdx/internal/compare"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/promapi"
	"github.com/inferdx/inferdx/internal/source/recording"
	"github.com/inferdx/inferdx/rules/signals"
)

// stretch is one side as it was read: samples, and which of them count.
type stretch struct {
	compare.Range

	name   string // the file or the side, for errors
	store  *samples.Store
	faults []model.Fault
}

// read gives both sides, before and after.
func (o *comparison) read(ctx context.Context, args []string, c *content.Content) ([2]stretch, error) {
	if o.prometheus.url != "" {
		return o.readPrometheus(ctx, c)
	}
	var out [2]stretch
	for i, given := range []string{o.before, o.after} {
		path := args[min(i, len(args)-1)]
		if i == 1 && len(args) == 1 {
			out[1] = out[0]
		} else {
			st, err := recording.Open(metricsOf(path), wanted(c))
			if err != nil {
				return out, misfile("recording", path, err)
			}
			out[i] = stretch{name: path, store: st}
		}
		first, last, ok := out[i].store.Bounds()
		if !ok {
			return out, noEngine(out[i].store)
		}
		var err error
		flag := [2]string{"before", "after"}[i]
		if out[i].Range, err = parseRange(flag, given, time.UnixMilli(first), time.UnixMilli(last), true); err != nil {
			return out, err
		}
		if out[i].From > last || out[i].To < first {
			return out, unreadable("it holds samples from "+stamp(first)+" to "+stamp(last), "%s has nothing in --%s %s", path, flag, given)
		}
	}
	if len(args) == 1 {
		return out, apart(out)
	}
	return out, nil
}

// metricsOf finds the recording in a folder of the corpus' form.
func metricsOf(path string) string {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return path
	}
	for _, name := range []string{"metrics.om.gz", "metrics.om"} {
		if p := filepath.Join(path, name); exists(p) {
			return p
		}
	}
	return path
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (o *comparison) readPrometheus(ctx context.Context, c *content.Content) ([2]stretch, error) {
	var out [2]stretch
	now := time.Now()
	for i, given := range []string{o.before, o.after} {
		r, err := parseRange([2]string{"before", "after"}[i], given, time.Time{}, now, false)
		if err != nil {
			return out, err
		}
		out[i] = stretch{name: "--prometheus", Range: r}
	}
	if err := apart(out); err != nil {
		return out, err
	}
	client, limit, err := o.http.options()
	if err != nil {
		return out, err
	}
	for i := range out {
		s := &out[i]
		s.store, s.faults, err = promapi.Fetch(ctx, promapi.Options{
			Options: client, URL: o.prometheus.url, Timeout: o.http.timeout, BodyLimit: limit, Offset: o.prometheus.offset,
		}, promapi.Selection{
			At: time.UnixMilli(s.To), Window: time.Duration(s.To-s.From+1) * time.Millisecond,
			Names: c.Signals.Metrics(), Matchers: o.prometheus.match,
		})
		if err != nil {
			return out, unreadable("the URL is that of the server, as http://host:9090, without /api/v1", "%w", err)
		}
		offset := o.prometheus.offset.Milliseconds()
		s.From, s.To = s.From-offset, s.To-offset
	}
	return out, nil
}

// apart refuses sides that share samples: what is the same on both says nothing.
func apart(s [2]stretch) error {
	if s[0].From < s[1].To && s[1].From < s[0].To {
		return usage("leave the change itself out of both", "--before and --after overlap")
	}
	return nil
}

// parseRange reads FROM/TO. In a recording ends may be left out or count from its start.
func parseRange(flag, s string, first, last time.Time, inside bool) (compare.Range, error) {
	hint := "as -2h/-1h or 2026-11-03T03:00:00Z/2026-11-03T03:30:00Z"
	if inside {
		hint = "as 0s/40s, 60s/ or 2026-11-03T03:00:00Z/2026-11-03T03:30:00Z"
	}
	if s == "" {
		s = "/"
	}
	from, to, ok := strings.Cut(s, "/")
	if !ok || !inside && (strings.TrimSpace(from) == "" || strings.TrimSpace(to) == "") {
		return compare.Range{}, usage(hint, "--%s %q is not FROM/TO", flag, s)
	}
	start, err := parseEnd(from, first, first, last, inside)
	if err != nil {
		return compare.Range{}, usage(hint, "--%s: %q is no time", flag, from)
	}
	end, err := parseEnd(to, last, first, last, inside)
	switch {
	case err != nil:
		return compare.Range{}, usage(hint, "--%s: %q is no time", flag, to)
	case !end.After(start):
		return compare.Range{}, usage(hint, "--%s %q ends before it begins", flag, s)
	case !inside && end.After(last.Add(time.Minute)):
		return compare.Range{}, usage("as -30m/now", "--%s lies in the future", flag)
	}
	return compare.Range{From: start.UnixMilli(), To: end.UnixMilli()}, nil
}

func parseEnd(s string, open, first, last time.Time, inside bool) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return open, nil
	}
	if d, err := prom.ParseDuration(s); err == nil && inside {
		return first.Add(time.Duration(d)), nil
	}
	return parseTime(s, last)
}

// pickBoth chooses the server of each side: the wanted one, else the one that both have, else the only
// one of each.
func pickBoth(c *signals.Catalog, target string, s [2]stretch) (before, after *samples.Instance, err error) {
	var servers [2][]*samples.Instance
	for i, x := range s {
		for _, in := range x.store.Instances() {
			if _, ok := c.Engine(in); ok && fits(in, target) {
				servers[i] = append(servers[i], in)
			}
		}
		if len(servers[i]) == 0 {
			return nil, nil, noServer(c, target, x)
		}
	}
	if len(servers[0]) == 1 && len(servers[1]) == 1 {
		return servers[0][0], servers[1][0], nil
	}
	found := 0
	for _, b := range servers[0] {
		for _, a := range servers[1] {
			if a.Labels.Key() == b.Labels.Key() {
				before, after, found = b, a, found+1
			}
		}
	}
	if found == 1 {
		return before, after, nil
	}
	return nil, nil, usage("before: "+namesOf(servers[0])+"; after: "+namesOf(servers[1]), "there are several servers, and --target must name one")
}

func noServer(c *signals.Catalog, target string, s stretch) error {
	var all []*samples.Instance
	for _, in := range s.store.Instances() {
		if _, ok := c.Engine(in); ok {
			all = append(all, in)
		}
	}
	if len(all) > 0 {
		return usage("servers: "+namesOf(all), "%s has no server that --target %q fits", s.name, target)
	}
	return noEngine(s.store)
}

func fits(in *samples.Instance, target string) bool {
	if target == "" {
		return true
	}
	label, value, named := strings.Cut(target, "=")
	for _, l := range in.Labels {
		if l.Value == target || named && l.Name == label && l.Value == value {
			return true
		}
	}
	return false
}

func namesOf(list []*samples.Instance) string {
	var out []string
	for _, in := range list {
		out = append(out, model.Entity{Labels: in.Labels}.Name())
	}
	return strings.Join(out, ", ")
}
