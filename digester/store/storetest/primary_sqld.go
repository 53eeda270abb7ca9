//go:build sqld

package storetest

import (
	"testing"

	"sundew/digester/store"
	"sundew/infra/sqld"
	"sundew/infra/sqld/sqldtest"
)

// OnServer says whether the primary of Open is a libSQL server.
const OnServer = true

// open opens the primary: a libSQL server of its own, unless the test needs
// something that only files have.
func open(t testing.TB, cfg store.Config) (*store.DB, error) {
	if cfg.VFS != "" || cfg.WALLimit != 0 || cfg.Checkpoint != nil || cfg.Wrap != nil {
		return store.Open(t.Context(), cfg)
	}
	server := sqldtest.Start(t, sqld.Config{Strong: true})
	return store.OpenRemote(t.Context(), store.RemoteConfig{URL: server.URL(), Namespace: sqld.Namespace}, cfg)
}

// OpenServer opens a libSQL server as OpenWith does, for tests that do something
// to it or to the network before it.
func OpenServer(t testing.TB, server store.RemoteConfig, cfg store.Config) (*store.DB, *store.Replica) {
	t.Helper()
	server.Namespace = sqld.Namespace
	db, err := store.OpenRemote(t.Context(), server, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return watched(t, db)
}
