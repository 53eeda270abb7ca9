package api

import (
	"strconv"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/schema/event"
	quotas "sundew/schema/quota"
)

// limitRoutes are about how much projects may report.
func (a *API) limitRoutes() {
	const tag, one, all = "Project settings", "/projects/{org}/{project}/settings/limits/", "/organizations/{org}/settings/limits/"
	const table = " Limits are of events, attachments and feedback, in 5 minutes, an hour and 30 days: {\"events\": {\"minutes\": 1000, \"hour\": null, \"month\": null}}; null or 0 is no limit."
	const stays = " What the body does not name stays."
	admin := ofProject(access.Admin)
	read(a, one, readProjects, admin, Doc{Tag: tag, Summary: "How much a project may report, and how much it does", Text: "Sundew's own." + table}, a.projectLimits)
	change(a, "PUT", one, "limits by API", writeProjects, admin, Doc{Tag: tag, Summary: "Change how much a project may report", Text: "Sundew's own." + table + stays}, a.changeProjectLimits)
	read(a, all, adminOrg, ofInstallation(access.Admin), Doc{Tag: tag, Summary: "How much all projects together may report, and how much they do", Text: "Sundew's own, for admins of the installation." + table}, a.allLimits)
	change(a, "PUT", all, "limits by API", adminOrg, ofInstallation(access.Admin), Doc{Tag: tag, Summary: "Change how much all projects together may report", Text: "Sundew's own, for admins of the installation." + table + stays}, a.changeAllLimits)
}

// LimitTable is limits by what they are of, and by the span of time.
type LimitTable map[string]map[string]*int64

// AllLimits is how much all projects together may report.
type AllLimits struct {
	Limits LimitTable     `json:"limits"`
	Uses   List[LimitUse] `json:"uses"`
}

// ProjectLimits is how much a project may report.
type ProjectLimits struct {
	AllLimits
	Spike   *int64 `json:"spike"`   // events of one issue in a minute that are all stored, of more a part; 0: all are; null: the usual number
	Counted int64  `json:"counted"` // events of the project, ever
	Stored  int64  `json:"stored"`  // of these, stored
}

// LimitUse is how far a limit is used up.
type LimitUse struct {
	Class   string `json:"class"`
	Window  string `json:"window"`
	Limit   int64  `json:"limit"`
	Used    int64  `json:"used"`
	OpensAt Time   `json:"opensAt"` // when there is room again; null: there is
}

// limitsView shows what is set for a project, or for the installation.
func (a *API) limitsView(rx *store.Rx, project event.ProjectID, set quotas.Limits) (AllLimits, error) {
	view := AllLimits{Limits: make(LimitTable)}
	for class := range set {
		windows := make(map[string]*int64)
		for window, limit := range set[class] {
			windows[quotas.Window(window).String()] = nil
			if limit != 0 {
				windows[quotas.Window(window).String()] = new(limit)
			}
		}
		view.Limits[quotas.Class(class).String()] = windows
	}
	uses, err := deed.LimitUses(rx, project, a.cfg.Now())
	for _, u := range uses {
		view.Uses = append(view.Uses, LimitUse{u.Class.String(), u.Window.String(), u.Limit, u.Used, Time{u.Open}})
	}
	return view, err
}

// of is what limits become by a table. The error names what there is not.
func (t LimitTable) of(limits quotas.Limits) (quotas.Limits, error) {
	for name, windows := range t {
		class, ok := byName[quotas.Class](name, quotas.Classes)
		if !ok {
			return limits, bad("limits: there are none of " + strconv.Quote(name) + ", but of events, attachments and feedback")
		}
		for name, limit := range windows {
			window, ok := byName[quotas.Window](name, quotas.Windows)
			if !ok {
				return limits, bad("limits: there are none in " + strconv.Quote(name) + ", but in minutes, hour and month")
			}
			limits[class][window] = 0
			if limit != nil {
				limits[class][window] = *limit
			}
		}
	}
	return limits, nil
}

// byName is one of the first most values that are called by their String.
func byName[T interface {
	~int
	String() string
}](name string, most int) (T, bool) {
	for value := range T(most) {
		if value.String() == name {
			return value, true
		}
	}
	return 0, false
}

func (a *API) projectLimits(rx *store.Rx, r *request) (ProjectLimits, error) {
	set, err := rx.Quotas(r.project.ID)
	if err != nil {
		return ProjectLimits{}, err
	}
	var view ProjectLimits
	if set.Spike != store.UsualSpike {
		view.Spike = &set.Spike
	}
	if view.AllLimits, err = a.limitsView(rx, r.project.ID, set.Limits); err != nil {
		return view, err
	}
	view.Counted, view.Stored, err = rx.KeptOf(r.project.ID)
	return view, err
}

// LimitsChange is what of a project's limits is to be otherwise.
type LimitsChange struct {
	Limits LimitTable    `json:"limits"`
	Spike  Maybe[*int64] `json:"spike"` // null: the usual number
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *LimitsChange) UnmarshalJSON(text []byte) error {
	type fields LimitsChange
	return strict[fields, ProjectLimits](text, (*fields)(c))
}

func (a *API) changeProjectLimits(tx *store.Tx, r *request, in LimitsChange) (ProjectLimits, error) {
	set, err := tx.Quotas(r.project.ID)
	if err != nil {
		return ProjectLimits{}, err
	}
	if set.Limits, err = in.Limits.of(set.Limits); err != nil {
		return ProjectLimits{}, err
	}
	switch {
	case !in.Spike.Set:
	case in.Spike.Value == nil:
		set.Spike = store.UsualSpike
	case *in.Spike.Value < 0:
		return ProjectLimits{}, bad("spike: it is a whole number from 0 on")
	default:
		set.Spike = *in.Spike.Value
	}
	if err := deed.SetLimits(tx, r.by(), r.project, set); err != nil {
		return ProjectLimits{}, err
	}
	return a.projectLimits(&tx.Rx, r)
}

func (a *API) allLimits(rx *store.Rx, _ *request) (AllLimits, error) {
	set, err := rx.Quotas(quotas.Installation)
	if err != nil {
		return AllLimits{}, err
	}
	return a.limitsView(rx, quotas.Installation, set.Limits)
}

// AllLimitsChange is what of all projects' limits is to be otherwise.
type AllLimitsChange struct {
	Limits LimitTable `json:"limits"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *AllLimitsChange) UnmarshalJSON(text []byte) error {
	type fields AllLimitsChange
	return strict[fields, AllLimits](text, (*fields)(c))
}

func (a *API) changeAllLimits(tx *store.Tx, r *request, in AllLimitsChange) (AllLimits, error) {
	set, err := tx.Quotas(quotas.Installation)
	if err != nil {
		return AllLimits{}, err
	}
	limits, err := in.Limits.of(set.Limits)
	if err != nil {
		return AllLimits{}, err
	}
	if err := deed.SetAllLimits(tx, r.by(), limits); err != nil {
		return AllLimits{}, err
	}
	return a.allLimits(&tx.Rx, r)
}
