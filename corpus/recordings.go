package corpus

import "embed"

//go:embed */scenario.yaml */metrics.om.gz cases/*.yaml
var recordings embed.FS

// Recordings are all recordings, one folder each, and the confirmed incidents under cases/, for
// `inferdx eval` where it is given no folder. Server logs are left out.
func Recordings() embed.FS { return recordings }
