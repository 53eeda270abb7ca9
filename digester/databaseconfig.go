package main

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"strings"

	"sundew/digester/store"
)

// readDatabases reads where the database is.
func readDatabases(read func(name string, set func(string) error), cfg *Config) {
	read("SUNDEW_DB", func(v string) (err error) {
		if path, ok := strings.CutPrefix(v, "file:"); ok {
			cfg.Database, err = parseDatabaseFile(path)
			return err
		}
		cfg.Server, err = store.ParseRemote(v)
		return err
	})
	read("SUNDEW_REPLICA", func(v string) (err error) {
		cfg.Replica, err = store.ParseRemote(v)
		return err
	})
	// The tokens after the addresses, which say everything but them. A token is
	// never part of an error.
	token := func(of *store.RemoteConfig) func(string) error {
		return func(v string) error {
			of.Token = v
			return nil
		}
	}
	read("SUNDEW_DB_TOKEN", token(&cfg.Server))
	read("SUNDEW_DB_RELAXED", func(v string) (err error) {
		if cfg.Server.Relaxed, err = strconv.ParseBool(v); err != nil {
			return errors.New("want true or false")
		}
		return nil
	})
	read("SUNDEW_REPLICA_TOKEN", token(&cfg.Replica))
}

// parseDatabaseFile takes what stands behind "file:", a path or //host/path
// without a host.
func parseDatabaseFile(v string) (string, error) {
	if rest, ok := strings.CutPrefix(v, "//"); ok {
		v = rest
		if !strings.HasPrefix(v, "/") {
			return "", errors.New("want file:PATH or file:///PATH")
		}
	}
	if v == "" || strings.ContainsAny(v, "?#%") {
		return "", errors.New("want file:PATH, without parameters")
	}
	return filepath.Clean(v), nil
}

// openPrimary opens the database for writing, the file or the server. Of cfg the
// path is set here.
func (c Config) openPrimary(ctx context.Context, cfg store.Config) (*store.DB, error) {
	if c.Server.URL != "" {
		return store.OpenRemote(ctx, c.Server, cfg)
	}
	cfg.Path = c.databasePath()
	return store.Open(ctx, cfg)
}
