package store

import (
	"database/sql"
	"errors"
	"slices"
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
	asked     map[any]struct{}
	questions []question
}

// questions returns what has to be looked up before the messages can be planned.
// The answers go into the cache.
func (c *digestCache) questions(ins ...*Incoming) []question {
	var a *asking
	for _, in := range ins {
		if c.knows(in) {
			continue
		}
		if a == nil {
			a = &asking{cache: c, asked: make(map[any]struct{})}
			a.ids()
		}
		a.lane(in)
		if in.isEvent() {
			a.group(in)
		}
		if in.isAside() && (c.projects[in.Project] == nil || !c.fits(in)) {
			a.project(in)
		}
	}
	if a == nil {
		return nil
	}
	return a.questions
}

// once reports whether nobody asked for a key yet.
func (a *asking) once(key any) bool {
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
		SELECT (SELECT coalesce(max(id), 0) FROM events), (SELECT coalesce(max(id), 0) FROM issues),
		       (SELECT coalesce(max(id), 0) FROM edge_lanes)`)
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
	issue, known := c.issues[key]
	if issue != nil {
		return
	}
	if !known && a.once(key) {
		a.add(func(r row) error {
			var s issueState
			return found(r.Scan(&s.id, &s.state, &s.events, &s.firstSeen, &s.lastSeen, &s.seenStep, &s.countStep), func(there bool) {
				if c.issues[key] = nil; there {
					c.issues[key] = &s
				}
			})
		}, `
			SELECT i.id, i.state, i.event_count, i.first_seen, i.last_seen, i.seen_step, i.count_step
			FROM groupings g JOIN issues i ON i.id = g.issue_id
			WHERE g.project_id = ? AND g.key_hash = ?`, int64(in.Project), in.Group[:])
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
	}, `SELECT issue_count, attachment_bytes FROM projects WHERE id = ?`, int64(in.Project))
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
