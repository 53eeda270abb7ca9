package sandbox

import (
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// tempVFS registers the VFS of statements with SQLite, once for the process, and
// returns its name. It is SQLite's own, but counts what is written to temporary files,
// so that sorting cannot fill the disk: beyond maxTemp it is full.
func tempVFS() (string, error) { return registered() }

// SQLite's table of VFSs is the process's, and nothing is ever taken out of it.
var registered = sync.OnceValues(func() (string, error) { return register("sundew-statement", maxTemp) })

// vfs is SQLite's structure with what ours needs to know. It lies in SQLite's memory,
// for ever, and has no Go pointers.
type vfs struct {
	sqlite3.Tsqlite3_vfs
	below uintptr // *sqlite3.Tsqlite3_vfs
	limit int64
	used  int64 // atomic: what all temporary files have now
}

// tempFile is our state of an open temporary file, in SQLite's memory too.
type tempFile struct {
	methods sqlite3.Tsqlite3_io_methods // first: SQLite's pMethods points here
	below   uintptr                     // *sqlite3.Tsqlite3_io_methods
	vfs     uintptr
	size    int64
}

func register(name string, limit int64) (string, error) {
	tls := libc.NewTLS()
	defer tls.Close()
	below := sqlite3.Xsqlite3_vfs_find(tls, 0)
	if below == 0 {
		return "", fmt.Errorf("registering VFS %s: SQLite has none to stand on", name)
	}
	p := sqlite3.Xsqlite3_malloc(tls, int32(unsafe.Sizeof(vfs{})))
	cname, err := libc.CString(name)
	if p == 0 || err != nil {
		return "", fmt.Errorf("registering VFS %s: %w", name, errNoMemory)
	}
	v := (*vfs)(pointer(p))
	*v = vfs{Tsqlite3_vfs: *(*sqlite3.Tsqlite3_vfs)(pointer(below)), below: below, limit: limit}
	v.FzName, v.FpNext = cname, 0
	v.FszOsFile = int32(v.stateAt() + unsafe.Sizeof(tempFile{}))
	v.FxOpen = function(tempOpen)
	if rc := sqlite3.Xsqlite3_vfs_register(tls, p, 0); rc != sqlite3.SQLITE_OK {
		return "", fmt.Errorf("registering VFS %s: SQLite's error %d", name, rc)
	}
	return name, nil
}

// stateAt is where in an open file's memory, behind what belongs to the VFS below, our
// state lies.
func (v *vfs) stateAt() uintptr {
	size := (*sqlite3.Tsqlite3_vfs)(pointer(v.below)).FszOsFile
	return (uintptr(size) + 7) &^ 7
}

// tempOpen is xOpen. Files that are deleted when they are closed are temporary; others
// are left to the VFS below.
func tempOpen(tls *libc.TLS, pVfs, zName, pFile uintptr, flags int32, pOutFlags uintptr) int32 {
	v := (*vfs)(pointer(pVfs))
	rc := call[openFunc]((*sqlite3.Tsqlite3_vfs)(pointer(v.below)).FxOpen)(tls, v.below, zName, pFile, flags, pOutFlags)
	if rc != sqlite3.SQLITE_OK || flags&sqlite3.SQLITE_OPEN_DELETEONCLOSE == 0 {
		return rc
	}
	base := (*sqlite3.Tsqlite3_file)(pointer(pFile))
	f := (*tempFile)(pointer(pFile + v.stateAt()))
	*f = tempFile{methods: *(*sqlite3.Tsqlite3_io_methods)(pointer(base.FpMethods)), below: base.FpMethods, vfs: pVfs}
	f.methods.FiVersion = 1 // nothing is mapped, so that all comes through xWrite
	f.methods.FxWrite, f.methods.FxTruncate, f.methods.FxClose = function(tempWrite), function(tempTruncate), function(tempClose)
	base.FpMethods = uintptr(unsafe.Pointer(f))
	return rc
}

// tempOf returns the state of a file that tempOpen has made.
func tempOf(pFile uintptr) *tempFile {
	return (*tempFile)(pointer((*sqlite3.Tsqlite3_file)(pointer(pFile)).FpMethods))
}

func (f *tempFile) under() *sqlite3.Tsqlite3_io_methods {
	return (*sqlite3.Tsqlite3_io_methods)(pointer(f.below))
}

// resize counts that a file has another size now, unless there is no room for it.
func (f *tempFile) resize(size int64) bool {
	v := (*vfs)(pointer(f.vfs))
	if atomic.AddInt64(&v.used, size-f.size) > v.limit && size > f.size {
		atomic.AddInt64(&v.used, f.size-size)
		return false
	}
	f.size = size
	return true
}

func tempWrite(tls *libc.TLS, pFile, data uintptr, n int32, at int64) int32 {
	f := tempOf(pFile)
	if end := at + int64(n); end > f.size && !f.resize(end) {
		return sqlite3.SQLITE_FULL
	}
	return call[writeFunc](f.under().FxWrite)(tls, pFile, data, n, at)
}

func tempTruncate(tls *libc.TLS, pFile uintptr, size int64) int32 {
	f := tempOf(pFile)
	if size < f.size {
		f.resize(size)
	}
	return call[truncateFunc](f.under().FxTruncate)(tls, pFile, size)
}

func tempClose(tls *libc.TLS, pFile uintptr) int32 {
	f := tempOf(pFile)
	f.resize(0)
	return call[closeFunc](f.under().FxClose)(tls, pFile)
}

// The types of C's functions, as the translation calls them.
type (
	openFunc     = func(tls *libc.TLS, pVfs, zName, pFile uintptr, flags int32, pOutFlags uintptr) int32
	writeFunc    = func(tls *libc.TLS, pFile, data uintptr, n int32, at int64) int32
	truncateFunc = func(tls *libc.TLS, pFile uintptr, size int64) int32
	closeFunc    = func(tls *libc.TLS, pFile uintptr) int32
)
