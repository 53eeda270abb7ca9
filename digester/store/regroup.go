package store

import (
	"cmp"
	"database/sql"
	"encoding/hex"
	"errors"
	"slices"

	"sundew/schema/event"
)

// maxMoved is how many events one transaction moves between issues.
const maxMoved = 100

// Regrouped is a stored event that was looked at again after source maps arrived.
type Regrouped struct {
	Event   int64    // the row's id
	Mapped  bool     // maps say something of its frames; if not, it stays where it is
	Key     [16]byte // of its group by the source, if it is mapped
	Rules   int      // version of the rules that made Key
	Title   string   // empty: it could not be read
	Culprit string
	Tags    []event.Pair // as the digest counted them
}

// strand is an issue as a unit of counting whose events are looked at.
type strand struct {
	id, head int64
	project  event.ProjectID
	evicted  int64
}

// Regroup brings events of an issue, or of a member of one, to where their new keys
// lead. events are those that were looked at, in digest order. It is repeated with the
// same ones while more is true; doing it again changes nothing.
//
// An issue with all that people decided about it stays where that can be: the key of
// most of its mapped events becomes one of its own if it leads nowhere yet, and if it
// leads to another issue, and none of the events is without a map, the younger of the
// two is merged into the older. A member does not decide for its whole: if all of it
// leads elsewhere, it stays with what it was merged with. Only what leads elsewhere then
// is moved: to the issue of its key, as a member of it, or to a new issue that begins
// with the same decisions. Nobody is alerted. Users that a sketch or events that are gone
// stand for stay counted where they were.
func (tx *Tx) Regroup(issue int64, events []Regrouped) (more bool, err error) {
	s, err := tx.strandOf(issue)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil // it is gone, or will be soon
	}
	if err != nil {
		return false, err
	}
	mapped, usual := usualKey(events)
	if mapped == 0 {
		return false, nil
	}
	heads, err := tx.headsOfKeys(s.project, events)
	if err != nil {
		return false, err
	}
	switch head, leads := heads[usual.Key]; {
	case !leads:
		if err := tx.adopt(s, usual, mapped); err != nil {
			return false, err
		}
		heads[usual.Key] = s.head
	case head != s.head && s.id != s.head:
		if !slices.ContainsFunc(events, func(e Regrouped) bool { return !e.Mapped || heads[e.Key] == s.head }) {
			return false, nil
		}
	case head != s.head && mapped == len(events):
		if apart, err := tx.keptApart(head, s.head); err != nil || apart {
			return false, err
		}
		if _, err := tx.Merge(min(head, s.head), []int64{max(head, s.head)}, 0); err != nil {
			return false, err
		}
		// The heads of other keys may have changed too.
		return true, nil
	}
	moving, more, err := tx.strays(s, events, heads)
	if err != nil {
		return false, err
	}
	if len(moving) > 0 {
		if err := tx.moveEvents(s, moving, heads[moving[0].Key]); err != nil {
			return false, err
		}
	}
	return more, tx.retitle(s.id, events)
}

// keptApart reports whether somebody took one of two issues out of the other.
func (tx *Tx) keptApart(a, b int64) (bool, error) {
	all, err := tx.history(`WHERE h.issue_id IN (?, ?) AND h.kind = ?`, a, b, HistoryUnmerged)
	return slices.ContainsFunc(all, func(h HistoryEntry) bool {
		return h.Issue == a && h.Detail.Head == b || h.Issue == b && h.Detail.Head == a
	}), err
}

// BelongElsewhere reports whether Regroup would do something with some of an issue's
// events.
func (rx *Rx) BelongElsewhere(issue int64, events []Regrouped) (bool, error) {
	s, err := rx.strandOf(issue)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	heads, err := rx.headsOfKeys(s.project, events)
	return slices.ContainsFunc(events, func(e Regrouped) bool { return e.Mapped && heads[e.Key] != s.head }), err
}

// strandOf returns an issue that is not deleted, nor its head or its project.
func (rx *Rx) strandOf(issue int64) (strand, error) {
	s := strand{id: issue}
	err := rx.q.QueryRowContext(rx.ctx, `
		SELECT h.id, i.project_id, i.evicted_events FROM issues i
		JOIN issues h ON h.id = coalesce(i.merged_into, i.id) JOIN projects p ON p.id = i.project_id
		WHERE i.id = ? AND h.state < 3 AND p.deleted_at IS NULL`, issue).Scan(&s.head, &s.project, &s.evicted)
	return s, err
}

// usualKey returns how many events are mapped, and one with the key that most of these
// have, the newest one's of several.
func usualKey(events []Regrouped) (mapped int, usual Regrouped) {
	counts := make(map[[16]byte]int)
	for _, e := range events {
		if e.Mapped {
			mapped++
			counts[e.Key]++
		}
	}
	most := 0
	for _, e := range slices.Backward(events) {
		if e.Mapped && counts[e.Key] > most {
			most, usual = counts[e.Key], e
		}
	}
	return mapped, usual
}

// headsOfKeys returns the heads of the issues that keys of events lead to.
func (rx *Rx) headsOfKeys(project event.ProjectID, events []Regrouped) (map[[16]byte]int64, error) {
	keys := []string{}
	var of [][16]byte
	asked := make(map[[16]byte]bool)
	for _, e := range events {
		if e.Mapped && !asked[e.Key] {
			asked[e.Key] = true
			keys, of = append(keys, hex.EncodeToString(e.Key[:])), append(of, e.Key)
		}
	}
	list, err := listOf(keys)
	if err != nil {
		return nil, err
	}
	type lead struct{ at, head int64 }
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT j.key, coalesce(i.merged_into, i.id) FROM json_each(?1) j
		CROSS JOIN groupings g ON g.project_id = ?2 AND g.key_hash = unhex(j.value) JOIN issues i ON i.id = g.issue_id`, list, int64(project))
	leads, err := collect(rows, err, func(l *lead) []any { return []any{&l.at, &l.head} })
	heads := make(map[[16]byte]int64)
	for _, l := range leads {
		heads[of[l.at]] = l.head
	}
	return heads, err
}

// adopt makes a key one of an issue's own.
func (tx *Tx) adopt(s strand, usual Regrouped, mapped int) error {
	if _, err := tx.exec(`INSERT INTO groupings (project_id, key_hash, version, issue_id, created_at) VALUES (?, ?, ?, ?, ?)`,
		int64(s.project), usual.Key[:], int64(usual.Rules), s.id, ms(tx.now)); err != nil {
		return err
	}
	_, err := tx.addHistory(s.id, HistoryMapped, 0, Detail{Events: int64(mapped)})
	return err
}

// movingEvent is an event on its way.
type movingEvent struct {
	Regrouped
	row movedRow
}

// movedRow is what the numbers of issues say of an event.
type movedRow struct {
	id, occurredAt, level int64
	release, user         string
}

// strays returns the oldest events of an issue whose common key leads elsewhere, as
// many as one transaction moves, and whether there are others.
func (rx *Rx) strays(s strand, events []Regrouped, heads map[[16]byte]int64) (moving []movingEvent, more bool, err error) {
	byID := make(map[int64]Regrouped)
	var ids []int64
	for _, e := range events {
		if e.Mapped && heads[e.Key] != s.head {
			byID[e.Event] = e
			ids = append(ids, e.Event)
		}
	}
	if len(ids) == 0 {
		return nil, false, nil
	}
	list, err := listOf(ids)
	if err != nil {
		return nil, false, err
	}
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT e.id, e.occurred_at, e.level, e.release, e.user FROM json_each(?1) j CROSS JOIN events e ON e.id = j.value
		WHERE e.issue_id = ?2 ORDER BY e.id`, list, s.id)
	here, err := collect(rows, err, func(r *movedRow) []any { return []any{&r.id, &r.occurredAt, &r.level, &r.release, &r.user} })
	for _, row := range here {
		e := byID[row.id]
		if len(moving) == maxMoved || len(moving) > 0 && e.Key != moving[0].Key {
			more = true
			continue
		}
		moving = append(moving, movingEvent{e, row})
	}
	return moving, more, err
}

// retitle has an issue say what its newest event does, if that one is among events.
func (tx *Tx) retitle(issue int64, events []Regrouped) error {
	var newest, level int64
	err := tx.q.QueryRowContext(tx.ctx, `SELECT id, level FROM events WHERE issue_id = ? ORDER BY number DESC LIMIT 1`, issue).Scan(&newest, &level)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	i, found := slices.BinarySearchFunc(events, newest, func(e Regrouped, id int64) int { return cmp.Compare(e.Event, id) })
	if !found || events[i].Title == "" {
		return nil
	}
	n, err := tx.exec(`UPDATE issues SET title = ?1, culprit = ?2, level = ?3 WHERE id = ?4 AND (title <> ?1 OR culprit <> ?2 OR level <> ?3)`,
		events[i].Title, events[i].Culprit, level, issue)
	if err != nil || n == 0 {
		return err
	}
	return tx.textDue(issue, newest)
}

// textDue has an issue's text indexed anew, by an event.
func (tx *Tx) textDue(issue, event int64) error {
	_, err := tx.exec(`
		INSERT INTO issue_texts_due (issue_id, event_id) VALUES (?, ?)
		ON CONFLICT DO UPDATE SET event_id = excluded.event_id`, issue, event)
	return err
}
