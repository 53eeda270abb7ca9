package dashboard

import (
	"net/http"

	"sundew/digester/access"
)

// retentionDoors are about how long things are kept, and about people's data.
func retentionDoors() map[string]door {
	const ok, found, missing = http.StatusOK, http.StatusSeeOther, http.StatusNotFound
	admin := team(access.Admin, found)
	return map[string]door{
		"GET /projects/{id}/settings/retention":                  {path: "/projects/1/settings/retention", want: team(access.Admin, ok)},
		"POST /projects/{id}/settings/retention":                 {path: "/projects/1/settings/retention", form: "days=&events=own&events-own=1000", want: admin},
		"GET /projects/{id}/settings/person":                     {path: "/projects/1/settings/person", want: team(access.Admin, ok)},
		"POST /projects/{id}/settings/person":                    {path: "/projects/1/settings/person", form: "kind=email&value=x@example.com", want: admin},
		"POST /projects/{id}/settings/person/{request}/remove":   {path: "/projects/1/settings/person/999/remove", want: team(access.Admin, missing)},
		"POST /projects/{id}/settings/person/{request}/withdraw": {path: "/projects/1/settings/person/999/withdraw", want: team(access.Admin, missing)},
		"GET /projects/{id}/settings/person/{request}/export":    {path: "/projects/1/settings/person/999/export", want: team(access.Admin, missing)},
		"GET /person":                     {path: "/person", want: installation(access.Owner, ok)},
		"POST /person":                    {path: "/person", form: "kind=id&value=42", want: installation(access.Owner, found)},
		"POST /person/{request}/remove":   {path: "/person/999/remove", want: installation(access.Owner, missing)},
		"POST /person/{request}/withdraw": {path: "/person/999/withdraw", want: installation(access.Owner, missing)},
		"GET /person/{request}/export":    {path: "/person/999/export", want: installation(access.Owner, missing)},
	}
}
