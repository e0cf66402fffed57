package knobs

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFromArgs(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"a value after a space", "--max-num-seqs 8", "max_num_seqs=8*"},
		{"a value after an equals sign", "--max-num-seqs=8", "max_num_seqs=8*"},
		{"underscores", "--max_num_seqs=8 --gpu_memory_utilization 0.9", "gpu_memory_utilization=0.9* max_num_seqs=8*"},
		{"short flags", "-tp 2 -pp=4 -O3 -asc 2", "api_server_count=2* optimization_level=3* pipeline_parallel_size=4* tensor_parallel_size=2*"},
		{"booleans", "--enforce-eager --no-enable-prefix-caching model", "enable_prefix_caching=false* enforce_eager=true*"},
		{"a boolean with a word", "--enable-chunked-prefill False --enforce-eager=true", "enable_chunked_prefill=false* enforce_eager=true*"},
		{"numbers for people", "--max-model-len 32k --kv-cache-memory-bytes 1G", "kv_cache_memory_bytes=1G* max_model_len=32k*"},
		{"you choose", "--max-model-len auto", "max_model_len=auto*"},
		{"a negative number is a value", "--max-model-len -1 --max-num-seqs 4", "max_model_len=-1* max_num_seqs=4*"},
		{"a list", "--cudagraph-capture-sizes 1 2 4 --max-num-seqs 8", "cudagraph_capture_sizes=1,2,4* max_cudagraph_capture_size=4* max_num_seqs=8*"},
		{"JSON", `--speculative-config '{"method": "ngram", "num_speculative_tokens": 8}'`, `num_speculative_tokens=8* speculative_config={"method": "ngram", "num_speculative_tokens": 8}* speculative_method=ngram*`},
		{"JSON for graphs", `-cc '{"cudagraph_mode": "full", "cudagraph_capture_sizes": [1, 8]}'`, `compilation_config={"cudagraph_mode": "full", "cudagraph_capture_sizes": [1, 8]}* cudagraph_capture_sizes=1,8* cudagraph_mode=FULL* max_cudagraph_capture_size=8*`},
		{"dotted", "-cc.cudagraph_mode none --speculative-config.method=eagle", "cudagraph_mode=NONE* speculative_method=eagle*"},
		{"dotted and unknown", "--compilation-config.mode 3", `compilation_config={"mode":3}*`},
		{"the environment", "VLLM_ATTENTION_BACKEND=FLASHINFER CUDA_VISIBLE_DEVICES=0 vllm serve m -q fp8", "attention_backend=FLASHINFER* quantization=fp8*"},
		{"none takes back", "--num-gpu-blocks-override 5 --num-gpu-blocks-override None", "\n--num-gpu-blocks-override is set twice; the last one counts"},
		{"the last one counts", "--max-num-seqs 8 --max-num-seqs 16", "max_num_seqs=16*\n--max-num-seqs is set twice; the last one counts"},
		{"flags that are no knobs are quiet", "--host 0.0.0.0 --port=8000 --api-key s3cret --no-enable-log-requests", ""},
		{"a beginning that only one flag has", "--max-num-seq 8 --no-enforce", "enforce_eager=false* max_num_seqs=8*\n--max-num-seq is read as --max-num-seqs, as the server does\n--no-enforce is read as --no-enforce-eager, as the server does"},
		{"a beginning that several flags have", "--max-num 8", "\nnot known here and left out: --max-num"},
		{"a near miss", "--max-nun-seqs 8", "\nunknown flag --max-nun-seqs, did you mean --max-num-seqs?"},
		{"a strange flag, without its value", "--frobnicate-the-widget s3cret", "\nnot known here and left out: --frobnicate-the-widget"},
		{"no value", "--max-num-seqs --enforce-eager", "enforce_eager=true*\n--max-num-seqs has no value"},
		{"no number", "--max-num-seqs many", "\n--max-num-seqs: \"many\" is not a number"},
		{"broken JSON", "--speculative-config {ngram", "speculative_config={ngram*\n--speculative-config is not a JSON object; its parts are not known"},
		{"a file of flags", "--config serve.yaml", "\n--config names a file that is not read; flags in it are not known"},
		{"variables", `vllm serve $MODEL --api-key $KEY --max-num-seqs "$SEQS" --trust-remote-code --block-size 32 $MORE`, "block_size=32*\n" +
			"the value of --max-num-seqs is a variable that is not spelled out\na variable of the shell is not spelled out; flags in it are not known"},
		{"old releases", "--swap-space 4 --num-scheduler-steps 8", "num_scheduler_steps=8* swap_space=4*"},
	}
	c := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := c.FromArgs("vllm", SplitArgs(tt.in))
			got := strings.Join(append([]string{show(l.Facts)}, l.Notes...), "\n")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatACommandLineLeavesOpen(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"all understood", "--max-num-seqs 8 --host h", "false []"},
		{"a near miss", "--max-nun-seqs 8", "false [max_num_seqs]"},
		{"a value of the wrong kind", "--max-num-seqs many", "false [max_num_seqs]"},
		{"no value", "--max-num-seqs --enforce-eager", "false [max_num_seqs]"},
		{"neither true nor false", "--enforce-eager=maybe", "false [enforce_eager]"},
		{"flags in a file", "--config serve.yaml", "true []"},
		{"flags in a variable", "--max-num-seqs 8 $MORE", "true []"},
		{"flags in a variable after a flag without a value", "--max-num-seqs 8 --trust-remote-code $(MORE)", "true []"},
		{"values in variables", "vllm serve $MODEL --port ${PORT} --max-num-seqs $(SEQS)", "false [max_num_seqs]"},
	} {
		l := catalog(t).FromArgs("vllm", SplitArgs(tc.in))
		if got := fmt.Sprint(l.Partial, l.Doubtful); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestNumbersForPeople(t *testing.T) {
	facts := catalog(t).FromArgs("vllm", []string{"--max-model-len", "32k", "--kv-cache-memory-bytes", "1.5G"}).Facts
	if facts["max_model_len"].Num != 32000 || facts["kv_cache_memory_bytes"].Num != 1.5*(1<<30) {
		t.Errorf("read as %v and %v", facts["max_model_len"].Num, facts["kv_cache_memory_bytes"].Num)
	}
}

func TestANumberBeyondAllNumbersIsNone(t *testing.T) {
	if n, ok := parseNumber("9e307t"); ok {
		t.Errorf("read as %g", n)
	}
}

func TestSplitArgs(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string
	}{
		{"quotes", `--a 'b c' "d 'e'" f\ g`, []string{"--a", "b c", "d 'e'", "f g"}},
		{"JSON in double quotes", `--x "{\"a\": 1}"`, []string{"--x", `{"a": 1}`}},
		{"continued lines", "vllm serve m \\\n  --a 1 \\\r\n  --b", []string{"m", "--a", "1", "--b"}},
		{"an empty word", `--a ''`, []string{"--a", ""}},
		{"a module", "python3 -m vllm.entrypoints.openai.api_server --model m", []string{"--model", "m"}},
		{"a path and a wrapper", "numactl -N 0 /opt/venv/bin/vllm serve m --a", []string{"m", "--a"}},
		{"the environment stays", "env A_B=1 C=d vllm serve m", []string{"A_B=1", "C=d", "m"}},
		{"a container", "docker run --gpus all -p 8000:8000 vllm/vllm-openai:latest --model m", []string{"--model", "m"}},
		{"an unclosed quote", `--a "b c`, []string{"--a", "b c"}},
		{"bare arguments", "--max-num-seqs 8", []string{"--max-num-seqs", "8"}},
		{"another server's module", "python3 -m sglang.launch_server --model-path m --tp 2", []string{"--model-path", "m", "--tp", "2"}},
		{"another server's command", "docker run lmsysorg/sglang:v0.5.9 sglang serve --model-path m", []string{"--model-path", "m"}},
		{"a command with a word more", "/usr/bin/trtllm-serve serve m --tp_size 2", []string{"m", "--tp_size", "2"}},
		{"and without it", "mpirun -n 1 trtllm-serve m --tp_size 2", []string{"m", "--tp_size", "2"}},
		{"nothing", "  ", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := SplitArgs(tt.in)
			if len(got) == 0 {
				got = nil
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzFromArgs(f *testing.F) {
	f.Add(`A=1 vllm serve m -O3 --speculative-config '{"method":1}' -cc.a.b+ 1 --cudagraph-capture-sizes 1 2 --no-enforce-eager=0`)
	f.Add(`--max_num_seqs=1e400 --kv-cache-memory-bytes 0x1pG -- - = --=`)
	c := catalog(f)
	f.Fuzz(func(t *testing.T, in string) {
		facts := c.FromArgs("vllm", SplitArgs(in)).Facts
		values := map[string]string{}
		for id, fact := range facts {
			if fact.From != "args" || !fact.Explicit || fact.Num != fact.Num {
				t.Errorf("%s is %+v", id, fact)
			}
			values[id] = fact.Text
		}
		c.Check("vllm", in, values, values)
		c.Defaults("vllm", in, facts)
	})
}
