// Command inferdx says what hurts on an LLM inference server, why, and what to turn.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
