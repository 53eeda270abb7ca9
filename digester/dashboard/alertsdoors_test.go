package dashboard

import (
	"net/http"

	"sundew/digester/access"
)

// alertDoors are about a project's rules.
func alertDoors() map[string]door {
	const list = "/projects/1/settings/alerts"
	const rule = "name=New&new=1&level=0&events-period=5&users-period=60&pause=30&where=all"
	ok, found := team(access.Admin, http.StatusOK), team(access.Admin, http.StatusSeeOther)
	return map[string]door{
		"GET /projects/{id}/settings/alerts":                 {path: list, want: ok},
		"GET /projects/{id}/settings/alerts/new":             {path: list + "/new", want: ok},
		"POST /projects/{id}/settings/alerts":                {path: list, form: rule, want: found},
		"GET /projects/{id}/settings/alerts/{rule}":          {path: list + "/1", want: ok},
		"POST /projects/{id}/settings/alerts/{rule}":         {path: list + "/1", form: rule, want: found},
		"POST /projects/{id}/settings/alerts/{rule}/enable":  {path: list + "/1/enable", want: found},
		"POST /projects/{id}/settings/alerts/{rule}/disable": {path: list + "/1/disable", want: found},
		"POST /projects/{id}/settings/alerts/{rule}/delete":  {path: list + "/1/delete", want: found, once: true},
	}
}
