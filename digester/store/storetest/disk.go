package storetest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"sundew/digester/store"
	"sundew/digester/store/walfs"
)

// Disk makes the files of a database's writer fail. It is safe for concurrent
// use.
type Disk struct {
	VFS string // for store.Config

	mu    sync.Mutex
	op    walfs.Op // guarded by mu, as all below
	wal   bool
	fault walfs.Fault
	times int // that it still fails
	asked int // how often, see Asked
}

// NewDisk returns a disk that works.
func NewDisk(t testing.TB) *Disk {
	t.Helper()
	d := &Disk{}
	var err error
	if d.VFS, err = walfs.Faulty(d.answer); err != nil {
		t.Fatal(err)
	}
	return d
}

// Fail has the next so many operations of a kind fail.
func (d *Disk) Fail(op walfs.Op, wal bool, fault walfs.Fault, times int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.op, d.wal, d.fault, d.times, d.asked = op, wal, fault, times, 0
}

// Asked returns how many operations there were since Fail, failed or not.
func (d *Disk) Asked() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

func (d *Disk) answer(op walfs.Op, wal bool) (none walfs.Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	if d.times == 0 || op != d.op || wal != d.wal {
		return none
	}
	d.times--
	return d.fault
}

// OpenAfterCrash opens what a process would find that started after this one had
// died: copies of the files of a database, as they are now.
func OpenAfterCrash(t testing.TB, path string) (*store.DB, *store.Replica) {
	t.Helper()
	fresh := filepath.Join(t.TempDir(), "sundew.db")
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + suffix)
		if err == nil {
			err = os.WriteFile(fresh+suffix, content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return openAt(t, store.Config{Path: fresh})
}
