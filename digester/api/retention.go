package api

import (
	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// retentionRoutes are about how long a project's events are kept.
func (a *API) retentionRoutes() {
	const tag, at = "Project settings", "/projects/{org}/{project}/settings/retention/"
	admin := ofProject(access.Admin)
	const null = " null is what the installation has, 0 is no limit."
	read(a, at, readProjects, admin, Doc{Tag: tag, Summary: "How long a project's events are kept, and how many", Text: "Sundew's own." + null}, a.retention)
	change(a, "PUT", at, "retention by API", writeProjects, admin, Doc{Tag: tag, Summary: "Change how long a project's events are kept, and how many",
		Text: "Sundew's own. What the body does not name stays." + null}, a.changeRetention)
}

// Retention is how long a project's events are kept.
type Retention struct {
	Days         *int64   `json:"days"`
	Events       *int64   `json:"events"`
	Installation KeptEver `json:"installation"` // what holds where the project says nothing
	Stored       int64    `json:"stored"`       // events of the project
	Over         int64    `json:"over"`         // of these, to be removed because they are too many
}

// KeptEver is how long events are kept; 0: without end.
type KeptEver struct {
	Days   int64 `json:"days"`
	Events int64 `json:"events"`
}

func (a *API) retention(rx *store.Rx, r *request) (Retention, error) {
	if a.cfg.DB == nil { // a copy does not know what the installation has
		return Retention{}, errReadOnly
	}
	kept, err := rx.Retention(r.project.ID)
	base := a.cfg.Retention
	view := Retention{Days: kept.Setting.Days, Events: kept.Setting.Events, Installation: KeptEver{base.Days, base.Events}, Stored: kept.Stored}
	if policy := kept.Setting.Or(base); policy.Events > 0 {
		view.Over = max(kept.Stored-policy.Events, 0)
	}
	return view, err
}

// RetentionChange is what of it is to be otherwise.
type RetentionChange struct {
	Days   Maybe[*int64] `json:"days"`
	Events Maybe[*int64] `json:"events"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *RetentionChange) UnmarshalJSON(text []byte) error {
	type fields RetentionChange
	return strict[fields, Retention](text, (*fields)(c))
}

func (a *API) changeRetention(tx *store.Tx, r *request, in RetentionChange) (Retention, error) {
	kept, err := tx.Retention(r.project.ID)
	if err != nil {
		return Retention{}, err
	}
	set := kept.Setting
	if in.Days.Set {
		set.Days = in.Days.Value
	}
	if in.Events.Set {
		set.Events = in.Events.Value
	}
	if err := deed.SetRetention(tx, r.by(), r.project, set, a.cfg.Retention); err != nil {
		return Retention{}, err
	}
	return a.retention(&tx.Rx, r)
}
