package dashboard

import (
	"math"
	"net/http"
	"net/url"
	"strconv"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/schema/event"
)

// auditPerPage is how many entries a page of the audit log has.
const auditPerPage = 50

// auditPage is who changed what.
type auditPage struct {
	shell
	Action   string // where the form that filters leads
	Entries  []auditRow
	Projects []listed // to filter by; none: the page is one project's
	Users    []listed
	Filtered bool
	Pager    pager
}

// listed is one of a form's list.
type listed struct {
	ID       int64
	Text     string
	Selected bool
}

// auditRow is one entry of the page.
type auditRow struct {
	store.AuditEntry
	By      string // "" if nobody was signed in
	What    string // in words
	Project string
}

// showAudit is GET /audit and /projects/{id}/audit.
func (d *Dashboard) showAudit(rx *store.Rx, r *http.Request) (reply, error) {
	query := store.AuditQuery{
		User:   queryNumber(r, "user", math.MaxInt64, 0),
		Before: queryNumber(r, "before", math.MaxInt64, 0), Limit: auditPerPage + 1,
	}
	page := auditPage{shell: shell{Title: "Audit log"}, Action: d.links.audit(0)}
	projects, err := rx.Projects()
	if err != nil {
		return reply{}, err
	}
	team := int64(0)
	names := make(map[event.ProjectID]string)
	for _, p := range projects {
		names[p.ID] = p.Name
	}
	if r.PathValue("id") != "" {
		project, err := pathProject(rx, r)
		if err != nil {
			return reply{}, err
		}
		team = project.TeamID
		query.Project, page.Action, page.Trail = project.ID, d.links.audit(project.ID), d.projectTrail(project)
	} else {
		query.Project = event.ProjectID(queryNumber(r, "project", math.MaxInt64, 0))
		for _, p := range projects {
			page.Projects = append(page.Projects, listed{ID: int64(p.ID), Text: p.Name, Selected: p.ID == query.Project})
		}
	}
	if page.Users, err = auditUsers(rx, who(r), team, query.User); err != nil {
		return reply{}, err
	}
	page.Filtered = query.User != 0 || query.Project != 0 && len(page.Projects) > 0
	entries, err := rx.AuditLog(query)
	if err != nil {
		return reply{}, err
	}
	page.Pager = auditPager(page.Action, query, entries)
	for _, e := range entries[:min(len(entries), auditPerPage)] {
		page.Entries = append(page.Entries, newAuditRow(e, names))
	}
	return show("audit", page), nil
}

// auditUsers are the people to filter by: for the installation's admins everybody,
// for others those of the project's team.
func auditUsers(rx *store.Rx, me access.Person, team, selected int64) ([]listed, error) {
	var all []listed
	if !me.SeesAll() {
		members, err := rx.TeamMembers(team)
		for _, m := range members {
			all = append(all, listed{ID: m.UserID, Text: m.Name, Selected: m.UserID == selected})
		}
		return all, err
	}
	users, err := rx.Users()
	for _, u := range users {
		all = append(all, listed{ID: u.ID, Text: u.Name, Selected: u.ID == selected})
	}
	return all, err
}

func newAuditRow(e store.AuditEntry, projects map[event.ProjectID]string) auditRow {
	row := auditRow{AuditEntry: e, By: e.User, What: deed.ActionWords(e.Action)}
	if e.Project != 0 {
		row.Project = projectName(projects, e.Project)
	}
	return row
}

// auditPager leads to older entries and back to the newest.
func auditPager(action string, q store.AuditQuery, entries []store.AuditEntry) pager {
	to := func(before int64) string {
		values := url.Values{}
		for name, n := range map[string]int64{"user": q.User, "before": before} {
			if n != 0 {
				values.Set(name, strconv.FormatInt(n, 10))
			}
		}
		if q.Project != 0 {
			values.Set("project", strconv.FormatInt(int64(q.Project), 10))
		}
		return action + "?" + values.Encode()
	}
	p := pager{NewerText: "Newest", OlderText: "Older"}
	if q.Before != 0 {
		p.Newer = to(0)
	}
	if len(entries) > auditPerPage {
		p.Older = to(entries[auditPerPage-1].ID)
	}
	return p
}
