package api

import (
	"net/http"

	"sundew/digester/access"
	"sundew/digester/store"
)

// foreignRoutes are about what tools ask for and Sundew does not have. Lists are empty,
// so that tools go another way; what would have to be kept is refused with words.
func (a *API) foreignRoutes() {
	read(a, "/organizations/{org}/repos/", readReleases, anyone, Doc{
		Tag: "Releases", Summary: "Repositories: none",
		Text: "Sundew is connected to no code host. Where there is no repository, sentry-cli reads the commits from the local one and sends them whole, which is what is wanted here.",
	}, a.listRepositories)
	monitors := Doc{
		Tag: "Monitors", Summary: "Monitors of jobs: none",
		Text: "Check-ins are taken and counted, and nothing watches that they come.",
	}
	read(a, "/organizations/{org}/monitors/", readOrg, anyone, monitors, a.listMonitors)
	read(a, "/projects/{org}/{project}/monitors/", readOrg, ofProject(access.Viewer), monitors, a.listMonitors)
	raw[None, None](a, http.MethodPost, "/organizations/{org}/code-mappings/bulk/", useReleases, anyone, Doc{
		Tag: "Releases", Summary: "Code mappings: refused",
	}, func(http.ResponseWriter, *request) error {
		return bad("Sundew has no code mappings: it shows the sources that are in source maps, and is connected to no code host.")
	})
}

// Repository is one of a code host.
type Repository struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (a *API) listRepositories(*store.Rx, *request) (List[Repository], error) { return nil, nil }

// Monitor watches a job.
type Monitor struct {
	ID     string `json:"id"`
	Slug   string `json:"slug"`
	Name   string `json:"name"`
	Status string `json:"status"`
}

func (a *API) listMonitors(*store.Rx, *request) (List[Monitor], error) { return nil, nil }
