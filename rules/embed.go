package rules

import (
	"embed"
	"io/fs"
)

//go:embed all:symptoms
var builtin embed.FS

// Builtin are the symptom rules that ship with the binary.
func Builtin() fs.FS {
	sub, err := fs.Sub(builtin, "symptoms")
	if err != nil {
		return builtin
	}
	return sub
}
