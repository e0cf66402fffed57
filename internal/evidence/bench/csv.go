package bench

import (
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
)

// maxLines is how many lines of a CSV are read; AIPerf writes some dozens.
const maxLines = 10_000

// readCSV reads the CSV of AIPerf or genai-perf: a block of metrics with their quantiles, then one of metrics with one value.
func readCSV(r io.Reader) ([]*Run, error) {
	c := csv.NewReader(io.LimitReader(r, maxToken))
	c.FieldsPerRecord, c.LazyQuotes, c.ReuseRecord = -1, true, true
	d := newDocument()
	var header []string
	for range maxLines {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if row[0] == "Metric" {
			header = header[:0]
			for _, h := range row {
				header = append(header, clip(strings.ToLower(h), maxKey))
			}
			continue
		}
		d.line(header, row)
	}
	if d.num("request_latency.avg") == nil && d.num("request_throughput.avg") == nil {
		return nil, errors.New("the CSV has no latency and no rate of requests")
	}
	run := &Run{Tool: "AIPerf", Kind: Serving}
	run.metrics(func(metric, stat string) *float64 { return d.num(metric + "." + stat) }, func(metric string) string { return d.text(metric + ".unit") })
	run.Notes = append(run.Notes, "the CSV names neither model, load nor time: the JSON beside it does")
	return one(run), nil
}

// line takes a metric as "Time to First Token (ms)" and its figures into a document like that of the JSON.
func (d *document) line(header, row []string) {
	name, unit, _ := strings.Cut(row[0], " (")
	key := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(clip(name, maxKey))), " ", "_")
	d.texts[key+".unit"] = clip(strings.TrimSuffix(unit, ")"), maxKey)
	for i := 1; i < min(len(row), len(header)); i++ {
		v, err := strconv.ParseFloat(strings.ReplaceAll(row[i], ",", ""), 64)
		if err != nil || v != v || v > 1e300 || v < -1e300 {
			continue
		}
		stat := header[i]
		if stat == "value" {
			stat = "avg"
		}
		d.figures[key+"."+stat] = v
	}
}
