package sandbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"
)

// asWorker has the test's program be a worker.
const asWorker = "-sandbox-worker"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == asWorker {
		if err := Serve(context.Background(), os.Stdin, os.Stdout, decode); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func worker(t testing.TB) Worker {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Worker{Command: []string{program, asWorker}}
}

func decode(_, _ int64, body []byte) (string, error) {
	if len(body) == 0 {
		return "", errors.New("nothing")
	}
	return "decoded", nil
}

// file is a database with a table that people see a part of, and one with secrets.
func file(t testing.TB) Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range []string{
		"PRAGMA journal_mode = WAL",
		"CREATE TABLE issues (id INTEGER PRIMARY KEY, project_id INTEGER, title TEXT, whole BLOB)",
		"CREATE TABLE users (id INTEGER PRIMARY KEY, password TEXT)",
		"CREATE VIRTUAL TABLE texts USING fts5 (text)",
		"INSERT INTO issues VALUES (1, 1, 'seen', x'00ff'), (2, 1, 'seen too', NULL), (3, 2, 'hidden-title', NULL)",
		"INSERT INTO users VALUES (1, 'hidden-password')",
		"INSERT INTO texts VALUES ('hidden-text')",
	} {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	return Config{
		Path: path,
		Views: []View{{Name: "issues", Columns: []string{"id", "title", "whole"},
			Select: "SELECT id, title, sundew_payload(1, 2, whole) FROM main.issues WHERE project_id IN (1)"}},
		Decode: decode,
	}
}

func TestAnswer(t *testing.T) {
	cfg := file(t)
	got, err := Run(t.Context(), cfg, "SELECT id, title, id / 2.0 AS half, x'01' AS b, NULL AS n, whole FROM issues ORDER BY id; -- all", Limits{Rows: 1})
	if err != nil {
		t.Fatal(err)
	}
	got.Took = 0
	want := Answer{
		Columns: []Column{{"id", Integer}, {"title", Text}, {"half", Real}, {"b", Blob}, {"n", Null}, {"whole", Text}},
		Rows:    [][]Value{{int64(1), "seen", 0.5, []byte{1}, nil, "decoded"}},
		Cut:     true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// attempts are what somebody tries who wants more than they may have. None may answer.
var attempts = []string{
	"SELECT * FROM users", "SELECT * FROM main.users", "SELECT password FROM \"users\"", "SELECT [password] FROM `main`.`users`",
	"SELECT * FROM main.issues", "SELECT title FROM main.issues WHERE id = 3", "SELECT count(*) FROM main.issues", "SELECT count(*) FROM users", "SELECT 1 FROM users",
	"SELECT 1 FROM main.users", "SELECT EXISTS (SELECT 1 FROM users WHERE password LIKE 'h%')",
	"WITH issues AS (SELECT * FROM main.issues) SELECT * FROM issues",
	"WITH issues AS (SELECT * FROM users) SELECT * FROM issues",
	"WITH i AS (SELECT * FROM main.users) SELECT count(*) FROM i",
	"WITH issues AS (SELECT count(*) AS c FROM main.issues) SELECT c FROM issues",
	"WITH issues AS (SELECT count(*) AS c FROM users) SELECT c FROM issues",
	"SELECT (SELECT title FROM main.issues WHERE id = 3) FROM issues",
	"SELECT * FROM issues AS issues JOIN main.issues AS m ON m.id = 3",
	"SELECT * FROM issues UNION ALL SELECT id, title, whole FROM main.issues",
	"SELECT 1 UNION SELECT password FROM users", "SELECT * FROM issues WHERE id IN main.users", "SELECT 3 IN main.issues", "SELECT 1 IN users",
	"SELECT * FROM sqlite_schema", "SELECT * FROM sqlite_master", "SELECT * FROM sqlite_temp_schema", "SELECT sql FROM temp.sqlite_master", "SELECT sql FROM main.sqlite_schema",
	"SELECT count(*) FROM sqlite_schema", "SELECT count(*) FROM sqlite_temp_master", "SELECT count(*) FROM sqlite_sequence",
	"SELECT * FROM pragma_table_info('users')", "SELECT * FROM pragma_table_list", "SELECT * FROM pragma_database_list", "SELECT count(*) FROM pragma_table_list", "PRAGMA table_info(users)", "PRAGMA query_only = 0", "PRAGMA database_list",
	"SELECT * FROM dbstat", "SELECT count(*) FROM dbstat", "SELECT * FROM sqlite_dbpage", "SELECT * FROM sqlite_dbpage('main')", "SELECT * FROM bytecode('SELECT 1')", "SELECT * FROM tables_used('SELECT 1')", "SELECT * FROM sqlite_stmt",
	"SELECT * FROM texts", "SELECT * FROM texts WHERE texts MATCH 'hidden'", "SELECT * FROM texts_content", "SELECT * FROM texts_data", "SELECT count(*) FROM texts_docsize", "SELECT highlight(texts, 0, '', '') FROM texts",
	"SELECT * FROM fts5vocab", "SELECT rowid FROM issues", "SELECT project_id FROM issues", "SELECT _rowid_ FROM main.issues",
	"INSERT INTO issues VALUES (9, 9, 9)", "UPDATE main.issues SET title = ''", "DELETE FROM main.users", "DROP TABLE users", "CREATE TABLE a (b)", "CREATE TEMP TABLE a (b)",
	"CREATE TEMP VIEW v AS SELECT * FROM main.users", "DROP VIEW temp.issues", "DROP VIEW issues", "ALTER TABLE users RENAME TO people", "REINDEX", "ANALYZE", "VACUUM", "VACUUM INTO '/tmp/x.db'",
	"ATTACH 'a.db' AS b", "DETACH main", "BEGIN", "BEGIN IMMEDIATE", "COMMIT", "SAVEPOINT a", "CREATE TEMP TRIGGER x AFTER INSERT ON main.issues BEGIN SELECT 1; END",
	"WITH x AS (SELECT 1) DELETE FROM main.issues", "INSERT INTO main.users SELECT 1, 2 RETURNING *", "REPLACE INTO users VALUES (1, '')",
	"EXPLAIN SELECT * FROM issues", "EXPLAIN QUERY PLAN SELECT * FROM issues", "CREATE VIRTUAL TABLE temp.x USING fts5(a)",
	"SELECT load_extension('x')", "SELECT randomblob(1000000)", "SELECT zeroblob(1000000)", "SELECT sqlite_compileoption_get(0)", "SELECT sundew_payload(1, 2, x'00')", "SELECT last_insert_rowid()", "SELECT sqlite_offset(id) FROM issues",
	"SELECT fts5(x'00')", "SELECT fts5_source_id()", "SELECT rtreecheck('main', 'users')", "SELECT sqlite_log(1, 'x')", "SELECT writefile('x', 'y')", "SELECT readfile('x')", "SELECT edit('x')",
	"SELECT 1; SELECT 2", "SELECT 1; DELETE FROM users", "SELECT 1;; ;SELECT 2", "", "   ", "-- nothing", "/* nothing", "SELECT 'unfinished", "SELECT \"hidden\"", "SELECT FROM", "SELECT 1 \x00",
	"SELECT * FROM (issues JOIN main.users)", "SELECT * FROM issues, users", "SELECT i.title FROM main.issues AS i WHERE i.id = 3", "SELECT issues.title FROM main.issues",
	"WITH RECURSIVE issues(t) AS (SELECT title FROM main.issues UNION SELECT t FROM issues) SELECT t FROM issues",
	"WITH issues AS MATERIALIZED (SELECT * FROM main.issues) SELECT * FROM issues",
	"WITH issues AS (WITH issues AS (SELECT * FROM main.issues) SELECT * FROM issues) SELECT * FROM issues",
	"SELECT max(title) OVER () FROM main.issues", "VALUES ((SELECT password FROM users))", "SELECT json_group_array(password) FROM users",
	"SELECT * FROM json_each((SELECT json_group_array(password) FROM users))", "SELECT 1 ORDER BY (SELECT password FROM users)", "SELECT 1 LIMIT (SELECT count(*) FROM users)",
	"SELECT CASE WHEN (SELECT count(*) FROM main.users) THEN 1 END", "SELECT * FROM issues GROUP BY (SELECT 1 FROM users)", "SELECT count(*) FILTER (WHERE (SELECT 1 FROM users)) FROM issues",
}

func TestNothingElseCanBeReached(t *testing.T) {
	cfg := file(t)
	for _, s := range attempts {
		got, err := Run(t.Context(), cfg, s, Limits{})
		var refused *Error
		if !errors.As(err, &refused) || refused.Kind != ErrStatement {
			t.Errorf("%q: %v, %v; want it refused", s, got.Rows, err)
			continue
		}
		if w := refused.Words; w == "" || strings.Contains(w, "hidden-") || !strings.HasSuffix(w, ".") {
			t.Errorf("%q: %q", s, w)
		}
	}
}

// What is not SELECT is told so, and not in SQLite's words about our views.
func TestOnlySelect(t *testing.T) {
	cfg := file(t)
	for _, s := range []string{
		"DELETE FROM issues", " ;\nupdate issues SET title = ''", "INSERT INTO issues VALUES (9, 9, 9)", "REPLACE INTO issues VALUES (9, 9, 9)", "DELETE FROM issues WHERE",
		"ALTER TABLE issues RENAME TO a", "CREATE INDEX a ON issues (id)", "DROP TABLE issues", "PRAGMA user_version", "VACUUM", "BEGIN",
	} {
		_, err := Run(t.Context(), cfg, s, Limits{})
		var refused *Error
		if !errors.As(err, &refused) || !strings.HasPrefix(refused.Words, "Only SELECT works here") {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestUsual(t *testing.T) {
	cfg := file(t)
	for _, s := range []string{
		"SELECT count(*) FROM issues", "SELECT 1", "VALUES (1), (2)", "SELECT count(*) FROM temp.issues", "SELECT 1 FROM issues",
		"WITH t AS (SELECT * FROM issues) SELECT count(*) FROM t", "WITH issues AS (SELECT * FROM issues) SELECT 1", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT sum(i) FROM n",
		"SELECT i.id, j.title FROM issues i JOIN issues j USING (id)", "SELECT * FROM json_each('[1,2]')", "SELECT count(*) FROM json_each('[1,2]')", "SELECT json('{\"a\":1}') ->> '$.a'",
		"SELECT title FROM issues WHERE title LIKE 's%' GROUP BY 1 HAVING count(*) > 0 ORDER BY 1 DESC LIMIT 5 OFFSET 0",
		"SELECT row_number() OVER (ORDER BY id) FROM issues", "SELECT group_concat(DISTINCT title) FROM issues", "SELECT * FROM (SELECT DISTINCT title FROM issues)", "SELECT count(*) FROM (SELECT DISTINCT title FROM issues)",
		"SELECT strftime('%Y', 'now'), date('now', '-1 day'), printf('%.2f', 1.5), instr('aé€b', 'b'), replace('aXbX', 'X', ''), trim('xax', 'x'), ltrim(' a')",
		"SELECT title FROM issues EXCEPT SELECT 'seen'", "SELECT * FROM issues WHERE id IN (SELECT id FROM issues)", "SELECT EXISTS (SELECT 1 FROM issues)",
	} {
		if _, err := Run(t.Context(), cfg, s, Limits{}); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestLimits(t *testing.T) {
	cfg := file(t)
	const forever = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
	for _, c := range []struct {
		statement string
		kind      error
	}{
		{forever + "SELECT count(*) FROM n", ErrTime},
		{forever + "SELECT * FROM n ORDER BY i", ErrTime},
		{"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000) SELECT count(*) FROM n a, n b, n c, n d", ErrTime},
		{"SELECT printf('%.*c', 2000000, 'x')", ErrTooMuch},
		{"SELECT hex(printf('%.*c', 900000, 'x'))", ErrTooMuch},
		{"SELECT replace(printf('%.*c', 900000, 'x'), 'x', 'yy')", ErrTooMuch},
		{forever + "SELECT group_concat(printf('%.*c', 10000, 'x')) FROM (SELECT i FROM n LIMIT 1000)", ErrTooMuch},
		{"SELECT '" + strings.Repeat("x", maxStatement) + "'", ErrStatement},
		{"SELECT " + strings.Repeat("(1 + ", 150) + "1" + strings.Repeat(")", 150), ErrStatement},
		{"SELECT 1" + strings.Repeat(" UNION SELECT 1", 200), ErrStatement},
		{"SELECT 1" + strings.Repeat(", 1", 200), ErrStatement},
		{"SELECT " + strings.Repeat("abs(1) + ", 201) + "1", ErrStatement},
		{"SELECT 'x' LIKE printf('%.*c', 1000, '%')", ErrStatement},
	} {
		limits := Limits{Time: time.Minute}
		if c.kind == ErrTime {
			limits.Time = 300 * time.Millisecond
		}
		_, err := Run(t.Context(), cfg, c.statement, limits)
		if !errors.Is(err, c.kind) {
			t.Errorf("%.80q: %v, want %v", c.statement, err, c.kind)
		}
	}
	got, err := Run(t.Context(), cfg, forever+"SELECT printf('%.*c', 10000, 'x') FROM n", Limits{Bytes: 100_000})
	if err != nil || !got.Cut || len(got.Rows) != 9 {
		t.Errorf("%d rows, %v, %v", len(got.Rows), got.Cut, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, cfg, forever+"SELECT count(*) FROM n", Limits{}); !errors.Is(err, ErrTime) {
		t.Errorf("with a context that is over: %v", err)
	}
}
