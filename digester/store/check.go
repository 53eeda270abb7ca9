package store

import (
	"context"
	"fmt"
	"slices"
)

// Problem is a broken invariant.
type Problem struct {
	Invariant string // what should hold, in words
	Detail    string // where it does not
}

// maxProblems bounds how many places are listed of one invariant.
const maxProblems = 20

// invariant is something that must always hold, with a query that returns a text for
// each place where it does not.
type invariant struct{ holds, counterexamples string }

// invariants are those of what is digested; of what people do with issues see
// checkissues.go, of what they upload checkartifacts.go.
var invariants = []invariant{
	{"a project's event_count is the number of its events, removed ones included", `
		SELECT 'project ' || p.id || ': counts ' || p.event_count || ', has ' || count(e.id) || ', removed ' || p.evicted_events
		FROM projects p LEFT JOIN events e ON e.project_id = p.id GROUP BY p.id HAVING p.event_count <> count(e.id) + p.evicted_events`},
	{"a project's issue_count is the number of its issues, removed ones included", `
		SELECT 'project ' || p.id || ': counts ' || p.issue_count || ', has ' || count(i.id) || ', removed ' || p.evicted_issues
		FROM projects p LEFT JOIN issues i ON i.project_id = p.id GROUP BY p.id HAVING p.issue_count <> count(i.id) + p.evicted_issues`},
	{"an issue's event_count is the number of its events, those included that are not stored, and none has a number beyond it and those that moved", `
		SELECT 'issue ' || i.id || ': counts ' || i.event_count || ', has ' || count(e.id) || ', not stored ' || i.evicted_events || ', numbered to ' || coalesce(max(e.number), 0)
		FROM issues i LEFT JOIN events e ON e.issue_id = i.id
		GROUP BY i.id HAVING i.event_count <> count(e.id) + i.evicted_events OR max(e.number) > i.event_count + i.moved_events OR min(e.number) < 1`},
	{"an issue was first and last seen when its first and last event happened", `
		SELECT 'issue ' || i.id FROM issues i JOIN events e ON e.issue_id = i.id
		GROUP BY i.id HAVING i.first_seen > min(e.occurred_at) OR i.last_seen < max(e.occurred_at)
		  OR i.evicted_events = 0 AND (i.first_seen <> min(e.occurred_at) OR i.last_seen <> max(e.occurred_at))`},
	{"an issue's sort keys follow its counters", `
		SELECT 'issue ' || id FROM issues WHERE seen_step <> total_last_seen / 60000`},
	{"an event and its issue belong to the same project", `
		SELECT 'event ' || e.id FROM events e LEFT JOIN issues i ON i.id = e.issue_id WHERE i.project_id IS NOT e.project_id`},
	{"an event has exactly one body", `
		SELECT 'event ' || coalesce(e.id, b.event_id) FROM events e FULL JOIN event_bodies b ON b.event_id = e.id
		WHERE e.id IS NULL OR b.event_id IS NULL`},
	{"an issue's hours sum up to its events", `
		SELECT 'issue ' || i.id || ': counts ' || i.event_count || ', hours ' || coalesce((SELECT sum(count) FROM issue_hours h WHERE h.issue_id = i.id), 0)
		FROM issues i WHERE i.event_count <> coalesce((SELECT sum(count) FROM issue_hours h WHERE h.issue_id = i.id), 0)`},
	{"no tag value is counted more often than its issue has events", `
		SELECT 'issue ' || t.issue_id || ', tag ' || t.key FROM issue_tags t LEFT JOIN issues i ON i.id = t.issue_id
		GROUP BY t.issue_id, t.key HAVING sum(t.count) > coalesce(i.event_count, 0)`},
	{"events by release and environment are counted, removed ones included", `
		SELECT 'project ' || coalesce(c.project_id, e.project_id) || ', release ' || coalesce(c.release, e.release) || ', environment ' || coalesce(c.environment, e.environment)
		FROM release_counts c FULL JOIN (SELECT project_id, release, environment, count(*) AS n FROM events GROUP BY 1, 2, 3) e
		  ON e.project_id = c.project_id AND e.release = c.release AND e.environment = c.environment
		WHERE coalesce(e.n, 0) + coalesce(c.evicted, 0) <> coalesce(c.event_count, 0)`},
	{"the events of releases and environments sum up to those of the project", `
		SELECT 'project ' || id FROM projects p
		WHERE event_count <> (SELECT coalesce(sum(event_count), 0) FROM release_counts c WHERE c.project_id = p.id)`},
	{"a release is there if its events are counted, and only then unless it was made", `
		SELECT 'project ' || coalesce(r.project_id, c.project_id) || ', release ' || coalesce(r.version, c.release)
		FROM releases r FULL JOIN (SELECT DISTINCT project_id, release FROM release_counts WHERE release <> '') c
		  ON c.project_id = r.project_id AND c.release = r.version
		WHERE r.version IS NULL OR c.release IS NULL AND r.made = 0`},
	{"a release has made no fewer issues than are there with a first event of it", `
		SELECT 'project ' || r.project_id || ', release ' || r.version FROM releases r JOIN (
		  SELECT e.project_id, e.release, count(*) AS n FROM events e WHERE e.number = 1 GROUP BY 1, 2) i ON i.project_id = r.project_id AND i.release = r.version
		WHERE r.new_issues < i.n`},
	{"an attachment has all its parts, and is charged with them", `
		SELECT 'attachment ' || coalesce(a.id, b.attachment_id) FROM attachments a
		FULL JOIN (SELECT attachment_id, sum(length(body)) AS n FROM attachment_parts GROUP BY attachment_id) b ON b.attachment_id = a.id
		WHERE a.bytes IS NOT coalesce(b.n, 0) + 1024`},
	{"a project's attachment_bytes is the sum of what its attachments are charged with", `
		SELECT 'project ' || p.id || ': ' || p.attachment_bytes || ', has ' || coalesce(sum(a.bytes), 0)
		FROM projects p LEFT JOIN attachments a ON a.project_id = p.id GROUP BY p.id HAVING p.attachment_bytes <> coalesce(sum(a.bytes), 0)`},
	{"the books of a project count every stored attachment, the evicted ones included", `
		SELECT 'project ' || p.id FROM projects p WHERE p.attachments_evicted + (SELECT count(*) FROM attachments a WHERE a.project_id = p.id)
		  <> (SELECT coalesce(sum(quantity), 0) FROM outcomes o WHERE o.project_id = p.id AND o.outcome = 'stored' AND o.category = 'attachment')`},
	{"the books of a project count all stored feedback, the evicted included", `
		SELECT 'project ' || p.id FROM projects p WHERE p.feedback_evicted + (SELECT count(*) FROM feedback f WHERE f.project_id = p.id)
		  <> (SELECT coalesce(sum(quantity), 0) FROM outcomes o WHERE o.project_id = p.id AND o.outcome = 'stored' AND o.category = 'feedback')`},
	{"the books of a project count every stored event", `
		SELECT 'project ' || p.id || ': counts ' || p.event_count || ', books say ' || coalesce(sum(o.quantity), 0)
		FROM projects p LEFT JOIN outcomes o ON o.project_id = p.id AND o.outcome = 'stored' AND o.category NOT IN ('attachment', 'feedback')
		GROUP BY p.id HAVING p.event_count <> coalesce(sum(o.quantity), 0)`},
	{"the totals of the books are the sums of their hours", `
		SELECT 'project ' || coalesce(t.project_id, h.project_id) || ': ' || coalesce(t.outcome, h.outcome) || ' ' || coalesce(t.reason, h.reason)
		FROM outcome_totals t FULL JOIN
		  (SELECT project_id, category, outcome, reason, sum(quantity) AS quantity FROM outcomes
		   WHERE outcome <> 'stored' OR category IN ('attachment', 'feedback') GROUP BY 1, 2, 3, 4) h
		  ON h.project_id = t.project_id AND h.category = t.category AND h.outcome = t.outcome AND h.reason = t.reason
		WHERE t.quantity IS NOT h.quantity`},
	{"the ledger and the books agree: what was decided is stored, duplicate or dropped", `
		SELECT 'project ' || l.project_id || ': ledger ' || l.n || ', books ' || coalesce(o.n, 0) FROM
		  (SELECT project_id, sum(high - coalesce((SELECT sum(to_seq - from_seq + 1) FROM edge_gaps g WHERE g.lane_id = edge_lanes.id), 0)) AS n
		   FROM edge_lanes WHERE project_id > 0 GROUP BY project_id) l
		LEFT JOIN (SELECT project_id, sum(quantity) AS n FROM outcomes WHERE outcome IN ('stored', 'duplicate', 'dropped') GROUP BY project_id) o
		  ON o.project_id = l.project_id
		WHERE l.n <> coalesce(o.n, 0)`},
	{"a gap of the ledger lies below its lane's high and overlaps no other", `
		SELECT 'lane ' || g.lane_id || ' from ' || g.from_seq FROM edge_gaps g LEFT JOIN edge_lanes l ON l.id = g.lane_id
		WHERE g.from_seq < 1 OR g.to_seq < g.from_seq OR l.high IS NULL OR g.to_seq >= l.high
		   OR EXISTS (SELECT 1 FROM edge_gaps o WHERE o.lane_id = g.lane_id AND o.from_seq > g.from_seq AND o.from_seq <= g.to_seq)`},
}

// Check verifies every invariant of the database in one snapshot. It reads all
// of it, so it has no time limit but ctx. No problems: nil.
func (r *Replica) Check(ctx context.Context) (problems []Problem, err error) {
	err = r.snapshot(ctx, func(rx *Rx) error {
		problems, err = rx.check()
		return err
	})
	return problems, err
}

func (rx *Rx) check() ([]Problem, error) {
	var problems []Problem
	for _, c := range slices.Concat(invariants, issueInvariants, artifactInvariants, []invariant{
		{"SQLite finds the file intact", `SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'`},
		{"no row refers to a missing one", `SELECT "table" || ' row ' || coalesce(rowid, '?') || ' -> ' || parent FROM pragma_foreign_key_check`},
	}) {
		found, err := rx.texts(c.counterexamples)
		if err != nil {
			return nil, fmt.Errorf("checking that %s: %w", c.holds, err)
		}
		for i, detail := range found {
			if i == maxProblems {
				problems = append(problems, Problem{c.holds, fmt.Sprintf("and %d more", len(found)-i)})
				break
			}
			problems = append(problems, Problem{c.holds, detail})
		}
	}
	for _, more := range []func() ([]Problem, error){rx.checkCountSteps, rx.checkSketches} {
		found, err := more()
		if err != nil {
			return nil, err
		}
		problems = append(problems, found...)
	}
	return problems, nil
}

func (rx *Rx) texts(query string) ([]string, error) {
	rows, err := rx.q.QueryContext(rx.ctx, query)
	return collect(rows, err, func(s *string) []any { return []any{s} })
}

// checkCountSteps verifies the one sort key that SQL cannot compute.
func (rx *Rx) checkCountSteps() ([]Problem, error) {
	type row struct{ id, count, step int64 }
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT id, total_events, count_step FROM issues`)
	all, err := collect(rows, err, func(r *row) []any { return []any{&r.id, &r.count, &r.step} })
	if err != nil {
		return nil, err
	}
	var problems []Problem
	for _, r := range all {
		if r.step != countStep(r.count) {
			problems = append(problems, Problem{"an issue's sort keys follow its counters", fmt.Sprintf("issue %d: count %d, step %d", r.id, r.count, r.step)})
		}
	}
	return problems, nil
}
