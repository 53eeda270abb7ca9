package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
)

func TestDatabaseConfig(t *testing.T) {
	for _, c := range []struct {
		db      string
		path    string // instead of a server
		server  store.RemoteConfig
		refused bool
	}{
		{db: "", path: "data/sundew.db"},
		{db: "file:/var/lib/sundew/x.db", path: "/var/lib/sundew/x.db"},
		{db: "file:///var/lib/sundew/x.db", path: "/var/lib/sundew/x.db"},
		{db: "file:x.db", path: "x.db"},
		{db: "libsql://db.example.com", server: store.RemoteConfig{URL: "https://db.example.com"}},
		{db: "https://db.example.com/", server: store.RemoteConfig{URL: "https://db.example.com"}},
		{db: "http://127.0.0.1:8080?namespace=default", server: store.RemoteConfig{URL: "http://127.0.0.1:8080", Namespace: "default"}},
		{db: "file:", refused: true},
		{db: "file://host/x.db", refused: true},
		{db: "file:x.db?mode=ro", refused: true},
		{db: "/var/lib/sundew/x.db", refused: true},
		{db: "libsql://", refused: true},
		{db: "libsql://user:secret@db.example.com", refused: true},
		{db: "libsql://db.example.com/path", refused: true},
		{db: "libsql://db.example.com?authToken=x", refused: true},
		{db: "http://127.0.0.1?namespace=a.b", refused: true},
	} {
		for _, name := range []string{"SUNDEW_DB", "SUNDEW_REPLICA"} {
			cfg, err := configFromEnv(func(n string) string {
				return map[string]string{name: c.db, name + "_TOKEN": "token"}[n]
			})
			remote, refused := cfg.Server, c.refused
			if name == "SUNDEW_REPLICA" {
				remote, refused = cfg.Replica, c.refused || strings.HasPrefix(c.db, "file:")
			}
			if (err != nil) != refused {
				t.Errorf("%s=%s: %v", name, c.db, err)
			}
			if err != nil {
				continue
			}
			c.server.Token = "token"
			if diff := cmp.Diff(c.server, remote); diff != "" {
				t.Errorf("%s=%s (-want +got):\n%s", name, c.db, diff)
			}
			if name == "SUNDEW_DB" && c.path != "" && cfg.databasePath() != c.path {
				t.Errorf("%s=%s: path %s, want %s", name, c.db, cfg.databasePath(), c.path)
			}
		}
	}
}
