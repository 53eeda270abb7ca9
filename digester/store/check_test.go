package store

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// Whatever is broken in a database, the checker says so: each statement breaks
// one thing.
func TestCheckFinds(t *testing.T) {
	for statement, want := range map[string]string{
		`UPDATE projects SET event_count = event_count + 1`:            "a project's event_count",
		`UPDATE projects SET issue_count = 7`:                          "a project's issue_count",
		`UPDATE issues SET event_count = 1 WHERE id = 1`:               "an issue's event_count",
		`UPDATE events SET number = 9 WHERE id = 2`:                    "has a number beyond it",
		`UPDATE issues SET last_seen = last_seen + 1`:                  "first and last seen",
		`UPDATE issues SET seen_step = 5`:                              "sort keys",
		`UPDATE issues SET count_step = 5`:                             "sort keys",
		`UPDATE issues SET state = 1`:                                  "resolved if and only if",
		`UPDATE events SET project_id = 2 WHERE id = 1`:                "belong to the same project",
		`DELETE FROM event_bodies WHERE event_id = 1`:                  "exactly one body",
		`DELETE FROM groupings`:                                        "has a grouping",
		`UPDATE issue_hours SET count = 7`:                             "hours sum up",
		`UPDATE issue_tags SET count = 7`:                              "tag value",
		`UPDATE release_counts SET event_count = 7`:                    "by release and environment",
		`UPDATE release_counts SET evicted = 1`:                        "by release and environment",
		`UPDATE release_counts SET event_count = 7, evicted = 4`:       "sum up to those of the project",
		`DELETE FROM releases`:                                         "a release is there",
		`UPDATE releases SET new_issues = 0`:                           "made no fewer issues",
		`UPDATE projects SET evicted_events = 1`:                       "a project's event_count",
		`UPDATE projects SET evicted_issues = 1`:                       "a project's issue_count",
		`UPDATE issues SET evicted_events = 1`:                         "an issue's event_count",
		`UPDATE issues SET resolve_release = 'x'`:                      "resolved if and only if",
		`UPDATE issues SET state = 2`:                                  "muted if and only if",
		`UPDATE issues SET mute_kind = 2`:                              "muted if and only if",
		`UPDATE issues SET state = 4`:                                  "merged or deleted if and only if",
		`UPDATE issues SET state = 3, aside_state = 0, aside_at = 0`:   "merged or deleted if and only if",
		`UPDATE issues SET merged_into = id`:                           "and no member",
		`UPDATE issues SET merged_events = 1`:                          "sums of theirs",
		`UPDATE issues SET state = 4, aside_state = 0, aside_at = 0`:   "have no groupings",
		`UPDATE issues SET user_count = 2`:                             "as many as it says",
		`INSERT INTO issue_users VALUES (1, 0, x'00')`:                 "as many as it says",
		`INSERT INTO issue_sketches VALUES (1, 0, x'00')`:              "says no more than",
		`UPDATE issues SET whole_users = 1`:                            "users of a head",
		`INSERT INTO issue_users VALUES (1, 1, x'00')`:                 "no users or sketch of the whole",
		`UPDATE events SET user = ''`:                                  "no fewer users in its events",
		`UPDATE outcomes SET quantity = 7 WHERE outcome = 'stored'`:    "the books of a project",
		`UPDATE outcomes SET quantity = 7 WHERE outcome = 'duplicate'`: "sums of their hours",
		`DELETE FROM outcome_totals`:                                   "sums of their hours",
		`DELETE FROM attachment_parts`:                                 "all its parts",
		`UPDATE projects SET attachment_bytes = 1`:                     "a project's attachment_bytes",
		`UPDATE projects SET attachments_evicted = 1`:                  "every stored attachment",
		`DELETE FROM feedback`:                                         "all stored feedback",
		`UPDATE edge_lanes SET high = high + 1`:                        "the ledger and the books agree",
		`INSERT INTO edge_gaps VALUES (1, 3, 9, 0)`:                    "a gap of the ledger",
		`UPDATE history SET event_id = 77`:                             "refers to a missing one",
	} {
		t.Run(statement, func(t *testing.T) {
			db, replica := openDigested(t)
			if problems, err := replica.Check(t.Context()); err != nil || len(problems) > 0 {
				t.Fatalf("before: %v, %v", problems, err)
			}
			// A foreign key is switched off, as by a careless hand in a shell.
			if err := db.writer.once(t.Context(), "PRAGMA foreign_keys = 0"); err != nil {
				t.Fatal(err)
			}
			if err := db.writer.once(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
			problems, err := replica.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range problems {
				if strings.Contains(p.Invariant, want) {
					return
				}
			}
			t.Errorf("%s: found %v", statement, problems)
		})
	}
}

// openDigested returns a database with two projects, and in the first an issue
// of three events and a duplicate.
func openDigested(t *testing.T) (*DB, *Replica) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sundew.db")
	db, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	replica, err := OpenReplica(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := replica.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	for _, name := range []string{"Shop", "Worker"} {
		err := db.Write(t.Context(), "test", func(tx *Tx) error {
			_, err := tx.CreateProject(name)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	at := time.UnixMilli(1_795_000_000_000).UTC()
	for i, id := range []byte{1, 2, 3, 3} {
		_, err := db.Digest(t.Context(), &Incoming{
			Instance: wire.InstanceID{1}, Seq: uint64(i + 1), Project: 1, EventID: event.ID{id}, ReceivedAt: at, Category: "error",
			OccurredAt: at, Level: event.LevelError, Title: "it broke", User: "ann", Release: "1.0", Environment: "production",
			Tags: []event.Pair{{Key: "level", Value: "error"}}, Group: [16]byte{1}, GroupRules: 1, Kind: wire.KindEvent, Meta: []byte(`{}`), Body: []byte(`{}`),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, in := range []*Incoming{
		{Category: CategoryAttachment, EventID: event.ID{1}, Attachment: &Attachment{Name: "log.txt", Size: 3}, Body: []byte("log")},
		{Category: CategoryFeedback, EventID: event.ID{4}, Feedback: &Feedback{FeedbackID: event.ID{4}}},
	} {
		in.Instance, in.Seq, in.Project, in.ReceivedAt = wire.InstanceID{1}, uint64(i+5), 1, at
		if result, err := db.Digest(t.Context(), in); err != nil || result != Stored {
			t.Fatal(result, err)
		}
	}
	return db, replica
}
