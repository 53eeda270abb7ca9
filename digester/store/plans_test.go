package store

import (
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sundew/schema/event"
)

// explainer runs queries and keeps SQLite's plan of each.
type explainer struct {
	querier
	t     *testing.T
	plans []string
}

func (e *explainer) explain(ctx context.Context, query string, args []any) {
	rows, err := e.querier.QueryContext(ctx, "EXPLAIN QUERY PLAN "+query, args...)
	type step struct {
		id, parent, unused int
		detail             string
	}
	steps, err := collect(rows, err, func(s *step) []any { return []any{&s.id, &s.parent, &s.unused, &s.detail} })
	if err != nil {
		e.t.Fatalf("%v\n%s", err, query)
	}
	for _, s := range steps {
		e.plans = append(e.plans, s.detail)
	}
}

func (e *explainer) QueryContext(ctx context.Context, query string, args ...any) (cursor, error) {
	e.explain(ctx, query, args)
	return e.querier.QueryContext(ctx, query, args...)
}

func (e *explainer) QueryRowContext(ctx context.Context, query string, args ...any) row {
	e.explain(ctx, query, args)
	return e.querier.QueryRowContext(ctx, query, args...)
}

// planned is a query whose plan is looked at.
type planned struct {
	name  string
	run   func(rx *Rx) error
	index string   // that the plan has to use
	scans []string // tables that may be read from end to end
}

// checkPlans looks at the plans of queries in a fresh database, and does before that
// what else is to be done there, if anything is.
func checkPlans(t *testing.T, queries []planned, also func(tx *Tx) error) {
	t.Helper()
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "sundew.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	err = db.Write(t.Context(), "test", func(tx *Tx) error {
		if also != nil {
			if err := also(tx); err != nil {
				return err
			}
		}
		for _, q := range queries {
			e := &explainer{querier: tx.q, t: t}
			if err := q.run(&Rx{ctx: tx.ctx, q: e, codec: tx.codec}); err != nil {
				t.Errorf("%s: %v", q.name, err)
			}
			checkPlan(t, q.name, e.plans, q.index, q.scans)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Pages must stay fast as the database grows: what a page reads is found by an
// index and comes in its order. Every index of the schema is here because a
// query below needs it.
func TestQueryPlans(t *testing.T) {
	var since time.Time
	var id event.ID
	queries := []planned{
		{"how many issues are quiet", func(rx *Rx) error { _, err := rx.CountQuiet(1, since, since); return err }, "COVERING INDEX issues_by_seen (project_id=? AND state=? AND seen_step>? AND seen_step<?)", nil},
		{"quiet issues", func(rx *Rx) error { _, err := rx.QuietIssues(1, since); return err }, "issues_by_seen (project_id=? AND state=? AND seen_step<?)", nil},
		{"names of releases", func(rx *Rx) error { _, err := rx.ReleaseNames(1, 10); return err }, "releases", nil},
		{"an issue by its short id", func(rx *Rx) error { _, err := rx.IssueByShortID("a", 1); return notFoundIsFine(err) }, "(project_id=? AND number=?)", nil},
		{"issues by id", func(rx *Rx) error { _, err := rx.IssuesByID([]int64{1, 2}); return err }, "INTEGER PRIMARY KEY", nil},
		{"who can be assigned", func(rx *Rx) error { _, err := rx.Assignees(1); return err }, "", []string{"users"}},
		{"an issue", func(rx *Rx) error { _, err := rx.Issue(1); return notFoundIsFine(err) }, "", nil},
		{"similar issues", func(rx *Rx) error {
			_, err := rx.SimilarIssues(Issue{ID: 1, ProjectID: 1, Culprit: "a"}, "b")
			return err
		}, "issues_by_seen", nil},
		{"counts of issues", func(rx *Rx) error { _, err := rx.CountStates([]event.ProjectID{1}); return err }, "issues_by_id (project_id=? AND state=?)", []string{"p"}},
		{"stored events of an issue", func(rx *Rx) error { _, err := rx.StoredCount(1); return err }, "issues_by_head", nil},
		{"the newest event of an issue", func(rx *Rx) error { _, err := rx.NewestEventOf(1); return notFoundIsFine(err) }, "events_by_issue", nil},
		{"limits", func(rx *Rx) error { _, err := rx.Quotas(1); return err }, "INTEGER PRIMARY KEY", nil},
		{"how far limits are used up", func(rx *Rx) error { _, err := rx.QuotaRecord(1); return err }, "INTEGER PRIMARY KEY", nil},
		{"what was refused because of limits", func(rx *Rx) error { _, err := rx.OverQuota(1, since); return err }, "PRIMARY KEY (project_id=? AND hour>?)", nil},
		{"hours of issues", func(rx *Rx) error { _, err := rx.IssueHours([]int64{1, 2}, since); return err }, "PRIMARY KEY", nil},
		{"hours of projects", func(rx *Rx) error { _, err := rx.ProjectHours(since); return err }, "PRIMARY KEY", []string{"p"}},
		{"events of an issue", func(rx *Rx) error { _, _, err := rx.Events(1, 0, 10); return err }, "events_by_issue", nil},
		{"an event by number", func(rx *Rx) error { _, err := rx.EventByNumber(1, 1); return notFoundIsFine(err) }, "events_by_issue", nil},
		{"an event by id", func(rx *Rx) error { _, err := rx.EventByID(id); return notFoundIsFine(err) }, "sqlite_autoindex_events", nil},
		{"the place of an event", func(rx *Rx) error { _, err := rx.EventPlace(1, 1); return err }, "events_by_issue", nil},
		{"a body", func(rx *Rx) error { _, err := rx.EventBody(1); return notFoundIsFine(err) }, "", nil},
		{"a key", func(rx *Rx) error { _, err := rx.refusedKey(1, ""); return err }, "sqlite_autoindex_project_keys_1 (project_id=? AND public_key=?)", nil},
		{"tags of an issue", func(rx *Rx) error { _, err := rx.IssueTags(1, 5); return err }, "PRIMARY KEY", []string{"(subquery-"}},
		{"hours of the books", func(rx *Rx) error { _, err := rx.HourOutcomes(since); return err }, "SEARCH o USING PRIMARY KEY (project_id=? AND hour>?)", []string{"known", "projects", "outcome_totals"}},
		{"gaps", func(rx *Rx) error { _, err := rx.Gaps(); return err }, "SEARCH l USING INTEGER PRIMARY KEY", []string{"g"}},
		{"attachments of events", func(rx *Rx) error { _, err := rx.Attachments(1, id, event.ID{1}); return err }, "sqlite_autoindex_attachments_1 (event_id=? AND project_id=?)", nil},
		{"an attachment", func(rx *Rx) error { _, _, err := rx.AttachmentContent(1, 1); return notFoundIsFine(err) }, "INTEGER PRIMARY KEY", nil},
		{"feedback of an event", func(rx *Rx) error { _, err := rx.EventFeedback(1, id); return err }, "feedback_by_event (event_id=? AND project_id=?)", nil},
		{"feedback of a project", func(rx *Rx) error { _, _, err := rx.ProjectFeedback(1, 0, 10); return err }, "feedback_by_project (project_id=? AND rowid<?)", nil},
		{"second factors", func(rx *Rx) error { _, err := rx.SecondFactors(1); return err }, "passkeys_by_user", nil},
		{"identities of a user", func(rx *Rx) error { _, err := rx.Identities(1); return err }, "identities_by_user", nil},
		{"tokens of a user", func(rx *Rx) error { _, err := rx.UserTokens(1); return err }, "api_tokens_by_user", nil},
		{"tokens of a project", func(rx *Rx) error { _, err := rx.ProjectTokens(1); return err }, "api_tokens_by_project", nil},
		{"a token", func(rx *Rx) error { _, _, err := rx.PersonOfToken("", since); return notFoundIsFine(err) }, "sqlite_autoindex_api_tokens_1 (token_hash=?)", nil},
		{"events behind one", func(rx *Rx) error { _, _, err := rx.EventsAfter(1, 7, 10); return err }, "events_by_issue", nil},
		{"members of an issue", func(rx *Rx) error { _, err := rx.Members(1); return err }, "issues_by_head", nil},
		{"what is due", func(rx *Rx) error { _, err := rx.Chores(since); return err }, "issues_by_mute_until (mute_until<?)", nil},
		{"what is to be removed", func(rx *Rx) error { _, err := rx.Chores(since); return err }, "issues_deleted (aside_at<?)", nil},
		{"releases", func(rx *Rx) error {
			_, _, err := rx.Releases(ReleaseQuery{Project: 1, Environment: new(string), Limit: 10})
			return err
		}, "sqlite_autoindex_releases_1", nil},
		{"environments", func(rx *Rx) error { _, err := rx.Environments(1); return err }, "PRIMARY KEY", nil},
		{"releases of an issue", func(rx *Rx) error { _, err := rx.IssueReleases(1); return notFoundIsFine(err) }, "issues_by_head", nil},
		{"the newest release", func(rx *Rx) error { _, err := rx.newestRelease(1); return err }, "sqlite_autoindex_releases_1", []string{"(subquery-1)"}},
		{"latest events of a muted issue", func(rx *Rx) error {
			var n int64
			return rx.q.QueryRowContext(rx.ctx, recentEvents, 1, 0).Scan(&n)
		}, "events_by_issue (issue_id=? AND number<?)", nil},
		{"invitations", func(rx *Rx) error { _, err := rx.Invitations(since); return err }, "links_invitations", []string{"links"}},
		{"mail that is due", func(rx *Rx) error { _, err := rx.NextMail(); return err }, "outbox_due", nil},
		{"the audit log", func(rx *Rx) error { _, err := rx.AuditLog(AuditQuery{}); return err }, "SEARCH a USING INTEGER PRIMARY KEY", nil},
		{"the audit log of a time", func(rx *Rx) error {
			_, err := rx.AuditLog(AuditQuery{Action: "team.create", From: time.UnixMilli(1), To: time.UnixMilli(2)})
			return err
		}, "SEARCH a USING INTEGER PRIMARY KEY", nil},
		{"the audit log of a project", func(rx *Rx) error { _, err := rx.AuditLog(AuditQuery{Project: 1}); return err }, "audit_by_project", nil},
		{"the audit log of a person", func(rx *Rx) error { _, err := rx.AuditLog(AuditQuery{User: 1}); return err }, "audit_by_user", nil},
		{"projects of a team", func(rx *Rx) error { _, err := rx.TeamProjects(1); return err }, "projects_by_team", nil},
		{"members of a team", func(rx *Rx) error { _, err := rx.TeamMembers(1); return err }, "PRIMARY KEY (team_id=?)", nil},
		{"a session", func(rx *Rx) error { _, err := rx.Session("", since); return notFoundIsFine(err) }, "sqlite_autoindex_sessions_1", nil},
		{"sessions of a user", func(rx *Rx) error { _, err := rx.Sessions(1, since); return err }, "sessions_by_user", nil},
		{"what became of issues", func(rx *Rx) error { _, err := rx.IssueMarks([]int64{1, 2}); return err }, "history_by_issue (issue_id=?)", nil},
		{"what assignees are called", func(rx *Rx) error { _, err := rx.AssigneeNames([]Assignee{{User: 1}, {Team: 1}}); return err }, "SEARCH users USING INTEGER PRIMARY KEY", nil},
		{"history of an issue", func(rx *Rx) error { _, err := rx.History(1); return err }, "history_by_issue", nil},
	}
	evicts := &explainer{t: t}
	queries = append(queries, searchPlans(t)...)
	checkPlans(t, queries, func(tx *Tx) error {
		evicts.querier = tx.q
		if _, err := (&Tx{Rx: Rx{ctx: tx.ctx, q: evicts}, w: tx.w}).evictFrom(1, 1, 0); err != nil {
			return err
		}
		checkPlan(t, "the oldest attachments", evicts.plans, "attachments_by_project (project_id=?)", nil)
		if _, err := tx.CreateTeam("Backend"); err != nil {
			return err
		}
		return nil
	})
}

func notFoundIsFine(err error) error {
	if err == ErrNotFound {
		return nil
	}
	return err
}

var scanned = regexp.MustCompile(`^SCAN (\S+)`)

func checkPlan(t *testing.T, name string, plan []string, index string, scans []string) {
	t.Helper()
	text := strings.Join(plan, "\n")
	if !strings.Contains(text, index) {
		t.Errorf("%s: does not use %s:\n%s", name, index, text)
	}
	for _, step := range plan {
		table := scanned.FindStringSubmatch(step)
		if table == nil {
			continue
		}
		// What a query makes for itself is as small as what it was asked for.
		allowed := slices.Contains([]string{"CONSTANT", "halves", "strands", "s", "around"}, table[1]) || strings.HasPrefix(table[1], "(subquery-")
		for _, s := range scans {
			allowed = allowed || table[1] == s
		}
		if !allowed {
			t.Errorf("%s: reads %s from end to end:\n%s", name, table[1], text)
		}
	}
}
