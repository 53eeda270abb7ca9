package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/digester/store/sandbox"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
)

// asked is a database with two projects, somebody who sees the first, and an owner.
func asked(t testing.TB) (*store.DB, *store.Replica, access.Person, access.Person) {
	db, replica := storetest.OpenFile(t, store.Config{Now: func() time.Time { return start }})
	seen := storetest.MustCreateProject(t, db, "Shop", "")
	other := storetest.MustCreateProject(t, db, "Worker", "")
	for seq, project := range []event.ProjectID{seen.ID, seen.ID, other.ID} {
		in := incoming(project, uint64(seq+1), fmt.Sprintf("group %d", seq))
		if project == other.ID {
			in.Title = "hidden-title"
		}
		if _, err := db.Digest(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	viewer := access.Person{ID: 7, Projects: map[event.ProjectID]access.Role{seen.ID: access.Viewer}}
	return db, replica, viewer, access.Person{ID: 1, Role: access.Owner}
}

func ask(t testing.TB, replica *store.Replica, by access.Person, statement string) sandbox.Answer {
	t.Helper()
	answer, err := replica.Ask(t.Context(), by, statement, 0)
	if err != nil {
		t.Errorf("%q: %v", statement, err)
	}
	return answer
}

// TestAskShowsWhatIsOnes asks each table for all that it has.
func TestAskShowsWhatIsOnes(t *testing.T) {
	_, replica, viewer, owner := asked(t)
	for _, c := range []struct {
		by   access.Person
		want [][]sandbox.Value
	}{
		{viewer, [][]sandbox.Value{{"Shop", int64(2)}}},
		{owner, [][]sandbox.Value{{"Shop", int64(2)}, {"Worker", int64(1)}}},
		{access.Person{ID: 9}, nil},
		{access.Person{Token: 1, Projects: map[event.ProjectID]access.Role{2: access.Member}}, [][]sandbox.Value{{"Worker", int64(1)}}},
	} {
		got := ask(t, replica, c.by, "SELECT p.name, count(*) FROM projects p JOIN events e ON e.project_id = p.id GROUP BY 1 ORDER BY 1")
		if diff := cmp.Diff(c.want, got.Rows); diff != "" {
			t.Errorf("%d: %s", c.by.ID, diff)
		}
		for _, table := range store.StatementTables(c.by) {
			all := ask(t, replica, c.by, "SELECT * FROM "+table.Name)
			if len(all.Columns) != len(table.Columns) {
				t.Errorf("%s has %d columns, want %d", table.Name, len(all.Columns), len(table.Columns))
			}
			ask(t, replica, c.by, "SELECT count(*) FROM "+table.Name)
			if c.by.ID == viewer.ID && strings.Contains(fmt.Sprint(all.Rows), "hidden-") {
				t.Errorf("%s shows another project's: %v", table.Name, all.Rows)
			}
		}
	}
	got := ask(t, replica, viewer, "SELECT short_id, state, i.level, events, first_seen, occurred_ms, payload ->> '$' IS NOT NULL FROM issues i JOIN events e ON e.issue_id = i.id JOIN payloads p ON p.event = e.id WHERE i.number = 1")
	want := [][]sandbox.Value{{"SHOP-1", "open", "error", int64(1), start.Format("2006-01-02 15:04:05.000"), start.UnixMilli(), int64(1)}}
	if diff := cmp.Diff(want, got.Rows); diff != "" {
		t.Error(diff)
	}
}

// TestAskKeepsSecrets has what nobody may read, not even who owns all.
func TestAskKeepsSecrets(t *testing.T) {
	_, replica, viewer, owner := asked(t)
	for _, statement := range []string{
		"SELECT * FROM api_tokens", "SELECT token_hash FROM main.sessions", "SELECT password FROM users", "SELECT * FROM main.users", "SELECT config FROM channels",
		"SELECT secret FROM authenticators", "SELECT public_key FROM project_keys", "SELECT address FROM audit", "SELECT * FROM issue_texts", "SELECT meta FROM payloads",
		"SELECT * FROM main.event_bodies", "SELECT count(*) FROM outbox", "SELECT * FROM issue_texts_data", "UPDATE projects SET name = ''", "SELECT sundew_payload(1, 1, 'x')",
	} {
		for _, by := range []access.Person{viewer, owner} {
			got, err := replica.Ask(t.Context(), by, statement, 0)
			if !errors.Is(err, sandbox.ErrStatement) {
				t.Errorf("%d, %q: %v, %v", by.ID, statement, got.Rows, err)
			}
		}
	}
	if _, err := replica.Ask(t.Context(), viewer, "SELECT email FROM users", 0); !errors.Is(err, sandbox.ErrStatement) {
		t.Errorf("who sees a project only reads users: %v", err)
	}
	ask(t, replica, owner, "SELECT email FROM users")
}

func TestAskIsARead(t *testing.T) {
	db, replica, viewer, _ := asked(t)
	err := replica.Read(t.Context(), func(rx *store.Rx) error {
		_, err := replica.Ask(rx.Context(), viewer, "SELECT 1", 0)
		return err
	})
	if !errors.Is(err, store.ErrNested) {
		t.Errorf("inside of a transaction: %v", err)
	}
	// Two that take long, and the third has to wait until it gives up.
	const forever = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 3)
	for range 3 {
		go func() {
			_, err := replica.Ask(ctx, viewer, forever, 0)
			done <- err
		}()
	}
	if err := <-done; !errors.Is(err, store.ErrAsking) {
		t.Errorf("three at once: %v", err)
	}
	// They hold up nobody who writes.
	if err := db.Write(t.Context(), "test", func(tx *store.Tx) error { _, err := tx.CreateProject("Meanwhile"); return err }); err != nil {
		t.Error(err)
	}
	cancel()
	for range 2 {
		if err := <-done; !errors.Is(err, sandbox.ErrTime) {
			t.Errorf("after the client has gone: %v", err)
		}
	}
	if got := ask(t, replica, viewer, "SELECT 1"); len(got.Rows) != 1 {
		t.Error("nothing can be asked any more")
	}
}

func TestSavedQueries(t *testing.T) {
	db, replica := storetest.Open(t, func() time.Time { return start })
	var ann, bob store.User
	var team store.Team
	write := func(fn func(tx *store.Tx) error) {
		t.Helper()
		if err := db.Write(t.Context(), "test", fn); err != nil {
			t.Fatal(err)
		}
	}
	write(func(tx *store.Tx) (err error) {
		ann, err = tx.CreateUser("ann@example.com", "Ann", "", access.None)
		if err == nil {
			bob, err = tx.CreateUser("bob@example.com", "Bob", "", access.None)
		}
		if err == nil {
			team, err = tx.CreateTeam("Backend")
		}
		return err
	})
	save := func(q store.SavedQuery) {
		t.Helper()
		write(func(tx *store.Tx) error { _, err := tx.SaveQuery(q); return err })
	}
	save(store.SavedQuery{UserID: ann.ID, Name: " own ", Statement: "SELECT 1"})
	save(store.SavedQuery{UserID: ann.ID, Name: "own", Statement: "SELECT 2"}) // in its place
	save(store.SavedQuery{UserID: ann.ID, Name: "Team's", TeamID: team.ID, Statement: "SELECT 3"})
	save(store.SavedQuery{UserID: ann.ID, Name: "all", Everybody: true, Statement: "SELECT 4"})
	names := func(by access.Person) (all []string) {
		t.Helper()
		storetest.MustRead(t, replica, func(rx *store.Rx) error {
			queries, err := rx.SavedQueries(by)
			for _, q := range queries {
				all = append(all, q.Author+": "+q.Name+": "+q.Statement)
			}
			return err
		})
		return all
	}
	inTeam := map[int64]access.Role{team.ID: access.Viewer}
	for _, c := range []struct {
		by   access.Person
		want []string
	}{
		{access.Person{ID: ann.ID, Teams: inTeam}, []string{"Ann: all: SELECT 4", "Ann: own: SELECT 2", "Ann: Team's: SELECT 3"}},
		{access.Person{ID: bob.ID, Teams: inTeam}, []string{"Ann: all: SELECT 4", "Ann: Team's: SELECT 3"}},
		{access.Person{ID: bob.ID}, []string{"Ann: all: SELECT 4"}},
	} {
		if diff := cmp.Diff(c.want, names(c.by)); diff != "" {
			t.Error(diff)
		}
	}
	write(func(tx *store.Tx) error { return tx.DeleteTeam(team.ID) })
	if got := names(access.Person{ID: ann.ID}); len(got) != 3 {
		t.Errorf("without the team Ann has %q", got)
	}
	for _, q := range []store.SavedQuery{{Name: "", Statement: "SELECT 1"}, {Name: "x", Statement: " "}, {Name: "x\ny", Statement: "SELECT 1"}, {Name: "x", Statement: strings.Repeat("x", 20000)}} {
		err := db.Write(t.Context(), "test", func(tx *store.Tx) error { _, err := tx.SaveQuery(q); return err })
		if !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%q: %v", q.Name, err)
		}
	}
}

// TestAskIsCut: a statement must not keep the WAL from being emptied.
func TestAskIsCut(t *testing.T) {
	db, replica := storetest.OpenFile(t, store.Config{Now: func() time.Time { return start }, WALLimit: 16 << 10})
	done := make(chan error, 1)
	asking := make(chan struct{})
	go func() {
		close(asking)
		_, err := replica.Ask(t.Context(), access.Person{Role: access.Owner}, `
			WITH RECURSIVE n(i) AS (SELECT (SELECT count(*) FROM projects) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n`, 0)
		done <- err
	}()
	<-asking
	for i := 0; ; i++ {
		err := db.Write(t.Context(), "test", func(tx *store.Tx) error {
			_, err := tx.CreateProject(fmt.Sprintf("Project %d", i))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-done:
			if !errors.Is(err, store.ErrCut) {
				t.Errorf("the statement ended with %v", err)
			}
			return
		default:
		}
	}
}
