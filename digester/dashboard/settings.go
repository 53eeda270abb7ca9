package dashboard

import (
	"net/http"

	"sundew/digester/access"
	"sundew/digester/store"
)

// settingsRoutes are the routes of a project's settings.
func (d *Dashboard) settingsRoutes() {
	admin, owner := ofProject(access.Admin), ofProject(access.Owner)
	d.get("/projects/{id}/settings", admin, d.showSettings)
	d.get("/settings/{org}/projects/{project}", signedIn, d.findSettings) // as tools write it that know organizations
	d.post("/projects/{id}/settings", "change project", admin, d.changeProject)
	d.post("/projects/{id}/settings/team", "transfer project", owner, d.transferProject)
	d.get("/projects/{id}/settings/keys", admin, d.showKeys)
	d.post("/projects/{id}/settings/keys", "add key", admin, d.addKey)
	d.post("/projects/{id}/settings/keys/{key}/enable", "enable key", admin, d.setKey(true))
	d.post("/projects/{id}/settings/keys/{key}/disable", "disable key", admin, d.setKey(false))
	d.post("/projects/{id}/settings/keys/{key}/delete", "delete key", admin, d.deleteKey)
	d.get("/projects/{id}/settings/domains", admin, d.showOrigins)
	d.post("/projects/{id}/settings/domains", "allowed domains", admin, d.saveOrigins)
	d.get("/projects/{id}/settings/grouping", admin, d.showRules)
	d.post("/projects/{id}/settings/grouping", "fingerprint rules", admin, d.saveRules)
	d.tryOut("/projects/{id}/settings/grouping/try", admin, d.tryRules)
	d.get("/projects/{id}/settings/privacy", admin, d.showPrivacy)
	d.post("/projects/{id}/settings/privacy", "privacy", admin, d.savePrivacy)
	d.tryOut("/projects/{id}/settings/privacy/try", admin, d.tryPrivacy)
	d.get("/projects/{id}/settings/environments", admin, d.showEnvironments)
	d.post("/projects/{id}/settings/environments", "environments", admin, d.saveEnvironments)
	d.primary("/projects/{id}/settings/retention", admin, d.showRetention)
	d.post("/projects/{id}/settings/retention", "retention", admin, d.saveRetention)
	d.get("/projects/{id}/settings/members", admin, d.showProjectMembers)
	d.post("/projects/{id}/settings/members", "add project member", admin, d.addProjectMember)
	d.post("/projects/{id}/settings/members/{user}", "change project member", admin, d.changeProjectMember)
	d.sourceMapRoutes()
	d.channelRoutes()
	d.alertRoutes()
	d.get("/projects/{id}/settings/delete", owner, d.showDeletion)
	d.post("/projects/{id}/settings/delete", "delete project", owner, d.deleteProject)
	d.get("/projects/deleted", signedIn, d.showDeleted)
	d.post("/projects/{id}/restore", "restore project", ofAnyProject(access.Owner), d.restoreProject)
}

// tryOut adds a form that changes nothing: its answer is a page made of what was
// typed.
func (d *Dashboard) tryOut(path string, may guard, handle reader) {
	d.form(path, func(w http.ResponseWriter, r *http.Request) {
		if err := parseForm(w, r); err != nil {
			d.fail(w, r, err)
			return
		}
		d.readHere(w, r, may, handle, 0)
	})
}

// settingsFrame is what every page of a project's settings has.
type settingsFrame struct {
	shell
	Project store.Project
	Areas   []tab // of the project
	Parts   []tab // of its settings
	Notice  string
	Error   string // why a form came back
}

// settingsPart is a page of the settings.
type settingsPart struct{ path, text string }

// settingsParts are the pages of the settings in their order; the first is at the
// address of the settings itself.
func settingsParts() []settingsPart {
	return []settingsPart{
		{"", "General"},
		{"keys", "Keys"},
		{"domains", "Allowed domains"},
		{"grouping", "Grouping"},
		{sourceMapsPart, "Source maps"},
		{"environments", "Environments"},
		{"privacy", "Privacy"},
		{"limits", "Limits"},
		{"retention", "Retention"},
		{"person", "Personal data"},
		{alertPart, "Alerts"},
		{"channels", "Channels"},
		{"members", "Members"},
	}
}

// settingsFrame frames a page of the settings.
func (d *Dashboard) settingsFrame(r *http.Request, p store.Project, part string) settingsFrame {
	frame := settingsFrame{
		shell: shell{Title: "Settings of " + p.Name, Trail: d.trail()}, Project: p,
		Areas: d.areas(r, p, areaSettings), Notice: settledWords(r.URL.Query().Get("done")),
	}
	for _, known := range settingsParts() {
		to := d.links.settings(p.ID)
		if known.path != "" {
			to = d.links.settingsPart(p.ID, known.path)
		}
		frame.Parts = append(frame.Parts, tab{Text: known.text, URL: to, Current: known.path == part})
	}
	frame.Parts = append(frame.Parts, tab{Text: "API tokens", URL: d.links.project(p.ID) + "/tokens"}, tab{Text: "Who changed what", URL: d.links.project(p.ID) + "/audit"})
	return frame
}

// settledWords says what a form has done, by the word in the address.
func settledWords(word string) string {
	switch word {
	case "saved":
		return "Saved."
	case "transferred":
		return "The project belongs to another team now."
	case "key-added":
		return "A new key is there. Edges know it within seconds; give its DSN to your application, and disable the old key when nothing uses it any more."
	case "key-enabled":
		return "The key works again."
	case "key-disabled":
		return "The key is disabled. Edges refuse it within seconds, those in other regions within a minute or so."
	case "key-deleted":
		return "The key is deleted."
	case "member-added":
		return "The person has a role in this project now."
	case "member-removed":
		return "The role is taken away."
	case "channel-added":
		return "The channel is there. Send a test message to see whether it works."
	case "channel-untested":
		return "The channel is switched off, or too many messages wait: no test was sent."
	case "channel-enabled":
		return "The channel is switched on."
	case "channel-disabled":
		return "The channel is switched off: it gets no messages, and what waited for it is given up."
	case "channel-deleted":
		return "The channel is deleted."
	case "retry":
		return "The message is tried again."
	case "rule-added":
		return "The rule is there."
	case "rule-enabled":
		return "The rule is switched on."
	case "rule-disabled":
		return "The rule is switched off."
	case "rule-deleted":
		return "The rule is deleted. What it told of stays in the list."
	case "bundle-deleted":
		return "The upload is deleted. Stacks that were read with it stay as they are."
	case "deployed":
		return "The deploy is recorded."
	case "deploy-removed":
		return "The deploy is removed."
	case "deleted":
		return "The project is deleted: it accepts nothing any more and is in no list. Nothing is removed for a day."
	case "restored":
		return "The project is back."
	}
	return ""
}

// area is a part of what there is about a project.
type area int

const (
	areaIssues area = iota
	areaReleases
	areaFeedback
	areaSetup
	areaSettings
)

// areas are the parts of a project that who asks may see.
func (d *Dashboard) areas(r *http.Request, p store.Project, current area) []tab {
	tabs := []tab{
		{Text: "Issues", URL: d.links.openIssues(p.ID), Current: current == areaIssues},
		{Text: "Releases", URL: d.links.releases(p.ID, releaseList{}), Current: current == areaReleases},
		{Text: "Feedback", URL: d.links.feedback(p.ID, 0), Current: current == areaFeedback},
		{Text: "Set-up", URL: d.links.setup(p.ID, ""), Current: current == areaSetup},
	}
	if who(r).In(p.ID) >= access.Admin {
		tabs = append(tabs, tab{Text: "Settings", URL: d.links.settings(p.ID), Current: current == areaSettings})
	}
	return tabs
}

// noteSetting writes a change of a project's settings into the audit log.
func (d *Dashboard) noteSetting(tx *store.Tx, r *http.Request, p store.Project, action, detail string) error {
	return d.audit(tx, r, store.AuditEntry{Action: action, Project: p.ID, TeamID: p.TeamID, Subject: p.Name, Detail: detail})
}
