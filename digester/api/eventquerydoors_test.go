package api

import "net/http"

// eventQueryDoors are the routes of questions about events, of the books, and of saved
// searches.
func eventQueryDoors() map[string]door {
	const org, at = "/organizations/{org}/", "/organizations/acme/"
	const in, project = "/projects/{org}/{project}/", "/projects/acme/web-shop/"
	search := `{"name":"mine","query":"level:fatal"}`
	doors := map[string]door{
		"GET " + org + "events/":                  {path: at + "events/?field=title"},
		"GET " + org + "events/validate/":         {path: at + "events/validate/?field=title"},
		"GET " + org + "events-stats/":            {path: at + "events-stats/?statsPeriod=24h"},
		"GET " + org + "events-timeseries/":       {path: at + "events-timeseries/?statsPeriod=24h"},
		"GET " + org + "events-dropped/":          {path: at + "events-dropped/"},
		"GET " + org + "stats_v2/":                {path: at + "stats_v2/?field=sum(quantity)&statsPeriod=1d"},
		"GET " + in + "stats/":                    {path: project + "stats/"},
		"GET " + in + "events/{event}/json/":      {path: project + "events/{event}/json/"},
		"GET " + in + "events/{event}/markdown/":  {path: project + "events/{event}/markdown/"},
		"GET " + in + "releases/{version}/stats/": {path: project + "releases/made@1/stats/"},
		"GET " + org + "searches/":                {path: at + "searches/"},
		"POST " + org + "searches/":               {path: at + "searches/", body: search, want: http.StatusCreated, viewer: http.StatusCreated, other: http.StatusForbidden},
		"GET " + org + "searches/{search}/":       {path: at + "searches/9/", want: http.StatusNotFound},
		"PUT " + org + "searches/{search}/":       {path: at + "searches/9/", body: search, want: http.StatusNotFound, viewer: http.StatusNotFound},
		"DELETE " + org + "searches/{search}/":    {path: at + "searches/9/", want: http.StatusNotFound, viewer: http.StatusNotFound},
		"POST " + org + "issues/restore/":         {path: at + "issues/restore/?id=1", want: http.StatusBadRequest, member: http.StatusForbidden, other: http.StatusNotFound},
	}
	for _, issues := range []string{"/issues/", "/organizations/{org}/issues/"} {
		path := map[string]string{"/issues/": "/issues/1/", "/organizations/{org}/issues/": at + "issues/1/"}[issues]
		issues += "{issue}/"
		doors["GET "+issues+"members/"] = door{path: path + "members/"}
		doors["GET "+issues+"similar/"] = door{path: path + "similar/"}
		doors["DELETE "+issues+"members/"] = door{path: path + "members/?id=1", want: http.StatusBadRequest}
		doors["DELETE "+issues+"hashes/"] = door{path: path + "hashes/?id=1", want: http.StatusBadRequest}
		for _, notes := range []string{"comments/", "notes/"} {
			doors["POST "+issues+notes+"{note}/restore/"] = door{path: path + notes + "1/restore/", want: http.StatusBadRequest}
		}
	}
	return doors
}
