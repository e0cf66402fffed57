package bench

import "errors"

// collector gathers the runs of a file from its objects.
type collector struct {
	runs    []*Run
	pytorch *records
	lines   *lines
	others  int
}

func (c *collector) object(s *scanner) error {
	d, err := s.document()
	if err != nil {
		return err
	}
	switch {
	case c.pytorch.takes(d):
		if c.pytorch == nil {
			c.pytorch = newRecords()
		}
		c.pytorch.add(d)
	case c.lines.takes(d):
		if c.lines == nil {
			c.lines = &lines{}
		}
		c.lines.add(d)
	default:
		runs := read(d)
		if len(runs) == 0 {
			c.others++
		}
		c.runs = append(c.runs, runs...)
	}
	if len(c.runs) > maxRuns || c.others > maxRuns {
		return errors.New("it holds too many objects")
	}
	return nil
}

// read makes runs of one object, by what it holds.
func read(d *document) []*Run {
	switch {
	case d.has("load_summary", "successes"):
		return one(inferencePerf(d))
	case d.has("benchmarks"):
		return guidellm(d)
	case d.has("avg_latency", "percentiles"):
		return one(vllmLatency(d))
	case d.has("elapsed_time", "requests_per_second"):
		return one(vllmThroughput(d))
	case d.num("request_throughput") != nil && d.has("mean_e2e_latency_ms"):
		return one(sglang(d))
	case d.num("request_throughput") != nil && d.has("completed", "duration"):
		return one(vllmServe(d))
	case d.num("request_latency.avg") != nil || d.num("request_throughput.avg") != nil:
		return one(aiperf(d))
	}
	return nil
}

func one(r *Run) []*Run { return []*Run{r} }

func (c *collector) end() []*Run {
	if c.pytorch != nil {
		c.runs = append(c.runs, c.pytorch.runs()...)
	}
	if c.lines != nil {
		c.runs = append(c.runs, c.lines.run())
	}
	return c.runs
}
