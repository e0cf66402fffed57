package logs

import (
	"strings"
	"testing"
)

func TestNoSecretOfALineIsShown(t *testing.T) {
	l, err := Read(strings.NewReader(`(APIServer pid=1) INFO 11-23 18:25:53 [api_utils.py:273] non-default args: {'max_num_seqs': 8, 'api_key': ['sk-verysecret1']}
Traceback (most recent call last):
ValueError: invalid value in Namespace(api_key=['sk-verysecret2'], hf_token='verysecret3')
(EngineCore pid=1) ERROR 11-23 18:26:53 [core.py:1] torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB --api-key verysecret4
`))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	if err := l.WriteText(&all); err != nil {
		t.Fatal(err)
	}
	for name, f := range l.Facts() {
		all.WriteString(name + " " + f.Text + "\n")
	}
	if text := all.String(); strings.Contains(text, "verysecret") || strings.Count(text, "<secret>") < 3 {
		t.Error(text)
	}
}
