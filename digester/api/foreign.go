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
	raw[NewCodeMappings, CodeMappings](a, http.MethodPost, "/organizations/{org}/code-mappings/bulk/", useReleases, anyone, Doc{
		Tag: "Releases", Summary: "Code mappings: refused, each with the reason",
	}, refuseCodeMappings)
	raw[None, None](a, http.MethodPost, "/projects/{org}/{project}/files/dsyms/", useReleases, ofProject(access.Member), Doc{
		Tag: "Releases", Summary: "Debug files in one archive: refused", Text: "As upload-proguard of sentry-cli 2 sends them.",
	}, func(http.ResponseWriter, *request) error {
		return bad("Sundew takes debug files in chunks alone: use sentry-cli 3, or set SENTRY_EXPERIMENTAL_PROGUARD_CHUNK_UPLOAD=1.")
	})
}

// NewCodeMappings say where the sources of a stack are in a repository.
type NewCodeMappings struct {
	Mappings []NewCodeMapping `json:"mappings"`
}

// NewCodeMapping is one of them.
type NewCodeMapping struct {
	StackRoot  string `json:"stackRoot"`
	SourceRoot string `json:"sourceRoot"`
}

// CodeMappings is what became of them.
type CodeMappings struct {
	Created  int               `json:"created"`
	Updated  int               `json:"updated"`
	Errors   int               `json:"errors"`
	Mappings List[CodeMapping] `json:"mappings"`
}

// CodeMapping is what became of one.
type CodeMapping struct {
	NewCodeMapping
	Status string `json:"status"`
	Detail string `json:"detail"`
}

// refuseCodeMappings says no to each, since sentry-cli prints no other reason.
func refuseCodeMappings(w http.ResponseWriter, r *request) error {
	in, err := decode[NewCodeMappings](w, r)
	if err != nil {
		return err
	}
	answer := CodeMappings{Errors: len(in.Mappings)}
	for _, m := range in.Mappings {
		answer.Mappings = append(answer.Mappings, CodeMapping{m, "error", "Sundew has no code mappings: it shows the sources that are in source maps"})
	}
	r.send(w, answer)
	return nil
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
