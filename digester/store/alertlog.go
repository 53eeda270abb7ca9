package store

import (
	"database/sql"
	"time"

	"sundew/digester/notify"
	"sundew/schema/event"
)

const (
	// alertsKept is for how long the log goes back, at most with so many lines; what is
	// younger than alertsNeeded stays where it keeps a rule from repeating itself.
	alertsKept    = 30 * 24 * time.Hour
	maxAlertsKept = 20_000
	alertsNeeded  = 24 * time.Hour

	// alertsPurged is how many lines are looked at in one transaction.
	alertsPurged = 500
)

// LoggedAlert is a line of the log of alerts.
type LoggedAlert struct {
	ID       int64
	Issue    int64
	Number   int64  // of the issue in its project
	Title    string // of the issue
	Kind     notify.Kind
	Count    int64 // of kinds that count: how many there were
	Rule     int64 // of these: whose number was reached
	At       time.Time
	State    AlertState
	Sends    []LoggedSend
	Deciding bool // the rules have not been asked yet
}

// LoggedSend is where somebody is told of an alert.
type LoggedSend struct {
	Channel     int64
	ChannelName string
	Rule        int64
	RuleName    string // empty: it was deleted
	State       SendState
	Error       string // of the last attempt
}

// SendState is how far a message about an alert is.
type SendState string

// The states. Of a message with several recipients the first of these that is true of
// one of them.
const (
	SendFailed    SendState = "failed"    // given up
	SendWaiting   SendState = "waiting"   // for its next attempt
	SendSent      SendState = "sent"      // taken
	SendCollected SendState = "collected" // for the next summary
	SendSummed    SendState = "summed"    // it was in a summary
	SendLeftOut   SendState = "left out"  // too many waited
	SendForgotten SendState = "forgotten" // too long ago to know
)

// AlertLog returns the newest lines of a project's log of alerts.
func (rx *Rx) AlertLog(project event.ProjectID, limit int) ([]LoggedAlert, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT a.id, a.issue_id, i.number, i.title, a.kind, a.number, a.rule_id, a.at, a.state
		FROM alerts a CROSS JOIN issues i ON i.id = a.issue_id WHERE a.project_id = ? ORDER BY a.id DESC LIMIT ?`, int64(project), limit)
	var at sql.NullInt64
	all, err := collectThen(rows, err, func(l *LoggedAlert) []any {
		return []any{&l.ID, &l.Issue, &l.Number, &l.Title, &l.Kind, &l.Count, &l.Rule, &at, &l.State}
	}, func(l *LoggedAlert) { l.At, l.Deciding = fromMS(at), l.State == AlertPending })
	if err != nil || len(all) == 0 {
		return nil, err
	}
	sends, err := rx.loggedSends(project, all[len(all)-1].ID)
	for i := range all {
		all[i].Sends = sends[all[i].ID]
	}
	return all, err
}

// loggedSends returns the sends of a project's alerts from one on.
func (rx *Rx) loggedSends(project event.ProjectID, from int64) (map[int64][]LoggedSend, error) {
	type row struct {
		alert int64
		LoggedSend
	}
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT s.alert_id, s.channel_id, c.name, s.rule_id, coalesce(r.name, ''),
		  CASE
		    WHEN s.last_notification = 0 THEN 'left out'
		    WHEN s.last_notification IS NULL THEN iif(s.alert_id <= coalesce(p.told, 0), 'summed', 'collected')
		    WHEN EXISTS (SELECT 1 FROM notifications WHERE id BETWEEN s.first_notification AND s.last_notification AND due_at IS NULL AND sent_at IS NULL) THEN 'failed'
		    WHEN EXISTS (SELECT 1 FROM notifications WHERE id BETWEEN s.first_notification AND s.last_notification AND due_at IS NOT NULL) THEN 'waiting'
		    WHEN EXISTS (SELECT 1 FROM notifications WHERE id BETWEEN s.first_notification AND s.last_notification) THEN 'sent'
		    ELSE 'forgotten' END,
		  coalesce((SELECT error FROM notifications WHERE id BETWEEN s.first_notification AND s.last_notification AND sent_at IS NULL AND error <> '' LIMIT 1), '')
		FROM alerts a CROSS JOIN alert_sends s ON s.alert_id = a.id CROSS JOIN channels c ON c.id = s.channel_id
		  LEFT JOIN alert_rules r ON r.id = s.rule_id LEFT JOIN alert_paces p ON p.channel_id = s.channel_id
		WHERE a.project_id = ? AND a.id >= ?`, int64(project), from)
	all, err := collect(rows, err, func(r *row) []any {
		return []any{&r.alert, &r.Channel, &r.ChannelName, &r.Rule, &r.RuleName, &r.State, &r.Error}
	})
	sends := make(map[int64][]LoggedSend)
	for _, r := range all {
		sends[r.alert] = append(sends[r.alert], r.LoggedSend)
	}
	return sends, err
}

// PurgeAlerts removes what is too old for the log or too much, of its oldest lines, and
// returns how many that were.
func (tx *Tx) PurgeAlerts() (int64, error) {
	return tx.exec(`
		DELETE FROM alerts WHERE id IN (
		  SELECT id FROM (SELECT id, at, kind FROM alerts WHERE state <> 0 ORDER BY id LIMIT ?)
		  WHERE at < ? OR id <= (SELECT max(id) FROM alerts) - ? AND (kind = 'new' OR at < ?))`,
		alertsPurged, ms(tx.now.Add(-alertsKept)), maxAlertsKept, ms(tx.now.Add(-alertsNeeded)))
}
