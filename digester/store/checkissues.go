package store

import (
	"bytes"
	"fmt"
)

// issueInvariants are those of what people do with issues.
var issueInvariants = []invariant{
	{"an issue is resolved if and only if it says when", `
		SELECT 'issue ' || id FROM issues
		WHERE state < 3 AND ((state = 1) <> (resolved_at IS NOT NULL) OR state <> 1 AND (resolve_kind <> 0 OR resolve_release <> ''))`},
	{"an issue is muted if and only if it says how", `
		SELECT 'issue ' || id FROM issues
		WHERE state < 3 AND (state = 2) <> (mute_kind <> 0) OR (mute_kind = 2) <> (mute_until IS NOT NULL)
		   OR mute_kind = 0 AND (mute_events <> 0 OR mute_period <> 0)`},
	{"an issue is merged or deleted if and only if it says since when, and what it was", `
		SELECT 'issue ' || id FROM issues
		WHERE state NOT BETWEEN 0 AND 4 OR (state >= 3) <> (aside_at IS NOT NULL) OR (state >= 3) <> (aside_state IS NOT NULL)
		   OR (state = 3) <> (merged_into IS NOT NULL) OR aside_state NOT BETWEEN 0 AND 2`},
	{"a member's head is an issue of the same project and no member", `
		SELECT 'issue ' || m.id FROM issues m LEFT JOIN issues h ON h.id = m.merged_into
		WHERE m.merged_into IS NOT NULL AND (h.project_id IS NOT m.project_id OR h.merged_into IS NOT NULL)`},
	{"a head's numbers of its members are the sums of theirs", `
		SELECT 'issue ' || i.id || ': counts ' || i.merged_events || ', members have ' || coalesce(m.n, 0)
		FROM issues i LEFT JOIN (
		  SELECT merged_into, sum(event_count) AS n, min(first_seen) AS first, max(last_seen) AS last FROM issues WHERE merged_into IS NOT NULL GROUP BY 1) m
		  ON m.merged_into = i.id
		WHERE i.merged_events <> coalesce(m.n, 0) OR i.merged_first_seen IS NOT m.first OR i.merged_last_seen IS NOT m.last`},
	{"an issue has a grouping, or one that is parked, unless it was made of moved events, and a grouping an issue of its project", `
		SELECT 'issue ' || coalesce(i.id, g.issue_id) FROM issues i FULL JOIN groupings g ON g.issue_id = i.id
		WHERE g.project_id IS NOT i.project_id AND (i.moved_from IS NULL OR g.issue_id IS NOT NULL)
		  AND NOT EXISTS (SELECT 1 FROM parked_groupings p WHERE p.issue_id = i.id)`},
	{"a deleted issue and its members have no groupings", `
		SELECT 'issue ' || i.id FROM issues i JOIN groupings g ON g.issue_id = i.id
		WHERE EXISTS (SELECT 1 FROM issues h WHERE h.id = coalesce(i.merged_into, i.id) AND h.state = 4)`},
	{"an issue's users are as many as it says", `
		SELECT 'issue ' || i.id || ': counts ' || i.user_count || ', has ' || coalesce(u.n, 0)
		FROM issues i LEFT JOIN (SELECT issue_id, count(*) AS n FROM issue_users WHERE whole = 0 GROUP BY 1) u ON u.issue_id = i.id
		WHERE CASE WHEN EXISTS (SELECT 1 FROM issue_sketches s WHERE s.issue_id = i.id AND s.whole = 0) THEN u.n IS NOT NULL ELSE i.user_count <> coalesce(u.n, 0) END`},
	{"an issue has no fewer users in its events than it says", `
		SELECT 'issue ' || i.id || ': counts ' || i.user_count || ', events have ' || coalesce(u.n, 0)
		FROM issues i LEFT JOIN (SELECT issue_id, count(DISTINCT user) AS n FROM events WHERE user <> '' GROUP BY 1) u ON u.issue_id = i.id
		WHERE i.evicted_events = 0 AND i.user_count > coalesce(u.n, 0) AND NOT EXISTS (SELECT 1 FROM issue_sketches s WHERE s.issue_id = i.id AND s.whole = 0)`},
	{"the users of a head are those of its own and its members' events", `
		SELECT 'issue ' || h.id || ': counts ' || coalesce(h.whole_users, 'none') FROM issues h
		WHERE (h.whole_users IS NULL) <> (h.merged_first_seen IS NULL)
		   OR h.whole_users IS NOT NULL AND CASE WHEN EXISTS (SELECT 1 FROM issue_sketches s WHERE s.issue_id = h.id AND s.whole = 1)
		     THEN EXISTS (SELECT 1 FROM issue_users u WHERE u.issue_id = h.id AND u.whole = 1)
		     ELSE h.whole_users <> (SELECT count(*) FROM issue_users u WHERE u.issue_id = h.id AND u.whole = 1)
		       OR h.whole_users <> (SELECT count(DISTINCT user_hash) FROM issue_users u
		            WHERE u.whole = 0 AND u.issue_id IN (SELECT h.id UNION ALL SELECT m.id FROM issues m WHERE m.merged_into = h.id)) END`},
	{"who has no members has no users or sketch of the whole", `
		SELECT 'issue ' || i.id FROM issues i
		WHERE i.merged_first_seen IS NULL AND (EXISTS (SELECT 1 FROM issue_users u WHERE u.issue_id = i.id AND u.whole = 1)
		  OR EXISTS (SELECT 1 FROM issue_sketches s WHERE s.issue_id = i.id AND s.whole = 1))`},
}

// checkSketches verifies that sketches can be read and say no more users than their
// issues.
func (rx *Rx) checkSketches() ([]Problem, error) {
	type row struct {
		id, users int64
		stored    []byte
	}
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT i.id, CASE s.whole WHEN 0 THEN i.user_count ELSE i.whole_users END, s.sketch
		FROM issue_sketches s JOIN issues i ON i.id = s.issue_id`)
	all, err := collectThen(rows, err, func(r *row) []any { return []any{&r.id, &r.users, &r.stored} }, func(r *row) { r.stored = bytes.Clone(r.stored) })
	if err != nil {
		return nil, err
	}
	var problems []Problem
	for _, r := range all {
		sketch, err := readSketch(r.stored)
		if err != nil || int64(sketch.Estimate()) > r.users {
			problems = append(problems, Problem{"a sketch of users says no more than its issue", fmt.Sprintf("issue %d: counts %d, %v", r.id, r.users, err)})
		}
	}
	return problems, nil
}
