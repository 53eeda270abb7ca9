//go:build !sqld

package storetest

import (
	"testing"

	"sundew/digester/store"
)

// OnServer says whether the primary of Open is a libSQL server.
const OnServer = false

// open opens the primary: a file.
func open(t testing.TB, cfg store.Config) (*store.DB, error) {
	return store.Open(t.Context(), cfg)
}
