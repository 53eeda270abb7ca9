package storetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"sundew/digester/store"
)

// migrated is the file of a new database. Every test begins with a copy of it: under
// the race detector the migrations of one database take more than a second.
var migrated = sync.OnceValues(func() (_ []byte, err error) {
	dir, err := os.MkdirTemp("", "sundew-storetest-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if removed := os.RemoveAll(dir); err == nil {
			err = removed
		}
	}()
	path, ctx := filepath.Join(dir, "sundew.db"), context.Background()
	db, err := store.Open(ctx, store.Config{Path: path})
	if err != nil {
		return nil, err
	}
	if err := db.Close(ctx); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// begin puts a new database where a test opens one.
func begin(t testing.TB, path string) {
	t.Helper()
	file, err := migrated()
	if err == nil {
		err = os.WriteFile(path, file, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
