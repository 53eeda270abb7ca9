package api

import "net/http"

// projectChangeDoors are about making and changing projects, and what is set about
// them.
func projectChangeDoors() map[string]door {
	const created, noContent, bad, forbidden, missing = http.StatusCreated, http.StatusNoContent, http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound
	const at, in = "/projects/acme/web-shop/", "/projects/{org}/{project}/"
	doors := map[string]door{
		"POST /teams/{org}/{team}/projects/":         {path: "/teams/acme/shop/projects/", body: `{"name":"New"}`, want: created, member: forbidden, other: forbidden},
		"POST /organizations/{org}/projects/":        {path: "/organizations/acme/projects/", body: `{"name":"New"}`, want: created, member: forbidden, other: forbidden},
		"PUT " + in:                                  {path: at, body: `{"name":"Shop"}`, member: forbidden},
		"DELETE " + in:                               {path: at, want: noContent, member: forbidden},
		"GET /organizations/{org}/deleted-projects/": {path: "/organizations/acme/deleted-projects/"},
		"POST /organizations/{org}/deleted-projects/{project}/restore/": {path: "/organizations/acme/deleted-projects/web-shop/restore/", want: missing, viewer: missing},
		"POST " + in + "keys/":                      {path: at + "keys/", body: `{"name":"phone"}`, want: created, member: forbidden},
		"PUT " + in + "keys/{key}/":                 {path: at + "keys/0123456789abcdef0123456789abcdef/", body: `{"isActive":false}`, member: forbidden},
		"DELETE " + in + "keys/{key}/":              {path: at + "keys/0123456789abcdef0123456789abcdef/", want: bad, member: forbidden},
		"GET " + in + "environments/{environment}/": {path: at + "environments/none/"},
		"PUT " + in + "environments/{environment}/": {path: at + "environments/none/", body: `{"isHidden":true}`, member: forbidden},
		"PUT " + in + "members/{member}/":           {path: at + "members/owner@example.com/", body: `{"projectRole":"admin"}`, member: forbidden},
		"DELETE " + in + "members/{member}/":        {path: at + "members/owner@example.com/", want: missing, member: forbidden},
		"GET /organizations/{org}/settings/limits/": {path: "/organizations/acme/settings/limits/", viewer: forbidden, member: forbidden, other: forbidden},
		"PUT /organizations/{org}/settings/limits/": {path: "/organizations/acme/settings/limits/", body: `{"limits":{"events":{"hour":10}}}`, member: forbidden, other: forbidden},
		"POST " + in + "settings/privacy/try/":      {path: at + "settings/privacy/try/", body: `{"sample":"password=x"}`, member: forbidden},
		"POST " + in + "settings/grouping/try/":     {path: at + "settings/grouping/try/", body: `{"rules":""}`, member: forbidden},
	}
	for part, body := range map[string]string{
		"privacy": `{"names":["tax id"]}`, "grouping": `{"rules":"type:A -> a"}`, "retention": `{"days":30}`, "limits": `{"spike":50}`,
	} {
		doors["GET "+in+"settings/"+part+"/"] = door{path: at + "settings/" + part + "/", viewer: forbidden, member: forbidden}
		doors["PUT "+in+"settings/"+part+"/"] = door{path: at + "settings/" + part + "/", body: body, member: forbidden}
	}
	return doors
}
