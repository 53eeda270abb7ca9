package store

import (
	"fmt"
	"time"

	"sundew/digester/triage"
)

// Mute mutes issues and returns those that it changed. Of triage.MuteMore Events is
// how many more, of triage.MuteWorse only the kind has to be given. An error that
// wraps ErrInvalid if it makes no sense (triage.Mute.Valid).
func (tx *Tx) Mute(issues []int64, how triage.Mute, by int64) ([]int64, error) {
	if !how.Valid(tx.now) {
		return nil, fmt.Errorf("%w: this issue cannot be muted so: a moment has to be in the future, a number from 1 to %d, a period from a minute to 30 days",
			ErrInvalid, triage.MaxMuteEvents)
	}
	return tx.each(issues, func(a acted) (bool, error) {
		m, err := tx.muteOf(a, how)
		if err != nil {
			return false, err
		}
		detail := detailOfMute(m)
		if m.Kind == triage.MuteMore {
			detail.Events = how.Events
		}
		var until any
		if m.Kind == triage.MuteUntil {
			until = ms(m.Until)
		}
		return tx.changed(a.id, HistoryMuted, by, detail, `
			UPDATE issues SET state = 2, `+unresolved+`, mute_kind = ?, mute_until = ?, mute_events = ?, mute_period = ?, revision = revision + 1
			WHERE id = ?`, int64(m.Kind), until, m.Events, m.Period.Milliseconds(), a.id)
	})
}

// muteOf makes of what a person asks for what is stored of one issue: only what its
// kind names, with numbers that do not change meaning.
func (tx *Tx) muteOf(a acted, how triage.Mute) (triage.Mute, error) {
	switch how.Kind {
	case triage.MuteUntil:
		return triage.Mute{Kind: how.Kind, Until: how.Until}, nil
	case triage.MuteMore:
		return triage.Mute{Kind: how.Kind, Events: a.total + how.Events}, nil
	case triage.MuteRate:
		return triage.Mute{Kind: how.Kind, Events: how.Events, Period: how.Period}, nil
	case triage.MuteWorse:
		const lately = 7 * 24 * time.Hour
		var largest int64
		err := tx.q.QueryRowContext(tx.ctx, `
			SELECT coalesce(max(n), 0) FROM (
			  SELECT sum(count) AS n FROM issue_hours WHERE issue_id IN `+strandsOf1+` AND hour >= ?2 GROUP BY hour)`,
			a.id, hourOf(tx.now.Add(-lately))).Scan(&largest)
		return triage.Worse(largest), err
	}
	return triage.Mute{Kind: how.Kind}, nil
}

func detailOfMute(m triage.Mute) Detail {
	d := Detail{Mute: m.Kind, Events: m.Events, Period: m.Period.Milliseconds()}
	if m.Kind == triage.MuteUntil {
		d.Until = ms(m.Until)
	}
	return d
}

// recentKey stands for the question for an issue's latest events.
type recentKey int64

// recent asks how many events a muted issue had within the period of its silence,
// where the messages might make them too many: if there are to be 100 in an hour and
// there were 20, the next 80 have nothing to ask.
func (a *asking) recent(s *issueState) {
	if s.recent >= 0 && s.recent+s.total()+a.events(s)-s.recentAt < s.mute.Events || !a.once(recentKey(s.id)) {
		return
	}
	a.add(func(r row) error {
		s.recentAt = s.total()
		return r.Scan(&s.recent)
	}, recentEvents, s.id, ms(a.now().Add(-s.mute.Period)))
}

// recentEvents counts the events of issue ?1 and its members that were digested at
// ?2 or later.
const recentEvents = recentHalves + `
	SELECT coalesce(sum(newest - low), 0) FROM halves WHERE low = high`

// recentHalves begins a query with a table "halves": where low = high, an issue's or
// a member's number of events digested before ?2. Events are numbered in this order,
// so that the first can be found by halving.
const recentHalves = `
	WITH RECURSIVE halves (strand, low, high, newest) AS (
	  SELECT id, 0, event_count + moved_events, event_count + moved_events FROM issues WHERE id = ?1
	  UNION ALL SELECT id, 0, event_count + moved_events, event_count + moved_events FROM issues WHERE merged_into = ?1
	  UNION ALL
	  SELECT strand,
	    iif(coalesce((SELECT digested_at FROM events WHERE issue_id = strand AND number <= (low + high + 1) / 2 ORDER BY number DESC LIMIT 1), 0) < ?2, (low + high + 1) / 2, low),
	    iif(coalesce((SELECT digested_at FROM events WHERE issue_id = strand AND number <= (low + high + 1) / 2 ORDER BY number DESC LIMIT 1), 0) < ?2, high, (low + high + 1) / 2 - 1),
	    newest
	  FROM halves WHERE low < high
	)`

// UnmuteDue opens issues whose silence is over by time, a hundred at most, and
// returns how many: without it one of which there are no more events would stay muted.
func (tx *Tx) UnmuteDue() (int, error) {
	type due struct {
		id    int64
		until int64
	}
	rows, err := tx.q.QueryContext(tx.ctx, `
		SELECT id, mute_until FROM issues WHERE mute_until <= ? AND state = 2 ORDER BY mute_until LIMIT ?`, ms(tx.now), MaxActed)
	all, err := collect(rows, err, func(d *due) []any { return []any{&d.id, &d.until} })
	if err != nil {
		return 0, err
	}
	for _, d := range all {
		if _, err := tx.changed(d.id, HistoryUnmuted, 0, Detail{Mute: triage.MuteUntil, Until: d.until},
			`UPDATE issues SET `+undecided+`, revision = revision + 1 WHERE id = ?`, d.id); err != nil {
			return 0, err
		}
		if _, err := tx.exec(alertOfSilence, d.id, ms(tx.now)); err != nil {
			return 0, err
		}
	}
	return len(all), nil
}
