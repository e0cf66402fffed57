package playbooks

import (
	"embed"
	"io/fs"
)

//go:embed all:causes
var builtin embed.FS

// Builtin are the playbooks that ship with the binary.
func Builtin() fs.FS {
	sub, err := fs.Sub(builtin, "causes")
	if err != nil {
		return builtin
	}
	return sub
}
