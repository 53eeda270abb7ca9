package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sundew/digester/alert"
	"sundew/schema/event"
)

// maxAlertRules bounds the rules of a project.
const maxAlertRules = 50

// AlertRule is a rule of a project.
type AlertRule struct {
	alert.Rule
	Project   event.ProjectID
	CreatedAt time.Time
	Fired     int64     // how often somebody was told because of it
	FiredAt   time.Time // the last time; zero: never
}

// AlertRules returns a project's rules, the oldest first.
func (rx *Rx) AlertRules(project event.ProjectID) ([]AlertRule, error) {
	return rx.alertRules(`WHERE project_id = ? ORDER BY id`, int64(project))
}

// AlertRule returns one rule of a project, ErrNotFound if it has no such rule.
func (rx *Rx) AlertRule(project event.ProjectID, id int64) (AlertRule, error) {
	return one(rx.alertRules(`WHERE project_id = ? AND id = ?`, int64(project), id))
}

// CountingRules returns the rules of all projects that ask for numbers of events or
// users and are switched on.
func (rx *Rx) CountingRules() ([]AlertRule, error) {
	return rx.alertRules(`WHERE enabled = 1 AND events + users > 0 
		AND EXISTS (SELECT 1 FROM channels WHERE project_id = alert_rules.project_id AND enabled = 1) ORDER BY project_id`)
}

func (rx *Rx) alertRules(where string, args ...any) ([]AlertRule, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id, project_id, name, enabled, on_new, on_regression, on_unmuted, events, events_period, users, users_period,
		       filter, pause, all_channels, created_at, fired, fired_at,
		       (SELECT json_group_array(channel_id) FROM alert_rule_channels c WHERE c.rule_id = alert_rules.id)
		FROM alert_rules `+where, args...)
	var created, fired sql.NullInt64
	var events, users, pause int64
	var filter, channels string
	var broken error
	all, err := collectThen(rows, err, func(r *AlertRule) []any {
		return []any{&r.ID, &r.Project, &r.Name, &r.Enabled, &r.New, &r.Regression, &r.Unmuted, &r.Events.Count, &events, &r.Users.Count, &users,
			&filter, &pause, &r.AllChannels, &created, &r.Fired, &fired, &channels}
	}, func(r *AlertRule) {
		r.Events.Period, r.Users.Period, r.Interval = fromMillis(events), fromMillis(users), fromMillis(pause)
		r.CreatedAt, r.FiredAt = fromMS(created), fromMS(fired)
		if err := errors.Join(json.Unmarshal([]byte(filter), &r.Filter), json.Unmarshal([]byte(channels), &r.Channels)); err != nil {
			broken = fmt.Errorf("alert rule %d: %w", r.ID, err)
		}
	})
	if err == nil {
		err = broken
	}
	return all, err
}

func fromMillis(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// AddAlertRule makes a rule of a project. Channels of other projects do not count. The
// error wraps ErrInvalid or alert.ErrRule.
func (tx *Tx) AddAlertRule(project event.ProjectID, r alert.Rule) (AlertRule, error) {
	filter, err := checkedRule(r)
	if err != nil {
		return AlertRule{}, err
	}
	var n int
	if err := tx.q.QueryRowContext(tx.ctx, `SELECT count(*) FROM alert_rules WHERE project_id = ?`, int64(project)).Scan(&n); err != nil {
		return AlertRule{}, err
	}
	if n >= maxAlertRules {
		return AlertRule{}, fmt.Errorf("%w: a project has at most %d rules", ErrInvalid, maxAlertRules)
	}
	if err := tx.beginToCount(r); err != nil {
		return AlertRule{}, err
	}
	id, err := tx.insert(`
		INSERT INTO alert_rules (project_id, name, enabled, on_new, on_regression, on_unmuted, events, events_period, users, users_period,
		                         filter, pause, all_channels, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		int64(project), r.Name, r.Enabled, r.New, r.Regression, r.Unmuted, r.Events.Count, r.Events.Period.Milliseconds(),
		r.Users.Count, r.Users.Period.Milliseconds(), filter, r.Interval.Milliseconds(), r.AllChannels, ms(tx.now))
	if err != nil {
		return AlertRule{}, err
	}
	if err := tx.setRuleChannels(project, id, r.Channels); err != nil {
		return AlertRule{}, err
	}
	return tx.AlertRule(project, id)
}

// ChangeAlertRule makes the rule that r.ID names what r says. ErrNotFound if the project
// has no such rule, otherwise errors as of AddAlertRule.
func (tx *Tx) ChangeAlertRule(project event.ProjectID, r alert.Rule) error {
	filter, err := checkedRule(r)
	if err != nil {
		return err
	}
	if err := tx.beginToCount(r); err != nil {
		return err
	}
	err = someChanged(tx.exec(`
		UPDATE alert_rules SET name = ?, enabled = ?, on_new = ?, on_regression = ?, on_unmuted = ?,
		  events = ?, events_period = ?, users = ?, users_period = ?, filter = ?, pause = ?, all_channels = ?
		WHERE project_id = ? AND id = ?`,
		r.Name, r.Enabled, r.New, r.Regression, r.Unmuted, r.Events.Count, r.Events.Period.Milliseconds(),
		r.Users.Count, r.Users.Period.Milliseconds(), filter, r.Interval.Milliseconds(), r.AllChannels, int64(project), r.ID))
	if err != nil {
		return err
	}
	return tx.setRuleChannels(project, r.ID, r.Channels)
}

// SetAlertRuleEnabled switches a rule on or off. ErrNotFound if the project has no such
// rule.
func (tx *Tx) SetAlertRuleEnabled(project event.ProjectID, id int64, enabled bool) error {
	r, err := tx.AlertRule(project, id)
	if err != nil {
		return err
	}
	r.Enabled = enabled
	return tx.ChangeAlertRule(project, r.Rule)
}

// DeleteAlertRule removes a rule. What it has led to stays in the log. ErrNotFound if
// the project has no such rule.
func (tx *Tx) DeleteAlertRule(project event.ProjectID, id int64) error {
	return someChanged(tx.exec(`DELETE FROM alert_rules WHERE project_id = ? AND id = ?`, int64(project), id))
}

func checkedRule(r alert.Rule) (filter string, err error) {
	if err := r.Check(); err != nil {
		return "", err
	}
	text, err := json.Marshal(r.Filter)
	return string(text), err
}

func (tx *Tx) setRuleChannels(project event.ProjectID, rule int64, channels []int64) error {
	if _, err := tx.exec(`DELETE FROM alert_rule_channels WHERE rule_id = ?`, rule); err != nil {
		return err
	}
	ids, err := json.Marshal(append([]int64{}, channels...))
	if err != nil {
		return err
	}
	_, err = tx.exec(`
		INSERT INTO alert_rule_channels (rule_id, channel_id)
		SELECT ?, id FROM channels WHERE project_id = ? AND id IN (SELECT value FROM json_each(?))`, rule, int64(project), string(ids))
	return err
}

// beginToCount lets the first rule that counts begin with the events to come: while
// there was none, nobody looked at them.
func (tx *Tx) beginToCount(r alert.Rule) error {
	if !r.Enabled || !r.Counts() {
		return nil
	}
	_, err := tx.exec(`
		UPDATE alert_state SET seen_event = max(seen_event, (SELECT coalesce(max(id), 0) FROM events))
		WHERE NOT EXISTS (SELECT 1 FROM alert_rules WHERE enabled = 1 AND events + users > 0)`)
	return err
}
