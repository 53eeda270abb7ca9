package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
)

// BackupFile writes a database file, as it is at this moment, into a new file at to,
// which must not exist or be empty. It may run beside the process that writes, in it or
// in another one, and holds nobody up: it is one reader of one snapshot. While it reads
// the WAL is not emptied, so that it grows by what is written meanwhile. The new file
// has no WAL and no free pages; it is not synced.
func BackupFile(ctx context.Context, path, to string) error {
	pool, err := openPool(path, url.Values{
		"mode":    {"rw"}, // as OpenReplica's; query_only would refuse the new file, too
		"_pragma": {"busy_timeout(5000)", "wal_autocheckpoint(0)"},
	})
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(1)
	if _, err := pool.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return errors.Join(fmt.Errorf("copying %s: %w", path, err), pool.Close())
	}
	return pool.Close()
}
