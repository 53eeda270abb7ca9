package sandbox

import (
	"errors"
	"strings"
	"unicode"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// ask runs the statement.
func (c *conn) ask(statement string, limits Limits) (answer Answer, err error) {
	stmt, rest, rc := c.prepare(statement)
	if rc != sqlite3.SQLITE_OK {
		if changes(statement) { // before it asks the guard, SQLite says that a view cannot be changed
			return Answer{}, &Error{Kind: ErrStatement, Words: onlySelect, Offset: -1}
		}
		return Answer{}, c.problem(rc)
	}
	defer sqlite3.Xsqlite3_finalize(c.tls, stmt)
	switch {
	case stmt == 0:
		return Answer{}, &Error{Kind: ErrStatement, Words: "There is no statement.", Offset: -1}
	case sqlite3.Xsqlite3_stmt_isexplain(c.tls, stmt) != 0:
		return Answer{}, &Error{Kind: ErrStatement, Words: "EXPLAIN is not available here.", Offset: -1}
	case sqlite3.Xsqlite3_stmt_readonly(c.tls, stmt) == 0:
		return Answer{}, &Error{Kind: ErrStatement, Words: onlySelect, Offset: -1}
	}
	if err := c.checkRest(statement, rest); err != nil {
		return Answer{}, err
	}
	n := sqlite3.Xsqlite3_column_count(c.tls, stmt)
	for i := range n {
		answer.Columns = append(answer.Columns, Column{Name: valid(libc.GoString(sqlite3.Xsqlite3_column_name(c.tls, stmt, i))), Type: Null})
	}
	for size := 0; ; {
		rc := sqlite3.Xsqlite3_step(c.tls, stmt)
		if rc == sqlite3.SQLITE_DONE {
			return answer, nil
		}
		if rc != sqlite3.SQLITE_ROW {
			return Answer{}, c.problem(rc)
		}
		if len(answer.Rows) == limits.Rows {
			answer.Cut = true
			return answer, nil
		}
		row, bytes := c.row(stmt, answer.Columns)
		if size += bytes; size > limits.Bytes {
			answer.Cut = true
			return answer, nil
		}
		answer.Rows = append(answer.Rows, row)
	}
}

// changes reports whether a statement begins like one that changes something.
func changes(statement string) bool {
	word := strings.TrimLeft(statement, "; \t\r\n")
	if end := strings.IndexFunc(word, func(c rune) bool { return !unicode.IsLetter(c) }); end >= 0 {
		word = word[:end]
	}
	switch lower(word) {
	case "alter", "create", "delete", "drop", "insert", "replace", "update":
		return true
	}
	return false
}

// checkRest refuses a second statement; comments and semicolons are none.
func (c *conn) checkRest(statement, rest string) error {
	for strings.TrimSpace(rest) != "" {
		at := len(statement) - len(rest)
		stmt, more, rc := c.prepare(rest)
		if stmt != 0 {
			sqlite3.Xsqlite3_finalize(c.tls, stmt)
		}
		if stmt != 0 || rc != sqlite3.SQLITE_OK {
			return &Error{Kind: ErrStatement, Words: "Only one statement at a time is possible.", Offset: at}
		}
		if len(more) == len(rest) {
			return nil
		}
		rest = more
	}
	return nil
}

// row reads the values of the row that the statement is at, and about how many bytes
// they take up.
func (c *conn) row(stmt uintptr, columns []Column) (row []Value, bytes int) {
	row = make([]Value, len(columns))
	for i := range columns {
		value, kind := c.value(stmt, int32(i))
		if columns[i].Type == Null {
			columns[i].Type = kind
		}
		row[i] = value
		bytes += 24
		switch v := value.(type) {
		case string:
			bytes += len(v)
		case []byte:
			bytes += len(v)
		}
	}
	return row, bytes
}

func (c *conn) value(stmt uintptr, i int32) (Value, Type) {
	switch sqlite3.Xsqlite3_column_type(c.tls, stmt, i) {
	case sqlite3.SQLITE_INTEGER:
		return int64(sqlite3.Xsqlite3_column_int64(c.tls, stmt, i)), Integer
	case sqlite3.SQLITE_FLOAT:
		return sqlite3.Xsqlite3_column_double(c.tls, stmt, i), Real
	case sqlite3.SQLITE_TEXT:
		p := sqlite3.Xsqlite3_column_text(c.tls, stmt, i)
		return valid(string(bytes(p, sqlite3.Xsqlite3_column_bytes(c.tls, stmt, i)))), Text
	case sqlite3.SQLITE_BLOB:
		p := sqlite3.Xsqlite3_column_blob(c.tls, stmt, i)
		return bytes(p, sqlite3.Xsqlite3_column_bytes(c.tls, stmt, i)), Blob
	}
	return nil, Null
}

func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func tooLong() *Error {
	return &Error{Kind: ErrTime, Words: "The statement took too long and was ended. Ask for less: one project, a shorter time.", Offset: -1}
}

func tooMuch() *Error {
	return &Error{Kind: ErrTooMuch, Words: "The statement needs too much memory or room to sort. Ask for less: fewer columns, one project, a shorter time.", Offset: -1}
}

// problem turns SQLite's refusal of a statement into an error.
func (c *conn) problem(rc int32) error {
	offset := int(sqlite3.Xsqlite3_error_offset(c.tls, c.db))
	said := valid(c.message())
	switch rc & 0xff {
	case sqlite3.SQLITE_INTERRUPT:
		return tooLong()
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM:
		return tooMuch()
	case sqlite3.SQLITE_TOOBIG:
		return &Error{Kind: ErrTooMuch, Words: "A text would get larger than 1 MiB.", Offset: -1}
	case sqlite3.SQLITE_AUTH:
		if c.guard.denied != "" {
			return &Error{Kind: ErrStatement, Words: c.guard.denied, Offset: offset}
		}
		return &Error{Kind: ErrStatement, Words: said, Offset: offset}
	case sqlite3.SQLITE_ERROR, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_MISMATCH:
		return &Error{Kind: ErrStatement, Words: c.sentence(said), Offset: offset}
	case sqlite3.SQLITE_READONLY:
		return &Error{Kind: ErrStatement, Words: onlySelect, Offset: -1}
	}
	return errors.Join(errors.New("running a statement"), c.check(rc))
}

// sentence is what SQLite says, for people. The random names of views are nobody's
// business, and no help.
func (c *conn) sentence(said string) string {
	if c.guard.denied != "" { // e.g. "not authorized to use function: …"
		return c.guard.denied
	}
	for name := range c.guard.secret {
		said = strings.ReplaceAll(said, "temp."+name, "the table")
		said = strings.ReplaceAll(said, name, "the table")
	}
	if said == "" {
		return "SQLite refuses the statement."
	}
	return strings.ToUpper(said[:1]) + said[1:] + "."
}
