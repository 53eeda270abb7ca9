package walfs

import (
	"encoding/binary"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// frameHeader is the size of a frame's header. Bytes 4 to 8 are zero but in
	// the frame that commits (www.sqlite.org/fileformat2.html#walformat).
	frameHeader = 24

	// maxRun bounds a run. It is what the VFS below takes in one call: it cuts
	// off the bits above, and would report a full disk for the rest.
	maxRun = 128<<10 - 1

	nowhere = -1
)

// file is our state of an open database or WAL. It lies in SQLite's memory and
// has no Go pointers. SQLite uses a connection, and so its files, in one thread
// at a time.
type file struct {
	methods sqlite3.Tsqlite3_io_methods // first: SQLite's pMethods points here
	below   uintptr                     // *sqlite3.Tsqlite3_io_methods
	hook    uintptr

	wal uintptr // of a database: its WAL while that is open
	db  uintptr // of a WAL: its database

	// Of a WAL:
	run     uintptr // memory of maxRun bytes
	used    int32   // of it
	commits bool    // the newest frame header in it is of a frame that commits
	at      int64   // where it begins in the file
	next    int64   // behind what was written last
	lost    int64   // where the run began that could not be written
	code    int32   // why it could not
}

// of returns the state of a file that open has made.
func of(pFile uintptr) *file {
	return (*file)(pointer((*sqlite3.Tsqlite3_file)(pointer(pFile)).FpMethods))
}

func (f *file) under() *sqlite3.Tsqlite3_io_methods {
	return (*sqlite3.Tsqlite3_io_methods)(pointer(f.below))
}

func (f *file) overrideMain() {
	f.methods.FxShmLock = function(mainShmLock)
	f.methods.FxShmBarrier = function(mainShmBarrier)
	if f.hook != 0 {
		f.methods.FxWrite = function(mainWrite)
		f.methods.FxSync = function(mainSync)
		f.methods.FxTruncate = function(mainTruncate)
	}
}

// overrideWAL returns false if there is no memory.
func (f *file) overrideWAL(tls *libc.TLS, zName, pFile uintptr) bool {
	if f.run = sqlite3.Xsqlite3_malloc(tls, maxRun); f.run == 0 {
		return false
	}
	f.db = sqlite3.Xsqlite3_database_file_object(tls, zName)
	of(f.db).wal = pFile
	f.methods.FxClose = function(walClose)
	f.methods.FxRead = function(walRead)
	f.methods.FxWrite = function(walWrite)
	f.methods.FxTruncate = function(walTruncate)
	f.methods.FxSync = function(walSync)
	f.methods.FxFileSize = function(walFileSize)
	f.methods.FxFileControl = function(walFileControl)
	return true
}

func walWrite(tls *libc.TLS, pFile, data uintptr, n int32, at int64) int32 {
	f := of(pFile)
	if f.lost != nowhere {
		return f.code
	}
	if !f.continues(n, at) {
		if rc := f.flush(tls, pFile); rc != sqlite3.SQLITE_OK {
			return rc
		}
	}
	if !f.continues(n, at) {
		rc := f.write(tls, pFile, data, n, at)
		if f.next = at + int64(n); rc != sqlite3.SQLITE_OK {
			f.next = nowhere
		}
		return rc
	}
	if f.used == 0 {
		f.at = at
	}
	added := unsafe.Slice((*byte)(pointer(f.run+uintptr(f.used))), n)
	copy(added, unsafe.Slice((*byte)(pointer(data)), n))
	f.used += n
	if n == frameHeader {
		f.commits = binary.BigEndian.Uint32(added[4:]) != 0
		return sqlite3.SQLITE_OK
	}
	if f.commits {
		return f.flush(tls, pFile)
	}
	return sqlite3.SQLITE_OK
}

// continues reports whether what is to be written belongs to the run, or begins
// one. A header that is written anew, with another checksum, never does: it lies
// before what was written last.
func (f *file) continues(n int32, at int64) bool {
	if f.used == 0 {
		return n == frameHeader && at == f.next
	}
	return at == f.at+int64(f.used) && f.used+n <= maxRun
}

// flush writes the run.
func (f *file) flush(tls *libc.TLS, pFile uintptr) int32 {
	if f.used == 0 {
		return sqlite3.SQLITE_OK
	}
	n := f.used
	f.used, f.commits = 0, false
	rc := f.write(tls, pFile, f.run, n, f.at)
	if f.next = f.at + int64(n); rc != sqlite3.SQLITE_OK {
		f.next, f.lost, f.code = nowhere, f.at, rc
	}
	return rc
}

// forget drops the run and what is known of a lost one.
func (f *file) forget() { f.used, f.commits, f.lost = 0, false, nowhere }

func walRead(tls *libc.TLS, pFile, data uintptr, n int32, at int64) int32 {
	f := of(pFile)
	if rc := f.flush(tls, pFile); rc != sqlite3.SQLITE_OK {
		return rc
	}
	if f.lost != nowhere && at+int64(n) > f.lost {
		return f.code
	}
	return call[rwFunc](f.under().FxRead)(tls, pFile, data, n, at)
}

func walSync(tls *libc.TLS, pFile uintptr, flags int32) int32 {
	f := of(pFile)
	if rc := f.flush(tls, pFile); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return f.sync(tls, pFile, flags)
}

func walTruncate(tls *libc.TLS, pFile uintptr, size int64) int32 {
	f := of(pFile)
	if rc := f.flush(tls, pFile); rc != sqlite3.SQLITE_OK {
		return rc
	}
	f.next = nowhere
	return f.truncate(tls, pFile, size)
}

func walFileSize(tls *libc.TLS, pFile, pSize uintptr) int32 {
	f := of(pFile)
	if rc := f.flush(tls, pFile); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return call[sizeFunc](f.under().FxFileSize)(tls, pFile, pSize)
}

func walFileControl(tls *libc.TLS, pFile uintptr, op int32, arg uintptr) int32 {
	f := of(pFile)
	if rc := f.flush(tls, pFile); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return call[controlFunc](f.under().FxFileControl)(tls, pFile, op, arg)
}

// walClose does not write the run: had it been committed, it would have been
// written, and without the write lock the place may be somebody else's.
func walClose(tls *libc.TLS, pFile uintptr) int32 {
	f := of(pFile)
	of(f.db).wal = 0
	sqlite3.Xsqlite3_free(tls, f.run)
	f.run, f.used = 0, 0
	return call[closeFunc](f.under().FxClose)(tls, pFile)
}

// mainShmLock forgets the run when the write lock is let go; see the package's
// comment.
func mainShmLock(tls *libc.TLS, pFile uintptr, offset, n, flags int32) int32 {
	f := of(pFile)
	if f.wal != 0 && offset == sqlite3.WAL_WRITE_LOCK && flags == sqlite3.SQLITE_SHM_UNLOCK|sqlite3.SQLITE_SHM_EXCLUSIVE {
		of(f.wal).forget()
	}
	return call[lockFunc](f.under().FxShmLock)(tls, pFile, offset, n, flags)
}

// mainShmBarrier comes before and after SQLite publishes a commit. There is no
// run then; if there were, of a version of SQLite that does otherwise, it would
// have to be written now, and there would be no way to report that it cannot be.
func mainShmBarrier(tls *libc.TLS, pFile uintptr) {
	f := of(pFile)
	if f.wal != 0 && of(f.wal).flush(tls, f.wal) != sqlite3.SQLITE_OK {
		panic("walfs: SQLite publishes a commit that cannot be written")
	}
	call[barrierFunc](f.under().FxShmBarrier)(tls, pFile)
}

func mainWrite(tls *libc.TLS, pFile, data uintptr, n int32, at int64) int32 {
	return of(pFile).write(tls, pFile, data, n, at)
}

func mainSync(tls *libc.TLS, pFile uintptr, flags int32) int32 {
	return of(pFile).sync(tls, pFile, flags)
}

func mainTruncate(tls *libc.TLS, pFile uintptr, size int64) int32 {
	return of(pFile).truncate(tls, pFile, size)
}

func (f *file) write(tls *libc.TLS, pFile, data uintptr, n int32, at int64) int32 {
	return f.do(Write, func() int32 { return call[rwFunc](f.under().FxWrite)(tls, pFile, data, n, at) })
}

func (f *file) sync(tls *libc.TLS, pFile uintptr, flags int32) int32 {
	return f.do(Sync, func() int32 { return call[syncFunc](f.under().FxSync)(tls, pFile, flags) })
}

func (f *file) truncate(tls *libc.TLS, pFile uintptr, size int64) int32 {
	return f.do(Truncate, func() int32 { return call[truncFunc](f.under().FxTruncate)(tls, pFile, size) })
}

// do runs an operation on the VFS below, unless the hook has it fail.
func (f *file) do(op Op, operation func() int32) int32 {
	if f.hook == 0 {
		return operation()
	}
	hook, _ := hooks.Load(f.hook)
	fault := hook.(Hook)(op, f.db != 0)
	if fault.Code == 0 || fault.Applied {
		if rc := operation(); rc != sqlite3.SQLITE_OK {
			return rc
		}
	}
	return int32(fault.Code)
}
