// Package nsight reads what Nsight Compute prints of kernels as CSV: `ncu --csv --page raw` and `--page details`. It says
// what bounds each class of kernels: arithmetic, memory, latency or occupancy.
package nsight

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/evidence/kernels"
	"github.com/inferdx/inferdx/internal/evidence/packed"
)

// ErrUnrecognised is the fault of a file that is no page of Nsight Compute.
var ErrUnrecognised = errors.New("no Nsight Compute CSV found")

const hint = "\nhint: pass the output of `ncu --import FILE.ncu-rep --csv --page raw` (or --page details); the .ncu-rep itself cannot be read"

// Profile is what was read of a file. Everything is weighted by the kernels' durations.
type Profile struct {
	// Page is raw or details.
	Page string `json:"page"`
	GPU  string `json:"gpu,omitempty"`
	// Launches is the number of profiled launches, Kernels that of different kernels.
	Launches int `json:"launches"`
	Kernels  int `json:"kernels"`
	// All sums up every launch; Classes and Top are ordered by time, the longest first.
	All     Group   `json:"all"`
	Classes []Group `json:"classes"`
	Top     []Group `json:"top"`
	// Unpacking is the share of the time in kernels that unpack quantised weights at every use.
	Unpacking float64 `json:"unpacking_ratio"`
	// Notes say what the reader should know of the file.
	Notes []string `json:"notes,omitempty"`
}

// Group is the launches of one kernel or one class together. A nil ratio was not in the file.
type Group struct {
	Name     string        `json:"name"`
	Class    kernels.Class `json:"class,omitempty"`
	Launches int           `json:"launches"`
	Seconds  float64       `json:"seconds"`
	Share    float64       `json:"share"`
	// Bound is what most of the time is bound by; Bounds are the shares of the group's time.
	Bound  Bound             `json:"bound,omitempty"`
	Bounds map[Bound]float64 `json:"bounds,omitempty"`

	SM         *float64 `json:"sm_ratio,omitempty"`     // of the highest compute throughput
	Memory     *float64 `json:"memory_ratio,omitempty"` // of the busiest part of the memory system
	DRAM       *float64 `json:"dram_ratio,omitempty"`
	L1         *float64 `json:"l1_ratio,omitempty"`
	L2         *float64 `json:"l2_ratio,omitempty"`
	L1Hit      *float64 `json:"l1_hit_ratio,omitempty"`
	L2Hit      *float64 `json:"l2_hit_ratio,omitempty"`
	Tensor     *float64 `json:"tensor_ratio,omitempty"`      // cycles in which the tensor pipes worked
	Lanes      *float64 `json:"lanes_ratio,omitempty"`       // threads of a warp that an instruction runs for
	Issue      *float64 `json:"issue_ratio,omitempty"`       // cycles in which a scheduler issued
	Occupancy  *float64 `json:"occupancy_ratio,omitempty"`   // achieved
	Possible   *float64 `json:"theoretical_ratio,omitempty"` // occupancy that registers, shared memory and block size allow
	Limiter    string   `json:"occupancy_limiter,omitempty"`
	Stall      string   `json:"stall,omitempty"` // what warps wait for most
	StallShare *float64 `json:"stall_ratio,omitempty"`
	// Intensity and Ridge are in FLOP per byte of DRAM traffic: left of the ridge memory is the roof, right of it arithmetic.
	Intensity *float64 `json:"intensity_flop_per_byte,omitempty"`
	Ridge     *float64 `json:"ridge_flop_per_byte,omitempty"`
}

// Open reads a file, which may be compressed with gzip.
func Open(path string) (*Profile, error) { return packed.Open(path, "Nsight Compute CSV", Read) }

// Recognise says whether the beginning of a file, unzipped, looks like a page of Nsight Compute.
func Recognise(head []byte) bool {
	for line := range bytes.Lines(head) {
		if header(split(string(line))) != nil {
			return true
		}
	}
	// A raw page's header can be longer than the beginning that is looked at.
	return bytes.Contains(head, []byte("==PROF==")) || bytes.HasPrefix(head, []byte(`"ID","Process ID","Process Name","Host Name","Kernel Name"`))
}

// Read reads a page to its end; gzip and UTF-16 are recognised. What was read before a file breaks off is told, with a note.
func Read(r io.Reader) (*Profile, error) {
	br, err := packed.Reader(r)
	if err != nil {
		return nil, err
	}
	s := newSum()
	p := &page{each: s.add}
	err = eachRecord(br, p.record)
	p.flush()
	if s.all.launches == 0 {
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w\nhint: pass the whole file", err)
		case p.columns == nil:
			return nil, fmt.Errorf("%w%s", ErrUnrecognised, hint)
		}
		return nil, fmt.Errorf("the page has a header and no kernel below it%s", hint)
	}
	out := s.profile()
	out.Page, out.GPU, out.Notes = p.kind(), p.gpu, p.notes
	if p.cut {
		out.Notes = append(out.Notes, "a launch whose record was cut short was left out")
	}
	if err != nil {
		out.Notes = append(out.Notes, fmt.Sprintf("the file breaks off after %d launches: %v", out.Launches, err))
	}
	return out, nil
}

// header maps the columns of a header by name; nil when the fields are none.
func header(fields []string) map[string]int {
	if len(fields) < 5 || fields[0] != "ID" || !slices.Contains(fields, "Kernel Name") {
		return nil
	}
	columns := map[string]int{}
	for i, f := range fields {
		if _, ok := columns[f]; !ok {
			columns[f] = i
		}
	}
	return columns
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
