// Package torchmem reads where a process's GPU memory went: PyTorch's memory snapshot (the pickle of
// torch.cuda.memory._dump_snapshot, which is read and never executed) and the text of torch.cuda.memory_summary.
package torchmem

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/inferdx/inferdx/internal/evidence/packed"
)

// ErrUnrecognised is the fault of a file that is neither.
var ErrUnrecognised = errors.New("no PyTorch memory snapshot or summary found")

const hint = "\nhint: pass the file of torch.cuda.memory._dump_snapshot(FILE), or the text of torch.cuda.memory_summary()"

// maxLargest is how many of the largest allocations are kept.
const maxLargest = 10

// Memory is what was read, in bytes. Several devices are added up.
type Memory struct {
	// From is snapshot or summary.
	From    string `json:"from"`
	Devices int    `json:"devices"`
	// Allocated is held by tensors; Active also by those that another stream still uses; Reserved is what the process
	// took from the GPU.
	Allocated int64  `json:"allocated_bytes"`
	Active    int64  `json:"active_bytes"`
	Reserved  int64  `json:"reserved_bytes"`
	Peak      *int64 `json:"peak_allocated_bytes,omitempty"`
	// Split is free within segments in use, which cannot be given back; Cached is free in segments that could be.
	Split  int64 `json:"inactive_split_bytes"`
	Cached int64 `json:"cached_bytes"`
	// LargestFree is the largest free block of a snapshot: what one allocation can get without asking the GPU.
	LargestFree int64 `json:"largest_free_bytes,omitempty"`
	// Kinds is what the memory is used for, as far as the stacks of a snapshot show it.
	Kinds   []KindBytes  `json:"kinds,omitempty"`
	Largest []Allocation `json:"largest,omitempty"`

	OOMs         int      `json:"ooms"`
	OOMRequested int64    `json:"oom_requested_bytes,omitempty"` // by the last
	OOMFree      *int64   `json:"oom_device_free_bytes,omitempty"`
	OOMCode      []string `json:"oom_code,omitempty"`
	// Retries are allocations that had to give cached memory back first; a snapshot does not count them.
	Retries *int `json:"retries,omitempty"`

	Segments int      `json:"segments"`
	Events   int      `json:"events,omitempty"`
	Notes    []string `json:"notes,omitempty"`
}

// KindBytes is how much memory is used for something.
type KindBytes struct {
	Kind  Kind  `json:"kind"`
	Bytes int64 `json:"bytes"`
}

// Allocation is live memory that one place of the code allocated.
type Allocation struct {
	Kind   Kind     `json:"kind"`
	Bytes  int64    `json:"bytes"`
	Blocks int      `json:"blocks"`
	Code   []string `json:"code,omitempty"` // innermost first
}

// Open reads a file, which may be compressed with gzip.
func Open(path string) (*Memory, error) { return packed.Open(path, "memory snapshot", Read) }

// Recognise says whether the beginning of a file, unzipped, looks like a snapshot or a summary.
func Recognise(head []byte) bool {
	return isPickle(head) && bytes.Contains(head, []byte("segments")) || bytes.Contains(head, []byte(title))
}

func isPickle(head []byte) bool {
	return len(head) > 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5
}

// Read reads a snapshot or a summary to its end; gzip is recognised. What was read before a file breaks off is told, with
// a note; a pickle that would run something is an error whatever was read before.
func Read(r io.Reader) (*Memory, error) {
	br, err := packed.Reader(r)
	if err != nil {
		return nil, err
	}
	if head, _ := br.Peek(3); !isPickle(head) {
		return readSummary(br)
	}
	s := newSnapshot()
	m := &machine{r: br, filled: s.filled}
	err = m.run()
	switch {
	case errors.Is(err, errRefused):
		return nil, fmt.Errorf("%w; nothing of it was run%s", err, hint)
	case s.segments == 0 && err != nil:
		return nil, fmt.Errorf("%w: %w%s", ErrUnrecognised, err, hint)
	case s.segments == 0 && s.events == 0:
		return nil, fmt.Errorf("%w: a pickle without segments%s", ErrUnrecognised, hint)
	}
	out := s.result()
	if err != nil {
		out.Notes = append(out.Notes, fmt.Sprintf("the file breaks off after %d segments and %d events: %v", out.Segments, out.Events, err))
	}
	if out.Devices > 1 {
		out.Notes = append(out.Notes, fmt.Sprintf("%d devices are added up", out.Devices))
	}
	if len(out.Kinds) == 0 && out.Active > 0 {
		out.Notes = append(out.Notes, "no stack shows what the memory is for: history must be recorded (torch.cuda.memory._record_memory_history) in the engine's worker before it loads the model")
	}
	return out, nil
}
