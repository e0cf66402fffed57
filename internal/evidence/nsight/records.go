package nsight

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	maxRecord = 4 << 20 // a raw page's header of `--set full` is about 140 kB
	maxFields = 1 << 16
)

// eachRecord calls f with the fields of every record of a CSV, whose quoted fields may hold line breaks. Memory is
// bounded: a record longer than maxRecord is an error.
func eachRecord(br *bufio.Reader, f func([]string)) error {
	var record []byte
	for line := 1; ; line++ {
		part, err := br.ReadSlice('\n')
		record = append(record, part...)
		if len(record) > maxRecord {
			return fmt.Errorf("line %d: a record of more than %d MiB", line, maxRecord>>20)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			line--
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("line %d: %w", line, err)
		}
		if open(record) {
			if err != nil {
				return fmt.Errorf("line %d: a quoted field does not end", line)
			}
			continue // a quoted line break
		}
		if fields := split(string(record)); len(fields) > 0 {
			f(fields)
		}
		if err != nil {
			return nil
		}
		record = record[:0]
	}
}

// open says whether a quoted field goes on behind a record's end. Only a record of ncu, which starts with a quote, can.
func open(record []byte) bool {
	if len(record) == 0 || record[0] != '"' {
		return false
	}
	quotes := 0
	for _, b := range record {
		if b == '"' {
			quotes++
		}
	}
	return quotes%2 == 1
}

// split takes one record apart. An empty line has no fields.
func split(record string) []string {
	record = strings.TrimRight(record, "\r\n")
	if record == "" {
		return nil
	}
	var out []string
	for len(out) < maxFields {
		var field string
		if strings.HasPrefix(record, `"`) {
			field, record = quoted(record[1:])
		} else {
			i := strings.IndexByte(record, ',')
			if i < 0 {
				i = len(record)
			}
			field, record = record[:i], record[i:]
		}
		out = append(out, field)
		if record == "" {
			break
		}
		record = record[1:] // the comma
	}
	return out
}

// quoted takes a field off behind its opening quote; what follows up to the comma is dropped.
func quoted(s string) (field, rest string) {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			b.WriteString(s)
			return b.String(), ""
		}
		b.WriteString(s[:i])
		s = s[i+1:]
		if !strings.HasPrefix(s, `"`) {
			break
		}
		b.WriteByte('"')
		s = s[1:]
	}
	if i := strings.IndexByte(s, ','); i >= 0 {
		return b.String(), s[i:]
	}
	return b.String(), ""
}
