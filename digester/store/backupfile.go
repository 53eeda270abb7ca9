package store

import (
	"context"
	"database/sql"
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
	pool, err := openForBackup(path)
	if err != nil {
		return err
	}
	if _, err := pool.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return errors.Join(fmt.Errorf("copying %s: %w", path, err), pool.Close())
	}
	return pool.Close()
}

// BackupSize returns about how many bytes BackupFile would write of a database file.
func BackupSize(ctx context.Context, path string) (bytes int64, err error) {
	pool, err := openForBackup(path)
	if err != nil {
		return 0, err
	}
	err = pool.QueryRowContext(ctx, `
		SELECT (page_count - freelist_count) * page_size
		FROM pragma_page_count, pragma_freelist_count, pragma_page_size`).Scan(&bytes)
	if err := errors.Join(err, pool.Close()); err != nil {
		return 0, fmt.Errorf("asking how large %s is: %w", path, err)
	}
	return bytes, nil
}

func openForBackup(path string) (*sql.DB, error) {
	pool, err := openPool(path, url.Values{
		"mode":    {"rw"}, // as OpenReplica's; query_only would refuse the new file, too
		"_pragma": {"busy_timeout(5000)", "wal_autocheckpoint(0)"},
	})
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	return pool, nil
}
