package secret_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/secret"
)

func TestASecretInALineIsLeftOut(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"a flag", "vllm: error: unrecognized arguments: --api-key abc def --port 80", "vllm: error: unrecognized arguments: --api-key <secret> --port 80"},
		{"a flag with =", "launch --hf-token=abc --tp 2", "launch --hf-token <secret> --tp 2"},
		{"vLLM's arguments", "args: {'api_key': ['abc', 'def'], 'max_num_seqs': 8}", "args: {'api_key': <secret>, 'max_num_seqs': 8}"},
		{"SGLang's arguments", "ServerArgs(api_key='abc', tp_size=1, admin_api_key=None)", "ServerArgs(api_key=<secret>, tp_size=1, admin_api_key=None)"},
		{"JSON", `{"access_token": "abc", "n": 1}`, `{"access_token": <secret>, "n": 1}`},
		{"an environment", "HF_TOKEN=abc AWS_SECRET_ACCESS_KEY=d/e CUDA_VISIBLE_DEVICES=0", "HF_TOKEN=<secret> AWS_SECRET_ACCESS_KEY=<secret> CUDA_VISIBLE_DEVICES=0"},
		{"a header", "Authorization: Bearer abcdefgh.ij", "Authorization: Bearer <secret>"},
		{"an address", "cannot reach redis://me:pw@10.0.0.1:6379/0", "cannot reach redis://me:<secret>@10.0.0.1:6379/0"},
		{"a key alone", "Incorrect API key provided: sk-proj-abcdefgh1234.", "Incorrect API key provided: <secret>."},
		{"a token of Hugging Face", "401 for hf_abcdefghijkl", "401 for <secret>"},
		{"a signed address", "403 for https://b.s3.amazonaws.com/m.safetensors?X-Amz-Signature=abc&x=1 of", "403 for https://b.s3.amazonaws.com/m.safetensors?<secret> of"},
		{"a webhook", "post https://hooks.slack.com/services/T0/B0/xyz failed", "post https://hooks.slack.com/<secret> failed"},
		{"what is no secret", "max_num_batched_tokens=8192, eos_token_id: 2, --max-num-batched-tokens 512, token usage: 0.98, KeyError: 'key'", "max_num_batched_tokens=8192, eos_token_id: 2, --max-num-batched-tokens 512, token usage: 0.98, KeyError: 'key'"},
		{"an error of memory", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 1.00 GiB free", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 1.00 GiB free"},
	} {
		if d := cmp.Diff(c.want, secret.Redact(c.in)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}
