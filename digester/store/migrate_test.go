package store_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

// A database from before issues could be merged, muted and deleted is as good as one
// that never knew otherwise.
func TestMigrateIssues(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sundew.db")
	makeOld(t, path, 2, `
		INSERT INTO projects (id, slug, name, created_at, issue_count, event_count) VALUES (1, 'shop', 'Shop', 0, 1, 3);
		INSERT INTO issues (id, project_id, number, level, title, culprit, platform, event_count, first_seen, last_seen, seen_step, count_step)
		VALUES (1, 1, 1, 4, 't', 'c', 'go', 3, 60000, 180000, 3, 3);
		INSERT INTO groupings VALUES (1, x'01', 1, 1, 0);
		INSERT INTO events VALUES (1, 1, 1, x'01', 1, 60000, 0, 0, 4, 't', '', 'production', 'ann'),
		  (2, 1, 1, x'02', 2, 120000, 0, 0, 4, 't', '1.0', 'production', ''), (3, 1, 1, x'03', 3, 180000, 0, 0, 4, 't', '1.1', '', 'bob');
		INSERT INTO event_bodies SELECT id, 0, 0, '{}', x'00' FROM events;
		INSERT INTO issue_hours VALUES (1, 0, 3);
		INSERT INTO releases VALUES (1, 1, '1.0', 120000, 120000, 1), (2, 1, '1.1', 180000, 180000, 1);
		INSERT INTO environments VALUES (1, 'production', 60000, 120000, 2);
		INSERT INTO outcomes VALUES (1, 0, 'error', 'stored', '', 3);`)
	db, err := store.Open(t.Context(), store.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	replica, err := db.OpenReplica(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithoutCancel(t.Context())
	defer func() {
		if err := errors.Join(replica.Close(), db.Close(ctx)); err != nil {
			t.Error(err)
		}
	}()
	storetest.MustCheck(t, replica)
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		releases, err := rx.IssueReleases(1)
		if releases != (store.IssueReleases{First: "1.0", Last: "1.1"}) {
			t.Errorf("releases %+v", releases)
		}
		return err
	})
}

// makeOld makes a database as migrations up to one left it, with what statements put
// into it.
func makeOld(t *testing.T, path string, version int64, statements string) {
	t.Helper()
	old, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, old, os.DirFS("../../schema/migrations"))
	if err == nil {
		_, err = provider.UpTo(t.Context(), version)
	}
	if err == nil {
		_, err = old.ExecContext(t.Context(), statements)
	}
	if err := errors.Join(err, old.Close()); err != nil {
		t.Fatal(err)
	}
}
