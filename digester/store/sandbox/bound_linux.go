package sandbox

import (
	"syscall"
	"time"
)

// boundProcess bounds the memory of this process and, if nobody ends it, its time.
func boundProcess(bytes uint64, cpu time.Duration) error {
	if err := syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: bytes, Max: bytes}); err != nil {
		return err
	}
	seconds := uint64(cpu/time.Second) + 1
	return syscall.Setrlimit(syscall.RLIMIT_CPU, &syscall.Rlimit{Cur: seconds, Max: seconds})
}
