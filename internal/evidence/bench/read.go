package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/inferdx/inferdx/internal/evidence/packed"
)

// ErrNoResult is the fault of a file that holds no result of a benchmark.
var ErrNoResult = errors.New("no result of a benchmark")

const hint = "hint: pass what vllm bench --save-result or --output-json, sglang.bench_serving --output-file, guidellm, aiperf or inference-perf wrote"

// maxRuns is how many runs of one file are read.
const maxRuns = 1_000

// marks are what a file of each kind has near its beginning, all of one line together.
func marks() [][]string {
	return [][]string{
		{`"request_throughput"`, `"completed"`},        // vLLM, SGLang
		{`"sharegpt_output_len"`, `"max_concurrency"`}, // SGLang behind a long server_info
		{`"avg_latency"`, `"latencies"`},               // vllm bench latency
		{`"requests_per_second"`, `"elapsed_time"`},    // vllm bench throughput
		{`"benchmark_values"`, `"metric"`},             // PyTorch's benchmark format
		{`"benchmark"`, `"vLLM benchmark"`},            // the same behind long arguments
		{`"guidellm_version"`},
		{`"generative_benchmark"`}, // GuideLLM
		{"benchmarks:\n", "guidellm"},
		{"benchmarks:\n", "strategy_index"},      // as YAML
		{`"request_latency"`, `"avg"`, `"unit"`}, // AIPerf, genai-perf
		{`"request_throughput"`, `"avg"`, `"unit"`},
		{`"aiperf_version"`},
		{`"load_summary"`, `"successes"`}, // inference-perf
		{"Metric,avg,"},
		{"Metric,Avg,"},                                          // the CSV of AIPerf and genai-perf
		{`"conversation_id"`, `"request_start_ns"`, `"metrics"`}, // AIPerf, a request a line
	}
}

// Recognise says whether a file that begins so is the result of a benchmark.
func Recognise(head []byte) bool {
	for _, all := range marks() {
		found := true
		for _, m := range all {
			found = found && bytes.Contains(head, []byte(m))
		}
		if found {
			return true
		}
	}
	return false
}

// Open reads a result file, which may be compressed with gzip.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read benchmark: %w", err)
	}
	defer func() { _ = f.Close() }()
	out, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("read benchmark %s: %w", path, err)
	}
	out.Path = path
	return out, nil
}

// Read reads a result file of any known tool to its end. What stays in memory are its figures, and 32 bytes for each single
// request.
func Read(r io.Reader) (*File, error) {
	r, err := packed.Reader(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w\n%s", ErrNoResult, err, hint)
	}
	head := make([]byte, 1<<10)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%w: %w\n%s", ErrNoResult, err, hint)
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head[:n], []byte("\ufeff")), " \t\r\n")
	r = io.MultiReader(bytes.NewReader(head), r)
	var runs []*Run
	switch {
	case len(head) == 0:
		err = errors.New("it is empty")
	case head[0] == '{' || head[0] == '[':
		runs, err = readJSON(r)
	case bytes.HasPrefix(head, []byte("Metric,")):
		runs, err = readCSV(r)
	default:
		runs, err = readYAML(r)
	}
	for _, run := range runs {
		run.derive()
	}
	runs = slices.DeleteFunc(runs, (*Run).silent)
	if err == nil && len(runs) == 0 {
		err = errors.New("no known tool writes such a file")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w\n%s", ErrNoResult, err, hint)
	}
	for i, run := range runs {
		if run.Name == "" && len(runs) > 1 {
			run.Name = fmt.Sprintf("#%d", i+1)
		}
	}
	return &File{Runs: runs}, nil
}

// readJSON reads the objects of a file: one, one a line, or a list of them. A file that breaks off is an error: its totals
// are not the run's.
func readJSON(r io.Reader) ([]*Run, error) {
	s := newScanner(r)
	c := &collector{}
	for {
		switch s.peek() {
		case '{':
			if err := c.object(s); err != nil {
				return nil, err
			}
		case '[':
			if err := s.list(func(int) error {
				if s.peek() != '{' {
					return s.skip()
				}
				return c.object(s)
			}); err != nil {
				return nil, err
			}
		default:
			if _, err := s.token(); !errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("it is no JSON object: %w", orElse(err))
			}
			return c.end(), nil
		}
	}
}

func orElse(err error) error {
	if err == nil {
		return errors.New("another value stands there")
	}
	return err
}
