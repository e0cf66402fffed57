// Package bench reads the result files of serving benchmarks into one form: vLLM's, SGLang's, GuideLLM's, AIPerf's and
// genai-perf's, and inference-perf's. What a file does not say is absent.
package bench

import "time"

// Kind says what a benchmark measured.
type Kind string

// The kinds: Serving had clients and a server between which requests went, Latency and Throughput ran the engine in one process.
const (
	Serving    Kind = "serving"
	Latency    Kind = "latency"
	Throughput Kind = "throughput"
)

// Run is one run of a benchmark. Times are in seconds, rates by the second; nil is unknown.
type Run struct {
	Tool string `json:"tool"`
	// Version is the tool's own, where the file names it.
	Version string `json:"version,omitempty"`
	Kind    Kind   `json:"kind"`
	// Name tells the run from the others of its file.
	Name    string `json:"name,omitempty"`
	Model   string `json:"model,omitempty"`
	Backend string `json:"backend,omitempty"`
	// Workload is the data set under its usual name, WorkloadAs what the file calls it.
	Workload   string     `json:"workload,omitempty"`
	WorkloadAs string     `json:"workload_as,omitempty"`
	Start      *time.Time `json:"start,omitempty"`
	End        *time.Time `json:"end,omitempty"`
	// ZoneUnknown says that Start and End are clock times of the client's machine, read as UTC.
	ZoneUnknown bool `json:"zone_unknown,omitempty"`
	// Rate is what was asked for; Unlimited says that requests went as fast as the client could.
	Rate       *float64 `json:"rate,omitempty"`
	Unlimited  bool     `json:"unlimited,omitempty"`
	Burstiness *float64 `json:"burstiness,omitempty"`
	// Cap is the most requests that the client kept in flight, InFlight what it had on average; InFlightBy says whether that was
	// measured or follows from other figures.
	Cap        *float64 `json:"max_concurrency,omitempty"`
	InFlight   *float64 `json:"in_flight,omitempty"`
	InFlightBy string   `json:"in_flight_by,omitempty"`
	Peak       *float64 `json:"peak_in_flight,omitempty"`
	Seconds    *float64 `json:"seconds,omitempty"`
	Completed  *float64 `json:"completed,omitempty"`
	Failed     *float64 `json:"failed,omitempty"`
	// Incomplete were cut off when the run ended.
	Incomplete *float64 `json:"incomplete,omitempty"`
	Input      Tokens   `json:"input_tokens,omitzero"`
	Output     Tokens   `json:"output_tokens,omitzero"`
	TTFT       *Times   `json:"ttft,omitempty"`
	// TPOT is a request's time from its first to its last token by the tokens after the first.
	TPOT *Times `json:"tpot,omitempty"`
	// ITL are single gaps between two chunks of a stream.
	ITL *Times `json:"itl,omitempty"`
	E2E *Times `json:"e2e,omitempty"`
	// Held is how long requests waited in the client for its own limit of concurrency before they were sent.
	Held      *Times   `json:"held_by_client,omitempty"`
	RequestsS *float64 `json:"requests_per_s,omitempty"`
	OutputS   *float64 `json:"output_tokens_per_s,omitempty"`
	TotalS    *float64 `json:"total_tokens_per_s,omitempty"`
	// GoodS are the requests within the objectives given to the tool.
	GoodS *float64 `json:"goodput_requests_per_s,omitempty"`
	Notes []string `json:"notes,omitempty"`
	// Requests are the single requests, where the file has them.
	Requests *Requests `json:"-"`
}

// Tokens are prompt or output tokens: of all requests together, and of one on average.
type Tokens struct {
	Total *float64 `json:"total,omitempty"`
	Mean  *float64 `json:"mean,omitempty"`
}

// Times are the mean and the quantiles of a latency in seconds; nil is not given.
type Times struct {
	Mean *float64 `json:"mean,omitempty"`
	P50  *float64 `json:"p50,omitempty"`
	P90  *float64 `json:"p90,omitempty"`
	P95  *float64 `json:"p95,omitempty"`
	P99  *float64 `json:"p99,omitempty"`
}

func (t *Times) empty() bool { return t == nil || *t == Times{} }

// File is what one result file holds.
type File struct {
	Path string `json:"file,omitempty"`
	Runs []*Run `json:"runs"`
}
