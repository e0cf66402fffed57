package torchmem

import (
	"path"
	"strconv"
	"strings"
)

// Kind is what memory is used for.
type Kind string

// The kinds, as the code that allocated the memory shows them.
const (
	Weights     Kind = "weights"
	KV          Kind = "kv"
	Activations Kind = "activations"
	Graphs      Kind = "graphs" // CUDA graphs and what was allocated while they were captured
	Other       Kind = "other"
)

// Kinds lists every kind in the order in which they are shown.
func Kinds() []Kind { return []Kind{Weights, KV, Activations, Graphs, Other} }

// frame is one line of code.
type frame struct {
	file string
	line int64
	name string
}

// stack is where memory was allocated: what for, and the innermost lines of Python outside torch.
type stack struct {
	Kind Kind
	Code []string
}

const keptFrames = 4

// marks are functions and files by which a stack shows what memory is for, in order of precedence: a profile run
// allocates a small KV cache, and capturing a graph runs the model. They are of vLLM 0.6 to 0.33 (worker, model runner,
// model loader), SGLang 0.4 to 0.5 (model runner, memory pool, graph runner) and transformers.
var marks = []struct {
	kind      Kind
	functions []string
	files     []string
}{
	{
		Graphs,
		[]string{"capture_model", "capture", "_capture_cudagraphs", "profile_cudagraph_memory", "capture_one_batch_size", "init_cuda_graphs", "init_device_graphs", "_capture_graph"},
		[]string{"cuda_graph_runner.py", "cudagraph_utils.py", "cuda_graph.py", "graph_runner.py"},
	},
	{
		KV,
		[]string{
			"initialize_kv_cache", "initialize_kv_cache_tensors", "_allocate_kv_cache_tensors", "_allocate_kv_cache", "allocate_kv_cache", "init_kv_cache",
			"_initialize_kv_caches", "_init_minimal_kv_cache_for_profiling", "initialize_cache", "init_memory_pool", "_init_pools", "_create_buffers", "create_kv_cache",
		},
		[]string{"mem_cache/memory_pool.py", "cache_engine.py"},
	},
	{
		Weights,
		[]string{"load_model", "load_weights", "process_weights_after_loading", "create_weights", "initialize_model", "get_model", "from_pretrained", "_load_pretrained_model"},
		[]string{"model_loader/"},
	},
	{
		Activations,
		[]string{
			"profile_run", "_dummy_run", "_dummy_sampler_run", "determine_available_memory", "determine_num_available_blocks", "execute_model", "sample_tokens",
			"forward", "forward_batch_generation", "forward_extend", "forward_decode", "run_batch", "compute_logits", "_model_forward",
		},
		nil,
	},
}

// newStack sums up frames, the innermost first as torch gives them.
func newStack(frames []*frame) *stack {
	s := &stack{Kind: Other}
	best := len(marks)
	for _, f := range frames {
		for i, m := range marks[:best] {
			if f.is(m.functions, m.files) {
				best = i
				s.Kind = m.kind
				break
			}
		}
		if len(s.Code) < keptFrames && f.python() {
			s.Code = append(s.Code, f.String())
		}
	}
	if len(s.Code) == 0 {
		for _, f := range frames {
			if len(s.Code) < 1 && f.native() {
				s.Code = append(s.Code, f.name)
			}
		}
	}
	return s
}

func (f *frame) is(functions, files []string) bool {
	if !strings.HasSuffix(f.file, ".py") {
		return false
	}
	for _, name := range functions {
		if f.name == name {
			return true
		}
	}
	for _, file := range files {
		if strings.Contains(f.file, "/"+file) || strings.HasPrefix(f.file, file) {
			return true
		}
	}
	return false
}

// python says whether a frame is a line of Python outside torch, which is what an engineer can look at.
func (f *frame) python() bool {
	return strings.HasSuffix(f.file, ".py") && !strings.Contains(f.file, "/torch/") || f.name == noFrame
}

// native says whether a frame of C++ names an operation rather than the allocator and the recording of stacks.
func (f *frame) native() bool {
	for _, part := range []string{"unwind", "CapturedTraceback", "gather", "CachingAllocator", "detail::empty", "??"} {
		if strings.Contains(f.name, part) {
			return false
		}
	}
	return f.name != ""
}

// String is a frame as file:line function.
func (f *frame) String() string {
	if f.file == "" {
		return f.name
	}
	return path.Base(f.file) + ":" + strconv.FormatInt(f.line, 10) + " " + f.name
}
