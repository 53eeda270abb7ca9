package store

import (
	"database/sql"
	"math/bits"
	"slices"
	"time"

	"sundew/schema/event"
)

// seenStepMS is the width of issues.seen_step.
const seenStepMS = 60_000

// countStep is issues.count_step of a count: equal to it up to 7, then four steps
// for each doubling. It never decreases as n grows.
func countStep(n int64) int64 {
	if n < 8 {
		return n
	}
	e := bits.Len64(uint64(n)) - 3
	return int64(e)<<2 + n>>e
}

// Issue returns one issue, also one that is merged or deleted, ErrNotFound if there
// is none.
func (rx *Rx) Issue(id int64) (Issue, error) {
	return one(rx.issues("WHERE i.id = ? AND p.deleted_at IS NULL", id))
}

// IssueByShortID returns the n-th issue of the project with a slug, which may be a
// former one, ErrNotFound if there is none.
func (rx *Rx) IssueByShortID(slug string, number int64) (Issue, error) {
	return one(rx.issues(`WHERE i.project_id = (`+projectsBySlug+`) AND i.number = ? AND p.deleted_at IS NULL`, slug, slug, number))
}

// IssuesByID returns issues by id, also merged and deleted ones; those that do not
// exist are left out.
func (rx *Rx) IssuesByID(ids []int64) ([]Issue, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return rx.issues(`WHERE i.id IN `+list(len(ids))+` AND p.deleted_at IS NULL ORDER BY i.id`, anys(ids)...)
}

// IssueProject returns the project of an issue, ErrNotFound if there is none.
func (rx *Rx) IssueProject(id int64) (event.ProjectID, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT i.project_id FROM issues i JOIN projects p ON p.id = i.project_id WHERE i.id = ? AND p.deleted_at IS NULL`, id)
	return one(collect(rows, err, func(p *event.ProjectID) []any { return []any{p} }))
}

func (rx *Rx) issues(where string, args ...any) ([]Issue, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT i.id, i.project_id, p.slug, i.number, i.state, i.level, i.title, i.culprit, i.platform,
		       i.total_events, i.total_users, i.total_first_seen, i.total_last_seen, i.event_count,
		       i.resolved_at, i.resolve_kind, i.resolve_release, i.mute_kind, i.mute_until, i.mute_events, i.mute_period,
		       coalesce(i.assignee_user_id, 0), coalesce(i.assignee_team_id, 0), coalesce(i.merged_into, 0), i.merged_first_seen IS NOT NULL, i.aside_at
		FROM issues i JOIN projects p ON p.id = i.project_id `+where, args...)
	var first, last, resolved, until, aside sql.NullInt64
	var period int64
	return collectThen(rows, err, func(i *Issue) []any {
		return []any{&i.ID, &i.ProjectID, &i.Project, &i.Number, &i.State, &i.Level, &i.Title, &i.Culprit, &i.Platform,
			&i.Events, &i.Users, &first, &last, &i.OwnEvents,
			&resolved, &i.Resolution.Kind, &i.Resolution.Release, &i.Mute.Kind, &until, &i.Mute.Events, &period,
			&i.Assignee.User, &i.Assignee.Team, &i.MergedInto, &i.HasMembers, &aside}
	}, func(i *Issue) {
		i.FirstSeen, i.LastSeen, i.ResolvedAt = fromMS(first), fromMS(last), fromMS(resolved)
		i.Mute.Until, i.Mute.Period = fromMS(until), time.Duration(period)*time.Millisecond
		if i.State == StateMerged || i.State == StateDeleted {
			i.AsideAt = fromMS(aside)
		}
	})
}

// IssueHours returns the events of each issue and its members in each hour from
// since on, ascending; hours without events are left out.
func (rx *Rx) IssueHours(issues []int64, since time.Time) (map[int64][]HourCount, error) {
	if len(issues) == 0 {
		return nil, nil
	}
	ids := anys(issues)
	rows, err := rx.q.QueryContext(rx.ctx, `
		`+withStrandsOf(len(ids))+`
		SELECT s.head, h.hour, sum(h.count) FROM strands s CROSS JOIN issue_hours h ON h.issue_id = s.id AND h.hour >= ?
		GROUP BY s.head, h.hour ORDER BY s.head, h.hour`, append(slices.Concat(ids, ids), hourOf(since))...)
	return collectHours[int64](rows, err)
}
