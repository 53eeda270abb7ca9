package digest

import (
	"errors"
	"fmt"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/store/walfs"
)

// When the fsync of a barrier fails, no message is deleted and the digester ends:
// no barrier of this process can be believed any more. The next process stores
// every event once.
func TestFailedSync(t *testing.T) {
	for _, applied := range []bool{false, true} {
		t.Run(fmt.Sprintf("applied=%v", applied), func(t *testing.T) {
			t.Parallel()
			disk := storetest.NewDisk(t)
			f := newFixtureOn(t, 100, store.Config{VFS: disk.VFS})
			for n := range byte(5) {
				f.send(n, `{"message":"it broke"}`)
			}
			disk.Fail(walfs.Sync, true, walfs.Fault{Code: sqlite3.SQLITE_IOERR_FSYNC, Applied: applied}, 1)
			for range 2 { // the second time the disk works
				if err := f.run(func(Health) bool { return f.queueEmpty() }); !errors.Is(err, store.ErrCommitUnknown) {
					t.Fatalf("Run returned %v", err)
				}
				f.want(5, 5, 0)
			}
			f.db, f.replica = storetest.OpenAfterCrash(t, f.replica.Path())
			if err := f.run(func(Health) bool { return f.queueEmpty() }); err != nil {
				t.Fatal(err)
			}
			f.want(5, 0, 0)
		})
	}
}

// A disk that takes no writes for a while, by whatever it says, holds digesting,
// in the middle of a batch or at its barrier, and nothing else.
func TestFailedWrite(t *testing.T) {
	for _, c := range []struct {
		kind store.Kind
		code int
		call string // that meets it first
	}{
		{store.KindFull, sqlite3.SQLITE_FULL, "digest"},
		{store.KindIO, sqlite3.SQLITE_IOERR_WRITE, "digest"},
		{store.KindFull, sqlite3.SQLITE_FULL, "barrier"},
		{store.KindIO, sqlite3.SQLITE_IOERR_WRITE, "barrier"},
	} {
		for _, applied := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s code=%d applied=%v", c.call, c.code, applied), func(t *testing.T) {
				t.Parallel()
				disk := storetest.NewDisk(t)
				f := newFixtureOn(t, 100, store.Config{VFS: disk.VFS})
				for n := range byte(5) {
					f.send(n, `{"message":"it broke"}`)
				}
				f.faults.before = map[string]func(){c.call: func() {
					disk.Fail(walfs.Write, true, walfs.Fault{Code: c.code, Applied: applied}, 3)
				}}
				told := false
				if err := f.run(func(h Health) bool {
					told = told || store.KindOf(h.Problem) == c.kind
					return f.queueEmpty() && h.Problem == nil
				}); err != nil {
					t.Fatal(err)
				}
				if !told {
					t.Error("the health did not tell")
				}
				f.want(5, 0, 0)
				f.db, f.replica = storetest.OpenAfterCrash(t, f.replica.Path())
				f.want(5, 0, 0)
			})
		}
	}
}
