// Package sandbox runs one SQL statement of somebody who is not trusted on a SQLite
// file.
//
// It exists because the driver below database/sql has no authorizer and no progress
// handler: SQLite is called as its C functions are. Each statement has a connection of
// its own, which is closed behind it, so that nothing that one statement does or learns
// is of use to the next.
//
// # What holds
//
// The file is opened for reading only, and the connection is told so once more
// (query_only). An authorizer refuses whatever is not a SELECT.
//
// What can be read is views, and nothing else. Each is two TEMP views: one with the name
// that people know, which hides a table of that name, and one that it reads, whose name
// is random and lives as long as the connection. The authorizer lets tables of the file
// be read from inside of a view with such a name only. SQLite tells it the name of the
// innermost view or of the innermost common table expression, so that a name which
// people know would not do: WITH issues AS (SELECT * FROM main.issues) has it too.
//
// A statement has a time, rows, bytes, lengths, columns, functions and temporary files to
// use up, all of them bounded. It looks at the time between the steps of SQLite's
// machine, which is not always soon enough, so that whoever lets strangers in uses a
// Worker, whose process is bounded from outside.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Errors of statements. Each is wrapped by, or is found in, an *Error.
var (
	ErrStatement = errors.New("the statement is not possible")     // SQLite or the authorizer refuses it
	ErrTime      = errors.New("the statement took too long")       // Limits.Time, or the context was done
	ErrTooMuch   = errors.New("the statement needs too much room") // memory or temporary files
)

// Error says in words for the person who wrote a statement why there is no answer.
type Error struct {
	Kind   error  // ErrStatement, ErrTime or ErrTooMuch
	Words  string // a sentence
	Offset int    // in bytes from the statement's beginning; -1: it is not about a place
}

// Error returns the words.
func (e *Error) Error() string { return e.Words }

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return e.Kind }

// View is a table as people see it.
type View struct {
	Name    string
	Columns []string // their names
	Select  string   // a SELECT of as many columns from tables of the file, each written main.TABLE
}

// Limits bound a statement. A zero field has a good value.
type Limits struct {
	Time time.Duration // 5 s
	Rows int           // 1,000; more are cut off
	// Bytes bounds all values of the answer together: 4 MiB; what is beyond is cut off.
	Bytes int
}

func (l Limits) withDefaults() Limits {
	if l.Time <= 0 {
		l.Time = 5 * time.Second
	}
	if l.Rows <= 0 {
		l.Rows = 1000
	}
	if l.Bytes <= 0 {
		l.Bytes = 4 << 20
	}
	return l
}

const (
	// maxStatement is how long a statement may be, in bytes.
	maxStatement = 16 << 10

	// maxValue is how long a text or BLOB may get, in bytes, while a statement runs.
	maxValue = 1 << 20

	// maxTemp is how much all statements may write to temporary files together.
	maxTemp = 256 << 20
)

// Column is one of an answer.
type Column struct {
	Name string
	Type Type // of its first value that is not NULL
}

// Type is what SQLite stores a value as.
type Type string

// The types.
const (
	Null    Type = "null"
	Integer Type = "integer"
	Real    Type = "real"
	Text    Type = "text"
	Blob    Type = "blob"
)

// Value is one value: nil, int64, float64, string (valid UTF-8) or []byte.
type Value = any

// Answer is what a statement found.
type Answer struct {
	Columns []Column
	Rows    [][]Value
	Cut     bool // there is more than the limits allow
	Took    time.Duration
}

// Config says what statements run on.
type Config struct {
	Path  string // of the database file, which must exist
	Views []View

	// Hidden are tables, and columns of others (table.column), that are not read whatever
	// a view says; in lower case.
	Hidden map[string]bool

	// Decode makes what the function sundew_payload(kind, encoding, body) returns, which
	// views may call and statements may not. It must be safe for concurrent use. An error
	// is NULL.
	Decode func(kind, encoding int64, body []byte) (string, error)
}

// Run runs one statement. An error that is the statement's is an *Error.
func Run(ctx context.Context, cfg Config, statement string, limits Limits) (Answer, error) {
	began := time.Now()
	limits = limits.withDefaults()
	if err := checkText(statement); err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, limits.Time)
	defer cancel()
	c, err := open(ctx, cfg)
	if err != nil {
		return Answer{}, fmt.Errorf("opening the database for a statement: %w", err)
	}
	defer c.close()
	answer, err := c.ask(statement, limits)
	answer.Took = time.Since(began)
	return answer, err
}

func checkText(statement string) error {
	if len(statement) > maxStatement {
		return &Error{Kind: ErrStatement, Words: fmt.Sprintf("The statement is too long: it may have %d bytes.", maxStatement), Offset: -1}
	}
	for i := range len(statement) {
		if statement[i] == 0 {
			return &Error{Kind: ErrStatement, Words: "There is a zero byte in the statement.", Offset: i}
		}
	}
	return nil
}

// Place returns where in a statement an error is, both from 1, in characters; ok is
// false if it is about no place.
func (e *Error) Place(statement string) (line, column int, ok bool) {
	if e.Offset < 0 || e.Offset > len(statement) {
		return 0, 0, false
	}
	before := statement[:e.Offset]
	begin := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[begin:]) + 1, true
}
