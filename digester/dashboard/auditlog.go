package dashboard

import (
	"math"
	"net/http"
	"net/url"
	"strconv"

	"sundew/digester/access"
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
	row := auditRow{AuditEntry: e, By: e.User, What: actionWords(e.Action)}
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

// actionWords says what somebody did. Actions that this program has no words for are
// shown as they are.
func actionWords(action string) string {
	words := map[string]string{
		"account.email": "changed their mail address", "account.name": "changed their name",
		"account.password": "changed their password", "account.reset": "set a new password by a link",
		"account.authenticator_add": "set up an authenticator app", "account.authenticator_remove": "removed the authenticator app",
		"account.passkey_add": "added a passkey", "account.passkey_remove": "removed a passkey",
		"account.provider_link": "connected an account elsewhere", "account.recovery_codes": "made new recovery codes",
		"token.create": "made the API token", "token.revoke": "revoked the API token",
		"user.join": "joined by an account elsewhere", "user.second_factor_reset": "removed the second factors of",
		"channel.add": "added a channel to", "channel.change": "changed a channel of", "channel.delete": "deleted a channel of",
		"channel.disable": "switched off a channel of", "channel.enable": "switched on a channel of", "channel.retry": "tried a message again in a channel of",
		"channel.secret": "made a new secret for a channel of", "channel.test": "sent a test message to a channel of",
		"alert-rule.add": "added an alert rule to", "alert-rule.change": "changed an alert rule of", "alert-rule.delete": "deleted an alert rule of",
		"alert-rule.enable": "switched on an alert rule of", "alert-rule.disable": "switched off an alert rule of",
		"installation.limits": "changed the limits of", "project.limits": "changed the limits of",
		"dead-letter.retry": "put dead letters back", "installation.own": "became the owner of the installation",
		"invitation.accept": "accepted an invitation", "invitation.create": "invited", "invitation.withdraw": "withdrew an invitation",
		"issue.assign": "assigned", "issue.comment": "commented on", "issue.comment.delete": "deleted a comment on", "issue.comment.edit": "changed a comment on",
		"issue.delete": "deleted", "issue.merge": "merged", "issue.mute": "muted", "issue.quiet": "resolved quiet issues",
		"issue.reopen": "reopened", "issue.resolve": "resolved", "issue.restore": "took back the deletion of", "issue.unmerge": "took apart",
		"person.remove": "had removed the data of", "person.removed": "Removed is all data of", "person.search": "searched for data of", "person.withdraw": "kept the data of",
		"mail.retry": "tried a mail again", "project.create": "created the project",
		"release.make": "made the release", "release.change": "changed the release", "release.remove": "removed the release",
		"search.delete": "deleted the shared search", "search.save": "saved the shared search",
		"session.end": "signed out", "session.refuse": "Wrong password for", "session.start": "signed in",
		"team.create": "created the team", "team.delete": "deleted the team", "team.leave": "left the team",
		"team.member": "gave a role in a team to", "team.remove": "removed from a team", "team.rename": "renamed the team to",
		"user.disable": "switched off the account of", "user.enable": "switched on the account of", "user.forgot": "New password asked for by mail, for",
		"user.password-command": "Link for a new password made by the command, for", "user.password-link": "made a link for a new password of", "user.role": "changed the role of",
	}
	if w := words[action]; w != "" {
		return w
	}
	return action
}
