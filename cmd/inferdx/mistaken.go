package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/evidence/bench"
	"github.com/inferdx/inferdx/internal/evidence/logs"
	"github.com/inferdx/inferdx/internal/evidence/otlp"
	"github.com/inferdx/inferdx/internal/evidence/packed"
	"github.com/inferdx/inferdx/internal/evidence/profiles"
	"github.com/inferdx/inferdx/internal/model"
)

// kindHead is how much of a file tells its kind; logHead of a log, which may begin with the words of other programs.
const (
	kindHead = 64 << 10
	logHead  = 1 << 20
)

// exposition is how OpenMetrics begins: with what is said of a family, or with a sample and its time.
var exposition = regexp.MustCompile(`^(?:# (?:TYPE|HELP|UNIT) |[a-zA-Z_:][a-zA-Z0-9_:]*(?:\{[^\n]*\})? [-+0-9.eENaInf]+ [0-9.]+\r?\n)`)

// evidenceKind tells by its beginning for which flag of diagnose a file is, "" where nothing tells.
func evidenceKind(path string) string {
	head, err := packed.Head(path, kindHead)
	switch {
	case err != nil || len(head) == 0:
		return ""
	case otlp.Recognise(head):
		return "traces"
	case profiles.Recognise(head):
		return "profile"
	case bench.Recognise(head):
		return "benchmark"
	case exposition.Match(head):
		return "recording"
	case bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) && (bytes.Contains(head, []byte(`"model_type"`)) || bytes.Contains(head, []byte(`"architectures"`))):
		return "model-config"
	case isLog(path):
		return "log"
	}
	return ""
}

// isLog says whether a file is the log of a server or of the kernel.
func isLog(path string) bool {
	head, err := packed.Head(path, logHead)
	return err == nil && logs.Recognise(head)
}

// misfiled is the fault of a file that was given to the wrong flag, or is none of those that are read.
type misfiled struct {
	err  error
	hint string
}

func (m *misfiled) Error() string {
	said, _, _ := strings.Cut(m.err.Error(), "\nhint: ") // the reader's own hint is for files of its kind
	return said + "\nhint: " + m.hint
}

func (m *misfiled) Unwrap() error { return m.err }

// misfile adds to the fault of a file that was read for a flag what the file is and which flag takes it.
func misfile(flag, path string, err error) error {
	if err == nil {
		return nil
	}
	if hint := placeOf(flag, path, err); hint != "" {
		return &misfiled{err: err, hint: hint}
	}
	return err
}

// placeOf says what to do with a file that a flag could not take, "" where the reader's own hint says it best.
func placeOf(flag, path string, err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "look at the path; " + here()
	}
	if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
		if flag == "recording" {
			return "name a file, or a folder that holds metrics.om.gz"
		}
		return "name a file, not a folder"
	} else if statErr == nil && info.Size() == 0 {
		return "the file is empty: see whether what writes it has ended, and whether the disk is full"
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".ncu-rep":
		return "export the report first: ncu --import " + path + " --csv --page raw > kernels.csv, then --profile kernels.csv"
	case ".nsys-rep", ".qdrep":
		return "export the report first: nsys export --type sqlite --output timeline.sqlite " + path + ", then --profile timeline.sqlite"
	}
	kind := evidenceKind(path)
	if kind == "" || kind == flag {
		return ""
	}
	return "it looks like " + map[string]string{
		"traces":       "traces of requests (OTLP)",
		"profile":      "a profile",
		"benchmark":    "the result of a benchmark",
		"recording":    "a recording of metrics",
		"model-config": "the config.json of a model",
		"log":          "a log",
	}[kind] + ": give it to inferdx diagnose with --" + kind + " " + path
}

// here names the folder that relative paths begin in.
func here() string {
	dir, err := os.Getwd()
	if err != nil {
		return "a relative one begins where inferdx was started"
	}
	return "a relative one begins in " + dir
}

// astray says which flags name a server that was not seen: what they tell is of nobody.
func (e *evidence) astray(r *model.Report) []string {
	var seen []string
	for _, t := range r.Targets {
		if i := t.Target["instance"]; i != "" && t.Scope == model.ScopeTarget {
			seen = append(seen, i)
		}
	}
	if len(seen) == 0 {
		return nil
	}
	var out []string
	say := func(flag, instance, given string) {
		if instance != "" && !slices.Contains(seen, instance) {
			out = append(out, fmt.Sprintf("--%s %s is of no server: there is no instance %s, but %s", flag, given, instance, strings.Join(seen, ", ")))
		}
	}
	for _, given := range e.logs {
		instance, _ := serverOf(given)
		say("log", instance, given)
	}
	for _, given := range e.gpus {
		instance, _, _ := strings.Cut(given, "=")
		say("gpu", instance, given)
	}
	return out
}
