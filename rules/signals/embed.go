package signals

import "embed"

//go:embed meaning/*.yaml dialects/*.yaml
var builtin embed.FS

// Builtin is the catalogue that ships with the binary.
func Builtin() embed.FS { return builtin }
