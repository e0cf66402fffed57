// Package tail follows the log files of servers and keeps what they tell. It polls: a rotated, truncated or replaced file is found by
// looking, on network file systems as well.
package tail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/evidence/logs"
	"github.com/inferdx/inferdx/internal/model"
)

// Source is one entry of a configuration: some files and whose they are.
type Source struct {
	// Path is absolute, or relative to the working directory; a * in it stands for any part of one name.
	Path string
	// Labels gives the labels that the server of a file has, false where the file is nobody's. No labels are all servers.
	Labels func(path string) (map[string]string, bool)
}

// Name is what the source is called in messages.
func (s Source) Name() string { return "log " + s.Path }

// Health is how following one source goes.
type Health struct {
	Name string
	// Files is how many files are followed, Bytes and Lines what was read of them.
	Files        int
	Bytes, Lines int64
	// Fresh is how many of the lines were read since Read was asked last.
	Fresh int64
	// Err is why a file cannot be read, nil where all can.
	Err error
}

const (
	// maxFiles bounds how many files are followed at once: a glob that takes a whole disk in is a slip.
	maxFiles = 1024
	// forgetAfter is how long what a file told is kept after it is gone, or after another file of its server was written to.
	forgetAfter = time.Hour
	// searchEvery is how often new files are looked for.
	searchEvery = 5 * time.Second
)

// Options are what files are followed with.
type Options struct {
	Now func() time.Time // time.Now if nil
	// Every is how often files are looked at; 1 s if 0.
	Every time.Duration
}

// Tail follows files. It is safe for concurrent use.
type Tail struct {
	o Options

	polling sync.Mutex // held while files are read
	sources []Source
	files   map[string]*follower // by path
	search  time.Time            // when files were looked for last
	over    map[string]error     // by path of a source: too many files

	mu      sync.Mutex // for what follows
	next    []Source   // from the next look on, if changed
	changed bool
	told    []told
	health  []Health
	counted map[string]int64 // lines by source, when Read was asked last
}

// told is what is known of one file, for readers that do not wait for files.
type told struct {
	labels map[string]string
	log    *logs.Log
	wrote  time.Time
}

// New follows nothing yet.
func New(o Options) *Tail {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Every <= 0 {
		o.Every = time.Second
	}
	return &Tail{o: o, files: map[string]*follower{}}
}

// Apply says what to follow from the next look on. It does not wait for one under way, which may take long where a disk is slow. Files
// that go on being followed are not read again.
func (t *Tail) Apply(sources []Source) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next, t.changed, t.health = sources, true, nil
}

// adopt takes over what was applied since the last look.
func (t *Tail) adopt() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.changed {
		t.sources, t.search, t.changed = t.next, time.Time{}, false
	}
}

// Run follows until ctx ends.
func (t *Tail) Run(ctx context.Context) {
	every := time.NewTicker(t.o.Every)
	defer every.Stop()
	defer t.close()
	for {
		t.Poll(ctx)
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

func (t *Tail) close() {
	t.polling.Lock()
	defer t.polling.Unlock()
	for _, f := range t.files {
		f.close()
	}
}

// Poll looks at every file once and reads what is new.
func (t *Tail) Poll(ctx context.Context) {
	t.polling.Lock()
	defer t.polling.Unlock()
	t.adopt()
	now := t.o.Now()
	if now.Sub(t.search).Abs() >= searchEvery || t.search.IsZero() {
		t.find(now)
		t.search = now
	}
	for _, path := range t.paths() {
		if ctx.Err() != nil {
			return
		}
		f := t.files[path]
		if f.err = f.poll(ctx, now); f.found && errors.Is(f.err, fs.ErrNotExist) {
			f.err = nil // pods go, and links to their logs stay behind for a while
		}
		if f.forgotten(now) {
			f.close()
			delete(t.files, path)
		}
	}
	t.publish(now)
}

func (t *Tail) paths() []string {
	out := make([]string, 0, len(t.files))
	for path := range t.files {
		out = append(out, path)
	}
	slices.Sort(out)
	return out
}

// find brings the followers up to date with the files that there are. A path of several sources is of the first.
func (t *Tail) find(now time.Time) {
	t.over = map[string]error{}
	wanted := map[string]bool{}
	for i := range t.sources {
		s := &t.sources[i]
		paths, err := s.paths()
		if err != nil {
			continue // a pattern that is none: the configuration was checked
		}
		for _, path := range paths {
			labels, ok := s.Labels(path)
			if !ok || wanted[path] {
				continue
			}
			if wanted[path] = true; t.files[path] == nil {
				if len(t.files) >= maxFiles {
					t.over[s.Path] = fmt.Errorf("more than %d files match", maxFiles)
					break
				}
				t.files[path] = newFollower(path, now)
			}
			t.files[path].source, t.files[path].labels, t.files[path].found = s.Path, labels, s.pattern()
		}
	}
	for path, f := range t.files {
		if !wanted[path] && !t.matches(path) {
			f.close()
			delete(t.files, path)
		}
	}
}

// matches says whether a file that is not there any more would still be followed.
func (t *Tail) matches(path string) bool {
	return slices.ContainsFunc(t.sources, func(s Source) bool {
		ok, err := filepath.Match(s.Path, path)
		if _, owned := s.Labels(path); !owned {
			return false
		}
		return err == nil && ok || s.Path == path
	})
}

// paths are the files of now. A path without a * is followed whether it is there or not.
func (s *Source) paths() ([]string, error) {
	if !s.pattern() {
		return []string{s.Path}, nil
	}
	found, err := filepath.Glob(s.Path)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(found, func(path string) bool {
		info, err := os.Stat(path)
		return packed(path) || err == nil && !info.Mode().IsRegular()
	}), nil
}

// pattern says that the path stands for the files that there are, of which none is missed when it is gone.
func (s *Source) pattern() bool { return strings.ContainsAny(s.Path, "*?[") }

// packed says by its name that a file is compressed: an old part of a log.
func packed(path string) bool {
	return slices.Contains([]string{".gz", ".zst", ".xz", ".bz2", ".zip"}, filepath.Ext(path))
}

// publish makes known what was read.
func (t *Tail) publish(now time.Time) {
	byName := map[string]*Health{}
	health := make([]Health, len(t.sources))
	for i := range t.sources {
		health[i].Name, health[i].Err = t.sources[i].Name(), t.over[t.sources[i].Path]
		byName[t.sources[i].Path] = &health[i]
	}
	var all []told
	for _, path := range t.paths() {
		f := t.files[path]
		if h := byName[f.source]; h != nil {
			if h.Bytes, h.Lines = h.Bytes+f.bytes, h.Lines+f.lines; f.open != nil {
				h.Files++
			}
			if f.err != nil && h.Err == nil {
				h.Err = f.err
			}
		}
		if l := f.told(now); l != nil {
			all = append(all, told{f.labels, l, f.wrote})
		}
	}
	slices.SortStableFunc(all, func(a, b told) int { return a.wrote.Compare(b.wrote) })
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.changed {
		return // nobody waits for what is told of other sources
	}
	t.told, t.health = all, health
}

// FactsOf is what the logs of a server tell; nil is nothing. Of several files those count that were written to in the last hour of
// the newest, which has the last word.
func (t *Tail) FactsOf(target model.Labels) map[string]model.Fact {
	t.mu.Lock()
	all := t.told
	t.mu.Unlock()
	var mine []told
	for _, x := range all {
		if has(target, x.labels) {
			mine = append(mine, x)
		}
	}
	if len(mine) == 0 {
		return nil
	}
	newest := mine[len(mine)-1].wrote
	var ls []*logs.Log
	for _, x := range mine {
		if newest.Sub(x.wrote) <= forgetAfter {
			ls = append(ls, x.log)
		}
	}
	return logs.Together(ls...)
}

func has(target model.Labels, want map[string]string) bool {
	for name, value := range want {
		if target.Get(name) != value {
			return false
		}
	}
	return true
}

// Health is how following each source goes, in the order of the configuration; empty before the first look.
func (t *Tail) Health() []Health {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.health)
}

// Read is Health, and what is read from now on is fresh.
func (t *Tail) Read() []Health {
	out := t.Health()
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range out {
		out[i].Fresh = max(out[i].Lines-t.counted[out[i].Name], 0)
		if t.counted == nil {
			t.counted = map[string]int64{}
		}
		t.counted[out[i].Name] = out[i].Lines
	}
	return out
}

// plain says what went wrong without the name of the system call.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("%s: %w", p.Path, p.Err)
	}
	return err
}
