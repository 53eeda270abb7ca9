package store

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What an issue says of its ends is worked out again where an end left, and not, by
// reading each of its events, where something between left; users leave with their last
// event.
func TestRenew(t *testing.T) {
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "sundew.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	type says struct {
		FirstSeen, LastSeen       int64
		FirstRelease, LastRelease string
		Users                     int64
	}
	middle := says{10, 90, "first", "last", 3}
	for name, test := range map[string]struct {
		moved movedRow
		want  says
	}{
		"between":           {movedRow{occurredAt: 50, release: "other", user: "ann"}, middle},
		"the first":         {movedRow{occurredAt: 10, user: "ann"}, says{20, 90, "first", "last", 3}},
		"the last":          {movedRow{occurredAt: 90, user: "ann"}, says{10, 80, "first", "last", 3}},
		"the first release": {movedRow{occurredAt: 50, release: "first"}, says{10, 90, "2", "last", 3}},
		"the last release":  {movedRow{occurredAt: 50, release: "last"}, says{10, 90, "first", "3", 3}},
		"a user's only one": {movedRow{occurredAt: 50, user: "gone"}, says{10, 90, "first", "last", 2}},
		"nobody's":          {movedRow{occurredAt: 50}, middle},
	} {
		t.Run(name, func(t *testing.T) {
			undo := errors.New("undo")
			err := db.Write(t.Context(), "test", func(tx *Tx) error {
				p, err := tx.CreateProject("Shop")
				if err != nil {
					return err
				}
				// The ends are of events that are not there, so that it shows whether they
				// are worked out.
				if _, err := tx.exec(`
					INSERT INTO issues (id, project_id, number, level, title, culprit, platform, first_seen, last_seen, seen_step, count_step,
					  event_count, first_release, last_release, user_count)
					VALUES (1, ?, 1, 4, '', '', '', 10, 90, 0, 0, 4, 'first', 'last', 3)`, int64(p.ID)); err != nil {
					return err
				}
				if _, err := tx.exec(`
					WITH e (n, at, release, user) AS (VALUES (1, 80, '', 'ann'), (2, 20, '2', 'bob'), (3, 40, '3', 'ann'), (4, 30, '', ''))
					INSERT INTO events (project_id, issue_id, event_id, number, occurred_at, received_at, digested_at, level, title, release, environment, user)
					SELECT ?, 1, CAST(n AS BLOB), n, at, 0, 0, 4, '', release, '', user FROM e`, int64(p.ID)); err != nil {
					return err
				}
				if err := tx.addUsers(1, []movingEvent{{row: movedRow{user: "ann"}}, {row: movedRow{user: "bob"}}, {row: movedRow{user: "gone"}}}); err != nil {
					return err
				}
				if err := tx.renew(1, []movingEvent{{row: test.moved}, {row: movedRow{occurredAt: 50, user: "bob"}}}); err != nil {
					return err
				}
				var got says
				if err := tx.q.QueryRowContext(tx.ctx, `
					SELECT first_seen, last_seen, first_release, last_release, user_count FROM issues WHERE id = 1 AND user_count = (SELECT count(*) FROM issue_users)`).
					Scan(&got.FirstSeen, &got.LastSeen, &got.FirstRelease, &got.LastRelease, &got.Users); err != nil {
					return err
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Error(diff)
				}
				return undo
			})
			if !errors.Is(err, undo) {
				t.Fatal(err)
			}
		})
	}
}
