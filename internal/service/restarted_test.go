package service

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/source/launch"
)

func TestWhatIsKnownOfAServerIsAskedAnewAfterALongRestart(t *testing.T) {
	var args atomic.Pointer[string]
	say := func(s string) { args.Store(&s) }
	say("--max-num-seqs 8")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(*args.Load())) }))
	t.Cleanup(srv.Close)
	w := serve(t, t0, "urls: ['localhost:1']\nlaunch: [{match: {job: vllm}, url: '"+srv.URL+"'}]")
	target := model.LabelsFrom(map[string]string{"job": "vllm", "instance": "a:8000"})
	find := w.parts.Load().known.launch
	find.Sync([]launch.Target{{Labels: target, URL: "http://a:8000/metrics"}})
	go find.Run(t.Context())
	eventually(t, 10*time.Second, "answer", func() bool { return len(find.ArgsOf(target)) > 0 })
	live := func(d time.Duration, began float64) {
		for end := w.wall.Add(d); w.wall.Before(end); w.pass(15 * time.Second) {
			in, _ := w.world.samples.Instance(target)
			at := w.wall.UnixMilli()
			if began > 0 {
				in.Ensure("vllm:num_requests_running", model.LabelsFrom(map[string]string{"model_name": "m", "engine": "0"})).Add(at, 0)
				in.Ensure("process_start_time_seconds", nil).Add(at, began)
			}
			in.Scraped(at, began > 0)
			w.look()
			w.world.forget(w.wall, w.parts.Load().window+forgetEvery)
		}
	}
	live(2*time.Minute, 1)
	say("--max-num-seqs 64")
	live(20*time.Minute, 0)
	live(time.Minute, 2)
	eventually(t, 10*time.Second, "answer of the new process", func() bool { return strings.Contains(fmt.Sprint(find.ArgsOf(target)), "64") })
}
