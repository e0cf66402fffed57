package torchtable

import (
	"bufio"
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/inferdx/inferdx/internal/evidence/packed"
)

const (
	// maxLine is how much of a line is looked at: names, shapes and stacks are cut by torch at some hundred columns.
	maxLine = 16 << 10
	maxRows = 1 << 14
	// maxName is how much of a name is kept, in bytes: enough for a template's first arguments.
	maxName = 400
)

// row is a line of the table; times are in seconds.
type row struct {
	name         string
	host, device float64 // by itself
	total        float64 // of the host, with what it called
	calls        int
}

// table is one table as it stands in a text.
type table struct {
	columns      map[string]int
	headers      int
	device       string // CUDA, XPU or whatever device was profiled; "" of none
	host, gpu    float64
	rows         []row
	left         int // rows beyond maxRows
	strange, end bool
}

var (
	gaps     = regexp.MustCompile(` {2,}|\t+`)
	duration = regexp.MustCompile(`^(-?\d{1,18}(?:\.\d{1,9})?)(s|ms|us)$`)
	totals   = regexp.MustCompile(`^Self (\w+) time total: (\S+)$`)
)

// header reads a header; nil when a line is none.
func header(cells []string) *table {
	if len(cells) < 6 || cells[0] != "Name" {
		return nil
	}
	t := &table{columns: map[string]int{}, headers: len(cells)}
	for i, c := range cells {
		t.columns[c] = i
		if device, ok := strings.CutPrefix(c, "Self "); ok && !strings.HasSuffix(c, "%") && !strings.HasSuffix(c, "Mem") && device != "CPU" {
			t.device = device
		}
	}
	for _, c := range []string{"Self CPU", "CPU total", "# of Calls"} {
		if _, ok := t.columns[c]; !ok {
			return nil
		}
	}
	return t
}

// scan reads the tables of a text, each given to f when it begins.
func scan(br *bufio.Reader, f func(*table)) error {
	var t *table
	for {
		line, err := packed.Line(br)
		cells := gaps.Split(strings.TrimSpace(line[:min(len(line), maxLine)]), -1)
		if next := header(cells); next != nil {
			t = next
			f(t)
		} else if t != nil {
			t.line(cells)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// line takes a line below the header: a row, a total, or a rule of dashes. Lines of a row's stack have no numbers.
func (t *table) line(cells []string) {
	if m := totals.FindStringSubmatch(strings.Join(cells, " ")); m != nil {
		v, ok := seconds(m[2])
		switch {
		case !ok:
		case m[1] == "CPU":
			t.host, t.end = v, true
		case m[1] == t.device:
			t.gpu = v
		}
		return
	}
	if t.end || len(cells) < 6 || strings.Trim(cells[0], "-=") == "" {
		return
	}
	at := func(column string) string {
		if i, ok := t.columns[column]; ok && i < len(cells) {
			return cells[i]
		}
		return ""
	}
	r := row{name: strings.Clone(strings.ToValidUTF8(cells[0][:min(len(cells[0]), maxName)], ""))} // not the line with it
	host, ok := seconds(at("Self CPU"))
	total, ok2 := seconds(at("CPU total"))
	calls, err := strconv.Atoi(at("# of Calls"))
	if !ok || !ok2 || err != nil || calls < 0 || calls > 1<<40 {
		t.strange = true
		return
	}
	r.host, r.total, r.calls = max(0, host), max(0, total), calls // overlapping frames of Python give times below zero
	if t.device != "" {
		device, ok := seconds(at("Self " + t.device))
		if !ok {
			t.strange = true
			return
		}
		r.device = max(0, device)
	}
	if len(t.rows) >= maxRows {
		t.left++
		return
	}
	t.rows = append(t.rows, r)
}

// longest is a month: no profile is as long, and sums of such times do not overflow.
const longest = 30 * 86400

// seconds reads 1.234s, 608.163ms or 92.066us.
func seconds(text string) (float64, bool) {
	m := duration.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, false
	}
	v *= map[string]float64{"s": 1, "ms": 1e-3, "us": 1e-6}[m[2]]
	return v, math.Abs(v) <= longest
}
