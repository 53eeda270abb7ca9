package sandbox

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// progressEvery is after how many steps of its machine SQLite asks whether to go on.
	progressEvery = 500

	// maxFunctions bounds how many calls of functions are written in a statement. Each may
	// hold a value of maxValue until the statement is over.
	maxFunctions = 200
)

// onlySelect is said of statements that do something else.
const onlySelect = "Only SELECT works here: nothing can be changed, set or opened."

// guard says what a statement may, and when it has to stop. It is asked from inside of
// SQLite, by the goroutine of the connection.
type guard struct {
	ctx    context.Context
	number uintptr // by which C's memory knows it
	decode func(kind, encoding int64, body []byte) (string, error)

	secret map[string]bool // names of the views that may read tables
	public map[string]bool // names of the views that people know, in lower case
	real   map[string]bool // names of the file's tables, in lower case
	hidden map[string]bool // Config.Hidden

	allowed   map[string]bool // functions
	functions int             // places where the statement calls one
	denied    string          // why, in words; the first reason counts
}

// C's memory cannot hold Go's pointers, so it holds numbers.
var (
	newest atomic.Uintptr
	guards sync.Map // of *guard, by number
)

func newGuard(ctx context.Context, cfg Config) *guard {
	g := &guard{
		ctx: ctx, number: newest.Add(1), decode: cfg.Decode, allowed: allowedFunctions(),
		secret: make(map[string]bool), public: make(map[string]bool), real: make(map[string]bool), hidden: cfg.Hidden,
	}
	guards.Store(g.number, g)
	return g
}

func (g *guard) forget() { guards.Delete(g.number) }

func guardOf(number uintptr) *guard {
	g, _ := guards.Load(number)
	return g.(*guard)
}

// progress is SQLite's progress handler.
func progress(_ *libc.TLS, number uintptr) int32 {
	if guardOf(number).ctx.Err() != nil {
		return 1
	}
	return 0
}

// authorize is SQLite's authorizer.
func authorize(_ *libc.TLS, number uintptr, action int32, a1, a2, a3, a4 uintptr) int32 {
	g := guardOf(number)
	why := g.judge(action, libc.GoString(a1), libc.GoString(a2), libc.GoString(a3), libc.GoString(a4))
	if why == "" {
		return sqlite3.SQLITE_OK
	}
	if g.denied == "" {
		g.denied = why
	}
	return sqlite3.SQLITE_DENY
}

// judge returns in words why something is refused; empty: it is not. What its texts say
// depends on the action (www.sqlite.org/c3ref/c_alter_table.html); within is the name of
// the innermost view.
func (g *guard) judge(action int32, first, second, schema, within string) string {
	switch action {
	case sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE:
		return ""
	case sqlite3.SQLITE_READ:
		return g.judgeRead(first, second, schema, within)
	case sqlite3.SQLITE_FUNCTION:
		return g.judgeFunction(lower(second), within)
	}
	return onlySelect
}

// judgeRead judges reading a column. SQLite names none where a statement uses none of a
// table's, and then no schema either, unless the statement did.
func (g *guard) judgeRead(table, column, schema, within string) string {
	name := lower(table)
	switch {
	case g.hidden[name], g.hidden[name+"."+lower(column)]:
	case schema == "main" && g.secret[within]:
		return ""
	case schema == "main" && (name == "json_each" || name == "json_tree"):
		return ""
	case schema == "temp" && (g.public[name] || g.secret[table]):
		return ""
	case schema == "" && column == "" && (g.public[name] || g.secret[table] || !g.real[name] && !reserved(name)):
		return "" // a view, a subquery or a common table expression
	case schema == "main" && g.public[name]:
		return fmt.Sprintf("Write %s without main: what you may see is in a view of that name.", table)
	}
	return fmt.Sprintf("There is no table %s to read here.", table)
}

// reserved reports whether a name is SQLite's own.
func reserved(name string) bool {
	return len(name) >= 7 && name[:7] == "sqlite_" || len(name) >= 7 && name[:7] == "pragma_"
}

func (g *guard) judgeFunction(name, within string) string {
	if name == payloadFunction && g.secret[within] {
		return ""
	}
	if !g.allowed[name] {
		return fmt.Sprintf("The function %s is not available here.", name)
	}
	if g.functions++; g.functions > maxFunctions {
		return fmt.Sprintf("The statement calls functions in more than %d places.", maxFunctions)
	}
	return ""
}

// lower is for names as SQLite compares them: ASCII only.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
