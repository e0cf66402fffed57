// Command inferdx says what hurts on an LLM inference server, why, and what to turn.
package main

import (
	"os"
	_ "time/tzdata" // time zones of time_intervals: the image has no files but the binary
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
