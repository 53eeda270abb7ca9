package store

import (
	"math"
	"time"

	"sundew/digester/triage"
)

// turn is what an event did to the state of its issue, for the history.
type turn struct {
	kind   string // empty: nothing
	detail string
}

// whole is the issue that people see of the event's: itself or its head.
func (p *plan) whole() *issueState {
	if p.issue.head != 0 {
		return &p.head
	}
	return &p.issue
}

// insertIssue makes the event's issue, with the event in it and in its project.
func (p *plan) insertIssue() error {
	in, at := p.in, ms(p.in.OccurredAt)
	number := p.cache.projects[in.Project].issues + 1
	p.newIssue = true
	p.ids.issue++
	p.issue = issueState{
		id: p.ids.issue, events: 1, firstSeen: at, lastSeen: at, seenStep: at / seenStepMS, countStep: countStep(1),
		mergedFirstSeen: math.MaxInt64, recent: -1,
	}
	if err := p.to.assert(`
		UPDATE projects SET event_count = event_count + 1, last_event_at = ?,
		  issue_count = CASE WHEN issue_count = ? AND deleted_at IS NULL THEN ? END
		WHERE id = ?`, p.now, number-1, number, int64(in.Project)); err != nil {
		return err
	}
	users := int64(0)
	if in.User != "" {
		users = 1
	}
	if err := p.to.assert(`
		INSERT INTO issues (id, project_id, number, level, title, culprit, platform, event_count, first_seen, last_seen, seen_step, count_step,
		                    first_release, last_release, user_count)
		VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)`,
		p.issue.id, int64(in.Project), number, int64(in.Level), in.Title, in.Culprit, in.Platform, at, at, p.issue.seenStep, p.issue.countStep,
		in.Release, in.Release, users); err != nil {
		return err
	}
	if in.Release != "" {
		if err := p.to.exec(`UPDATE releases SET new_issues = new_issues + 1 WHERE project_id = ? AND version = ?`, int64(in.Project), in.Release); err != nil {
			return err
		}
	}
	if _, err := p.addUser(&p.issue.users, p.issue.id, 0); err != nil {
		return err
	}
	return p.to.assert(`INSERT INTO groupings (project_id, key_hash, version, issue_id, created_at) VALUES (?, ?, ?, ?, ?)`,
		int64(in.Project), in.Group[:], int64(in.GroupRules), p.issue.id, p.now)
}

// updateIssue adds one event to an issue, asserting that it is as remembered, to
// its head, and to its project, which an issue cannot be without.
func (p *plan) updateIssue(old *issueState) error {
	in, at := p.in, ms(p.in.OccurredAt)
	if err := p.to.assert(`UPDATE projects SET event_count = CASE WHEN deleted_at IS NULL THEN event_count + 1 END, last_event_at = ? WHERE id = ?`,
		p.now, int64(in.Project)); err != nil {
		return err
	}
	p.issue = *old
	s := &p.issue
	s.events++
	s.firstSeen, s.lastSeen = min(s.firstSeen, at), max(s.lastSeen, at)
	users, err := p.addUser(&s.users, s.id, 0)
	if err != nil {
		return err
	}
	if err := p.to.assert(`
		UPDATE issues SET event_count = CASE WHEN event_count = ? AND merged_events = ? AND revision = ? THEN ? END,
		  user_count = max(user_count + changes() * ?, ?), first_seen = ?, last_seen = ?, level = ?, title = ?, culprit = ?,
		  first_release = iif(first_release = '', ?, first_release), last_release = iif(? = '', last_release, ?)
		WHERE id = ?`,
		old.events, old.merged, old.revision, s.events, users.inserted, users.known, s.firstSeen, s.lastSeen, int64(in.Level), in.Title, in.Culprit,
		in.Release, in.Release, in.Release, s.id); err != nil {
		return err
	}
	if s.head != 0 {
		if err := p.moveInLists(old, s); err != nil {
			return err
		}
		if old = p.cache.wholeOf(old); old == nil {
			return errStale
		}
		if err := p.countMember(old); err != nil {
			return err
		}
	} else if s.hasMembers {
		if err := p.countWholeUsers(); err != nil {
			return err
		}
	}
	whole := p.whole()
	p.decide(whole)
	if err := p.moveInLists(old, whole); err != nil {
		return err
	}
	if whole.state != old.state {
		return p.to.exec(`UPDATE issues SET `+undecided+` WHERE id = ?`, whole.id)
	}
	return nil
}

// countMember adds the event to the head of its issue.
func (p *plan) countMember(old *issueState) error {
	p.head = *old
	h, at := &p.head, ms(p.in.OccurredAt)
	h.merged++
	h.mergedFirstSeen, h.mergedLastSeen = min(h.mergedFirstSeen, at), max(h.mergedLastSeen, at)
	users, err := p.addUser(&h.wholeUsers, h.id, 1)
	if err != nil {
		return err
	}
	return p.to.assert(`
		UPDATE issues SET merged_events = CASE WHEN merged_events = ? AND event_count = ? AND revision = ? THEN ? END,
		  merged_first_seen = ?, merged_last_seen = ?, whole_users = max(whole_users + changes() * ?, ?)
		WHERE id = ?`,
		old.merged, old.events, old.revision, h.merged, h.mergedFirstSeen, h.mergedLastSeen, users.inserted, users.known, h.id)
}

// countWholeUsers adds the user of a head's own event to those of the whole.
func (p *plan) countWholeUsers() error {
	if p.in.User == "" {
		return nil
	}
	users, err := p.addUser(&p.issue.wholeUsers, p.issue.id, 1)
	if err != nil {
		return err
	}
	return p.to.exec(`UPDATE issues SET whole_users = max(whole_users + changes() * ?, ?) WHERE id = ?`, users.inserted, users.known, p.issue.id)
}

// undecided sets an issue to open, as if nobody had decided anything about it.
const (
	undecided  = `state = 0, ` + unresolved + `, ` + unmuted
	unresolved = `resolved_at = NULL, resolve_kind = 0, resolve_release = ''`
	unmuted    = `mute_kind = 0, mute_until = NULL, mute_events = 0, mute_period = 0`
)

// decide says whether the event brings its issue back, after it is counted.
func (p *plan) decide(s *issueState) {
	in := p.in
	if in.Quiet {
		return
	}
	switch s.state {
	case StateResolved:
		if !s.resolution.Regresses(in.Release, p.cache.orders[orderKey{s.id, in.Release, in.Environment}]) {
			return
		}
		p.turned.kind = HistoryRegressed
	case StateMuted:
		recent := s.recent + s.total() - s.recentAt
		if !s.mute.Over(time.UnixMilli(p.now), s.total(), recent) {
			return
		}
		p.turned = turn{HistoryUnmuted, detailOfMute(s.mute).text()}
	default:
		return
	}
	s.state, s.resolution, s.mute = StateOpen, triage.Resolution{}, triage.Mute{}
}

// moveInLists changes the columns that indexes order lists by, each on its own:
// SQLite rewrites every index that has a column of the SET list, changed or not.
// Usually there is nothing to do.
func (p *plan) moveInLists(old, s *issueState) error {
	s.seenStep, s.countStep = max(s.lastSeen, s.mergedLastSeen)/seenStepMS, countStep(s.total())
	if s.seenStep != old.seenStep {
		if err := p.to.exec(`UPDATE issues SET seen_step = ? WHERE id = ?`, s.seenStep, s.id); err != nil {
			return err
		}
	}
	if s.countStep != old.countStep {
		return p.to.exec(`UPDATE issues SET count_step = ? WHERE id = ?`, s.countStep, s.id)
	}
	return nil
}
