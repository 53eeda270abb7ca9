// Package busylab is a laboratory for SQLITE_BUSY. It has tests only.
//
// It exists so that what infra/sqlite-busy.md says about SQLite, and what the
// store promises because of it, is not belief. Each scenario first makes the
// failure happen with plain database/sql, and then shows that the same does not
// happen through store.DB.Write and store.Replica.Read. Every test logs in one
// line what it measured; go test -v prints these lines, and the page quotes them.
//
// Nobody sleeps here. The tests hand over by channels; where something has to be
// seen to wait, a deadline or a busy timeout is measured.
package busylab
