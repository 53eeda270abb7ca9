// Command raw replays a trace through modernc.org/sqlite's own connections,
// without database/sql.
package main

import (
	"modernc.org/sqlite"

	"sundew/infra/bench/floor/drivers/replay"
)

func main() {
	replay.Main(func(path string) (replay.Database, error) { return replay.OpenRaw(&sqlite.Driver{}, path) })
}
