package store

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/axiomhq/hyperloglog"
)

// Users affected are counted exactly, by a row for each, up to about
// maxExactUsers; then a sketch takes the place of the rows and the number is right
// within two percent or so. A head has two such crowds, of its own events and of all,
// so that it can lose a member again.
const (
	maxExactUsers   = 1000
	sketchPrecision = 12 // 4 KB; standard error 1.6 %
)

// UsersEstimated reports whether the number of users affected is about right only.
func (i Issue) UsersEstimated() bool { return i.Users > maxExactUsers }

// crowd is what a digest knows of the users of an issue.
type crowd struct {
	// atMost is how many rows there are at most: whether an event's user was new its
	// plan does not get to know. Beyond maxExactUsers the number is looked up.
	atMost int64

	sketch []byte // in place of the rows; nil: there are rows. Never changed, only replaced
	known  int64  // users by the sketch, which never get fewer
	fresh  bool   // the sketch is not stored yet, the rows are
}

// hashOfUser returns what stands for an event's user.
func hashOfUser(user string) []byte {
	sum := sha256.Sum256([]byte(user))
	return sum[:8]
}

// load takes the sketch of an issue as it is stored, nil if it has none. atMost is
// then the number of users.
func (c *crowd) load(sketch []byte) error {
	if len(sketch) == 0 {
		return nil
	}
	if _, err := readSketch(sketch); err != nil {
		return err
	}
	c.sketch, c.known = bytes.Clone(sketch), c.atMost
	return nil
}

func readSketch(stored []byte) (*hyperloglog.Sketch, error) {
	var s hyperloglog.Sketch
	if err := s.UnmarshalBinary(stored); err != nil {
		return nil, fmt.Errorf("a sketch of users: %w", err)
	}
	return &s, nil
}

func newSketch() (*hyperloglog.Sketch, error) {
	return hyperloglog.NewSketch(sketchPrecision, false)
}

// addedUser says what an UPDATE right behind addUser has to add to a count:
// inserted times the rows that the statement before changed; and what it has to be
// at least.
type addedUser struct{ inserted, known int64 }

// addUser adds the event's user to a crowd of an issue, asserting that this is there.
func (p *plan) addUser(c *crowd, issue, whole int64) (addedUser, error) {
	if p.in.User == "" {
		return addedUser{0, 0}, nil
	}
	hash := hashOfUser(p.in.User)
	if c.sketch == nil {
		c.atMost++
		return addedUser{1, 0}, p.to.assert(`INSERT INTO issue_users (issue_id, whole, user_hash) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, issue, whole, hash)
	}
	sketch, err := readSketch(c.sketch)
	if err != nil {
		return addedUser{}, err
	}
	sketch.InsertHash(binary.BigEndian.Uint64(hash))
	grown, err := sketch.MarshalBinary()
	if err != nil {
		return addedUser{}, err
	}
	if bytes.Equal(grown, c.sketch) && !c.fresh {
		return addedUser{0, 0}, nil
	}
	c.sketch, c.known = grown, max(c.known, int64(sketch.Estimate()))
	if err := p.to.assert(insertSketch, issue, whole, grown); err != nil {
		return addedUser{}, err
	}
	if c.fresh {
		c.fresh = false
		err = p.to.exec(deleteUsers, issue, whole)
	}
	return addedUser{0, c.known}, err
}

const (
	insertSketch = `INSERT INTO issue_sketches (issue_id, whole, sketch) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET sketch = excluded.sketch`
	deleteUsers  = `DELETE FROM issue_users WHERE issue_id = ? AND whole = ?`
)

// mayGrowBy reports whether so many events may make the users too many to be rows.
func (c *crowd) mayGrowBy(events int) bool {
	return c.sketch == nil && c.atMost+int64(events) > maxExactUsers
}

// crowdKey stands for the question for the users of an issue.
type crowdKey struct{ issue, whole int64 }

// users asks for the users of an issue where the messages might make them too many.
// If they do, what comes back is made a sketch of.
func (a *asking) users(s *issueState, whole int64, c *crowd) {
	if !c.mayGrowBy(len(a.ins)) {
		return
	}
	issue, more := s.id, a.events(s)
	if c.atMost+more <= maxExactUsers || !a.once(crowdKey{issue, whole}) {
		return
	}
	a.add(func(r row) error {
		var count int64
		var hashes sql.NullString
		if err := r.Scan(&count, &hashes); err != nil {
			return err
		}
		c.atMost = count
		if !hashes.Valid {
			return nil
		}
		sketch, err := sketchOf(hashes.String)
		if err != nil {
			return fmt.Errorf("users of issue %d: %w", issue, err)
		}
		c.sketch, err = sketch.MarshalBinary()
		c.known, c.fresh = max(count, int64(sketch.Estimate())), true
		return err
	}, `
		SELECT n, CASE WHEN n + ? > ? THEN (SELECT group_concat(hex(user_hash), '') FROM issue_users WHERE issue_id = id AND whole = ?) END
		FROM (SELECT id, CASE ? WHEN 0 THEN user_count ELSE whole_users END AS n FROM issues WHERE id = ?)`,
		more, maxExactUsers, whole, whole, issue)
}

// sketchOf makes a sketch of hashes, which stand in hexadecimal digits one behind
// the other.
func sketchOf(hashes string) (*hyperloglog.Sketch, error) {
	sketch, err := newSketch()
	if err != nil {
		return nil, err
	}
	return sketch, addHashes(sketch, hashes)
}

func addHashes(sketch *hyperloglog.Sketch, hashes string) error {
	raw, err := hex.DecodeString(hashes)
	if err != nil {
		return err
	}
	for len(raw) >= 8 {
		sketch.InsertHash(binary.BigEndian.Uint64(raw))
		raw = raw[8:]
	}
	return nil
}

// gatherUsers makes the users of a head and its members those of the whole, or
// forgets them if it has no members any more.
func (tx *Tx) gatherUsers(head int64) error {
	for _, statement := range []string{`DELETE FROM issue_users WHERE issue_id = ? AND whole = 1`, `DELETE FROM issue_sketches WHERE issue_id = ? AND whole = 1`} {
		if _, err := tx.exec(statement, head); err != nil {
			return err
		}
	}
	var members, sketches, rows int64
	err := tx.q.QueryRowContext(tx.ctx, `
		SELECT (SELECT count(*) FROM issues WHERE merged_into = ?1),
		       (SELECT count(*) FROM issue_sketches WHERE whole = 0 AND issue_id IN `+strandsOf1+`),
		       (SELECT count(DISTINCT user_hash) FROM issue_users WHERE whole = 0 AND issue_id IN `+strandsOf1+`)`, head).
		Scan(&members, &sketches, &rows)
	if err != nil {
		return err
	}
	switch {
	case members == 0:
		_, err := tx.exec(`UPDATE issues SET whole_users = NULL WHERE id = ?`, head)
		return err
	case sketches == 0 && rows < maxExactUsers:
		if _, err := tx.exec(`
			INSERT INTO issue_users (issue_id, whole, user_hash)
			SELECT DISTINCT ?1, 1, user_hash FROM issue_users WHERE whole = 0 AND issue_id IN `+strandsOf1, head); err != nil {
			return err
		}
		_, err := tx.exec(`UPDATE issues SET whole_users = ? WHERE id = ?`, rows, head)
		return err
	}
	return tx.gatherSketches(head, rows)
}

// gatherSketches is gatherUsers of too many for rows; least is how many there are
// at least.
func (tx *Tx) gatherSketches(head, least int64) error {
	var hashes sql.NullString
	err := tx.q.QueryRowContext(tx.ctx, `
		SELECT group_concat(hex(user_hash), '') FROM issue_users WHERE whole = 0 AND issue_id IN `+strandsOf1, head).Scan(&hashes)
	if err != nil {
		return err
	}
	all, err := sketchOf(hashes.String)
	if err != nil {
		return err
	}
	rows, err := tx.q.QueryContext(tx.ctx, `SELECT sketch FROM issue_sketches WHERE whole = 0 AND issue_id IN `+strandsOf1, head)
	sketches, err := collectThen(rows, err, func(b *[]byte) []any { return []any{b} }, func(b *[]byte) { *b = bytes.Clone(*b) })
	if err != nil {
		return err
	}
	for _, stored := range sketches {
		sketch, err := readSketch(stored)
		if err := errors.Join(err, all.Merge(sketch)); err != nil {
			return err
		}
	}
	stored, err := all.MarshalBinary()
	if err != nil {
		return err
	}
	if _, err := tx.exec(insertSketch, head, 1, stored); err != nil {
		return err
	}
	_, err = tx.exec(`UPDATE issues SET whole_users = max(?2, ?3, (SELECT max(user_count) FROM issues WHERE id IN `+strandsOf1+`)) WHERE id = ?1`,
		head, least, int64(all.Estimate()))
	return err
}
