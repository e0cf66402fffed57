package torchmem

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/inferdx/inferdx/internal/evidence/packed"
)

// title is in the first line of a summary.
const title = "PyTorch CUDA memory summary"

var (
	device   = regexp.MustCompile(title + `, device ID (\d+)`)
	troubles = regexp.MustCompile(`CUDA OOMs: (\d+)\s*\|\s*cudaMalloc retries: (\d+)`)
	sized    = regexp.MustCompile(`^(\d+) *([KMGTP]i?B|B|[KM]|)$`)
)

// readSummary reads the last summary of a text: an out-of-memory error is often logged with one for each attempt.
func readSummary(br *bufio.Reader) (*Memory, error) {
	var m *Memory
	found := 0
	for {
		line, err := packed.Line(br)
		if device.MatchString(line) {
			found++
			m = &Memory{From: "summary", Devices: 1}
		}
		if m != nil {
			m.line(line)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if m == nil {
				return nil, err
			}
			m.Notes = append(m.Notes, fmt.Sprintf("the file breaks off: %v", err))
			break
		}
	}
	switch {
	case m == nil:
		return nil, fmt.Errorf("%w%s", ErrUnrecognised, hint)
	case m.Reserved == 0 && m.Allocated == 0:
		return nil, fmt.Errorf("a memory summary without its figures%s", hint)
	case found > 1:
		m.Notes = append(m.Notes, fmt.Sprintf("the last of %d summaries", found))
	}
	m.Cached = max(0, m.Reserved-m.Active-m.Split)
	return m, nil
}

// line takes one line of a summary's table.
func (m *Memory) line(line string) {
	if t := troubles.FindStringSubmatch(line); t != nil {
		m.OOMs, _ = strconv.Atoi(t[1])
		retries, _ := strconv.Atoi(t[2])
		m.Retries = &retries
		return
	}
	cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
	if len(cells) < 3 {
		return
	}
	now, ok := size(cells[1])
	most, okMost := size(cells[2])
	if !ok || !okMost {
		return
	}
	switch strings.TrimSpace(cells[0]) {
	case "Allocated memory":
		m.Allocated, m.Peak = now, &most
	case "Active memory":
		m.Active = now
	case "GPU reserved memory":
		m.Reserved = now
	case "Non-releasable memory":
		m.Split = now
	case "GPU reserved segments":
		m.Segments = int(now)
	}
}

// size reads 672032 KiB, 882 MiB, 12 K. Older releases write KB and mean KiB.
func size(text string) (int64, bool) {
	t := sized.FindStringSubmatch(strings.TrimSpace(text))
	if t == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(t[1], 10, 64)
	if err != nil || n > maxBytes {
		return 0, false
	}
	base := int64(1024)
	if len(t[2]) == 1 && t[2] != "B" {
		base = 1000 // a count
	}
	for _, unit := range "KMGTP" {
		if t[2] == "" || t[2] == "B" {
			break
		}
		n *= base
		if strings.HasPrefix(t[2], string(unit)) {
			break
		}
		if n > maxBytes {
			return 0, false
		}
	}
	return n, n <= maxBytes
}
