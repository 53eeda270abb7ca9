package store

import (
	"database/sql"
	"path/filepath"
	"regexp"
	"testing"

	"sundew/digester/access"
)

// TestEveryColumnIsDecidedAbout fails for a table or column of the schema that nobody
// has thought of: people's statements either read it or are kept from it for a reason.
func TestEveryColumnIsDecidedAbout(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	pool, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	rows, err := pool.QueryContext(t.Context(), `
		SELECT m.name, c.name FROM sqlite_schema m, pragma_table_xinfo(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	hidden, offered := hiddenFromStatements(), make(map[string]string)
	for _, table := range StatementTables(access.Person{Role: access.Owner}) {
		for _, from := range regexp.MustCompile(`main\.(\w+) t\b`).FindAllStringSubmatch(table.from, -1) {
			offered[from[1]] = table.view(nil, nil).Select
		}
	}
	n := 0
	for rows.Next() {
		var name, column string
		if err := rows.Scan(&name, &column); err != nil {
			t.Fatal(err)
		}
		n++
		statement, isOffered := offered[name]
		isRead := isOffered && regexp.MustCompile(`\bt\.(total_)?`+column+`\b`).MatchString(statement)
		isHidden := hidden[name] != "" || hidden[name+"."+column] != ""
		switch {
		case isRead && isHidden:
			t.Errorf("%s.%s is hidden, but a view reads it", name, column)
		case isOffered && name == "issues" && summed(column): // read as total_…
		case !isRead && !isHidden:
			t.Errorf("%s.%s is neither in StatementTables nor in hiddenFromStatements: decide", name, column)
		}
	}
	if err := rows.Err(); err != nil || n < 200 {
		t.Errorf("%d columns, %v", n, err)
	}
}

// summed reports whether a column of issues is a part of one of its total_ columns.
func summed(column string) bool {
	return regexp.MustCompile(`^(event_count|merged_events|first_seen|last_seen|merged_(first|last)_seen|user_count|total_\w+)$`).MatchString(column)
}
