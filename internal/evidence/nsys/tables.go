package nsys

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/inferdx/inferdx/internal/evidence/kernels"
)

// maxLine bounds a line of a table: a kernel's name with its templates has some thousand bytes.
const maxLine = 1 << 20

// table is the columns of one of `nsys stats`' tables.
type table struct {
	columns int
	// name is Name, Range or Operation; count is Instances, Num Calls or Count.
	name, count, total int
	category           int // -1 without one
	unit               float64
	kind               string // kernels, calls, ranges or copies
}

// tableOf reads a header; nil when the fields are none. The reports are told by their columns: cuda_gpu_kern_sum
// (Instances, Name), cuda_api_sum (Num Calls, Name), nvtx_sum (Instances, Range), cuda_gpu_mem_time_sum (Count,
// Operation) and cuda_gpu_sum, which has kernels and copies with a Category.
func tableOf(fields []string) *table {
	t := &table{columns: len(fields), name: -1, count: -1, total: -1, category: -1}
	for i, f := range fields {
		switch {
		case f == "Name" || f == "Range" || f == "Operation":
			t.name = i
		case f == "Instances" || f == "Num Calls" || f == "Count":
			t.count = i
		case f == "Category":
			t.category = i
		case strings.HasPrefix(f, "Total Time ("):
			t.total = i
			t.unit = map[string]float64{"ns": 1, "us": 1e3, "usec": 1e3, "ms": 1e6, "msec": 1e6, "s": 1e9, "sec": 1e9, "nsec": 1}[strings.TrimSuffix(strings.TrimPrefix(f, "Total Time ("), ")")]
		}
	}
	if t.name < 0 || t.count < 0 || t.total < 0 || t.unit == 0 {
		return nil
	}
	switch {
	case fields[t.name] == "Range":
		t.kind = "ranges"
	case fields[t.count] == "Num Calls":
		t.kind = "calls"
	case fields[t.count] == "Count":
		t.kind = "copies"
	default:
		t.kind = "kernels"
	}
	return t
}

// fieldsOf takes one line of CSV apart.
func fieldsOf(line string) []string {
	r := csv.NewReader(strings.NewReader(line))
	r.LazyQuotes = true
	fields, err := r.Read()
	if err != nil {
		return nil
	}
	return fields
}

// tables reads the lines of one or several tables, with what nsys says between them.
type tables struct {
	current *table
	sums    *sums
	calls   *Calls
	p       *Profile
	rows    int
	kernel  float64 // ns
}

func readTables(br *bufio.Reader) (*Profile, error) {
	t := &tables{sums: newSums(), p: &Profile{From: "stats"}}
	headers := 0
	var broken error
	for number := 1; ; number++ {
		line, err := readLine(br)
		if fields := fieldsOf(line); len(fields) > 1 {
			if next := tableOf(fields); next != nil {
				t.current = next
				headers++
			} else if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.row(fields)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			broken = fmt.Errorf("line %d: %w", number, err)
			break
		}
	}
	switch {
	case headers == 0 && broken != nil:
		return nil, fmt.Errorf("%w%s", broken, hint)
	case headers == 0:
		return nil, fmt.Errorf("%w%s", ErrUnrecognised, hint)
	case t.rows == 0:
		return nil, fmt.Errorf("the tables have no rows: nothing ran on the GPU while nsys looked%s", hint)
	}
	t.sums.into(t.p)
	t.p.KernelSeconds, t.p.Calls = t.kernel/1e9, t.calls
	if len(t.p.Classes) == 0 {
		t.p.Notes = append(t.p.Notes, "no table of kernels: add the report cuda_gpu_kern_sum")
	}
	if broken != nil {
		t.p.Notes = append(t.p.Notes, fmt.Sprintf("the file breaks off: %v", broken))
	}
	return t.p, nil
}

// readLine reads a line of at most maxLine bytes.
func readLine(br *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, err := br.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxLine {
			return "", fmt.Errorf("more than %d bytes without a break", maxLine)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return string(line), err
		}
	}
}

// row takes a row of the current table; what is none is something that nsys says.
func (t *tables) row(fields []string) {
	c := t.current
	if c == nil || len(fields) != c.columns {
		return
	}
	count, err := strconv.Atoi(strings.ReplaceAll(fields[c.count], ",", ""))
	total, err2 := strconv.ParseFloat(strings.ReplaceAll(fields[c.total], ",", ""), 64)
	ns := total * c.unit
	if err != nil || err2 != nil || count < 0 || count > 1<<40 || math.IsNaN(ns) || ns < 0 || ns > longest*1e3 {
		return
	}
	t.rows++
	name, of := fields[c.name], tally{count, ns}
	switch {
	case c.kind == "calls":
		if t.calls == nil {
			t.calls = &Calls{}
		}
		t.calls.add(name, count, ns/1e9)
	case c.kind == "ranges":
		if len(t.p.Ranges) < topRows {
			t.p.Ranges = append(t.p.Ranges, Group{Name: strings.TrimPrefix(name, ":"), Count: count, Seconds: ns / 1e9})
		}
	case c.kind == "copies" || c.category >= 0 && fields[c.category] != "CUDA_KERNEL":
		t.sums.add(name, kernels.Copy, of)
	default:
		t.sums.add(name, kernels.ClassOf(name), of)
		t.p.Kernels += count
		t.kernel += ns
	}
}
