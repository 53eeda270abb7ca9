package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// Incoming is one queue message, prepared: everything that could be decided
// outside the transaction is decided.
type Incoming struct {
	// From the message.
	Instance   wire.InstanceID
	Seq        uint64
	Region     string
	Project    event.ProjectID
	EventID    event.ID
	ReceivedAt time.Time
	Category   string // of the books: "error" or "security"

	// Drop, if not empty, is why the message is not an event to be stored: a
	// short word for the books. Detail says more, for people.
	Drop   string
	Detail string

	// Of the event.
	OccurredAt  time.Time
	Level       event.Level
	Platform    string
	Title       string
	Culprit     string
	Release     string
	Environment string
	User        string
	Tags        []event.Pair // unique keys
	Group       [16]byte
	GroupRules  int // version of the rules that made Group

	// Of the body.
	Kind     wire.Kind
	Encoding wire.Encoding
	Meta     []byte // EventMeta as JSON
	Body     []byte
}

// Result is what became of a message.
type Result int

// The results. Each of the first three is counted once for a message, however
// often it is delivered; Redelivered changes nothing but a counter of its own.
const (
	Stored      Result = iota + 1
	Duplicate          // the project had an event of that id already
	Dropped            // see Incoming.Drop
	Redelivered        // this very message was decided before
)

// Assumptions of a digest that turned out to be wrong. They never leave this
// package: each leads to another way through the transaction.
var (
	errDuplicate      = errors.New("the event is stored already")
	errUnknownProject = errors.New("the project does not exist")
	errStaleIssue     = errors.New("the issue is not as remembered")
)

// Drop reasons of the store's own.
const DropUnknownProject = "unknown_project"

// Digest commits one message in one BEGIN IMMEDIATE transaction: the event, its
// issue, every counter, tag, release and the books, all or none. After Digest
// the transaction is committed; after the next Barrier it is on disk, and only
// then may the message be deleted from its queue.
//
// The transaction assumes what is nearly always so: the message is new, its
// event too, the project exists, the issue is as this process left it. Where
// the database contradicts, everything is rolled back and run again without
// that assumption. Errors other than busy ones are returned with the database
// unchanged.
func (d *DB) Digest(ctx context.Context, in *Incoming) (Result, error) {
	var result Result
	err := d.exclusively(ctx, "digest", func() error {
		if in.Drop != "" {
			return d.writeLocked(ctx, func(tx *Tx) error { return tx.digestDropped(d.cache, in, in.Drop, in.Detail, &result) })
		}
		err := d.writeLocked(ctx, func(tx *Tx) error { return tx.digestEvent(d.cache, in, &result) })
		if errors.Is(err, errStaleIssue) {
			d.cache.forgetIssue(in)
			err = d.writeLocked(ctx, func(tx *Tx) error { return tx.digestEvent(d.cache, in, &result) })
		}
		switch {
		case errors.Is(err, errDuplicate):
			return d.writeLocked(ctx, func(tx *Tx) error { return tx.digestDuplicate(d.cache, in, &result) })
		case errors.Is(err, errUnknownProject):
			return d.writeLocked(ctx, func(tx *Tx) error {
				return tx.digestDropped(d.cache, in, DropUnknownProject, fmt.Sprintf("project %d does not exist", in.Project), &result)
			})
		}
		return err
	})
	return result, err
}

// digestEvent is the transaction of an event that is stored. Order matters in
// two places: the ledger comes first, so that a redelivery ends at once; and
// what can fail comes before what is many.
func (tx *Tx) digestEvent(cache *digestCache, in *Incoming, result *Result) error {
	fresh, err := tx.enterLedger(cache, in)
	if err != nil {
		return err
	}
	if !fresh {
		*result = Redelivered
		return nil
	}
	changed, err := tx.exec(`UPDATE projects SET event_count = event_count + 1, last_event_at = ? WHERE id = ?`, ms(tx.now), int64(in.Project))
	if err != nil {
		return err
	}
	if changed == 0 {
		return errUnknownProject
	}
	issue, err := tx.countInIssue(cache, in)
	if err != nil {
		return err
	}
	id, err := tx.insertEvent(in, issue)
	if err != nil {
		return err
	}
	if err := tx.noteHistory(in, issue, id); err != nil {
		return err
	}
	if err := tx.countAround(in, issue.id); err != nil {
		return err
	}
	*result = Stored
	return nil
}

func (tx *Tx) insertEvent(in *Incoming, issue *issueState) (int64, error) {
	id, err := tx.insert(`
		INSERT INTO events (project_id, issue_id, event_id, number, occurred_at, received_at, digested_at,
		                    level, title, release, environment, user)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		int64(in.Project), issue.id, in.EventID[:], issue.events, ms(in.OccurredAt), ms(in.ReceivedAt), ms(tx.now),
		int64(in.Level), in.Title, in.Release, in.Environment, in.User)
	if isUnique(err) {
		return 0, errDuplicate
	}
	if err != nil {
		return 0, err
	}
	_, err = tx.exec(`INSERT INTO event_bodies (event_id, kind, encoding, meta, body) VALUES (?, ?, ?, ?, ?)`,
		id, int64(in.Kind), int64(in.Encoding), string(in.Meta), in.Body)
	return id, err
}

// countAround moves every counter that is not the issue's or the project's own.
func (tx *Tx) countAround(in *Incoming, issue int64) error {
	at := ms(in.OccurredAt)
	if _, err := tx.exec(`
		INSERT INTO issue_hours (issue_id, hour, count) VALUES (?, ?, 1)
		ON CONFLICT DO UPDATE SET count = count + 1`,
		issue, hourOf(in.OccurredAt)); err != nil {
		return err
	}
	if in.Release != "" {
		if _, err := tx.exec(`
			INSERT INTO releases (project_id, version, first_seen, last_seen, event_count) VALUES (?1, ?2, ?3, ?3, 1)
			ON CONFLICT (project_id, version) DO UPDATE SET event_count = event_count + 1,
			  first_seen = min(first_seen, ?3), last_seen = max(last_seen, ?3)`,
			int64(in.Project), in.Release, at); err != nil {
			return err
		}
	}
	if in.Environment != "" {
		if _, err := tx.exec(`
			INSERT INTO environments (project_id, name, first_seen, last_seen, event_count) VALUES (?1, ?2, ?3, ?3, 1)
			ON CONFLICT DO UPDATE SET event_count = event_count + 1,
			  first_seen = min(first_seen, ?3), last_seen = max(last_seen, ?3)`,
			int64(in.Project), in.Environment, at); err != nil {
			return err
		}
	}
	if err := tx.countTags(issue, at, in.Tags); err != nil {
		return err
	}
	return tx.countOutcome(int64(in.Project), hourOf(in.ReceivedAt), in.Category, outcomeStored, "", 1)
}

// digestDuplicate is the transaction of a message whose event is stored already,
// brought by another message: the client sent it twice.
func (tx *Tx) digestDuplicate(cache *digestCache, in *Incoming, result *Result) error {
	var there int
	err := tx.q.QueryRowContext(tx.ctx, `SELECT count(*) FROM events WHERE event_id = ? AND project_id = ?`, in.EventID[:], int64(in.Project)).Scan(&there)
	if err != nil {
		return err
	}
	if there == 0 { // some other uniqueness was violated: a counter of ours is wrong
		return fmt.Errorf("digesting event %s of project %d: the issue's event numbers are inconsistent; run check", in.EventID, in.Project)
	}
	fresh, err := tx.enterLedger(cache, in)
	if err != nil {
		return err
	}
	if !fresh {
		*result = Redelivered
		return nil
	}
	*result = Duplicate
	return tx.countOutcome(int64(in.Project), hourOf(in.ReceivedAt), in.Category, outcomeDuplicate, "", 1)
}

// digestDropped is the transaction of a message that will never be an event.
func (tx *Tx) digestDropped(cache *digestCache, in *Incoming, reason, detail string, result *Result) error {
	fresh, err := tx.enterLedger(cache, in)
	if err != nil {
		return err
	}
	if !fresh {
		*result = Redelivered
		return nil
	}
	*result = Dropped
	if err := tx.recordReject(in, reason, detail); err != nil {
		return err
	}
	return tx.countOutcome(int64(in.Project), hourOf(in.ReceivedAt), in.Category, outcomeDropped, reason, 1)
}
