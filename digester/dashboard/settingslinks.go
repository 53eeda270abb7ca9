package dashboard

import (
	"net/url"
	"strconv"

	"sundew/schema/event"
)

// The addresses of a project's settings and releases.

func (l links) settings(id event.ProjectID) string { return l.project(id) + "/settings" }

func (l links) settingsPart(id event.ProjectID, part string) string {
	return l.settings(id) + "/" + part
}

// person leads to what is stored about people in a project or, with 0, in all.
func (l links) person(id event.ProjectID) string {
	if id == 0 {
		return l.base + "/person"
	}
	return l.settingsPart(id, "person")
}

// personRequest leads to one request about a person.
func (l links) personRequest(id event.ProjectID, request int64) string {
	return l.person(id) + "/" + strconv.FormatInt(request, 10)
}

// keyAction leads to what can be done with a key: enable, disable, delete.
func (l links) keyAction(id event.ProjectID, key int64, action string) string {
	return l.settingsPart(id, "keys") + "/" + strconv.FormatInt(key, 10) + "/" + action
}

func (l links) projectMember(id event.ProjectID, user int64) string {
	return l.settingsPart(id, "members") + "/" + strconv.FormatInt(user, 10)
}

func (l links) deletedProjects() string { return l.projects() + "/deleted" }

func (l links) restoreProject(id event.ProjectID) string { return l.project(id) + "/restore" }

func (l links) setupStatus(id event.ProjectID) string { return l.project(id) + "/setup/status" }

// releases leads to a project's releases, those of one environment if one is named.
func (l links) releases(id event.ProjectID, list releaseList) string {
	return l.project(id) + "/releases" + list.query()
}

// release leads to a release's page. Its name is in the query, since it may have
// slashes and more.
func (l links) release(id event.ProjectID, version string) string {
	return l.project(id) + "/release?" + url.Values{"version": {version}}.Encode()
}

func (l links) deploys(id event.ProjectID) string { return l.project(id) + "/deploys" }

func (l links) removeDeploy(id event.ProjectID, deploy int64) string {
	return l.deploys(id) + "/" + strconv.FormatInt(deploy, 10) + "/remove"
}
