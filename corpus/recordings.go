package corpus

import "embed"

//go:embed */scenario.yaml */metrics.om.gz */server.log.gz */profile.trace.json.gz cases/*.yaml
var recordings embed.FS

// Recordings are all recordings, one folder each, and the confirmed incidents under cases/, for
// `inferdx eval` where it is given no folder.
func Recordings() embed.FS { return recordings }
