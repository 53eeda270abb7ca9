package store_test

import (
	"fmt"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/store/walfs"
)

func wantStored(t *testing.T, replica *store.Replica, want int64) {
	t.Helper()
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		totals, err := rx.Totals()
		if totals.StoredEvents != want {
			t.Errorf("%d events are stored, want %d", totals.StoredEvents, want)
		}
		return err
	})
}

// After a failed fsync of the WAL, at a barrier, no later barrier is believed,
// however well the disk works again: nothing more is written. What is left works
// in the next process, with everything once.
func TestFailedSyncOfWAL(t *testing.T) {
	for _, applied := range []bool{false, true} {
		t.Run(fmt.Sprintf("applied=%v", applied), func(t *testing.T) {
			disk := storetest.NewDisk(t)
			db, replica := storetest.OpenWith(t, store.Config{VFS: disk.VFS})
			p := storetest.MustCreateProject(t, db, "Shop", "")
			for seq := range uint64(3) {
				mustDigest(t, db, incoming(p.ID, seq+1, "group"), store.Stored)
			}
			disk.Fail(walfs.Sync, true, walfs.Fault{Code: sqlite3.SQLITE_IOERR_FSYNC, Applied: applied}, 1)
			if err := db.Barrier(t.Context()); store.KindOf(err) != store.KindUnknown {
				t.Fatalf("the barrier returned %v", err)
			}
			wantRefused(t, db, disk, p)
			restarted, replica := storetest.OpenAfterCrash(t, replica.Path())
			wantStored(t, replica, 3)
			for seq := range uint64(3) {
				mustDigest(t, restarted, incoming(p.ID, seq+1, "group"), store.Redelivered)
			}
			if err := restarted.Barrier(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// wantRefused fails the test if a database whose fsync failed does anything more.
func wantRefused(t *testing.T, db *store.DB, disk *storetest.Disk, p store.Project) {
	t.Helper()
	disk.Fail(walfs.Sync, true, walfs.Fault{}, 0)
	if err := db.Barrier(t.Context()); store.KindOf(err) != store.KindUnknown {
		t.Errorf("a barrier after it returned %v", err)
	}
	if _, err := db.Digest(t.Context(), incoming(p.ID, 77, "group")); store.KindOf(err) != store.KindUnknown {
		t.Errorf("a digest after it returned %v", err)
	}
	if err := db.Close(t.Context()); store.KindOf(err) != store.KindUnknown {
		t.Errorf("closing after it returned %v", err)
	}
	if n := disk.Asked(); n > 0 {
		t.Errorf("the files were written or synced %d times", n)
	}
}

// A checkpoint whose fsync fails takes nothing from the barrier before it, but
// nothing comes after it: what it moved may not be on disk, and the next process
// has to move it again.
func TestFailedSyncOfDatabase(t *testing.T) {
	for _, applied := range []bool{false, true} {
		t.Run(fmt.Sprintf("applied=%v", applied), func(t *testing.T) {
			disk := storetest.NewDisk(t)
			db, replica := storetest.OpenWith(t, store.Config{VFS: disk.VFS, WALLimit: 1}) // every barrier moves the WAL
			p := storetest.MustCreateProject(t, db, "Shop", "")
			mustDigest(t, db, incoming(p.ID, 1, "group"), store.Stored)
			disk.Fail(walfs.Sync, false, walfs.Fault{Code: sqlite3.SQLITE_IOERR_FSYNC, Applied: applied}, 1)
			if err := db.Barrier(t.Context()); err != nil {
				t.Fatalf("the barrier, which synced the WAL, returned %v", err)
			}
			wantRefused(t, db, disk, p)
			restarted, replica := storetest.OpenAfterCrash(t, replica.Path())
			wantStored(t, replica, 1)
			mustDigest(t, restarted, incoming(p.ID, 1, "group"), store.Redelivered)
		})
	}
}

// A write that fails takes its own event with it and no other: the outcome is
// known, and the same event is stored when the disk works.
func TestFailedWrite(t *testing.T) {
	for code, kind := range map[int]store.Kind{sqlite3.SQLITE_FULL: store.KindFull, sqlite3.SQLITE_IOERR_WRITE: store.KindIO} {
		for _, applied := range []bool{false, true} {
			t.Run(fmt.Sprintf("code=%d applied=%v", code, applied), func(t *testing.T) {
				disk := storetest.NewDisk(t)
				db, replica := storetest.OpenWith(t, store.Config{VFS: disk.VFS})
				p := storetest.MustCreateProject(t, db, "Shop", "")
				mustDigest(t, db, incoming(p.ID, 1, "group"), store.Stored)
				disk.Fail(walfs.Write, true, walfs.Fault{Code: code, Applied: applied}, 2)
				for range 2 {
					if _, err := db.Digest(t.Context(), incoming(p.ID, 2, "group")); store.KindOf(err) != kind {
						t.Fatalf("Digest returned %v, of kind %d", err, store.KindOf(err))
					}
				}
				wantStored(t, replica, 1)
				mustDigest(t, db, incoming(p.ID, 2, "group"), store.Stored)
				if err := db.Barrier(t.Context()); err != nil {
					t.Error(err)
				}
				wantStored(t, replica, 2)
				_, restarted := storetest.OpenAfterCrash(t, replica.Path())
				wantStored(t, restarted, 2)
			})
		}
	}
}
