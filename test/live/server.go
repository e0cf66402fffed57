//go:build live

// Package live drives a real vLLM on the CPU with a tiny model that it writes itself, so that the
// whole way - serve, load, scrape, diagnose, change the flag, diagnose again - is tested without a GPU.
package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// WriteModel makes a small Llama with a word-level tokenizer in dir; its weights are dummies.
func WriteModel(dir string) error {
	vocab := map[string]int{"<unk>": 0, "<s>": 1, "</s>": 2}
	for i := 3; i < 1000; i++ {
		vocab["t"+strconv.Itoa(i)] = i
	}
	files := map[string]any{
		"config.json": map[string]any{
			"architectures": []string{"LlamaForCausalLM"}, "model_type": "llama", "hidden_size": 512, "intermediate_size": 1408,
			"num_hidden_layers": 6, "num_attention_heads": 8, "num_key_value_heads": 8, "head_dim": 64, "vocab_size": 1000,
			"max_position_embeddings": 8192, "rms_norm_eps": 1e-5, "hidden_act": "silu", "bos_token_id": 1, "eos_token_id": 2,
			"torch_dtype": "bfloat16", "tie_word_embeddings": false,
		},
		"generation_config.json": map[string]any{"bos_token_id": 1, "eos_token_id": 2},
		"tokenizer_config.json": map[string]any{
			"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "model_max_length": 8192,
		},
		"tokenizer.json": map[string]any{
			"version": "1.0", "added_tokens": []any{}, "pre_tokenizer": map[string]any{"type": "WhitespaceSplit"},
			"model": map[string]any{"type": "WordLevel", "vocab": vocab, "unk_token": "<unk>"},
		},
	}
	for name, v := range files {
		b, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("write model: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return fmt.Errorf("write model: %w", err)
		}
	}
	return nil
}

// Server is one running vLLM.
type Server struct {
	URL  string
	Args []string
	cmd  *exec.Cmd
}

// Start runs `vllm serve` with the given executable, model and flags and waits until it answers.
func Start(ctx context.Context, vllm, model string, port int, flags ...string) (*Server, error) {
	args := append([]string{
		"serve", model, "--served-model-name", "m", "--load-format", "dummy", "--enforce-eager", "--dtype", "bfloat16",
		"--host", "127.0.0.1", "--port", strconv.Itoa(port), "--max-model-len", "4096", "--block-size", "32",
		"--num-gpu-blocks-override", "2048",
	}, flags...)
	s := &Server{URL: "http://127.0.0.1:" + strconv.Itoa(port), Args: args}
	s.cmd = exec.CommandContext(ctx, vllm, args...)
	s.cmd.Env = append(os.Environ(), "HF_HUB_OFFLINE=1", "VLLM_NO_USAGE_STATS=1", "DO_NOT_TRACK=1", "VLLM_TARGET_DEVICE=cpu",
		"OMP_NUM_THREADS=1", "VLLM_CPU_OMP_THREADS_BIND=nobind", "VLLM_CPU_KVCACHE_SPACE=1", "TOKENIZERS_PARALLELISM=false")
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start vllm: %w", err)
	}
	deadline := time.Now().Add(3 * time.Minute)
	for time.Now().Before(deadline) {
		resp, err := http.Get(s.URL + "/health")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return s, nil
			}
		}
		time.Sleep(time.Second)
	}
	s.Stop()
	return nil, errors.New("vllm did not answer /health within 3 minutes")
}

// Stop ends the server and its workers.
func (s *Server) Stop() {
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _ = s.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		<-done
	}
	time.Sleep(2 * time.Second) // the port and the workers
}
