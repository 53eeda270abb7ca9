// Package schema is what the edge and the digester must agree on, and the shape
// of the database.
//
// It exists so that neither program imports the other: the nouns are in
// schema/event, the queue message in schema/wire, the tables in migrations/.
// Migrations go forward only.
package schema

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the database to the newest schema and returns the versions it
// applied, none if it was there already. It must run alone: the caller holds the
// only connection that writes.
func Migrate(ctx context.Context, db *sql.DB) ([]int64, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrating the database: %w", err)
	}
	var versions []int64
	for _, r := range results {
		versions = append(versions, r.Source.Version)
	}
	return versions, nil
}
