package logs

import (
	"strings"
	"testing"
)

func TestWhatAUserAsksIsNoError(t *testing.T) {
	const begin = "(APIServer pid=1) INFO 11-23 18:25:53 [api_utils.py:273] non-default args: {'max_num_seqs': 8}\n"
	const words = "EngineDeadError; torch.OutOfMemoryError: CUDA out of memory; non-default args: {'max_num_seqs': 1}"
	for _, line := range []string{
		"(APIServer pid=1) INFO 11-23 18:26:00 [logger.py:39] Received request cmpl-1: prompt: '" + words + "', params: SamplingParams(n=1)",
		"(APIServer pid=1) DEBUG 11-23 18:26:00 [logger.py:50] Request cmpl-1 details: prompt: '" + words + "', prompt_token_ids: None",
		"(APIServer pid=1) INFO 11-23 18:26:00 [logger.py:60] Generated response cmpl-1: output: '" + words + "', finish_reason: stop",
		"[2025-11-23 18:26:00] Receive: obj=GenerateReqInput(text='" + words + "')",
		`{"message": "Finish: obj=GenerateReqInput(text='` + words + `')"}`,
	} {
		l, err := Read(strings.NewReader(begin + line + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		f := l.Facts()
		if f["log_oom"].Num != 0 || f["log_engine_dead"].Num != 0 || f["log_restarts"].Num != 0 || f["max_num_seqs"].Num != 8 {
			t.Errorf("%s\nout of memory %g, dead %g, restarts %g, max_num_seqs %g", line, f["log_oom"].Num, f["log_engine_dead"].Num, f["log_restarts"].Num, f["max_num_seqs"].Num)
		}
	}
}
