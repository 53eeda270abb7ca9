//go:build sqld

package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/search"
	"sundew/digester/store/hrana"
	"sundew/infra/sqld"
	"sundew/infra/sqld/sqldtest"
	"sundew/schema"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// TestReadsOnLibSQL runs every read of the package on a file and on a libSQL
// server with the same rows: the answers are equal, but for the size of the
// database.
func TestReadsOnLibSQL(t *testing.T) {
	ctx := t.Context()
	file := seeded(t)
	client, err := hrana.New(hrana.Config{URL: sqldtest.Start(t, sqld.Config{}).URL(), Namespace: sqld.Namespace})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	remote := sql.OpenDB(client.Connector())
	defer remote.Close()
	if _, err := schema.Migrate(ctx, remote); err != nil {
		t.Fatal(err)
	}
	copyRows(t, file, client.Stream())

	replica := &Replica{pool: remote, codec: wire.NewCodec(), gate: newGate()}
	want := readAll(t, &Rx{ctx: ctx, q: pooled{file}, codec: wire.NewCodec()})
	tx, err := remote.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	got := readAll(t, &Rx{ctx: ctx, q: pooled{tx}, codec: wire.NewCodec()})
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	for name := range want {
		if diff := cmp.Diff(want[name], got[name]); diff != "" {
			t.Errorf("%s (-file +libSQL):\n%s", name, diff)
		}
	}
	problems, err := replica.Check(ctx)
	if err != nil || len(problems) > 0 {
		t.Errorf("check: %v, %v", problems, err)
	}
}

// seeded returns a connection pool to a file with a few events of all outcomes.
func seeded(t *testing.T) *sql.DB {
	t.Helper()
	ctx := t.Context()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	db, err := Open(ctx, Config{Path: filepath.Join(t.TempDir(), "sundew.db"), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	})
	err = db.Write(ctx, "test", func(tx *Tx) error {
		if _, err := tx.CreateProject("Shop"); err != nil {
			return err
		}
		_, err := tx.exec(`INSERT INTO issue_texts (rowid, text) VALUES (2, 'fehler: x')`) // as IndexTexts will, of an issue below
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, seq := range []uint64{1, 2, 3, 5, 6, 6, 8, 9} {
		in := &Incoming{
			Instance: wire.InstanceID{1}, Seq: seq, Project: 1, ReceivedAt: now, OccurredAt: now.Add(time.Duration(i) * time.Hour), Category: "error",
			Level: event.LevelError, Platform: "go", Title: "Fehler: „x“", Release: "shop@1.0", Environment: "production",
			Tags: []event.Pair{{Key: "level", Value: "error"}}, GroupRules: 1, Group: [16]byte{byte(i % 2)},
			Kind: wire.KindEvent, Encoding: wire.EncodingIdentity, Meta: []byte(`{"client":"x"}`), Body: []byte(`{"message":"x"}`),
		}
		binary.BigEndian.PutUint64(in.EventID[:], min(seq, 8)) // 9 is a duplicate of 8
		if seq == 5 {
			in.Drop = "bad_json"
		}
		if _, err := db.Digest(ctx, in); err != nil {
			t.Fatal(err)
		}
	}
	replica, err := db.OpenReplica(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := replica.Close(); err != nil {
			t.Error(err)
		}
	})
	return replica.pool
}

// copyRows copies all rows of all tables, parents first. Of the index of texts, whose
// rows are in tables of its own, the texts are enough.
func copyRows(t *testing.T, from *sql.DB, to *hrana.Stream) {
	t.Helper()
	rows, err := from.QueryContext(t.Context(), `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%'
		AND (name NOT LIKE 'issue_texts_%' OR name = 'issue_texts_due') ORDER BY rowid`)
	tables, err := collect(rows, err, func(s *string) []any { return []any{s} })
	if err != nil {
		t.Fatal(err)
	}
	var all []hrana.Statement
	for _, table := range tables {
		of, err := from.QueryContext(t.Context(), `SELECT name FROM pragma_table_info(?)`, table) // those that are generated are left out
		columns, err := collect(of, err, func(s *string) []any { return []any{s} })
		if err != nil {
			t.Fatal(err)
		}
		if table == "issue_texts" {
			columns = append(columns, "rowid")
		}
		names := strings.Join(columns, ", ")
		rows, err := from.QueryContext(t.Context(), "SELECT "+names+" FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		insert := "INSERT OR REPLACE INTO " + table + " (" + names + ") VALUES (?" + strings.Repeat(", ?", len(columns)-1) + ")" // migrations made some
		for rows.Next() {
			values, places := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				places[i] = &values[i]
			}
			if err := rows.Scan(places...); err != nil {
				t.Fatal(err)
			}
			all = append(all, hrana.Statement{SQL: insert, Args: values, OneRow: ErrInvalid})
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	outcomes, err := to.Commit(t.Context(), [][]hrana.Statement{all})
	if err != nil || outcomes[0].Err != nil {
		t.Fatalf("copying rows: %v %v", outcomes, err)
	}
}

// readAll returns what every read answers.
func readAll(t *testing.T, rx *Rx) map[string]any {
	t.Helper()
	all := make(map[string]any)
	keep := func(name string, v any, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		all[name] = v
	}
	since := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	books, err := rx.Books(since)
	books.Totals.DatabaseBytes = 0
	keep("Books", books, err)
	rejects, err := rx.Rejects(1, 10)
	keep("Rejects", rejects, err)
	events, more, err := rx.Events(1, 0, 2)
	keep("Events", []any{events, more}, err)
	byNumber, err := rx.EventByNumber(1, 1)
	keep("EventByNumber", byNumber, err)
	byID, err := rx.EventByID(event.ID{7: 1})
	keep("EventByID", byID, err)
	place, err := rx.EventPlace(1, 2)
	keep("EventPlace", place, err)
	body, err := rx.EventBody(1)
	keep("EventBody", body, err)
	history, err := rx.History(1)
	keep("History", history, err)
	for _, sort := range []IssueSort{SortLastSeen, SortFirstSeen, SortEvents, SortUsers, SortTrend} {
		found, err := rx.Find(Search{Projects: []event.ProjectID{1}, Sort: sort, Limit: 1, Now: since})
		keep("Issues "+string(rune('0'+sort)), found, err)
	}
	for _, text := range []string{"is:unresolved has:release", "!has:user times_seen:>=1", "FEHLER", "nowhere", "!nowhere level:error lastSeen:+1d"} {
		query, err := search.Parse(text)
		keep("Parse "+text, nil, err)
		found, err := rx.Find(Search{Projects: []event.ProjectID{1}, Query: query, Text: text, Limit: 10, Now: since})
		keep("Find "+text, found, err)
	}
	due, err := rx.TextsDue(10)
	keep("TextsDue", due, err)
	facets, err := rx.Facets([]event.ProjectID{1})
	keep("Facets", facets, err)
	saved, err := rx.SavedSearches(SearchPlace{Project: 1}, 1)
	keep("SavedSearches", saved, err)
	issue, err := rx.Issue(2)
	keep("Issue", issue, err)
	counts, err := rx.CountStates([]event.ProjectID{1})
	keep("CountStates", counts, err)
	releases, more, err := rx.Releases(ReleaseQuery{Project: 1, Limit: 5})
	keep("Releases", []any{releases, more}, err)
	environments, err := rx.Environments(1)
	keep("Environments", environments, err)
	issueReleases, err := rx.IssueReleases(1)
	keep("IssueReleases", issueReleases, err)
	after, more, err := rx.EventsAfter(1, 1, 2)
	keep("EventsAfter", []any{after, more}, err)
	chores, err := rx.Chores(since)
	keep("Chores", chores, err)
	hours, err := rx.IssueHours([]int64{1, 2}, since)
	keep("IssueHours", hours, err)
	keys, err := rx.Keys()
	keep("Keys", keys, err)
	projects, err := rx.Projects()
	keep("Projects", projects, err)
	projectHours, err := rx.ProjectHours(since)
	keep("ProjectHours", projectHours, err)
	tags, err := rx.IssueTags(1, 3)
	keep("IssueTags", tags, err)
	return all
}

// TestAssertionOnFile: the statement by which blind transactions assert that the
// one before it changed a row means the same on a file.
func TestAssertionOnFile(t *testing.T) {
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "sundew.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	const assertion = `SELECT CASE WHEN changes() = 1 THEN 1 ELSE abs(-9223372036854775808) END`
	for id, fails := range map[int]bool{1: false, 2: true} {
		err := db.Write(t.Context(), "test", func(tx *Tx) error {
			if _, err := tx.exec(`UPDATE digest_state SET batch = batch + 1 WHERE id = ?`, id); err != nil {
				return err
			}
			var one int
			return tx.q.QueryRowContext(tx.ctx, assertion).Scan(&one)
		})
		if (err != nil) != fails || fails && KindOf(err) != KindInternal {
			t.Errorf("row %d: kind %d of %v", id, KindOf(err), err)
		}
	}
}
