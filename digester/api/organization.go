package api

import (
	"sundew/digester/store"
	"sundew/schema/event"
)

// organizationRoutes are about the installation, which is one organization: whatever
// the tool calls it.
func (a *API) organizationRoutes() {
	const tag = "Organization"
	read(a, "/organizations/", readOrg, anyone, Doc{Tag: tag, Summary: "The organizations: the installation is the only one", Paged: true}, a.organizations)
	read(a, "/organizations/{org}/", readOrg, anyone, Doc{Tag: tag, Summary: "An organization", Text: "Every name means the installation."}, a.organization)
	read(a, "/organizations/{org}/environments/", readOrg, anyone, Doc{Tag: tag, Summary: "The environments of all projects"}, a.environmentsOfAll)
	read(a, "/users/me/regions/", anyToken, anyone, Doc{Tag: tag, Summary: "Where organizations are: here"}, a.regions)
}

// Organization is the installation, as tools know it.
type Organization struct {
	ID              string       `json:"id"`
	Slug            string       `json:"slug"`
	Name            string       `json:"name"`
	Status          Named        `json:"status"`
	DateCreated     Time         `json:"dateCreated"`
	IsEarlyAdopter  bool         `json:"isEarlyAdopter"`
	Require2FA      bool         `json:"require2FA"`
	RequireEmail    bool         `json:"requireEmailVerification"`
	Avatar          Avatar       `json:"avatar"`
	Features        List[string] `json:"features"`
	Links           OrgLinks     `json:"links"`
	HasAuthProvider bool         `json:"hasAuthProvider"`
	AllowInvites    bool         `json:"allowMemberInvite"`
	HideAIFeatures  bool         `json:"hideAiFeatures"`
}

// OrgLinks are where an organization's pages and its API are.
type OrgLinks struct {
	OrganizationURL string `json:"organizationUrl"`
	RegionURL       string `json:"regionUrl"`
}

// Named is an id with a name.
type Named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Avatar is how something is pictured: by its letters.
type Avatar struct {
	AvatarType string  `json:"avatarType"`
	AvatarUUID *string `json:"avatarUuid"`
}

func letters() Avatar { return Avatar{AvatarType: "letter_avatar"} }

// organizationOf is the installation, by the name that a request has for it. It is as
// old as its oldest project.
func organizationOf(rx *store.Rx, r *request) (Organization, error) {
	projects, err := rx.ProjectsByID()
	began := r.api.cfg.Now()
	if len(projects) > 0 {
		began = projects[0].CreatedAt
	}
	return Organization{
		DateCreated: Time{began},
		ID:          orgID, Slug: r.org(), Name: orgName, Status: Named{"active", "active"}, Avatar: letters(), HideAIFeatures: true,
		Links: OrgLinks{OrganizationURL: r.api.cfg.PublicURL, RegionURL: r.api.cfg.PublicURL},
	}, err
}

func (a *API) organizations(rx *store.Rx, r *request) (List[Organization], error) {
	organization, err := organizationOf(rx, r)
	if err != nil {
		return nil, err
	}
	return paged(r, []Organization{organization}, 100, 100)
}

func (a *API) organization(rx *store.Rx, r *request) (Organization, error) {
	return organizationOf(rx, r)
}

// Regions is where organizations are.
type Regions struct {
	Regions List[Region] `json:"regions"`
}

// Region is one of the places.
type Region struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

func (a *API) regions(_ *store.Rx, r *request) (Regions, error) {
	return Regions{List[Region]{{orgName, r.api.cfg.PublicURL}}}, nil
}

// Environment is where a project runs.
type Environment struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	IsHidden bool   `json:"isHidden"`
}

// environmentsOfAll lists the environments of the projects that who asks sees.
func (a *API) environmentsOfAll(rx *store.Rx, r *request) (List[Environment], error) {
	projects, err := visible(rx, r)
	if err != nil {
		return nil, err
	}
	facets, err := rx.Facets(idsOf(projects))
	var all List[Environment]
	for _, name := range facets.Environments {
		all = append(all, Environment{ID: name, Name: name})
	}
	return all, err
}

func idsOf(projects []store.Project) []event.ProjectID {
	ids := make([]event.ProjectID, len(projects))
	for i, p := range projects {
		ids[i] = p.ID
	}
	return ids
}
