//go:build unix

package replicate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"sundew/digester/loop"
)

// lockFile takes the lock that makes this process the one that writes a copy;
// closing the file gives it back.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, ErrFollowed
		}
		return nil, fmt.Errorf("lock: %w", err)
	}
	return f, nil
}

// SQLite's locks on a database outside of WAL mode: the byte that keeps new
// readers out, and those that each reader holds; sqlite's os.h.
const (
	pendingByte = 0x40000000
	sharedFirst = pendingByte + 2
	sharedSize  = 510
)

// lockDatabase keeps the readers of other processes out, as a writer of SQLite
// would. Locks of this kind belong to a process as a whole, which is why it must
// have no reader of its own.
func lockDatabase(ctx context.Context, f *os.File, wait time.Duration) (unlock func(), err error) {
	set := func(kind int16, start, length int64) error {
		return unix.FcntlFlock(f.Fd(), unix.F_SETLK, &unix.Flock_t{Type: kind, Start: start, Len: length})
	}
	unlock = func() {
		_ = set(unix.F_UNLCK, pendingByte, 2+sharedSize)
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		err := set(unix.F_WRLCK, pendingByte, 1)
		if err == nil {
			err = set(unix.F_WRLCK, sharedFirst, sharedSize)
		}
		if err == nil {
			return unlock, nil
		}
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES) {
			unlock()
			return nil, err
		}
		if loop.Pause(ctx, 2*time.Millisecond) != nil {
			unlock()
			return nil, fmt.Errorf("another process reads the copy for too long: %w", ctx.Err())
		}
	}
}
