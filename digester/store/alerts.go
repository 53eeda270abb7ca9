package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"sundew/digester/alert"
	"sundew/digester/notify"
	"sundew/schema/event"
)

// AlertState is what became of something that happened.
type AlertState int

// The states of an alert.
const (
	AlertPending AlertState = 0 // nobody has decided yet
	AlertTold    AlertState = 1 // it was sent, or collected for a summary
	AlertTooSoon AlertState = 2 // the rules spoke of the same a short while before
)

// Alert is something that happened to an issue and that a rule may be about.
type Alert struct {
	ID          int64
	Project     event.ProjectID
	Issue       int64
	Kind        notify.Kind
	Rule        int64 // of kinds that count: whose number was reached
	Number      int64 // of these: how many there were
	Event       int64 // the id of its event; 0: there is none
	At          time.Time
	Level       event.Level
	Environment string
	Release     string
	Tags        []event.Pair
}

// alertOfEvent writes what an event did to its issue, if the project has a rule for it
// and a channel. It reads nothing that somebody would have to remember: what people
// change of rules holds from the next event on.
const alertOfEvent = `
	INSERT INTO alerts (project_id, issue_id, kind, event_id, at, level, environment, release, tags)
	SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
	WHERE EXISTS (SELECT 1 FROM channels WHERE project_id = ?1 AND enabled = 1)
	  AND EXISTS (SELECT 1 FROM alert_rules WHERE project_id = ?1 AND enabled = 1
	                AND CASE ?3 WHEN 'new' THEN on_new WHEN 'regression' THEN on_regression ELSE on_unmuted END = 1)`

// alertOfSilence does the same for issue ?1, whose silence time has ended at ?2. What
// its newest event said is taken for what the alert is about, but for tags.
const alertOfSilence = `
	INSERT INTO alerts (project_id, issue_id, kind, at, level, environment, release, tags)
	SELECT i.project_id, i.id, 'unmuted', ?2, i.level, coalesce(e.environment, ''), coalesce(e.release, ''), '[]'
	FROM issues i LEFT JOIN events e ON e.issue_id = i.id AND e.number = (SELECT max(number) FROM events WHERE issue_id = ?1)
	WHERE i.id = ?1 AND EXISTS (SELECT 1 FROM channels WHERE project_id = i.project_id AND enabled = 1)
	  AND EXISTS (SELECT 1 FROM alert_rules WHERE project_id = i.project_id AND enabled = 1 AND on_unmuted = 1)`

// noteAlert writes what the event did to its issue for the rules.
func (p *plan) noteAlert() error {
	kind := notify.KindNew
	switch p.turned.kind {
	case HistoryRegressed:
		kind = notify.KindRegression
	case HistoryUnmuted:
		kind = notify.KindUnmuted
	}
	in := p.in
	tags, err := json.Marshal(append([]event.Pair{}, in.Tags...))
	if err != nil {
		return fmt.Errorf("tags: %w", err)
	}
	return p.to.exec(alertOfEvent, int64(in.Project), p.whole().id, string(kind), p.ids.event, p.now,
		int64(in.Level), in.Environment, in.Release, string(tags))
}

// AlertsDue reports whether there is something to decide, or a summary to write.
func (rx *Rx) AlertsDue(now time.Time) (bool, error) {
	var due bool
	err := rx.q.QueryRowContext(rx.ctx, `
		SELECT EXISTS (SELECT 1 FROM alerts WHERE state = 0) OR EXISTS (SELECT 1 FROM alert_paces WHERE step > 0 AND summary_at <= ?)`,
		ms(now)).Scan(&due)
	return due, err
}

// PendingAlerts returns what nobody has decided about yet, the oldest first.
func (rx *Rx) PendingAlerts(limit int) ([]Alert, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id, project_id, issue_id, kind, rule_id, number, coalesce(event_id, 0), at, level, environment, release, tags
		FROM alerts WHERE state = 0 ORDER BY id LIMIT ?`, limit)
	var at sql.NullInt64
	var tags string
	var broken error
	all, err := collectThen(rows, err, func(a *Alert) []any {
		return []any{&a.ID, &a.Project, &a.Issue, &a.Kind, &a.Rule, &a.Number, &a.Event, &at, &a.Level, &a.Environment, &a.Release, &tags}
	}, func(a *Alert) {
		a.At = fromMS(at)
		if err := json.Unmarshal([]byte(tags), &a.Tags); err != nil {
			broken = fmt.Errorf("tags of alert %d: %w", a.ID, err)
		}
	})
	if err == nil {
		err = broken
	}
	return all, err
}

// LastAlerts returns when each rule last spoke of an issue for a reason.
func (rx *Rx) LastAlerts(issue int64, kind notify.Kind) (map[int64]time.Time, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT s.rule_id, max(a.at) FROM alerts a JOIN alert_sends s ON s.alert_id = a.id
		WHERE a.issue_id = ? AND a.kind = ? GROUP BY s.rule_id`, issue, string(kind))
	type row struct{ rule, at int64 }
	all, err := collect(rows, err, func(r *row) []any { return []any{&r.rule, &r.at} })
	last := make(map[int64]time.Time, len(all))
	for _, r := range all {
		last[r.rule] = time.UnixMilli(r.at).UTC()
	}
	return last, err
}

// CollectedAlert is one that a channel is told of in its next summary.
type CollectedAlert struct{ Alert, Channel, Rule int64 }

// SettledAlerts is what was decided about pending alerts, by their ids.
type SettledAlerts struct {
	Told      []int64
	TooSoon   []int64
	Unwanted  []int64 // no rule wants to know: they are removed
	Collected []CollectedAlert
	Fired     map[int64]int64 // how often each rule led to something
}

// SettleAlerts writes down what was decided. Those that are told at once are sent by
// TellAlert.
func (tx *Tx) SettleAlerts(s SettledAlerts) error {
	for _, step := range []struct {
		ids   any
		n     int
		query string
	}{
		{s.Told, len(s.Told), `UPDATE alerts SET state = 1, tags = '[]' WHERE id IN (SELECT value FROM json_each(?))`},
		{s.TooSoon, len(s.TooSoon), `UPDATE alerts SET state = 2, tags = '[]' WHERE id IN (SELECT value FROM json_each(?))`},
		{s.Unwanted, len(s.Unwanted), `DELETE FROM alerts WHERE id IN (SELECT value FROM json_each(?))`},
		{s.Collected, len(s.Collected), `
			INSERT INTO alert_sends (alert_id, channel_id, rule_id)
			SELECT value ->> 'Alert', value ->> 'Channel', value ->> 'Rule' FROM json_each(?)`},
	} {
		if step.n == 0 {
			continue
		}
		ids, err := json.Marshal(step.ids)
		if err != nil {
			return err
		}
		if _, err := tx.exec(step.query, string(ids)); err != nil {
			return err
		}
	}
	for rule, n := range s.Fired {
		if _, err := tx.exec(`UPDATE alert_rules SET fired = fired + ?, fired_at = ? WHERE id = ?`, n, ms(tx.now), rule); err != nil {
			return err
		}
	}
	return nil
}

// TellAlert puts a message about an alert into the outbox of a channel.
func (tx *Tx) TellAlert(id int64, to alert.Send, m notify.Message) error {
	notes, err := tx.queueNotification(to.Channel, m)
	if err != nil {
		return err
	}
	var first, last int64
	if len(notes) > 0 {
		first, last = notes[0], notes[len(notes)-1]
	}
	_, err = tx.exec(`INSERT INTO alert_sends (alert_id, channel_id, rule_id, first_notification, last_notification) VALUES (?, ?, ?, ?, ?)`,
		id, to.Channel, to.Rule, first, last)
	return err
}
