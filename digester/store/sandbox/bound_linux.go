package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// boundProcess bounds the memory of this process and, if nobody ends it, its time. Where
// that is forbidden it does nothing: then memoryOf and its parent's clock bound it.
func boundProcess(bytes uint64, cpu time.Duration) error {
	seconds := uint64(cpu/time.Second) + 1
	err := errors.Join(
		syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: bytes, Max: bytes}),
		syscall.Setrlimit(syscall.RLIMIT_CPU, &syscall.Rlimit{Cur: seconds, Max: seconds}))
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// memoryOf returns how much memory of its own a process has, in bytes; 0: it cannot be
// told, for example because it has ended.
func memoryOf(pid int) uint64 {
	var all, resident, shared uint64
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	if _, err := fmt.Sscan(string(text), &all, &resident, &shared); err != nil || shared > resident {
		return 0
	}
	return (resident - shared) * uint64(os.Getpagesize())
}
