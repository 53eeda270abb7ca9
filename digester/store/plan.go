package store

import (
	"errors"
	"fmt"
)

// errStale says that something was not as a plan took it for granted. It never
// leaves this package: the plan is made again, from what is looked up anew.
var errStale = errors.New("the database is not as remembered")

// executor takes the statements of a plan: to run them at once, or to send them
// all together. Where a statement fails the transaction is over.
type executor interface {
	exec(query string, args ...any) error
	// assert is exec of a statement that asserts something: a violated constraint
	// is errStale.
	assert(query string, args ...any) error
	// one is exec of a statement that has to change exactly one row, errStale if it
	// does not. Over the network it costs more than assert.
	one(query string, args ...any) error
}

// immediate runs statements at once.
type immediate struct{ tx *Tx }

func (e immediate) exec(query string, args ...any) error {
	_, err := e.tx.w.exec(e.tx.ctx, query, args...)
	return err
}

func (e immediate) assert(query string, args ...any) error {
	err := e.exec(query, args...)
	if err != nil && KindOf(err) == KindConstraint {
		return fmt.Errorf("%w: %w", errStale, err)
	}
	return err
}

func (e immediate) one(query string, args ...any) error {
	n, err := e.tx.exec(query, args...)
	if err == nil && n != 1 {
		return errStale
	}
	return err
}

// plan is one message's transaction: statements that read nothing, made from what
// the cache knows. Order matters in two places: the ledger comes first, so that a
// redelivery ends at once; and what can fail comes before what is many.
//
// Whatever a plan takes for granted its statements assert, mostly by a CASE
// without ELSE in a NOT NULL column, which costs nothing and fails as a
// constraint. So plans for several messages can be made before the first is
// committed: should one fail, those that build on it do too, and the others do
// not.
type plan struct {
	to        executor
	cache     *digestCache
	in        *Incoming
	now       int64  // ms
	refused   string // why the client's key may not report, a reason to drop; empty: it may
	duplicate bool   // the event is stored already
	behind    int64  // how many messages with the next numbers enter the ledger with this one

	// What is so once the plan is committed.
	result   Result
	ids      lastIDs
	lane     laneState
	gaps     []gap // those of the lane, if they changed
	issue    issueState
	head     issueState // of the issue, if it has one
	hasIssue bool
	newIssue bool
	turned   turn  // what the event did to the issue
	counted  int64 // 1: the event is counted only, and not stored
	spike    spike // of the issue
	charged  int64 // bytes by which the project's attachments grew
}

func (p *plan) run() error {
	p.ids = p.cache.ids
	fresh, err := p.enterLedger()
	if err != nil {
		return err
	}
	switch in := p.in; {
	case !fresh:
		p.result = Redelivered
		return nil
	case p.refused != "":
		return p.drop(p.refused, "the edge could not judge the key when it accepted this")
	case in.IsCounts:
		return p.count()
	case in.Drop != "":
		return p.drop(in.Drop, in.Detail)
	case p.duplicate:
		p.result = Duplicate
		return p.outcome(outcomeDuplicate, "")
	}
	if p.in.isAside() {
		return p.storeAside()
	}
	old := p.cache.issueOf(p.in)
	if _, missing := p.cache.missing[p.in.Project]; missing && old == nil {
		return p.dropUnknownProject()
	}
	return p.store(old)
}

func (p *plan) dropUnknownProject() error {
	return p.drop(DropUnknownProject, fmt.Sprintf("project %d does not exist", p.in.Project))
}

// apply lets the cache know what the plan changed.
func (p *plan) apply() {
	c, key := p.cache, laneKey{p.in.Instance, p.in.Project}
	c.ids = p.ids
	keep(c.lanes, key, p.lane)
	if p.gaps != nil {
		c.gaps[key] = p.gaps
	}
	if p.hasIssue {
		c.groups[groupKey{p.in.Project, p.in.Group}] = p.issue.id
		keep(c.issues, p.issue.id, p.issue)
		if p.in.SpikeAfter > 0 {
			c.spikes[p.issue.id] = p.spike
		}
		if p.issue.head != 0 {
			keep(c.issues, p.head.id, p.head)
		}
	}
	if p.newIssue {
		c.projects[p.in.Project].issues++
	}
	if p.charged > 0 {
		c.projects[p.in.Project].attachmentBytes += p.charged
	}
}

// committed is apply of what no later plan asserts: only what is in the database
// for certain may be relied upon so.
func (p *plan) committed() {
	if p.hasIssue && p.in.Release != "" {
		p.cache.releases[releaseKey{p.in.Project, p.in.Release}] = struct{}{}
	}
}

// store is the rest of the plan for an event that is stored; old is its issue, nil
// if there is none.
func (p *plan) store(old *issueState) error {
	p.result, p.hasIssue = Stored, true
	if err := p.noteRelease(); err != nil {
		return err
	}
	var err error
	if old == nil {
		err = p.insertIssue()
	} else {
		err = p.updateIssue(old)
	}
	if err != nil {
		return err
	}
	if p.counted = p.spare(); p.counted > 0 {
		err = p.countOnly()
	} else {
		err = p.keep()
	}
	if err != nil {
		return err
	}
	if err := p.countAround(); err != nil {
		return err
	}
	if p.counted > 0 {
		return p.outcome(outcomeStored, reasonCounted)
	}
	return p.outcome(outcomeStored, "")
}

// keep stores the event itself.
func (p *plan) keep() error {
	if err := p.insertEvent(); err != nil {
		return err
	}
	if err := p.noteText(); err != nil {
		return err
	}
	return p.noteHistory()
}

// insertEvent relies on UNIQUE to tell an event that is stored already.
func (p *plan) insertEvent() error {
	in := p.in
	p.ids.event++
	if err := p.to.assert(`
		INSERT INTO events (id, project_id, issue_id, event_id, number, occurred_at, received_at, digested_at,
		                    level, title, release, environment, user)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		p.ids.event, int64(in.Project), p.issue.id, in.EventID[:], p.issue.events+p.issue.moved, ms(in.OccurredAt), ms(in.ReceivedAt), p.now,
		int64(in.Level), in.Title, in.Release, in.Environment, in.User); err != nil {
		return err
	}
	if err := p.to.exec(`INSERT INTO event_bodies (event_id, kind, encoding, meta, body) VALUES (?, ?, ?, ?, ?)`,
		p.ids.event, int64(in.Kind), int64(in.Encoding), string(in.Meta), in.Body); err != nil {
		return err
	}
	return p.noteSymbols()
}

// noteHistory records what the event did to its issue, if anything, for the history
// and for rules.
func (p *plan) noteHistory() error {
	if p.newIssue {
		p.turned.kind = HistoryCreated
	}
	if p.turned.kind == "" {
		return nil
	}
	if err := p.to.exec(insertHistory, p.whole().id, p.now, p.turned.kind, p.ids.event, nil, p.turned.detail); err != nil {
		return err
	}
	if p.in.Quiet {
		return nil
	}
	return p.noteAlert()
}

// countAround moves every counter that is not the issue's or the project's own.
func (p *plan) countAround() error {
	in, at := p.in, ms(p.in.OccurredAt)
	// An event that is only counted has no row of its own that would tell that the issue
	// is gone meanwhile.
	if err := p.to.assert(`
		INSERT INTO issue_hours (issue_id, hour, count) VALUES (?, ?, 1)
		ON CONFLICT DO UPDATE SET count = count + 1`,
		p.issue.id, hourOf(in.OccurredAt)); err != nil {
		return err
	}
	if err := p.to.exec(`
		INSERT INTO release_counts (project_id, release, environment, first_seen, last_seen, event_count, evicted) VALUES (?1, ?2, ?3, ?4, ?4, 1, ?5)
		ON CONFLICT DO UPDATE SET event_count = event_count + 1, evicted = evicted + ?5,
		  first_seen = min(first_seen, ?4), last_seen = max(last_seen, ?4)`,
		int64(in.Project), in.Release, in.Environment, at, p.counted); err != nil {
		return err
	}
	return p.countTags(at)
}

// drop is the rest of the plan for a message that will never be an event.
func (p *plan) drop(reason, detail string) error {
	p.result = Dropped
	if err := p.recordReject(reason, detail); err != nil {
		return err
	}
	return p.outcome(outcomeDropped, reason)
}
