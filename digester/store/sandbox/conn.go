package sandbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	sqlite3 "modernc.org/sqlite/lib"
)

// conn is a connection for one statement. It belongs to one goroutine.
type conn struct {
	tls   *libc.TLS
	db    uintptr
	guard *guard
}

// open opens the file, makes the views, and locks the connection.
func open(ctx context.Context, cfg Config) (*conn, error) {
	vfs, err := tempVFS()
	if err != nil {
		return nil, err
	}
	c := &conn{tls: libc.NewTLS(), guard: newGuard(ctx, cfg)}
	if err := c.openFile(cfg.Path, vfs); err != nil {
		c.close()
		return nil, err
	}
	for _, step := range []func() error{c.configure, c.addFunction, func() error { return c.addViews(cfg.Views) }, c.lock} {
		if err := step(); err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

func (c *conn) openFile(path, vfs string) error {
	name, where, handle := c.text(path), c.text(vfs), c.room(8)
	defer c.free(name, where, handle)
	if name == 0 || where == 0 || handle == 0 {
		return errNoMemory
	}
	*(*uintptr)(pointer(handle)) = 0
	rc := sqlite3.Xsqlite3_open_v2(c.tls, name, handle, sqlite3.SQLITE_OPEN_READONLY|sqlite3.SQLITE_OPEN_NOMUTEX|sqlite3.SQLITE_OPEN_EXRESCODE, where)
	c.db = *(*uintptr)(pointer(handle))
	return c.check(rc)
}

// configure sets what does not depend on the statement.
func (c *conn) configure() error {
	sqlite3.Xsqlite3_busy_timeout(c.tls, c.db, 1000)
	for op, on := range map[int32]int32{
		sqlite3.SQLITE_DBCONFIG_DEFENSIVE:      1,
		sqlite3.SQLITE_DBCONFIG_TRUSTED_SCHEMA: 0,
		sqlite3.SQLITE_DBCONFIG_DQS_DML:        0, // "x" is a column, never a text
		sqlite3.SQLITE_DBCONFIG_DQS_DDL:        0,
	} {
		if err := c.dbConfig(op, on); err != nil {
			return err
		}
	}
	// A sort that outgrows the cache goes to a temporary file, which is counted (temp.go).
	return c.exec("PRAGMA temp_store = file; PRAGMA cache_size = -4096; PRAGMA mmap_size = 0")
}

func (c *conn) dbConfig(op, on int32) error {
	args := c.room(16) // two of libc's slots
	defer c.free(args)
	if args == 0 {
		return errNoMemory
	}
	return c.check(sqlite3.Xsqlite3_db_config(c.tls, c.db, op, libc.VaList(args, on, uintptr(0))))
}

// addViews makes the two views of each table.
func (c *conn) addViews(views []View) error {
	var all strings.Builder
	for _, v := range views {
		secret := "s" + strings.ToLower(rand.Text())
		c.guard.secret[secret], c.guard.public[strings.ToLower(v.Name)] = true, true
		columns := strings.Join(quoted(v.Columns), ", ")
		fmt.Fprintf(&all, "CREATE TEMP VIEW %s (%s) AS %s;\n", secret, columns, v.Select)
		fmt.Fprintf(&all, "CREATE TEMP VIEW %s (%s) AS SELECT %s FROM temp.%s;\n", quote(v.Name), columns, columns, secret)
	}
	return c.exec(all.String())
}

func quoted(names []string) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = quote(n)
	}
	return all
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// lock makes the connection what a statement gets.
func (c *conn) lock() error {
	tables, err := c.column("SELECT lower(name) FROM main.sqlite_schema WHERE type IN ('table', 'view')")
	if err != nil {
		return err
	}
	for _, t := range tables {
		c.guard.real[t] = true
	}
	if err := c.exec("PRAGMA query_only = 1"); err != nil {
		return err
	}
	for id, limit := range map[int32]int32{
		sqlite3.SQLITE_LIMIT_LENGTH:              maxValue,
		sqlite3.SQLITE_LIMIT_SQL_LENGTH:          maxStatement + 1, // with the zero at its end
		sqlite3.SQLITE_LIMIT_COLUMN:              100,
		sqlite3.SQLITE_LIMIT_EXPR_DEPTH:          100,
		sqlite3.SQLITE_LIMIT_COMPOUND_SELECT:     30,
		sqlite3.SQLITE_LIMIT_VDBE_OP:             25_000,
		sqlite3.SQLITE_LIMIT_FUNCTION_ARG:        20,
		sqlite3.SQLITE_LIMIT_ATTACHED:            0,
		sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: maxPattern,
		sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER:     1, // 0 would be no limit
		sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH:       0,
		sqlite3.SQLITE_LIMIT_WORKER_THREADS:      0,
	} {
		sqlite3.Xsqlite3_limit(c.tls, c.db, id, limit)
	}
	sqlite3.Xsqlite3_progress_handler(c.tls, c.db, progressEvery, function(progress), c.guard.number)
	return c.check(sqlite3.Xsqlite3_set_authorizer(c.tls, c.db, function(authorize), c.guard.number))
}

// close gives everything back. It may be called at any point of open.
func (c *conn) close() {
	if c.db != 0 {
		sqlite3.Xsqlite3_close_v2(c.tls, c.db)
	}
	c.guard.forget()
	c.tls.Close()
}

var errNoMemory = errors.New("out of memory")

// check turns SQLite's result of a step of open into an error.
func (c *conn) check(rc int32) error {
	if rc == sqlite3.SQLITE_OK {
		return nil
	}
	return fmt.Errorf("SQLite says %q (%d)", c.message(), rc)
}

func (c *conn) message() string {
	if c.db == 0 {
		return "out of memory"
	}
	return libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db))
}

// exec runs statements of our own.
func (c *conn) exec(statements string) error {
	text := c.text(statements)
	defer c.free(text)
	if text == 0 {
		return errNoMemory
	}
	return c.check(sqlite3.Xsqlite3_exec(c.tls, c.db, text, 0, 0, 0))
}

// column runs a statement of our own and returns the texts of its first column.
func (c *conn) column(statement string) (all []string, err error) {
	stmt, rest, rc := c.prepare(statement)
	if rc != sqlite3.SQLITE_OK || strings.TrimSpace(rest) != "" {
		return nil, c.check(rc)
	}
	defer sqlite3.Xsqlite3_finalize(c.tls, stmt)
	for {
		switch rc := sqlite3.Xsqlite3_step(c.tls, stmt); rc {
		case sqlite3.SQLITE_ROW:
			all = append(all, libc.GoString(sqlite3.Xsqlite3_column_text(c.tls, stmt, 0)))
		case sqlite3.SQLITE_DONE:
			return all, nil
		default:
			return nil, c.check(rc)
		}
	}
}

// prepare compiles the first statement of a text and returns what follows it. stmt is 0
// if there is none.
func (c *conn) prepare(statements string) (stmt uintptr, rest string, rc int32) {
	text, out := c.text(statements), c.room(16)
	defer c.free(text, out)
	if text == 0 || out == 0 {
		return 0, "", sqlite3.SQLITE_NOMEM
	}
	tail := out + 8
	*(*uintptr)(pointer(out)), *(*uintptr)(pointer(tail)) = 0, text
	rc = sqlite3.Xsqlite3_prepare_v2(c.tls, c.db, text, -1, out, tail)
	return *(*uintptr)(pointer(out)), statements[*(*uintptr)(pointer(tail))-text:], rc
}

// text returns a copy of a text without zero bytes in C's memory, 0 if there is no room.
func (c *conn) text(s string) uintptr {
	p, err := libc.CString(s)
	if err != nil {
		return 0
	}
	return p
}

// room returns memory of C's.
func (c *conn) room(n int) uintptr { return libc.Xmalloc(c.tls, types.Size_t(n)) }

func (c *conn) free(all ...uintptr) {
	for _, p := range all {
		if p != 0 {
			libc.Xfree(c.tls, p)
		}
	}
}

// bytes copies memory of C's.
func bytes(p uintptr, n int32) []byte {
	if p == 0 || n <= 0 {
		return []byte{}
	}
	return append([]byte(nil), unsafe.Slice((*byte)(pointer(p)), n)...)
}

const (
	ptrSize   = unsafe.Sizeof(uintptr(0))
	transient = ^uintptr(0) // SQLITE_TRANSIENT: SQLite is to copy it
)

// pointer, function and call are what walfs has, and says why.
func pointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

func function[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

func call[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&p)) }
