// Command modernc replays a trace as the store would: modernc.org/sqlite through
// database/sql.
package main

import (
	_ "modernc.org/sqlite"

	"sundew/infra/bench/floor/drivers/replay"
)

func main() {
	replay.Main(func(path string) (replay.Database, error) { return replay.OpenSQL("sqlite", path) })
}
