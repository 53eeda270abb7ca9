package replicate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/benbjohnson/litestream"
	"github.com/rs/zerolog"
)

// ErrNoBackup is returned where a backup holds nothing from the asked time.
var ErrNoBackup = errors.New("the backup holds nothing of that time")

// ErrExists is returned rather than to overwrite something.
var ErrExists = errors.New("there is something already")

// Restore makes the database at path to from a backup, as it was at a moment;
// the zero time is the last there is. Of what was committed in the second
// before that moment some may be missing, of what was committed after it nothing
// is there. It overwrites nothing.
func Restore(ctx context.Context, t Target, at time.Time, to string, log zerolog.Logger) error {
	for _, path := range Besides(to) {
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%s: %w", path, ErrExists)
		}
	}
	c, err := t.client()
	if err != nil {
		return err
	}
	if err := c.Init(ctx); err != nil {
		return fmt.Errorf("backup at %s: %w", t, err)
	}
	db := litestream.NewDB(to) // for its logger; it is never opened
	db.SetLogger(quietLogger(log))
	opt := litestream.NewRestoreOptions()
	opt.OutputPath, opt.Timestamp = to, at
	err = litestream.NewReplicaWithClient(db, c).Restore(ctx, opt)
	if errors.Is(err, litestream.ErrTxNotAvailable) {
		return fmt.Errorf("%s: %w", t, ErrNoBackup)
	}
	if err != nil {
		return fmt.Errorf("restoring from %s: %w", t, err)
	}
	return nil
}

// Besides returns the files that belong to a database: with one of them left from
// another database a restored one would be taken for what it is not.
func Besides(path string) []string {
	dir, file := filepath.Split(path)
	return []string{path, path + "-wal", path + "-shm", path + "-journal", filepath.Join(dir, "."+file+litestream.MetaDirSuffix)}
}

// Holds returns whether there is a backup at the target.
func Holds(ctx context.Context, t Target) (bool, error) {
	c, err := t.client()
	if err != nil {
		return false, err
	}
	if err := c.Init(ctx); err != nil {
		return false, fmt.Errorf("backup at %s: %w", t, err)
	}
	for _, level := range []int{litestream.SnapshotLevel, 0} {
		files, err := list(ctx, c, level, 0)
		if err != nil {
			return false, fmt.Errorf("backup at %s cannot be read: %w", t, err)
		}
		if len(files) > 0 {
			return true, nil
		}
	}
	return false, nil
}
