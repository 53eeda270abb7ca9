package store

import (
	"testing"
	"time"

	"sundew/schema/event"
)

// The same for what is read of projects, their settings and releases.
func TestProjectQueryPlans(t *testing.T) {
	var since time.Time
	queries := []planned{
		{"deleted projects", func(rx *Rx) error { _, err := rx.DeletedProjects(since); return err }, "projects_deleted", nil},
		{"a project by slug", func(rx *Rx) error { _, err := rx.ProjectBySlug("x"); return notFoundIsFine(err) }, "sqlite_autoindex_projects_1", nil},
		{"all rules", func(rx *Rx) error { _, err := rx.AllFingerprintRules(); return err }, "", []string{"project_rules"}},
		{"all privacy", func(rx *Rx) error { _, err := rx.AllPrivacy(); return err }, "", []string{"project_rules"}},
		{"privacy of a project", func(rx *Rx) error { _, err := rx.Privacy(1); return err }, "SEARCH project_rules USING INTEGER PRIMARY KEY (rowid=?)", nil},
		{"new issues of a release", func(rx *Rx) error { _, err := rx.NewIssues(1, "x", 10); return err }, "issues_by_first_release (project_id=? AND first_release=?)", nil},
		{"regressed issues of a release", func(rx *Rx) error { _, err := rx.RegressedIssues(1, "x", since, 10); return err }, "history_regressed (at>?)", nil},
		{"adoption", func(rx *Rx) error { _, err := rx.Adoptions(1, nil, since); return err }, "SEARCH release_hours USING PRIMARY KEY (project_id=?)", nil},
		{"hours of a release", func(rx *Rx) error { _, err := rx.ReleaseHours(1, "x", since, since); return err }, "SEARCH release_hours USING PRIMARY KEY (project_id=? AND release=?)", nil},
		{"events not counted by hour", func(rx *Rx) error { _, err := rx.ReleaseDeltas(); return err }, "", []string{"release_counts"}},
		{"deploys of a release", func(rx *Rx) error { _, err := rx.Deploys(1, "x", 10); return err }, "deploys_by_release (project_id=? AND release=?)", nil},
		{"deploys", func(rx *Rx) error { _, err := rx.Deploys(1, "", 10); return err }, "deploys_by_release (project_id=?)", nil},
		{"names of releases of projects", func(rx *Rx) error { _, _, err := rx.Versions(VersionQuery{Projects: []event.ProjectID{1}}); return err }, "SEARCH r USING INTEGER PRIMARY KEY (rowid<?)", []string{"json_each", "p"}},
		{"releases by name", func(rx *Rx) error { _, err := rx.ReleasesNamed([]event.ProjectID{1}, []string{"x"}); return err }, "sqlite_autoindex_releases_1 (project_id=? AND version=?)", []string{"p", "v"}},
		{"extents of releases", func(rx *Rx) error { _, err := rx.ReleaseExtents([]int64{1}); return err }, "SEARCH c USING PRIMARY KEY (release_id=?)", []string{"i"}},
		{"commits of a release", func(rx *Rx) error { _, err := rx.Commits(1, 10); return err }, "SEARCH release_commits USING PRIMARY KEY (release_id=?)", nil},
		{"refs of a release", func(rx *Rx) error { _, err := rx.Refs(1); return err }, "SEARCH release_refs USING PRIMARY KEY (release_id=?)", nil},
		{"the release in front", func(rx *Rx) error { _, err := rx.PreviousWithCommits(1, 2); return notFoundIsFine(err) }, "release_commits EXISTS USING PRIMARY KEY (release_id=?)", nil},
		{"members of a project", func(rx *Rx) error { _, err := rx.ProjectMembers(1); return err }, "PRIMARY KEY (project_id=?)", []string{"m"}},
		{"an imported project", func(rx *Rx) error { _, err := rx.ImportedProject(Imported{}); return notFoundIsFine(err) }, "SEARCH imported_projects USING PRIMARY KEY (source=? AND remote=?)", nil},
		{"an imported issue", func(rx *Rx) error { _, err := rx.ImportedIssue(1, Imported{}); return err }, "PRIMARY KEY (project_id=? AND source=? AND remote=?)", nil},
		{"an event of a project", func(rx *Rx) error { _, err := rx.EventOf(1, event.ID{}); return notFoundIsFine(err) }, "sqlite_autoindex_events_1 (event_id=? AND project_id=?)", nil},
		{"keys of a project", func(rx *Rx) error { _, err := rx.ProjectKeys(1); return err }, "sqlite_autoindex_project_keys_1 (project_id=?)", nil},
	}
	checkPlans(t, queries, nil)
}
