package store

import (
	"testing"
	"time"

	"sundew/digester/search"
	"sundew/schema/event"
)

// searchPlans are lists and searches: whatever is asked, no table is read from end to
// end. p and s are the parameters' few projects and states.
func searchPlans(t *testing.T) []planned {
	// Where few is negative, a source never has few issues, and the list is walked; where
	// most is 0, not to its end.
	plan := func(text string, sort IssueSort, b bounds) func(*Rx) error {
		query, err := search.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return func(rx *Rx) error {
			_, err := rx.find(Search{
				Projects: []event.ProjectID{1, 2}, Query: query, Text: text, Sort: sort, Limit: 10, Me: 1, Now: time.UnixMilli(1e12),
			}, b)
			return err
		}
	}
	queries := func(where string) func(*Rx) error {
		return func(rx *Rx) error { _, err := rx.savedQueries(where, 1); return err }
	}
	find := func(text string, sort IssueSort) func(*Rx) error { return plan(text, sort, searchBounds()) }
	walk := func(text string, sort IssueSort) func(*Rx) error {
		return plan(text, sort, bounds{-1, searchBounds().most})
	}
	cut := func(sort IssueSort) func(*Rx) error { return plan("!has:user", sort, bounds{-1, 0}) }
	params := []string{"p", "s", "json_each"}
	return []planned{
		{"issues by last seen", find("is:unresolved", SortLastSeen), "issues_by_seen (project_id=? AND state=?)\nUSE TEMP B-TREE FOR LAST 2 TERMS", params},
		{"issues by first seen", find("", SortFirstSeen), "SEARCH x USING COVERING INDEX issues_by_id (project_id=? AND state=?)", params},
		{"issues by events", find("", SortEvents), "issues_by_count (project_id=? AND state=?)\nUSE TEMP B-TREE FOR LAST 2 TERMS", params},
		{"issues by users", find("", SortUsers), "issues_by_count (project_id=? AND state=? AND count_step>?)", append(params, "top")},
		{"issues by trend", find("", SortTrend), "issues_by_seen (project_id=? AND state=? AND seen_step>? AND seen_step<?)", params},
		{"many issues by trend", walk("", SortTrend), "issues_by_seen (project_id=? AND state=? AND seen_step>? AND seen_step<?)", append(params, "top")},
		{"how far to look, by last seen", cut(SortLastSeen), "SEARCH x USING COVERING INDEX issues_by_seen (project_id=? AND state=? AND seen_step>?)", params},
		{"how far to look, by first seen", cut(SortFirstSeen), "SEARCH x USING COVERING INDEX issues_by_id (project_id=? AND state=? AND rowid>?)", params},
		{"how far to look, by events", cut(SortEvents), "SEARCH x USING COVERING INDEX issues_by_count (project_id=? AND state=? AND count_step>?)", params},
		{"issues seen lately", walk("lastSeen:-24h", SortLastSeen), "issues_by_seen (project_id=? AND state=? AND seen_step>? AND seen_step<?)", params},
		{"issues without a tag", find("!browser:Safari !has:user", SortLastSeen), "SEARCH t USING PRIMARY KEY (issue_id=? AND key=?)", params},
		{"issues by a tag", find("environment:prod", SortLastSeen), "issue_tags_by_value (key=? AND value=?)", params},
		{"many issues by a tag", walk("environment:prod", SortLastSeen), "SEARCH t USING COVERING INDEX issue_tags_by_value (key=? AND value=? AND issue_id=?)", params},
		{"issues by a version", find("release:1.2", SortLastSeen), "SEARCH r USING COVERING INDEX sqlite_autoindex_releases_1 (project_id=?)", params},
		{"whether a tag is known", func(rx *Rx) error { _, err := rx.HasTag([]event.ProjectID{1}, "x"); return err }, "issue_tags_by_value (key=?)", append(params, "tagged")},
		{"issues by a user", find("user.email:ada@example.com", SortLastSeen), "issue_tags_by_value (key=? AND value=?)", params},
		{"many issues by a user", walk("user:ada", SortLastSeen), "SEARCH t USING COVERING INDEX issue_tags_by_value (key=? AND value=? AND issue_id=?)", params},
		{"many issues by text", walk("checkout", SortLastSeen), "issues_by_seen (project_id=? AND state=?)", append(params, "t", "issue_texts")},
		{"members' texts", find("checkout", SortLastSeen), "issues_by_head", append(params, "issue_texts", "issues")},
		{"many issues by the begin of a tag", walk("release:1.*", SortLastSeen), "SEARCH t USING PRIMARY KEY (issue_id=? AND key=?)", params},
		{"issues by the begin of a tag", find("release:1.*", SortLastSeen), "issue_tags_by_value (key=? AND value>? AND value<?)", params},
		{"issues by text", find("checkout", SortLastSeen), "issue_texts VIRTUAL TABLE INDEX", append(params, "issue_texts")},
		{"my issues", find("assigned:me", SortLastSeen), "issues_by_assignee (assignee_user_id=?)", params},
		{"issues of a team's people", find("assigned:#backend", SortLastSeen), "issues_by_assigned_team (assignee_team_id=?)", params},
		{"frequent issues", find("times_seen:>100", SortLastSeen), "issues_by_count (project_id=? AND state=? AND count_step>?)", params},
		{"an issue by its short id", find("issue:shop-1", SortLastSeen), "SEARCH projects USING COVERING INDEX sqlite_autoindex_projects_1 (slug=?)", params},
		{"regressed issues", find("is:regressed", SortLastSeen), "history_regressed (at>?)", params},
		{"environments and releases", func(rx *Rx) error { _, err := rx.Facets([]event.ProjectID{1, 2}); return err }, "SEARCH c USING PRIMARY KEY (project_id=?)", params},
		{"searches of a project", func(rx *Rx) error { _, err := rx.SavedSearches(SearchPlace{Project: 1}, 1); return err }, "saved_searches_by_project", nil},
		{"searches of a team", func(rx *Rx) error { _, err := rx.SavedSearches(SearchPlace{Team: 1}, 1); return err }, "saved_searches_by_team", nil},
		{"searches of a person", func(rx *Rx) error { _, err := rx.SavedSearches(SearchPlace{}, 1); return err }, "saved_searches_by_user", nil},
		{"queries of a person", queries(`WHERE q.user_id = ?`), "saved_queries_by_user", nil},
		{"queries of a team", queries(`WHERE q.team_id = ?`), "saved_queries_by_team", nil},
		{"queries of everybody", queries(`WHERE q.everybody = 1 AND ? = 1`), "saved_queries_of_everybody", []string{"q"}},
		{"texts to index", func(rx *Rx) error { _, err := rx.TextsDue(10); return err }, "SEARCH i USING INTEGER PRIMARY KEY", []string{"d"}},
	}
}
