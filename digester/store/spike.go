package store

import (
	"sundew/schema/event"
	"sundew/schema/quota"
)

// reasonCounted stands in the books beside stored events that were only counted.
const reasonCounted = "counted_only"

// spike counts the events of an issue that were accepted in the newest minute.
type spike struct{ minute, events int64 }

// spare counts the event among those of its minute, and returns 1 if it need not be
// stored: its issue has many of this minute, it is none of the sample, and the history
// does not refer to it.
func (p *plan) spare() int64 {
	if p.in.SpikeAfter <= 0 {
		return 0
	}
	p.spike = p.cache.spikes[p.issue.id]
	if minute := ms(p.in.ReceivedAt) / 60_000; minute > p.spike.minute {
		p.spike = spike{minute, 0}
	}
	p.spike.events++
	if p.newIssue || p.turned.kind != "" || quota.Keeps(p.spike.events, p.in.SpikeAfter) {
		return 0
	}
	return 1
}

// countOnly is keep for an event of which there are very many: every number has it,
// and there is no row of it. So it would not be recognised if the client sent it again.
func (p *plan) countOnly() error {
	if err := p.to.exec(`UPDATE issues SET evicted_events = evicted_events + 1 WHERE id = ?`, p.issue.id); err != nil {
		return err
	}
	return p.to.exec(`UPDATE projects SET evicted_events = evicted_events + 1 WHERE id = ?`, int64(p.in.Project))
}

// StoredCount returns how many events of an issue and its members are stored; the
// others were counted only, or are removed.
func (rx *Rx) StoredCount(issue int64) (n int64, err error) {
	err = rx.q.QueryRowContext(rx.ctx, `SELECT coalesce(sum(event_count - evicted_events), 0) FROM issues WHERE id IN `+strandsOf1, issue).Scan(&n)
	return n, err
}

// NewestEventOf returns the newest stored event of an issue without its members,
// ErrNotFound if there is none.
func (rx *Rx) NewestEventOf(issue int64) (Event, error) {
	return one(rx.events(`WHERE issue_id = ? ORDER BY number DESC LIMIT 1`, issue))
}

// KeptOf returns of how many events of a project how many are stored.
func (rx *Rx) KeptOf(project event.ProjectID) (counted, stored int64, err error) {
	err = rx.q.QueryRowContext(rx.ctx, `SELECT event_count, event_count - evicted_events FROM projects WHERE id = ?`, int64(project)).Scan(&counted, &stored)
	return counted, stored, err
}
