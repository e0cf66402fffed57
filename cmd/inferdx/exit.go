package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/source/recording"
)

// The exit statuses. They are part of the contract of `diagnose`; the other commands use the first three.
const (
	exitOK       = 0 // healthy or idle
	exitFailure  = 1 // nothing could be read, or a check found faults
	exitUsage    = 2
	exitFindings = 3
	exitUnknown  = 4 // not enough to tell
)

// failure is an error with its exit status and what to do about it. Without err only the status counts.
type failure struct {
	code  int
	err   error
	hints []string
}

func (f *failure) Error() string {
	if f.err == nil {
		return fmt.Sprintf("exit status %d", f.code)
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

// usage is a fault of the command line.
func usage(hint, format string, args ...any) error {
	f := &failure{code: exitUsage, err: fmt.Errorf(format, args...)}
	if hint != "" {
		f.hints = []string{hint}
	}
	return f
}

// unreadable is a source that could not be looked at.
func unreadable(hint, format string, args ...any) error {
	f := &failure{code: exitFailure, err: fmt.Errorf(format, args...)}
	if hint != "" {
		f.hints = []string{hint}
	}
	return f
}

// status ends the program without a word.
func status(code int) error {
	if code == exitOK {
		return nil
	}
	return &failure{code: code}
}

// report writes an error as the user reads it and returns the exit status.
func report(w io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	code, hints := exitFailure, []string(nil)
	var f *failure
	if errors.As(err, &f) {
		code, hints = f.code, f.hints
		if f.err == nil {
			return code
		}
	}
	var bad *recording.Error
	if errors.As(err, &bad) && bad.Hint != "" {
		hints = append(hints, bad.Hint)
	}
	var b strings.Builder
	b.WriteString("error: " + err.Error() + "\n")
	for _, h := range hints {
		b.WriteString("hint: " + h + "\n")
	}
	_, _ = io.WriteString(w, printable(b.String()))
	return code
}

// printable keeps text of servers and files from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '\ufffd'
		}
		return r
	}, s)
}

// exitOf is the exit status of a report: findings win over 'not enough to tell', that over healthy.
func exitOf(r *model.Report, failOn model.Severity) int {
	code := exitOK
	if len(r.Targets) == 0 {
		code = exitUnknown
	}
	for _, d := range r.Targets {
		if d.Status == model.Unknown {
			code = exitUnknown
		}
	}
	for _, d := range r.Targets {
		if d.Status == model.Unknown { // one scrape shows a queue, but not whether it hurts
			continue
		}
		for _, s := range d.Symptoms {
			if s.Severity.Rank() >= failOn.Rank() {
				return exitFindings
			}
		}
	}
	return code
}
