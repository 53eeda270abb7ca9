//go:build !unix

package replicate

import (
	"context"
	"errors"
	"os"
	"time"
)

func lockFile(string) (*os.File, error) {
	return nil, errors.New("following a backup works on Unix only")
}

func lockDatabase(context.Context, *os.File, time.Duration) (func(), error) {
	return nil, errors.ErrUnsupported
}
