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
	Key        string // the client's, if the edge could not judge it; otherwise empty
	Category   string // of the books: one of the Category constants

	// IsCounts says that the message is none of an event but brings Counts; then
	// only what is above is read of the rest.
	IsCounts bool
	Counts   []wire.Count

	// Attachment and Feedback, if not nil, are what the message brings in place of an
	// event; EventID is the one that the attachment belongs to. Of the rest only what
	// is above is read, and of an attachment Encoding and Body.
	Attachment *Attachment
	Feedback   *Feedback

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

	// SpikeAfter is how many events of one issue are all stored that were accepted in
	// one minute; of those beyond it only a sample is (quota.Keeps), and the others are
	// counted. 0: all are stored.
	SpikeAfter int64

	// Quiet says that people know of the event from elsewhere: it brings no issue back,
	// and nobody is told of it.
	Quiet bool

	// Of the body.
	Kind     wire.Kind
	Encoding wire.Encoding
	Meta     []byte // EventMeta as JSON
	Body     []byte

	// Symbols is what source maps say of the event's frames, compressed as
	// SymbolsEncoding says; nil: nothing. SymbolsDue: they could not be asked, so that
	// somebody does later.
	Symbols         []byte
	SymbolsEncoding wire.Encoding
	SymbolsDue      bool
}

// isEvent reports whether there is an event to store.
func (in *Incoming) isEvent() bool {
	return !in.IsCounts && in.Drop == "" && in.Attachment == nil && in.Feedback == nil
}

// isAside reports whether there is an attachment or feedback to store.
func (in *Incoming) isAside() bool {
	return in.Drop == "" && (in.Attachment != nil || in.Feedback != nil)
}

// Categories of the books: the protocol's. Of the last two what is stored is no event.
const (
	CategoryError      = "error"
	CategorySecurity   = "security"
	CategoryAttachment = "attachment"
	CategoryFeedback   = "feedback"
)

// Result is what became of a message.
type Result int

// The results. Each of the first three is counted once for a message, however
// often it is delivered; Redelivered changes nothing but a counter of its own.
const (
	Stored      Result = iota + 1
	Duplicate          // the project had an event of that id already, that attachment or that feedback
	Dropped            // see Incoming.Drop and the store's own reasons
	Redelivered        // this very message was decided before
)

// Drop reasons of the store's own.
const (
	DropUnknownProject = "unknown_project"
	DropUnknownKey     = "unknown_key"  // the edge could not judge it, and it is not one of the project's
	DropDisabledKey    = "disabled_key" // likewise, and it is switched off

	// DropAttachmentRoom says that attachments come faster than old ones are removed.
	DropAttachmentRoom = "attachments_full"
)

// Outcome is what became of a message, or why nothing did.
type Outcome struct {
	Result Result
	Err    error // the database is unchanged, unless KindOf says that nobody knows
}

// Digest commits one message in one BEGIN IMMEDIATE transaction: the event, its
// issue, every counter, tag, release and the books, all or none; or the counts.
// After Digest the transaction is committed; after the next Barrier it is on disk,
// and only then may the message be deleted from its queue.
//
// The transaction assumes what is nearly always so: the message is new, its
// event too, the issue is as this process left it. Where the database contradicts,
// everything is rolled back and run again from what is read in the transaction.
// Errors other than busy ones are returned with the database unchanged.
func (d *DB) Digest(ctx context.Context, in *Incoming) (Result, error) {
	outcomes := d.DigestBatch(ctx, []*Incoming{in})
	return outcomes[0].Result, outcomes[0].Err
}

// DigestBatch commits messages, each in a transaction of its own, and returns an
// outcome for each; those that are over a quota together in one. An error that Holds is about the database: the messages behind
// it have it too, without having been tried, unless they are decided. To a libSQL
// server several transactions go at once: see remotedigest.go.
func (d *DB) DigestBatch(ctx context.Context, ins []*Incoming) []Outcome {
	if places, over := sift(ins); len(over) > 0 {
		return d.digestSifted(ctx, ins, places, over)
	}
	outcomes := make([]Outcome, len(ins))
	if d.remote != nil {
		d.digestRemote(ctx, ins, outcomes)
		return outcomes
	}
	for i, in := range ins {
		if outcomes[i] = d.digest(ctx, in); Stops(outcomes[i].Err) {
			for j := range outcomes[i+1:] {
				outcomes[i+1+j].Err = outcomes[i].Err
			}
			break
		}
	}
	return outcomes
}

// digest decides one message, reading in its transaction what is not remembered.
func (d *DB) digest(ctx context.Context, in *Incoming) (o Outcome) {
	o.Err = d.exclusively(ctx, "digest", func() (err error) {
		o.Result, err = d.try(ctx, in, false)
		if errors.Is(err, errStale) {
			d.cache.forget(in)
			o.Result, err = d.try(ctx, in, true)
		}
		if errors.Is(err, errStale) {
			// Not wrapped: what contradicts is about this message.
			err = fmt.Errorf("digesting event %s of project %d: the database contradicts itself; run check: %v", in.EventID, in.Project, err)
			d.cache.forget(in)
		}
		return err
	})
	return o
}

// try runs a message's plan in one transaction. With careful it looks for the
// event before it makes anything of it. The caller has the turn.
func (d *DB) try(ctx context.Context, in *Incoming, careful bool) (Result, error) {
	p := plan{cache: d.cache, in: in}
	err := d.writeLocked(ctx, func(tx *Tx) error {
		d.cache.begin(1)
		if err := d.cache.lookUp(tx.Now, careful, []*Incoming{in}, tx.ask); err != nil {
			return err
		}
		if in.Key != "" {
			var err error
			if p.refused, err = tx.refusedKey(in.Project, in.Key); err != nil {
				return err
			}
		}
		if careful {
			var err error
			if p.duplicate, err = tx.has(in); err != nil {
				return err
			}
		}
		p.to, p.now = immediate{tx}, ms(tx.now)
		return p.run()
	})
	if err != nil {
		return 0, err
	}
	p.apply()
	p.committed()
	return p.result, nil
}

// has reports whether what a message brings is stored: the client sent it twice.
func (tx *Tx) has(in *Incoming) (bool, error) {
	query, args := `SELECT count(*) FROM events WHERE event_id = ? AND project_id = ?`, []any{in.EventID[:], int64(in.Project)}
	switch {
	case in.isEvent():
	case !in.isAside():
		return false, nil
	case in.Attachment != nil:
		query = `SELECT count(*) FROM attachments WHERE event_id = ? AND project_id = ? AND name = ? AND sha256 = ?`
		args = append(args, in.Attachment.Name, in.Attachment.SHA256[:])
	case in.Feedback != nil:
		query = `SELECT count(*) FROM feedback WHERE feedback_id = ? AND project_id = ?`
		args[0] = in.Feedback.FeedbackID[:]
	}
	var n int
	err := tx.q.QueryRowContext(tx.ctx, query, args...).Scan(&n)
	return n > 0, err
}
