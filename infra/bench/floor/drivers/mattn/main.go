// Command mattn replays a trace through github.com/mattn/go-sqlite3, which is
// SQLite in C behind cgo.
package main

import (
	_ "github.com/mattn/go-sqlite3"

	"sundew/infra/bench/floor/drivers/replay"
)

func main() {
	replay.Main(func(path string) (replay.Database, error) { return replay.OpenSQL("sqlite3", path) })
}
