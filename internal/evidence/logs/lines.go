package logs

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
)

// maxLine is how much of a line is read; what an engine says of itself fits well.
const maxLine = 1 << 18

// eachLine calls f with every line, without its break and cut to maxLine.
func eachLine(r io.Reader, f func(string)) error {
	br := bufio.NewReaderSize(r, 1<<16)
	var line []byte
	for {
		part, err := br.ReadSlice('\n')
		line = append(line, part[:min(len(part), maxLine-len(line))]...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if len(line) > 0 {
			f(strings.TrimRight(string(line), "\r\n"))
		}
		line = line[:0]
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

var ansi = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")

// clean strips colours and takes the message out of a line of JSON. level is the severity where JSON tells it.
func clean(line string) (text, level string) {
	if strings.IndexByte(line, '\x1b') >= 0 {
		line = ansi.ReplaceAllString(line, "")
	}
	if !strings.HasPrefix(strings.TrimSpace(line), "{") {
		return line, ""
	}
	var fields map[string]any
	if json.Unmarshal([]byte(line), &fields) != nil {
		return line, ""
	}
	first := func(names ...string) string {
		for _, name := range names {
			if s, ok := fields[name].(string); ok && s != "" {
				return s
			}
		}
		return ""
	}
	message := first("message", "msg", "log", "event", "text", "MESSAGE")
	if message == "" {
		return line, ""
	}
	message, inner := clean(strings.TrimRight(message, "\r\n")) // a container's log may wrap the engine's JSON
	if inner == "" {
		inner = strings.ToUpper(first("level", "levelname", "severity"))
	}
	return message, inner
}
