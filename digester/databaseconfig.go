package main

import (
	"context"
	"errors"
	"net/url"
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
		cfg.Server, err = parseServer(v)
		return err
	})
	read("SUNDEW_REPLICA", func(v string) (err error) {
		cfg.Replica, err = parseServer(v)
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

// parseServer takes a libSQL server's address: libsql:// stands for https://. What
// the server calls the database, its namespace, is the first label of the host,
// unless ?namespace= says it.
func parseServer(v string) (store.RemoteConfig, error) {
	bad := errors.New("want libsql://host, https://host or http://host:port, with ?namespace=NAME if the host does not begin with it")
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return store.RemoteConfig{}, bad
	}
	switch u.Scheme {
	case "libsql":
		u.Scheme = "https"
	case "http", "https":
	default:
		return store.RemoteConfig{}, bad
	}
	cfg := store.RemoteConfig{URL: u.Scheme + "://" + u.Host}
	for name, values := range u.Query() {
		if name != "namespace" || len(values) != 1 || values[0] == "" || strings.ContainsAny(values[0], "./: ") {
			return store.RemoteConfig{}, bad
		}
		cfg.Namespace = values[0]
	}
	return cfg, nil
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
