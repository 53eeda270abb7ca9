//go:build !unix

package local

import (
	"fmt"
	"os"
)

// lockFile opens the lock file. Without flock nothing keeps a second process
// away; it would deliver messages twice, which readers have to expect anyway.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	return f, nil
}
