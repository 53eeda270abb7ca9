package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"sundew/digester/alert"
	"sundew/digester/notify"
	"sundew/schema/event"
)

// SeenIssue is an open issue that had events lately.
type SeenIssue struct {
	Project event.ProjectID
	ID      int64 // a merged one's head
	Title   string
	Events  int64     // ever
	Newest  int64     // id of its newest event
	At      time.Time // when that was digested
}

// SeenEvent returns up to which event issues were looked at for rules that count.
func (rx *Rx) SeenEvent() (int64, error) {
	var id int64
	err := rx.q.QueryRowContext(rx.ctx, `SELECT seen_event FROM alert_state`).Scan(&id)
	return id, err
}

// NewestEvent returns the id of the newest event, 0 if there is none.
func (rx *Rx) NewestEvent() (int64, error) {
	var id int64
	err := rx.q.QueryRowContext(rx.ctx, `SELECT coalesce(max(id), 0) FROM events`).Scan(&id)
	return id, err
}

// SeenIssues returns the open issues of events behind one, and the last of these
// events, at most limit of them. That an event was imported is no reason to look at its
// issue.
func (rx *Rx) SeenIssues(after int64, limit int) ([]SeenIssue, int64, error) {
	last := after
	err := rx.q.QueryRowContext(rx.ctx, `SELECT coalesce(max(id), ?1) FROM (SELECT id FROM events WHERE id > ?1 ORDER BY id LIMIT ?2)`, after, limit).Scan(&last)
	if err != nil || last == after {
		return nil, last, err
	}
	issues, err := rx.seenIssues(after, last)
	return issues, last, err
}

func (rx *Rx) seenIssues(after, last int64) ([]SeenIssue, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT h.project_id, h.id, h.title, h.total_events, max(e.newest), max(e.at)
		FROM (SELECT issue_id, max(id) AS newest, max(digested_at) AS at FROM events WHERE id > ?1 AND id <= ?2
		        AND NOT EXISTS (SELECT 1 FROM event_bodies b WHERE b.event_id = events.id AND b.meta ->> 'region' = ?3)
		      GROUP BY issue_id) e
		CROSS JOIN issues i ON i.id = e.issue_id CROSS JOIN issues h ON h.id = coalesce(i.merged_into, i.id)
		WHERE h.state = 0 GROUP BY h.id`, after, last, ImportRegion)
	var at sql.NullInt64
	return collectThen(rows, err, func(s *SeenIssue) []any {
		return []any{&s.Project, &s.ID, &s.Title, &s.Events, &s.Newest, &at}
	}, func(s *SeenIssue) { s.At = fromMS(at) })
}

// Stretch is a time, with both of its ends.
type Stretch struct{ From, To time.Time }

// EventsIn returns how many events of an issue and its members were digested in a time,
// whether they are stored or only counted. Where only a sample is stored, it may be
// wrong by the distance of two of these.
func (rx *Rx) EventsIn(issue int64, in Stretch) (int64, error) {
	var since, after int64
	err := rx.q.QueryRowContext(rx.ctx, recentEvents, issue, ms(in.From)).Scan(&since)
	if err != nil || since == 0 {
		return 0, err
	}
	err = rx.q.QueryRowContext(rx.ctx, recentEvents, issue, ms(in.To)+1).Scan(&after)
	return since - after, err
}

// LastCounted returns when a rule last reached its number with an issue; the zero time:
// never.
func (rx *Rx) LastCounted(issue int64, kind notify.Kind, rule int64) (time.Time, error) {
	var at sql.NullInt64
	err := rx.q.QueryRowContext(rx.ctx, `SELECT max(at) FROM alerts WHERE issue_id = ? AND kind = ? AND rule_id = ?`, issue, string(kind), rule).Scan(&at)
	return fromMS(at), err
}

// Examined is what the newest stored events of an issue are.
type Examined struct {
	Events int64 // that were looked at
	Fit    int64 // of these, those that a filter lets through, tags aside
	Users  int64 // of these
}

// examined is the newest events of issue ?1 and its members that were digested from ?2
// to ?6, at most ?5 of each, and whether they are of environments ?3, a JSON array, and
// of level ?4 or above.
const examined = recentHalves + `, examined AS (
	  SELECT e.id, e.user, e.level >= ?4 AND (?3 = '[]' OR e.environment IN (SELECT value FROM json_each(?3))) AS fits
	  FROM halves h CROSS JOIN events e ON e.issue_id = h.strand AND e.number > max(h.low, h.newest - ?5)
	  WHERE h.low = h.high AND e.digested_at <= ?6)`

// Examine looks at the newest stored events of an issue in a time, at most so many of it
// and of each of its members.
func (rx *Rx) Examine(issue int64, in Stretch, f alert.Filter, most int64) (Examined, error) {
	args, err := examinedArgs(issue, in, f, most)
	if err != nil {
		return Examined{}, err
	}
	var x Examined
	err = rx.q.QueryRowContext(rx.ctx, examined+`
		SELECT count(*), coalesce(sum(fits), 0), count(DISTINCT iif(fits AND user <> '', user, NULL)) FROM examined`, args...).
		Scan(&x.Events, &x.Fit, &x.Users)
	return x, err
}

// Fitting returns the ids of the newest of the events that Examine finds fitting.
func (rx *Rx) Fitting(issue int64, in Stretch, f alert.Filter, most int64, limit int) ([]int64, error) {
	args, err := examinedArgs(issue, in, f, most)
	if err != nil {
		return nil, err
	}
	rows, err := rx.q.QueryContext(rx.ctx, examined+` SELECT id FROM examined WHERE fits ORDER BY id DESC LIMIT ?7`, append(args, limit)...)
	return collect(rows, err, func(id *int64) []any { return []any{id} })
}

func examinedArgs(issue int64, in Stretch, f alert.Filter, most int64) ([]any, error) {
	environments, err := json.Marshal(append([]string{}, f.Environments...))
	return []any{issue, ms(in.From), string(environments), int64(f.Level), most, ms(in.To)}, err
}

// CountedAlert is that a rule's number was reached with an issue.
type CountedAlert struct {
	Rule   AlertRule
	Issue  SeenIssue
	Kind   notify.Kind
	Number int64
}

// errMoved says that somebody else looked at the same events.
var errMoved = errors.New("the events were looked at by somebody else")

// RaiseAlerts notes that events were looked at, up to one, and what was found. It does
// so once: who finds that somebody else did gets an error, and looks again.
func (tx *Tx) RaiseAlerts(found []CountedAlert, from, to int64) error {
	n, err := tx.exec(`UPDATE alert_state SET seen_event = ? WHERE seen_event = ?`, to, from)
	if err != nil {
		return err
	}
	if n == 0 {
		return errMoved
	}
	for _, c := range found {
		if _, err := tx.exec(`
			INSERT INTO alerts (project_id, issue_id, kind, rule_id, number, event_id, at, level, environment, release, tags)
			SELECT project_id, ?, ?, ?, ?, id, ?, level, environment, release, '[]' FROM events WHERE id = ?`,
			c.Issue.ID, string(c.Kind), c.Rule.ID, c.Number, ms(tx.now), c.Issue.Newest); err != nil {
			return err
		}
	}
	return nil
}
