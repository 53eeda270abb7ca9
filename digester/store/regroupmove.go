package store

import (
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"

	"sundew/digester/triage"
)

// Events of an issue are numbered in digest order, and pages find their way by that.
// So what moves never goes among the events of another issue: it goes behind those that
// came the same way before, or becomes an issue of its own, which is a member if the
// key has an issue already.

// moveEvents moves events with one key, in digest order, to where it leads; head is 0
// if that is nowhere yet.
func (tx *Tx) moveEvents(from strand, moving []movingEvent, head int64) error {
	to, err := tx.behind(from.id, head, moving)
	if err == nil && to == 0 {
		to, err = tx.newStrand(from, moving, head)
	}
	if err != nil {
		return err
	}
	if err := tx.arrive(to, moving); err != nil {
		return err
	}
	if err := tx.leave(from, moving); err != nil {
		return err
	}
	if head == 0 {
		head = to
	}
	counting := []int64{from.id, from.head, to, head} // often fewer than four
	slices.Sort(counting)
	for _, issue := range slices.Compact(counting) {
		if err := tx.recount(issue); err != nil {
			return err
		}
	}
	newest := moving[len(moving)-1]
	if err := tx.textDue(to, newest.row.id); err != nil {
		return err
	}
	if err := tx.noteMoved(from.id, Detail{To: to}, len(moving)); err != nil {
		return err
	}
	return tx.noteMoved(to, Detail{From: from.id}, len(moving))
}

// behind returns the issue that events can go to the end of: the head or a member that
// began with events of the same issue, and has none that came later; 0: there is none.
func (rx *Rx) behind(from, head int64, moving []movingEvent) (id int64, err error) {
	err = rx.q.QueryRowContext(rx.ctx, `
		SELECT id FROM (SELECT id FROM issues WHERE id = ?1 UNION ALL SELECT id FROM issues WHERE merged_into = ?1) s JOIN issues i USING (id)
		WHERE moved_from = ?2 AND user_count + ?3 <= ?4 AND NOT EXISTS (SELECT 1 FROM issue_sketches u WHERE u.issue_id = i.id AND u.whole = 0)
		  AND (SELECT e.id FROM events e WHERE e.issue_id = i.id ORDER BY e.number DESC LIMIT 1) < ?5
		ORDER BY id DESC LIMIT 1`, head, from, len(moving), maxExactUsers, moving[0].row.id).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// newStrand makes an issue without events for some, a member of head; if there is no
// head, one that their key leads to and about which people have decided what they
// decided about the one that the events come from.
func (tx *Tx) newStrand(from strand, moving []movingEvent, head int64) (int64, error) {
	var id, number int64
	if err := tx.q.QueryRowContext(tx.ctx, `SELECT max(removed_issue, (SELECT coalesce(max(id), 0) FROM issues)) + 1 FROM digest_state`).Scan(&id); err != nil {
		return 0, err
	}
	if _, err := tx.exec(`UPDATE projects SET issue_count = issue_count + 1 WHERE id = ?`, int64(from.project)); err != nil {
		return 0, err
	}
	if err := tx.q.QueryRowContext(tx.ctx, `SELECT issue_count FROM projects WHERE id = ?`, int64(from.project)).Scan(&number); err != nil {
		return 0, err
	}
	first := moving[0].row
	if _, err := tx.exec(`
		INSERT INTO issues (id, project_id, number, level, title, culprit, platform, first_seen, last_seen, seen_step, count_step, moved_from)
		SELECT ?1, project_id, ?2, ?3, '', '', platform, ?4, ?4, ?4 / ?5, 0, id FROM issues WHERE id = ?6`,
		id, number, first.level, first.occurredAt, seenStepMS, from.id); err != nil {
		return 0, err
	}
	if first.release != "" { // it is the first event's
		if _, err := tx.exec(`UPDATE releases SET new_issues = new_issues + 1 WHERE project_id = ? AND version = ?`, int64(from.project), first.release); err != nil {
			return 0, err
		}
	}
	if head != 0 {
		_, err := tx.exec(`UPDATE issues SET state = 3, aside_state = 0, aside_at = ?, merged_into = ? WHERE id = ?`, ms(tx.now), head, id)
		return id, err
	}
	if _, err := tx.exec(`
		UPDATE issues SET state = h.state, resolved_at = h.resolved_at, resolve_kind = h.resolve_kind, resolve_release = h.resolve_release,
		  mute_kind = h.mute_kind, mute_until = h.mute_until, mute_period = h.mute_period,
		  mute_events = CASE h.mute_kind WHEN ?1 THEN max(h.mute_events - h.total_events, 1) ELSE h.mute_events END,
		  assignee_user_id = h.assignee_user_id, assignee_team_id = h.assignee_team_id
		FROM issues h WHERE h.id = ?2 AND issues.id = ?3`, int64(triage.MuteMore), from.head, id); err != nil {
		return 0, err
	}
	_, err := tx.exec(`INSERT INTO groupings (project_id, key_hash, version, issue_id, created_at) VALUES (?, ?, ?, ?, ?)`,
		int64(from.project), moving[0].Key[:], int64(moving[0].Rules), id, ms(tx.now))
	return id, err
}

// Of events by a JSON list of their ids in ?1 and an issue in ?2.
const (
	// moveRows numbers them behind ?3.
	moveRows = `UPDATE events SET issue_id = ?2, number = ?3 + j.key + 1 FROM json_each(?1) j WHERE events.id = j.value`

	arriveHours = `
		INSERT INTO issue_hours (issue_id, hour, count) SELECT ?2, occurred_at / 3600000, count(*) FROM events WHERE id IN ` + theseIDs + ` GROUP BY 2
		ON CONFLICT DO UPDATE SET count = count + excluded.count`
	leaveHours = `
		UPDATE issue_hours SET count = count - m.n FROM (
		  SELECT occurred_at / 3600000 AS h, count(*) AS n FROM events WHERE id IN ` + theseIDs + ` GROUP BY 1) m
		WHERE issue_id = ?2 AND hour = m.h`
)

// arrive gives events to an issue, with all that it counts of them.
func (tx *Tx) arrive(to int64, moving []movingEvent) error {
	list, err := rowsOf(moving)
	if err != nil {
		return err
	}
	var numbered int64
	if err := tx.q.QueryRowContext(tx.ctx, `SELECT event_count + moved_events FROM issues WHERE id = ?`, to).Scan(&numbered); err != nil {
		return err
	}
	if _, err := tx.exec(`INSERT INTO event_moves (issue_id, number, event_id) SELECT issue_id, number, id FROM events WHERE id IN `+theseIDs, list); err != nil {
		return err
	}
	if _, err := tx.exec(moveRows, list, to, numbered); err != nil {
		return err
	}
	for _, statement := range []string{
		arriveHours,
		`UPDATE issues SET first_seen = min(first_seen, m.first), last_seen = max(last_seen, m.last) FROM (
		   SELECT min(occurred_at) AS first, max(occurred_at) AS last FROM events WHERE id IN ` + theseIDs + `) m WHERE issues.id = ?2`,
	} {
		if _, err := tx.exec(statement, list, to); err != nil {
			return err
		}
	}
	newest, first, last := moving[len(moving)-1], "", ""
	for _, m := range moving {
		if m.row.release != "" {
			if last = m.row.release; first == "" {
				first = last
			}
		}
	}
	if err := tx.addUsers(to, moving); err != nil {
		return err
	}
	if _, err := tx.exec(`
		UPDATE issues SET event_count = event_count + ?1, mute_events = mute_events + iif(mute_kind = ?2, ?1, 0), level = ?3, title = ?4, culprit = ?5,
		  first_release = iif(first_release = '', ?6, first_release), last_release = iif(?7 = '', last_release, ?7),
		  user_count = (SELECT count(*) FROM issue_users WHERE issue_id = ?8 AND whole = 0)
		WHERE id = ?8`,
		len(moving), int64(triage.MuteMore), newest.row.level, newest.Title, newest.Culprit, first, last, to); err != nil {
		return err
	}
	return tx.moveTags(to, moving, `
		INSERT INTO issue_tags (issue_id, key, value, count, last_seen)
		SELECT ?2, value ->> 'Key', value ->> 'Value', value ->> 'Count', value ->> 'Seen' FROM json_each(?1) WHERE true
		ON CONFLICT DO UPDATE SET count = count + excluded.count, last_seen = max(last_seen, excluded.last_seen)`)
}

// leave takes events, which have arrived elsewhere, out of all that an issue counts.
func (tx *Tx) leave(from strand, moving []movingEvent) error {
	list, err := rowsOf(moving)
	if err != nil {
		return err
	}
	for _, statement := range []string{
		leaveHours,
		`DELETE FROM issue_hours WHERE issue_id = ?2 AND count = 0 AND hour IN (SELECT occurred_at / 3600000 FROM events WHERE id IN ` + theseIDs + `)`,
	} {
		if _, err := tx.exec(statement, list, from.id); err != nil {
			return err
		}
	}
	if _, err := tx.exec(`
		UPDATE issues SET event_count = event_count - ?1, moved_events = moved_events + ?1, mute_events = mute_events - iif(mute_kind = ?2, ?1, 0)
		WHERE id = ?3`, len(moving), int64(triage.MuteMore), from.id); err != nil {
		return err
	}
	for _, statement := range []string{`
		UPDATE issue_tags SET count = max(count - (m.value ->> 'Count'), 0) FROM json_each(?1) m
		WHERE issue_id = ?2 AND issue_tags.key = m.value ->> 'Key' AND issue_tags.value = m.value ->> 'Value'`, `
		DELETE FROM issue_tags WHERE issue_id = ?2 AND count = 0
		  AND (key, value) IN (SELECT value ->> 'Key', value ->> 'Value' FROM json_each(?1))`,
	} {
		if err := tx.moveTags(from.id, moving, statement); err != nil {
			return err
		}
	}
	// Tags that another version made of the events, and this one does not, cannot be
	// taken back one by one.
	if _, err := tx.exec(`
		DELETE FROM issue_tags WHERE issue_id = ?1 AND key IN (
		  SELECT key FROM issue_tags WHERE issue_id = ?1 GROUP BY key HAVING sum(count) > (SELECT event_count FROM issues WHERE id = ?1))`, from.id); err != nil {
		return err
	}
	if from.evicted > 0 {
		return nil // what is gone may have been the first, the last, or some user's only one
	}
	return tx.renew(from.id, moving)
}

// addUsers adds the users of events to those of an issue that has no sketch of them.
func (tx *Tx) addUsers(issue int64, moving []movingEvent) error {
	list, err := hashesOf(usersOf(moving))
	if err != nil {
		return err
	}
	_, err = tx.exec(`INSERT INTO issue_users (issue_id, whole, user_hash) SELECT ?2, 0, unhex(value) FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING`, list, issue)
	return err
}

// renewEnds has an issue say of its first and last event and release what the stored
// ones do, where the ones that left, which are between ?2 and ?3 and of the releases in
// ?4, may have been these: to know it, every event of it is read.
const renewEnds = `
	UPDATE issues SET
	  first_seen = iif(first_seen < ?2, first_seen, (SELECT min(occurred_at) FROM events WHERE issue_id = ?1)),
	  last_seen = iif(last_seen > ?3, last_seen, (SELECT max(occurred_at) FROM events WHERE issue_id = ?1)),
	  first_release = iif(first_release NOT IN (SELECT value FROM json_each(?4)), first_release,
	    coalesce((SELECT release FROM events WHERE issue_id = ?1 AND release <> '' ORDER BY number LIMIT 1), '')),
	  last_release = iif(last_release NOT IN (SELECT value FROM json_each(?4)), last_release,
	    coalesce((SELECT release FROM events WHERE issue_id = ?1 AND release <> '' ORDER BY number DESC LIMIT 1), ''))
	WHERE id = ?1 AND EXISTS (SELECT 1 FROM events WHERE issue_id = ?1)`

// renew works out what an issue of which every event is stored says of its first and
// last one and of its users, after some left.
func (tx *Tx) renew(issue int64, moved []movingEvent) error {
	first, last, releases := moved[0].row.occurredAt, moved[0].row.occurredAt, []string{}
	for _, m := range moved {
		first, last = min(first, m.row.occurredAt), max(last, m.row.occurredAt)
		if m.row.release != "" {
			releases = append(releases, m.row.release)
		}
	}
	list, err := listOf(releases)
	if err != nil {
		return err
	}
	if _, err := tx.exec(renewEnds, issue, first, last, list); err != nil {
		return err
	}
	left, err := tx.leftBy(issue, usersOf(moved))
	if err != nil || len(left) == 0 {
		return err
	}
	if list, err = hashesOf(left); err != nil {
		return err
	}
	n, err := tx.exec(`DELETE FROM issue_users WHERE issue_id = ?2 AND whole = 0 AND user_hash IN (SELECT unhex(value) FROM json_each(?1))`, list, issue)
	if err != nil {
		return err
	}
	_, err = tx.exec(`UPDATE issues SET user_count = user_count - ? WHERE id = ?`, n, issue)
	return err
}

// leftBy returns which users have no event in an issue any more. Its events are read
// from the newest one on until each of them is found, and not at all if a sketch, from
// which nobody can be taken, stands for its users.
func (rx *Rx) leftBy(issue int64, users []string) ([]string, error) {
	slices.Sort(users)
	users = slices.Compact(users)
	list, err := listOf(users)
	if err != nil || len(users) == 0 {
		return nil, err
	}
	rows, err := rx.q.QueryContext(rx.ctx, `
		WITH still AS MATERIALIZED (
		  SELECT DISTINCT user FROM (SELECT user FROM events WHERE issue_id = ?2 ORDER BY number DESC LIMIT -1)
		  WHERE user IN (SELECT value FROM json_each(?1)) LIMIT ?3)
		SELECT value FROM json_each(?1) WHERE NOT EXISTS (SELECT 1 FROM issue_sketches WHERE issue_id = ?2 AND whole = 0)
		  AND value NOT IN (SELECT user FROM still)`, list, issue, len(users))
	return collect(rows, err, func(user *string) []any { return []any{user} })
}

// moveTags runs a statement with the tags of events, counted, as a JSON list in ?1 and
// an issue in ?2.
func (tx *Tx) moveTags(issue int64, moving []movingEvent, statement string) error {
	type tag struct {
		Key, Value  string
		Count, Seen int64
	}
	type place struct{ key, value string }
	var tags []tag
	places := make(map[place]int)
	for _, m := range moving {
		for _, t := range m.Tags {
			i, known := places[place{t.Key, t.Value}]
			if !known {
				i = len(tags)
				places[place{t.Key, t.Value}] = i
				tags = append(tags, tag{Key: t.Key, Value: t.Value})
			}
			tags[i].Count, tags[i].Seen = tags[i].Count+1, max(tags[i].Seen, m.row.occurredAt)
		}
	}
	if len(tags) == 0 {
		return nil
	}
	list, err := json.Marshal(tags)
	if err != nil {
		return err
	}
	_, err = tx.exec(statement, string(list), issue)
	return err
}

// noteMoved has an issue's history say that events moved. What is said of one move in
// several transactions is one entry.
func (tx *Tx) noteMoved(issue int64, of Detail, events int) error {
	last, err := tx.history(`WHERE h.issue_id = ? ORDER BY h.id DESC LIMIT 1`, issue)
	if err != nil {
		return err
	}
	if len(last) == 1 && last[0].Kind == HistoryMoved && last[0].Detail.From == of.From && last[0].Detail.To == of.To {
		of.Events = last[0].Detail.Events + int64(events)
		_, err := tx.exec(`UPDATE history SET detail = ? WHERE id = ?`, of.text(), last[0].ID)
		return err
	}
	of.Events = int64(events)
	_, err = tx.addHistory(issue, HistoryMoved, 0, of)
	return err
}

// rowsOf returns events' ids as a JSON list.
func rowsOf(moving []movingEvent) (string, error) {
	ids := make([]int64, len(moving))
	for i, m := range moving {
		ids[i] = m.row.id
	}
	return listOf(ids)
}

// usersOf returns the users of events, some of them several times.
func usersOf(moving []movingEvent) []string {
	var users []string
	for _, m := range moving {
		if m.row.user != "" {
			users = append(users, m.row.user)
		}
	}
	return users
}

// hashesOf returns what stands for users, in hexadecimal digits, as a JSON list.
func hashesOf(users []string) (string, error) {
	hashes := make([]string, len(users))
	for i, user := range users {
		hashes[i] = hex.EncodeToString(hashOfUser(user))
	}
	return listOf(hashes)
}

// listOf returns values as a JSON list: one statement is about them all, since to a
// server each one takes a while.
func listOf[T any](values []T) (string, error) {
	list, err := json.Marshal(values)
	return string(list), err
}
