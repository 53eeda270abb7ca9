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
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the database to the newest schema and returns the versions it
// applied, none if it was there already. Another process may do the same at the
// same time: each migration is a transaction, so that of two the later one fails,
// and what is then left to do is looked up again.
func Migrate(ctx context.Context, db *sql.DB) ([]int64, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	var applied []int64
	for {
		before, err := provider.GetDBVersion(ctx)
		if err != nil {
			return applied, fmt.Errorf("reading the schema's version: %w", err)
		}
		results, err := provider.Up(ctx)
		var partial *goose.PartialError
		if errors.As(err, &partial) {
			results = partial.Applied
		}
		for _, r := range results {
			applied = append(applied, r.Source.Version)
		}
		if err == nil {
			return applied, nil
		}
		if after, errAfter := provider.GetDBVersion(ctx); errAfter != nil || after == before {
			return applied, fmt.Errorf("migrating the database: %w", err)
		}
	}
}
