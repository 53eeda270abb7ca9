package api

import (
	"slices"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// environmentRoutes are about where a project runs.
func (a *API) environmentRoutes() {
	const tag, all = "Projects", "/projects/{org}/{project}/environments/"
	const name = "The name none means events without an environment, unless there is one of that name."
	read(a, all, readProjects|readEvents, ofProject(access.Viewer), Doc{Tag: tag, Summary: "A project's environments",
		Query: []Param{{Name: "visibility", Text: "all, or hidden: those that filters leave out, too or alone"}}}, a.environments)
	read(a, all+"{environment}/", readProjects|readEvents, ofProject(access.Viewer), Doc{Tag: tag, Summary: "An environment", Text: name}, a.environment)
	change(a, "PUT", all+"{environment}/", "environment by API", writeProjects, ofProject(access.Admin), Doc{Tag: tag, Summary: "Say whether filters leave an environment out",
		Text: "Its events are stored like all others. " + name}, a.changeEnvironment)
}

// environments lists a project's; with visibility=all or hidden also those that it
// hides.
func (a *API) environments(rx *store.Rx, r *request) (List[Environment], error) {
	all, err := rx.Environments(r.project.ID)
	if err != nil {
		return nil, err
	}
	hidden, err := rx.HiddenEnvironments(r.project.ID)
	var views List[Environment]
	for _, e := range all {
		show := !hidden[e.Name]
		switch r.query("visibility") {
		case "all":
			show = true
		case "hidden":
			show = hidden[e.Name]
		}
		if show && e.Name != "" {
			views = append(views, Environment{ID: e.Name, Name: e.Name, IsHidden: hidden[e.Name]})
		}
	}
	return views, err
}

// environmentNamed returns the environment that {environment} names.
func environmentNamed(rx *store.Rx, r *request) (Environment, error) {
	all, err := rx.Environments(r.project.ID)
	if err != nil {
		return Environment{}, err
	}
	name := r.PathValue("environment")
	has := func(name string) bool {
		return slices.ContainsFunc(all, func(e store.Environment) bool { return e.Name == name })
	}
	if !has(name) {
		if name != "none" || !has("") {
			return Environment{}, store.ErrNotFound
		}
		name = ""
	}
	hidden, err := rx.HiddenEnvironments(r.project.ID)
	return Environment{ID: name, Name: name, IsHidden: hidden[name]}, err
}

func (a *API) environment(rx *store.Rx, r *request) (Environment, error) {
	return environmentNamed(rx, r)
}

// EnvironmentChange is what an environment is to be.
type EnvironmentChange struct {
	IsHidden *bool `json:"isHidden"`
}

func (a *API) changeEnvironment(tx *store.Tx, r *request, in EnvironmentChange) (Environment, error) {
	e, err := environmentNamed(&tx.Rx, r)
	if err != nil {
		return Environment{}, err
	}
	if in.IsHidden == nil {
		return Environment{}, bad("isHidden: This field is required.")
	}
	e.IsHidden = *in.IsHidden
	return e, deed.HideEnvironments(tx, r.by(), r.project, map[string]bool{e.Name: e.IsHidden})
}
