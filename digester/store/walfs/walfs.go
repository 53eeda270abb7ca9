// Package walfs makes SQLite write a commit to the WAL with one system call.
//
// It exists because SQLite writes the WAL frame by frame, each with two pwrites,
// a header of 24 bytes and a page, and a digest changes fifteen pages: system
// calls were a third of its time. walfs is a layer between SQLite and the VFS of
// its own ("unix") that keeps what is appended to a WAL until the frame that
// commits is whole, and writes it in one go.
//
// # What holds
//
// A commit's last frame is written before the xWrite that brings it returns, and
// its error is that xWrite's: SQLite learns of a full disk before it publishes
// the commit in the wal-index. So what any reader, in this process or another,
// can know of is in the file; readers and other writers use "unix" itself.
//
// Only appended frames are kept: a run begins with a frame header just behind
// what this connection wrote last, and goes on without a hole. Everything else,
// such as the WAL's own header and checksums that are computed anew, is written
// at once. Whatever looks at the file writes the run first: read, sync, truncate,
// size, file control.
//
// A run that does not commit, of a transaction too large for the page cache,
// lives no longer than the write lock: with the lock goes the run, before
// another process may write to the same place. SQLite lets go of the lock after
// a rollback only, or after a commit, which leaves no run.
//
// A run that cannot be written is gone, and SQLite may believe that a part of it
// was written long ago. Therefore until the write lock is let go nothing is
// written to this WAL any more and nothing read of that part: the transaction
// cannot commit.
//
// A process that is killed loses the run, as it would lose a transaction that it
// had not committed; so does a machine that loses its power.
package walfs

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Name registers the VFS with SQLite, once for the process, and returns its name
// for the vfs parameter of a database's address. It is empty, for SQLite's own
// choice, on systems where this has not been tried.
func Name() (string, error) { return product() }

// SQLite's table of VFSs is the process's, and nothing is ever taken out of it.
var product = sync.OnceValues(func() (string, error) {
	if runtime.GOOS != "linux" {
		return "", nil
	}
	return register("sundew-wal", 0)
})

// vfs is SQLite's structure with what ours needs to know. It lies in SQLite's
// memory, for ever, and has no Go pointers.
type vfs struct {
	sqlite3.Tsqlite3_vfs
	below uintptr // *sqlite3.Tsqlite3_vfs
	hook  uintptr // number of a hook, 0: none
}

func register(name string, hook uintptr) (string, error) {
	tls := libc.NewTLS()
	defer tls.Close()
	below := sqlite3.Xsqlite3_vfs_find(tls, 0)
	if below == 0 {
		return "", fmt.Errorf("registering VFS %s: SQLite has none to stand on", name)
	}
	p := sqlite3.Xsqlite3_malloc(tls, int32(unsafe.Sizeof(vfs{})))
	cname, err := libc.CString(name)
	if p == 0 || err != nil {
		return "", fmt.Errorf("registering VFS %s: out of memory", name)
	}
	v := (*vfs)(pointer(p))
	*v = vfs{Tsqlite3_vfs: *(*sqlite3.Tsqlite3_vfs)(pointer(below)), below: below, hook: hook}
	v.FzName = cname
	v.FpNext = 0
	v.FszOsFile = int32(v.stateAt() + unsafe.Sizeof(file{}))
	v.FxOpen = function(open)
	if rc := sqlite3.Xsqlite3_vfs_register(tls, p, 0); rc != sqlite3.SQLITE_OK {
		return "", fmt.Errorf("registering VFS %s: SQLite's error %d", name, rc)
	}
	return name, nil
}

// stateAt is where in an open file's memory, behind what belongs to the VFS
// below, our state lies.
func (v *vfs) stateAt() uintptr {
	size := (*sqlite3.Tsqlite3_vfs)(pointer(v.below)).FszOsFile
	return (uintptr(size) + 7) &^ 7
}

// open is xOpen. The file's methods are those of the VFS below but for the few
// that we have to see; their table lies in our state, which is how the methods
// find it.
func open(tls *libc.TLS, pVfs, zName, pFile uintptr, flags int32, pOutFlags uintptr) int32 {
	v := (*vfs)(pointer(pVfs))
	under := call[openFunc]((*sqlite3.Tsqlite3_vfs)(pointer(v.below)).FxOpen)
	isMain, isWAL := flags&sqlite3.SQLITE_OPEN_MAIN_DB != 0, flags&sqlite3.SQLITE_OPEN_WAL != 0
	rc := under(tls, v.below, zName, pFile, flags, pOutFlags)
	if rc != sqlite3.SQLITE_OK || !isMain && !isWAL {
		return rc
	}
	base := (*sqlite3.Tsqlite3_file)(pointer(pFile))
	f := (*file)(pointer(pFile + v.stateAt()))
	*f = file{below: base.FpMethods, hook: v.hook, next: nowhere, lost: nowhere}
	f.methods = *f.under()
	if isMain {
		f.overrideMain()
	} else if !f.overrideWAL(tls, zName, pFile) {
		call[closeFunc](f.under().FxClose)(tls, pFile)
		base.FpMethods = 0
		return sqlite3.SQLITE_NOMEM
	}
	base.FpMethods = uintptr(unsafe.Pointer(f))
	return sqlite3.SQLITE_OK
}

// The types of C's functions, as the translation calls them.
type (
	openFunc    = func(tls *libc.TLS, pVfs, zName, pFile uintptr, flags int32, pOutFlags uintptr) int32
	closeFunc   = func(tls *libc.TLS, pFile uintptr) int32
	rwFunc      = func(tls *libc.TLS, pFile, data uintptr, n int32, at int64) int32
	truncFunc   = func(tls *libc.TLS, pFile uintptr, size int64) int32
	syncFunc    = func(tls *libc.TLS, pFile uintptr, flags int32) int32
	sizeFunc    = func(tls *libc.TLS, pFile, pSize uintptr) int32
	controlFunc = func(tls *libc.TLS, pFile uintptr, op int32, arg uintptr) int32
	lockFunc    = func(tls *libc.TLS, pFile uintptr, offset, n, flags int32) int32
	barrierFunc = func(tls *libc.TLS, pFile uintptr)
)

// pointer returns an address of C's memory as a pointer. That memory is mapped
// outside of Go's heap, so nothing moves it and the garbage collector does not
// know it. The detour is for go vet, which otherwise takes every conversion of an
// address for a Go pointer that was hidden.
func pointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// function returns a declared function, no closure, as C's code has it in its
// tables: a Go function value is a pointer to constant data (golang.org/s/go11func).
// The driver does the same with the functions that it hands to SQLite.
func function[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

// call is the inverse of function.
func call[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&p)) }

// Op is what a file is asked to do.
type Op string

// The operations that a hook can make fail.
const (
	Write    Op = "write"
	Sync     Op = "sync"
	Truncate Op = "truncate"
)

// Fault is how an operation fails. The zero value: not at all.
type Fault struct {
	Code    int  // SQLite's extended result code
	Applied bool // the operation is done nevertheless
}

// Hook is asked before each operation on a WAL or, with wal false, a database.
// It is called by whoever uses the database.
type Hook func(op Op, wal bool) Fault

// Faulty registers one more VFS whose disk fails as hook says, for tests, and
// returns its name.
func Faulty(hook Hook) (string, error) {
	n := newest.Add(1)
	hooks.Store(n, hook)
	return register(fmt.Sprintf("sundew-wal-faulty-%d", n), n)
}

// C's memory cannot hold Go functions, so it holds numbers; the product's VFS has
// none.
var (
	newest atomic.Uintptr
	hooks  sync.Map // of Hook, by number
)
