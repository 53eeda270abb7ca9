package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"sundew/schema/event"
	"sundew/schema/quota"
)

// UsualSpike stands for the number of events a minute of one issue that are all stored
// where nobody set another one.
const UsualSpike = -1

// Quotas is what people set about how much a project may report, or with
// quota.Installation all of them.
type Quotas struct {
	Limits quota.Limits
	Spike  int64 // of one issue in a minute, all stored; 0: all are; UsualSpike. Of no meaning for the installation
}

// Quotas returns what is set for a project, or for the installation.
func (rx *Rx) Quotas(project event.ProjectID) (Quotas, error) {
	all, err := rx.quotas(`WHERE project_id = ?`, int64(project))
	if err != nil || len(all) == 0 {
		return Quotas{Spike: UsualSpike}, err
	}
	return all[project], nil
}

// AllQuotas returns everything that is set.
func (rx *Rx) AllQuotas() (map[event.ProjectID]Quotas, error) {
	return rx.quotas(``)
}

func (rx *Rx) quotas(where string, args ...any) (map[event.ProjectID]Quotas, error) {
	type row struct {
		project event.ProjectID
		limits  string
		spike   sql.NullInt64
	}
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT project_id, limits, spike FROM quotas `+where, args...)
	set, err := collect(rows, err, func(r *row) []any { return []any{&r.project, &r.limits, &r.spike} })
	if err != nil {
		return nil, err
	}
	all := make(map[event.ProjectID]Quotas, len(set))
	for _, r := range set {
		q := Quotas{Spike: UsualSpike}
		if r.spike.Valid {
			q.Spike = r.spike.Int64
		}
		if err := json.Unmarshal([]byte(r.limits), &q.Limits); err != nil {
			return nil, fmt.Errorf("quotas of project %d: %w", r.project, err)
		}
		all[r.project] = q
	}
	return all, nil
}

// SetQuotas sets them. The error wraps ErrInvalid if a number will not do.
func (tx *Tx) SetQuotas(project event.ProjectID, q Quotas) error {
	if err := q.Limits.Check(); err != nil {
		return fmt.Errorf("%w limit: %w", ErrInvalid, err)
	}
	if q.Spike < UsualSpike || q.Spike > quota.MaxLimit {
		return fmt.Errorf("%w number of events a minute", ErrInvalid)
	}
	limits, err := json.Marshal(q.Limits)
	if err != nil {
		return err
	}
	_, err = tx.exec(`
		INSERT INTO quotas (project_id, limits, spike) VALUES (?1, ?2, nullif(?3, ?4))
		ON CONFLICT DO UPDATE SET limits = excluded.limits, spike = excluded.spike`,
		int64(project), string(limits), q.Spike, UsualSpike)
	return err
}

// QuotaRecord is what was counted of what was accepted.
type QuotaRecord struct {
	Counted  quota.Record
	Accepted int64 // messages that the local queue had ever accepted then
}

// QuotaRecord returns what was counted for a project, or for the installation; it is
// some seconds old.
func (rx *Rx) QuotaRecord(project event.ProjectID) (QuotaRecord, error) {
	all, err := rx.quotaRecords(`WHERE project_id = ?`, int64(project))
	return all[project], err
}

// QuotaRecords returns all that was counted.
func (rx *Rx) QuotaRecords() (map[event.ProjectID]QuotaRecord, error) {
	return rx.quotaRecords(``)
}

func (rx *Rx) quotaRecords(where string, args ...any) (map[event.ProjectID]QuotaRecord, error) {
	type row struct {
		project  event.ProjectID
		record   string
		accepted int64
	}
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT project_id, record, accepted FROM quota_uses `+where, args...)
	set, err := collect(rows, err, func(r *row) []any { return []any{&r.project, &r.record, &r.accepted} })
	all := make(map[event.ProjectID]QuotaRecord, len(set))
	for _, r := range set {
		record := QuotaRecord{Accepted: r.accepted}
		if err := json.Unmarshal([]byte(r.record), &record.Counted); err != nil {
			return nil, fmt.Errorf("what was counted of project %d: %w", r.project, err)
		}
		all[r.project] = record
	}
	return all, err
}

// SaveQuotaRecords writes down what was counted.
func (tx *Tx) SaveQuotaRecords(records map[event.ProjectID]QuotaRecord) error {
	for project, r := range records {
		record, err := json.Marshal(r.Counted)
		if err != nil {
			return err
		}
		if _, err := tx.exec(`
			INSERT INTO quota_uses (project_id, record, accepted, updated_at) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET record = excluded.record, accepted = excluded.accepted, updated_at = excluded.updated_at`,
			int64(project), string(record), r.Accepted, ms(tx.now)); err != nil {
			return err
		}
	}
	return nil
}

// OverQuota returns how many items of a project were refused or dropped because of
// quotas, in the hours from since on.
func (rx *Rx) OverQuota(project event.ProjectID, since time.Time) (n int64, err error) {
	err = rx.q.QueryRowContext(rx.ctx, `
		SELECT coalesce(sum(quantity), 0) FROM outcomes
		WHERE project_id = ? AND hour >= ? AND outcome IN ('limited', 'dropped') AND reason IN (?, ?)`,
		int64(project), hourOf(since), quota.ReasonProject, quota.ReasonInstallation).Scan(&n)
	return n, err
}
