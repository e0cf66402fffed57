// Package nsys reads what Nsight Systems recorded of a server: the SQLite file of `nsys export`, or the CSV tables of
// `nsys stats`. It tells how busy the GPU was and what it did, and whether the host launched kernels one by one.
package nsys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/inferdx/inferdx/internal/evidence/kernels"
	"github.com/inferdx/inferdx/internal/evidence/packed"
)

// ErrUnrecognised is the fault of a file that is neither.
var ErrUnrecognised = errors.New("no export of Nsight Systems found")

const hint = "\nhint: pass the file of `nsys export --type sqlite FILE.nsys-rep`, or the output of `nsys stats --format csv --report cuda_gpu_kern_sum,cuda_api_sum FILE.nsys-rep`"

const (
	magic = "SQLite format 3\x00"
	// maxCopy bounds the copy that is made of a database that does not come from a plain file.
	maxCopy = 16 << 30
	// patience bounds how long a database may be asked; ten million kernels take about a minute.
	patience = 5 * time.Minute
	topRows  = 10
)

// Profile is what was read.
type Profile struct {
	// From is sqlite or stats.
	From string `json:"from"`
	GPU  string `json:"gpu,omitempty"`
	// Timeline is what only the SQLite export has; nil for tables.
	Timeline *Timeline `json:"timeline,omitempty"`
	// Kernels ran for KernelSeconds; those inside graphs that were recorded as a whole are not among them.
	Kernels       int     `json:"kernels"`
	KernelSeconds float64 `json:"kernel_seconds"`
	// Classes and Top share the time of kernels and copies, the longest first.
	Classes []Group `json:"classes"`
	Top     []Group `json:"top"`
	// Calls is what the host asked of the GPU; nil where API calls were not recorded.
	Calls *Calls `json:"calls,omitempty"`
	// Ranges are the longest annotations (NVTX).
	Ranges []Group  `json:"ranges,omitempty"`
	Notes  []string `json:"notes,omitempty"`
}

// Timeline is how the GPUs' time passed. Several GPUs are added up, each from its first activity to its last.
type Timeline struct {
	Devices int     `json:"devices"`
	Span    float64 `json:"span_seconds"`
	// Working is the span without pauses: gaps of longPause or more, in which there was no work rather than a slow host.
	Working float64 `json:"working_seconds"`
	Busy    float64 `json:"busy_seconds"`
	// Gaps are idle times by length, the shortest first; the last are the pauses.
	Gaps    []Gap   `json:"gaps"`
	Longest float64 `json:"longest_gap_seconds"`
	// Within is the longest gap that is no pause.
	Within float64 `json:"longest_gap_within_work_seconds"`
	// Graphs ran as a whole for GraphSeconds: their kernels were not recorded one by one.
	Graphs       int     `json:"whole_graphs,omitempty"`
	GraphSeconds float64 `json:"whole_graph_seconds,omitempty"`
	// GraphKernels are kernels that a graph ran.
	GraphKernels int `json:"graph_kernels"`
}

// Gap is the idle times of a length.
type Gap struct {
	From    float64 `json:"from_seconds"`
	Count   int     `json:"count"`
	Seconds float64 `json:"seconds"`
}

// Group is kernels, copies or ranges of one name or class.
type Group struct {
	Name    string        `json:"name"`
	Class   kernels.Class `json:"class,omitempty"`
	Count   int           `json:"count"`
	Seconds float64       `json:"seconds"`
	Share   float64       `json:"share,omitempty"`
}

// Calls sums up the host's calls of the CUDA API.
type Calls struct {
	Launches      int     `json:"kernel_launches"`
	GraphLaunches int     `json:"graph_launches"`
	LaunchSeconds float64 `json:"launch_seconds"`
	SyncSeconds   float64 `json:"synchronise_seconds"` // waiting for the GPU
	AllocSeconds  float64 `json:"allocate_seconds"`    // cudaMalloc, cudaFree and their like
	Allocs        int     `json:"allocations"`
}

// Open reads a file; tables may be compressed with gzip, a database too, of which a copy is then made.
func Open(path string) (*Profile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read Nsight Systems export: %w", err)
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, len(magic))
	n, _ := io.ReadFull(f, head)
	var p *Profile
	if string(head[:n]) == magic {
		p, err = readDatabase(path)
	} else if _, err = f.Seek(0, io.SeekStart); err == nil {
		p, err = Read(f)
	}
	if err != nil {
		return nil, fmt.Errorf("read Nsight Systems export %s: %w", path, err)
	}
	return p, nil
}

// Recognise says whether the beginning of a file, unzipped, looks like an export or a table of Nsight Systems.
func Recognise(head []byte) bool {
	if bytes.HasPrefix(head, []byte(magic)) {
		// The schema stands in the first pages.
		return bytes.Contains(head, []byte("StringIds")) || bytes.Contains(head, []byte("CUPTI_ACTIVITY_KIND"))
	}
	for line := range bytes.Lines(head) {
		if tableOf(fieldsOf(string(line))) != nil {
			return true
		}
	}
	return false
}

// Read reads an export from a stream; gzip is recognised. A database is copied to a temporary file first, as it cannot
// be read from front to back.
func Read(r io.Reader) (*Profile, error) {
	br, err := packed.Reader(r)
	if err != nil {
		return nil, err
	}
	if head, _ := br.Peek(len(magic)); string(head) != magic {
		return readTables(br)
	}
	f, err := os.CreateTemp("", "inferdx-nsys-*.sqlite")
	if err != nil {
		return nil, fmt.Errorf("copy the database: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	n, err := io.Copy(f, io.LimitReader(br, maxCopy))
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, fmt.Errorf("copy the database: %w", err)
	}
	if n == maxCopy {
		return nil, fmt.Errorf("the database has more than %d GiB\nhint: pass the unpacked file itself", maxCopy>>30)
	}
	return readDatabase(f.Name())
}

func readDatabase(path string) (*Profile, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	d, err := open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer d.close()
	return d.profile()
}
