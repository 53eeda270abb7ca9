package store

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sundew/digester/access"
	"sundew/digester/store/sandbox"
	"sundew/schema/event"
)

// StatementTable is a table that people's own statements read: a view of the rows that
// they may see.
type StatementTable struct {
	Name    string
	Words   string // what a row is
	Columns []StatementColumn

	// from is tables, and how they are joined; where is which rows. {projects} and {teams}
	// are those that the person sees. Of each table where needs a column that is not its
	// INTEGER PRIMARY KEY: when nothing of a table is used, as by count(*), SQLite asks the
	// authorizer about the table as if the statement itself had named it, and that is
	// refused.
	from, where string

	admins bool // only for those who see everything
}

// StatementColumn is one of its columns.
type StatementColumn struct {
	Name  string
	Words string // what it says that its name does not; may be empty

	value string // the SQL for it
}

// col is a column that is as it is stored, in the table that the view calls t.
func col(name, words string) StatementColumn { return StatementColumn{name, words, "t." + name} }

// as is a column with a value of its own.
func as(name, value, words string) StatementColumn { return StatementColumn{name, words, value} }

// at is a stored time as text: comparable with what datetime('now', '-1 day') returns.
func at(name, words string) StatementColumn {
	return StatementColumn{name, words, "strftime('%Y-%m-%d %H:%M:%f', t." + name + " / 1000.0, 'unixepoch')"}
}

// hour is a stored hour as text.
func hour() StatementColumn {
	return StatementColumn{"hour", "its beginning", "strftime('%Y-%m-%d %H:%M:%S', t.hour * 3600, 'unixepoch')"}
}

// hexed is an id made by an SDK, as it writes it.
func hexed(name, words string) StatementColumn {
	return StatementColumn{name, words, "lower(hex(t." + name + "))"}
}

func level() StatementColumn {
	var cases strings.Builder
	for l := event.LevelDebug; l <= event.LevelFatal; l++ {
		fmt.Fprintf(&cases, " WHEN %d THEN '%s'", l, l)
	}
	return StatementColumn{"level", "debug, info, warning, error or fatal", "CASE t.level" + cases.String() + " ELSE 'error' END"}
}

const (
	ofProjects = "t.project_id IN {projects}"

	// ofIssues joins what names its issue only. CROSS JOIN would fix the order; this leaves
	// it to SQLite, which knows what else the statement asks for.
	ofIssues = " JOIN main.issues i ON i.id = t.issue_id"

	ofIssuesWhere = "i.project_id IN {projects}"
)

// StatementTables is all that a person's statements can read, for the page and the
// documentation as for the database. What is not in it cannot be read by anybody;
// hiddenFromStatements says why.
func StatementTables(by access.Person) []StatementTable {
	all := slices.Concat(issueTables(), eventTables(), releaseTables(), peopleTables())
	return slices.DeleteFunc(all, func(t StatementTable) bool { return t.admins && !by.SeesAll() })
}

func issueTables() []StatementTable {
	project := as("project_id", "i.project_id", "")
	return []StatementTable{
		{Name: "projects", Words: "A project", from: "main.projects t", where: "t.id IN {projects} AND t.slug <> ''", Columns: []StatementColumn{
			col("id", "the number in its DSN"), col("slug", "in addresses and short ids"), col("name", ""), col("platform", ""), col("team_id", ""), at("created_at", ""),
			col("issue_count", "ever made"), col("event_count", "ever digested"), col("evicted_issues", "no longer there"), col("evicted_events", "no longer stored"),
			col("attachment_bytes", ""), at("last_event_at", ""),
		}},
		{Name: "issues", Words: "An issue", from: "main.issues t JOIN main.projects p ON p.id = t.project_id", where: ofProjects + " AND t.state <> 4 AND p.slug <> ''", Columns: []StatementColumn{
			col("id", "in addresses"), col("project_id", ""), as("project", "p.slug", "its slug"), col("number", "within the project"),
			as("short_id", "upper(p.slug) || '-' || t.number", "e.g. SHOP-42"),
			as("state", "CASE t.state WHEN 0 THEN 'open' WHEN 1 THEN 'resolved' WHEN 2 THEN 'muted' ELSE 'merged' END", "open, resolved, muted or merged"),
			level(), col("title", ""), col("culprit", "where it happened"), col("platform", ""),
			as("events", "t.total_events", "ever, with those merged into it"), as("users", "t.total_users", "affected, about"),
			as("first_seen", "strftime('%Y-%m-%d %H:%M:%f', t.total_first_seen / 1000.0, 'unixepoch')", ""),
			as("last_seen", "strftime('%Y-%m-%d %H:%M:%f', t.total_last_seen / 1000.0, 'unixepoch')", ""),
			col("first_release", ""), col("last_release", ""), col("merged_into", "id of the issue that it was merged into"),
			col("assignee_user_id", ""), col("assignee_team_id", ""), at("resolved_at", ""), col("resolve_release", "it was resolved in"),
			at("mute_until", ""), col("evicted_events", "no longer stored"),
		}},
		{Name: "issue_tags", Words: "How often an issue's events had a tag's value", from: "main.issue_tags t" + ofIssues, where: ofIssuesWhere, Columns: []StatementColumn{
			col("issue_id", ""), project, col("key", ""), col("value", ""), col("count", ""), at("last_seen", ""),
		}},
		{Name: "issue_hours", Words: "An issue's events in an hour", from: "main.issue_hours t" + ofIssues, where: ofIssuesWhere, Columns: []StatementColumn{
			col("issue_id", ""), project, hour(), col("count", ""),
		}},
		{Name: "groupings", Words: "A key by which events come to an issue", from: "main.groupings t", where: ofProjects, Columns: []StatementColumn{
			col("project_id", ""), col("issue_id", ""), hexed("key_hash", ""), col("version", "of the rules that made it"), at("created_at", ""),
		}},
		{Name: "history", Words: "Something that happened to an issue", from: "main.history t" + ofIssues, where: ofIssuesWhere + " AND t.kind <> 'taken back'", Columns: []StatementColumn{
			col("id", ""), col("issue_id", ""), project, at("at", ""), col("kind", "e.g. made, resolved, regressed, commented"), as("event", "t.event_id", "events.id of what caused it"),
			col("user_id", "who did it; NULL: an event or the program"), col("detail", "JSON"),
		}},
		{Name: "feedback", Words: "What a user wrote", from: "main.feedback t", where: ofProjects, Columns: []StatementColumn{
			col("id", ""), col("project_id", ""), hexed("feedback_id", "the SDK's"), hexed("event_id", "the SDK's, of the event that it is about"),
			col("name", ""), col("email", ""), col("message", ""), col("url", ""), at("received_at", ""),
		}},
	}
}

func eventTables() []StatementTable {
	return []StatementTable{
		{Name: "events", Words: "A stored event", from: "main.events t", where: ofProjects, Columns: []StatementColumn{
			col("id", "in the order of digesting"), col("project_id", ""), col("issue_id", ""), hexed("event_id", "the SDK's"), col("number", "within its issue"),
			level(), col("title", ""), col("release", ""), col("environment", ""), col("user", "one identifier"),
			at("occurred_at", ""), at("received_at", ""), at("digested_at", ""), as("occurred_ms", "t.occurred_at", "occurred_at as Unix milliseconds: quicker to compare"),
		}},
		{Name: "payloads", Words: "What an event said, as JSON: payload ->> '$.request.url'", from: "main.event_bodies t JOIN main.events e ON e.id = t.event_id", where: "e.project_id IN {projects} AND t.encoding >= 0", Columns: []StatementColumn{
			as("event", "t.event_id", "events.id"), as("issue_id", "e.issue_id", ""), as("project_id", "e.project_id", ""),
			as("payload", "sundew_payload(t.kind, t.encoding, t.body)", "NULL if it has more than 1 MiB"),
		}},
		{Name: "attachments", Words: "A file that came with an event", from: "main.attachments t", where: ofProjects, Columns: []StatementColumn{
			col("id", ""), col("project_id", ""), hexed("event_id", "the SDK's"), col("name", ""), col("content_type", "as the client says"), col("type", ""), col("size", ""),
			hexed("sha256", ""), at("received_at", ""),
		}},
		{Name: "outcomes", Words: "The ledger: what became of what was accepted or refused in an hour", from: "main.outcomes t", where: ofProjects, Columns: []StatementColumn{
			col("project_id", ""), hour(), col("category", "e.g. error, attachment"), col("outcome", "e.g. stored, duplicate, dropped"), col("reason", ""), col("quantity", ""),
		}},
		{Name: "alerts", Words: "Something that rules were asked about", from: "main.alerts t", where: ofProjects, Columns: []StatementColumn{
			col("id", ""), col("project_id", ""), col("issue_id", ""), col("kind", ""), at("at", ""), level(), col("environment", ""), col("release", ""),
		}},
	}
}

func releaseTables() []StatementTable {
	return []StatementTable{
		{Name: "releases", Words: "A release", from: "main.releases t", where: ofProjects, Columns: []StatementColumn{
			col("id", ""), col("project_id", ""), col("version", ""), at("created_at", "when it appeared"), col("new_issues", "first seen in it"),
		}},
		{Name: "release_counts", Words: "Events of a release in an environment", from: "main.release_counts t", where: ofProjects, Columns: []StatementColumn{
			col("project_id", ""), col("release", "empty: none was named"), col("environment", ""), at("first_seen", ""), at("last_seen", ""),
			as("events", "t.event_count", "ever"), as("evicted_events", "t.evicted", "no longer stored"),
		}},
		{Name: "release_hours", Words: "These in an hour of the last weeks", from: "main.release_hours t", where: ofProjects, Columns: []StatementColumn{
			col("project_id", ""), col("release", ""), col("environment", ""), hour(), col("count", ""),
		}},
		{Name: "deploys", Words: "When a release went where", from: "main.deploys t", where: ofProjects, Columns: []StatementColumn{
			col("id", ""), col("project_id", ""), col("release", ""), col("environment", ""), col("name", ""), at("started_at", ""), at("finished_at", ""),
		}},
	}
}

func peopleTables() []StatementTable {
	const role = "CASE t.role WHEN 1 THEN 'viewer' WHEN 2 THEN 'member' WHEN 3 THEN 'admin' WHEN 4 THEN 'owner' END"
	return []StatementTable{
		{Name: "teams", Words: "A team", from: "main.teams t", where: "t.id IN {teams} AND t.slug <> ''", Columns: []StatementColumn{
			col("id", ""), col("slug", ""), col("name", ""), at("created_at", ""),
		}},
		{Name: "users", Words: "A user", from: "main.users t", where: "t.email <> ''", admins: true, Columns: []StatementColumn{
			col("id", ""), col("email", ""), col("name", ""), as("role", role, "in the whole installation; NULL: what teams give"), at("created_at", ""), at("disabled_at", "NULL: may sign in"),
		}},
		{Name: "team_members", Words: "Who is in a team", from: "main.team_members t", where: "t.team_id IN {teams}", admins: true, Columns: []StatementColumn{
			col("team_id", ""), col("user_id", ""), as("role", role, ""),
		}},
		{Name: "project_members", Words: "Who has a role in a project beside what teams give", from: "main.project_members t", where: ofProjects, admins: true, Columns: []StatementColumn{
			col("project_id", ""), col("user_id", ""), as("role", role, ""),
		}},
	}
}

// view is the table with the rows that somebody sees.
func (t StatementTable) view(projects []event.ProjectID, teams []int64) sandbox.View {
	v := sandbox.View{Name: t.Name}
	values := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		v.Columns, values[i] = append(v.Columns, c.Name), c.value
	}
	where := strings.NewReplacer("{projects}", numbers(projects), "{teams}", numbers(teams)).Replace(t.where)
	v.Select = "SELECT " + strings.Join(values, ", ") + " FROM " + t.from + " WHERE " + where
	return v
}

// numbers writes a list for IN. It is never empty: SQLite would leave the condition out.
func numbers[N ~int64](all []N) string {
	if len(all) == 0 {
		return "(-1)"
	}
	texts := make([]string, len(all))
	for i, n := range all {
		texts[i] = strconv.FormatInt(int64(n), 10)
	}
	return "(" + strings.Join(texts, ",") + ")"
}
