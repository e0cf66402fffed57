package logs

import "regexp"

// kernelEvents are lines of the kernel and the NVIDIA driver, as dmesg and journalctl -k give them, and of CUDA about the device itself.
var kernelEvents = []event{
	{"log_xid_errors", []string{"NVRM: Xid"}, regexp.MustCompile(`NVRM: Xid \(PCI:[0-9a-fA-F:.]+\): (\d+)`), false},
	{"log_gpu_errors", []string{"fallen off the bus", "uncorrectable ECC", "GPU is lost"}, regexp.MustCompile(`fallen off the bus|uncorrectable ECC error encountered|GPU is lost`), false},
	{"log_host_oom_kills", []string{"Killed process"}, regexp.MustCompile(`[Oo]ut of memory: Killed process \d+ \([^)]+\)`), false},
	{"log_cuda_errors", []string{"CUDA error: "}, regexp.MustCompile(`CUDA error: (?:an illegal memory access|device-side assert|unspecified launch failure|misaligned address|uncorrectable ECC)`), false},
}
