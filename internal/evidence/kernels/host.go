package kernels

import "regexp"

// waiting are names of calls of the host that wait: for a message, a lock, time to pass or the GPU. An event loop by itself waits, too.
var waiting = regexp.MustCompile(`(?i)\b_?(recv|recv_bytes|recv_multipart|wait|poll|epoll|select|sleep|acquire|sched_yield)\b|Synchronize\b|^asyncio/(runners|base_events)\.py`)

// Waits says whether a call of the host waits rather than works, by its name as profilers give it: "threading.py(637): wait",
// "<built-in method poll of select.epoll object>", "cudaStreamSynchronize".
func Waits(name string) bool { return waiting.MatchString(name) }
