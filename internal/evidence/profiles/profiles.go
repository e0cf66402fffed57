// Package profiles tells by its content what kind of profile a file is, and reads it.
package profiles

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/inferdx/inferdx/internal/evidence/nsight"
	"github.com/inferdx/inferdx/internal/evidence/nsys"
	"github.com/inferdx/inferdx/internal/evidence/packed"
	"github.com/inferdx/inferdx/internal/evidence/torchmem"
	"github.com/inferdx/inferdx/internal/evidence/torchtable"
	"github.com/inferdx/inferdx/internal/evidence/torchtrace"
	"github.com/inferdx/inferdx/internal/model"
)

// Profile is what was read of a file.
type Profile interface {
	// Facts are what playbooks weigh.
	Facts() map[string]model.Fact
	// WriteText writes what an engineer wants to know, the finding first.
	WriteText(w io.Writer) error
}

// ErrUnknown is the fault of a file that no reader recognises.
var ErrUnknown = errors.New("it is no profile that inferdx reads")

// head is how much of a file tells its kind.
const head = 64 << 10

type reader struct {
	name       string
	recognises func([]byte) bool
	open       func(string) (Profile, error)
}

func readers() []reader {
	return []reader{
		{"a trace of the PyTorch profiler (*.pt.trace.json)", torchtrace.Recognise, wrap(torchtrace.Open)},
		{"its table by key (*.profiler_out.txt)", torchtable.Recognise, wrap(torchtable.Open)},
		{"a CSV page of Nsight Compute (ncu --csv)", nsight.Recognise, wrap(nsight.Open)},
		{"an SQLite export or a stats CSV of Nsight Systems", nsys.Recognise, wrap(nsys.Open)},
		{"a memory snapshot or summary of PyTorch", torchmem.Recognise, wrap(torchmem.Open)},
	}
}

func wrap[P Profile](open func(string) (P, error)) func(string) (Profile, error) {
	return func(path string) (Profile, error) {
		p, err := open(path)
		if err != nil {
			return nil, err
		}
		return p, nil
	}
}

// Kinds are what Open reads, in words.
func Kinds() []string {
	var out []string
	for _, r := range readers() {
		out = append(out, r.name)
	}
	return out
}

// Recognise says whether a file that begins so, unpacked, is a profile that Open reads.
func Recognise(head []byte) bool {
	return slices.ContainsFunc(readers(), func(r reader) bool { return r.recognises(head) })
}

// Open reads a profile of any known kind.
func Open(path string) (Profile, error) {
	start, err := packed.Head(path, head)
	if err != nil {
		return nil, fmt.Errorf("read profile: %w", err)
	}
	for _, r := range readers() {
		if r.recognises(start) {
			return r.open(path)
		}
	}
	return nil, fmt.Errorf("read profile %s: %w", path, ErrUnknown)
}

// Facts are the facts of several profiles of one server. PyTorch traces are compared as the ranks of one model; of
// others the later file wins.
func Facts(ps []Profile) map[string]model.Fact {
	out := map[string]model.Fact{}
	for _, p := range ps {
		maps.Copy(out, p.Facts())
	}
	if ranks := Ranks(ps); ranks != nil {
		maps.Copy(out, ranks.Facts())
	}
	return out
}

// Ranks compares the PyTorch traces among profiles; nil where there is none.
func Ranks(ps []Profile) *torchtrace.Ranks {
	var traces []*torchtrace.Profile
	for _, p := range ps {
		if t, ok := p.(*torchtrace.Profile); ok {
			traces = append(traces, t)
		}
	}
	if len(traces) == 0 {
		return nil
	}
	return torchtrace.Together(slices.Clip(traces))
}
