package service

import (
	"fmt"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

func TestAServerThatStaysDownIsOneProblemAndDoesNotEnd(t *testing.T) {
	w := serve(t, t0, "urls: ['localhost:1']\nreceivers: [{name: r, webhook: {url: 'http://127.0.0.1:1'}}]\nroute: {receiver: r, group_by: ['...'], group_wait: 0s, group_interval: 1s}\n")
	labels := model.LabelsFrom(map[string]string{"model_name": "m", "engine": "0"})
	scrape := func(i int, answered bool) {
		in, _ := w.world.samples.Instance(model.LabelsFrom(map[string]string{"job": "vllm", "instance": "a:8000"}))
		at, up := w.wall.UnixMilli(), 0.0
		if answered {
			up = 1
			in.Ensure("vllm:num_requests_running", labels).Add(at, 3)
			in.Ensure("vllm:num_requests_waiting", labels).Add(at, 0)
			in.Ensure("vllm:generation_tokens_total", labels).Add(at, float64(100*i))
		}
		in.Scraped(at, answered)
		in.Ensure("up", nil).Add(at, up)
	}
	for i := range 160 { // 40 minutes
		if i == 100 {
			w = w.again()
		}
		scrape(i, i < 20)
		w.look()
		w.world.forget(w.wall, w.parts.Load().window+forgetEvery)
		w.pass(15 * time.Second)
	}
	if told := fmt.Sprint((&feeder{w: w}).told()); told != "[first]" {
		t.Errorf("told %s", told)
	}
}
