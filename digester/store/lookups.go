package store

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// question is a look-up of one row at most, and what to do with it.
type question struct {
	query string
	args  []any
	take  func(row) error
}

// asking collects the questions of a batch, each once.
type asking struct {
	cache     *digestCache
	now       func() time.Time
	anew      bool        // heads, whether they are known or not
	ins       []*Incoming // that are planned from the answers
	asked     map[any]struct{}
	questions []question
}

// idsKey stands for the question for the largest ids.
type idsKey struct{}

// lookUp asks, by ask, for what has to be known before the messages can be planned:
// what can be asked at once, then the heads of merged issues, then what only those
// issues need about which people decided something. Usually there is nothing to ask.
// After a plan has failed heads are asked for anew: what failed may be that an issue
// had none as far as was known. The answers go into the cache.
func (c *digestCache) lookUp(now func() time.Time, anew bool, ins []*Incoming, ask func([]question) error) error {
	if !anew && c.sufficesFor(ins) {
		return nil
	}
	for _, round := range [...]func(*asking, *Incoming){(*asking).basics, (*asking).head, (*asking).circumstances} {
		a := asking{cache: c, now: now, anew: anew, ins: ins}
		for _, in := range ins {
			round(&a, in)
		}
		if len(a.questions) == 0 {
			continue
		}
		if err := ask(a.questions); err != nil {
			return err
		}
	}
	return nil
}

// sufficesFor reports, without making anything, that there is nothing to ask. Where it
// says false there may be nothing to ask either.
func (c *digestCache) sufficesFor(ins []*Incoming) bool {
	for _, in := range ins {
		if !c.knows(in) {
			return false
		}
		if !in.isEvent() {
			continue
		}
		s := c.issueOf(in)
		whole := c.wholeOf(s)
		if whole == nil || whole.state != StateOpen || in.User != "" &&
			(s.users.mayGrowBy(len(ins)) || whole.hasMembers && whole.wholeUsers.mayGrowBy(len(ins))) {
			return false
		}
	}
	return true
}

// asks reports whether lookUp would ask for anything.
func (c *digestCache) asks(now func() time.Time, ins []*Incoming) bool {
	asks := errors.New("there is a question")
	return c.lookUp(now, false, ins, func([]question) error { return asks }) != nil
}

// basics asks for ids, lane and group.
func (a *asking) basics(in *Incoming) {
	if a.cache.knows(in) {
		return
	}
	if a.once(idsKey{}) {
		a.ids()
	}
	a.lane(in)
	if in.isEvent() {
		a.group(in)
	}
	if in.isAside() && (a.cache.projects[in.Project] == nil || !a.cache.fits(in)) {
		a.project(in)
	}
}

// once reports whether nobody asked for a key yet.
func (a *asking) once(key any) bool {
	if a.asked == nil {
		a.asked = make(map[any]struct{})
	}
	_, asked := a.asked[key]
	a.asked[key] = struct{}{}
	return !asked
}

func (a *asking) add(take func(row) error, query string, args ...any) {
	a.questions = append(a.questions, question{query, args, take})
}

func (a *asking) ids() {
	c := a.cache
	if c.ids.known {
		return
	}
	a.add(func(r row) error {
		ids := lastIDs{known: true}
		err := r.Scan(&ids.event, &ids.issue, &ids.lane)
		if err == nil {
			c.ids = ids
		}
		return err
	}, `
		SELECT max(removed_event, (SELECT coalesce(max(id), 0) FROM events)), max(removed_issue, (SELECT coalesce(max(id), 0) FROM issues)),
		       (SELECT coalesce(max(id), 0) FROM edge_lanes)
		FROM digest_state`)
}

// lane asks for a message's lane, and for the gap that its number lies in.
func (a *asking) lane(in *Incoming) {
	c, key := a.cache, laneKey{in.Instance, in.Project}
	lane, known := c.lanes[key]
	if !known && a.once(key) {
		a.add(func(r row) error {
			var l laneState
			return found(r.Scan(&l.id, &l.high), func(there bool) {
				if c.lanes[key] = nil; there {
					c.lanes[key] = &l
				}
			})
		}, `
			SELECT l.id, l.high FROM edge_lanes l JOIN edge_instances i ON i.id = l.instance_id
			WHERE i.instance = ? AND l.project_id = ?`, in.Instance[:], int64(in.Project))
	}
	if known && (lane == nil || int64(in.Seq) > lane.high) {
		return
	}
	a.add(func(r row) error {
		var g gap
		return found(r.Scan(&g.from, &g.to, &g.since), func(there bool) {
			if there && !slices.Contains(c.gaps[key], g) {
				c.gaps[key] = append(c.gaps[key], g)
			}
		})
	}, `
		SELECT from_seq, to_seq, since FROM edge_gaps
		WHERE lane_id = (SELECT l.id FROM edge_lanes l JOIN edge_instances i ON i.id = l.instance_id
		                 WHERE i.instance = ? AND l.project_id = ?) AND from_seq <= ?
		ORDER BY from_seq DESC LIMIT 1`, in.Instance[:], int64(in.Project), int64(in.Seq))
}

// group asks for the issue of a message's group, and where it may have to be made
// for the project.
func (a *asking) group(in *Incoming) {
	c, key := a.cache, groupKey{in.Project, in.Group}
	if c.issueOf(in) != nil {
		return
	}
	if id, known := c.groups[key]; (!known || id != 0) && a.once(key) {
		a.issue(func(s *issueState) {
			if c.groups[key] = 0; s != nil {
				c.groups[key], c.issues[s.id] = s.id, s
			}
		}, `(
			SELECT g.issue_id FROM groupings g JOIN projects p ON p.id = g.project_id
			WHERE g.project_id = ? AND g.key_hash = ? AND p.deleted_at IS NULL)`, int64(in.Project), in.Group[:])
	}
	if c.projects[in.Project] == nil {
		a.project(in)
	}
}

// project asks for a message's project.
func (a *asking) project(in *Incoming) {
	if !a.once(in.Project) {
		return
	}
	c := a.cache
	a.add(func(r row) error {
		var p projectState
		return found(r.Scan(&p.issues, &p.attachmentBytes), func(there bool) {
			if there {
				c.projects[in.Project] = &p
			} else {
				c.missing[in.Project] = struct{}{}
			}
		})
	}, `SELECT issue_count, attachment_bytes FROM projects WHERE id = ? AND deleted_at IS NULL`, int64(in.Project))
}

// head asks for the head of a message's issue, if it has one.
func (a *asking) head(in *Incoming) {
	s := a.cache.issueOf(in)
	if !in.isEvent() || s == nil || s.head == 0 {
		return
	}
	if a.cache.issues[s.head] != nil && !a.anew || !a.once(s.head) {
		return
	}
	a.issue(func(h *issueState) {
		if h != nil {
			a.cache.issues[h.id] = h
		}
	}, `?`, s.head)
}

// issue asks for an issue, whose id is an expression; take gets nil if there is none.
func (a *asking) issue(take func(*issueState), id string, args ...any) {
	a.add(func(r row) error {
		var s issueState
		var sketch, whole []byte
		var until, first, last, users sql.NullInt64
		var period int64
		err := r.Scan(&s.id, &s.revision, &s.head, &s.state, &s.resolution.Kind, &s.resolution.Release,
			&s.mute.Kind, &until, &s.mute.Events, &period,
			&s.events, &s.moved, &s.firstSeen, &s.lastSeen, &s.users.atMost, &s.merged, &first, &last, &users, &s.seenStep, &s.countStep, &sketch, &whole)
		if errors.Is(err, sql.ErrNoRows) {
			take(nil)
			return nil
		}
		if err != nil {
			return err
		}
		s.mute.Until, s.mute.Period = fromMS(until), time.Duration(period)*time.Millisecond
		s.hasMembers, s.mergedFirstSeen, s.mergedLastSeen = first.Valid, first.Int64, last.Int64
		if !s.hasMembers {
			s.mergedFirstSeen = math.MaxInt64
		}
		s.wholeUsers.atMost, s.recent = users.Int64, -1
		if err := errors.Join(s.users.load(sketch), s.wholeUsers.load(whole)); err != nil {
			return fmt.Errorf("issue %d: %w", s.id, err)
		}
		take(&s)
		return nil
	}, `
		SELECT i.id, i.revision, coalesce(i.merged_into, 0), i.state, i.resolve_kind, i.resolve_release,
		       i.mute_kind, i.mute_until, i.mute_events, i.mute_period,
		       i.event_count, i.moved_events, i.first_seen, i.last_seen, i.user_count, i.merged_events, i.merged_first_seen, i.merged_last_seen, i.whole_users,
		       i.seen_step, i.count_step,
		       (SELECT sketch FROM issue_sketches WHERE issue_id = i.id AND whole = 0),
		       (SELECT sketch FROM issue_sketches WHERE issue_id = i.id AND whole = 1)
		FROM issues i WHERE i.id = `+id, args...)
}

// events returns how many events of an issue and its members are planned from the
// answers.
func (a *asking) events(s *issueState) (n int64) {
	for _, in := range a.ins {
		if of := a.cache.issueOf(in); in.isEvent() && of != nil && (of == s || of.head == s.id) {
			n++
		}
	}
	return n
}

// circumstances asks for what decides whether an event brings its issue back, and
// for users that have become too many to be rows.
func (a *asking) circumstances(in *Incoming) {
	s := a.cache.issueOf(in)
	whole := a.cache.wholeOf(s)
	if whole == nil || !in.isEvent() {
		return
	}
	switch {
	case whole.state == StateResolved && whole.resolution.NeedsOrder(in.Release):
		a.order(whole, in)
	case whole.state == StateMuted && whole.mute.Counts():
		a.recent(whole)
	}
	if in.User != "" {
		a.users(s, 0, &s.users)
		if whole.hasMembers {
			a.users(whole, 1, &whole.wholeUsers)
		}
	}
}

// found tells take whether there was a row.
func found(err error, take func(there bool)) error {
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	take(err == nil)
	return nil
}

// ask asks within the transaction.
func (tx *Tx) ask(questions []question) error {
	for _, q := range questions {
		if err := q.take(tx.q.QueryRowContext(tx.ctx, q.query, q.args...)); err != nil {
			return err
		}
	}
	return nil
}
