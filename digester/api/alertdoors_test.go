package api

import (
	"maps"
	"net/http"
)

// alertDoors are about rules and channels, which are the business of a project's admins.
func alertDoors() map[string]door {
	const created, accepted, gone, missing, no = http.StatusCreated, http.StatusAccepted, http.StatusNoContent, http.StatusNotFound, http.StatusForbidden
	const at, in = "/projects/acme/web-shop/", "/projects/{org}/{project}/"
	const channel, channelAt = in + "channels/{channel}/", at + "channels/1/"
	doors := map[string]door{
		"GET " + in + "rules/":                          {path: at + "rules/"},
		"POST " + in + "rules/":                         {path: at + "rules/", body: `{"name":"Often","when":{"new":true}}`, want: created},
		"GET " + in + "rules/{rule}/":                   {path: at + "rules/1/"},
		"PUT " + in + "rules/{rule}/":                   {path: at + "rules/1/", body: `{"enabled":false}`},
		"DELETE " + in + "rules/{rule}/":                {path: at + "rules/1/", want: accepted},
		"GET " + in + "alerts/":                         {path: at + "alerts/"},
		"GET " + in + "channels/":                       {path: at + "channels/"},
		"POST " + in + "channels/":                      {path: at + "channels/", body: `{"kind":"slack","url":"https://hooks.example.com/b"}`, want: created},
		"GET " + channel:                                {path: channelAt},
		"PUT " + channel:                                {path: channelAt, body: `{"enabled":false}`},
		"DELETE " + channel:                             {path: channelAt, want: gone},
		"POST " + channel + "secret/":                   {path: channelAt + "secret/"},
		"POST " + channel + "test/":                     {path: channelAt + "test/"},
		"GET " + channel + "messages/":                  {path: channelAt + "messages/"},
		"POST " + channel + "messages/{message}/retry/": {path: channelAt + "messages/1/retry/", want: missing},
	}
	return only(doors, no)
}

// only is doors that nobody below an admin has.
func only(doors map[string]door, status int) map[string]door {
	all := maps.Clone(doors)
	for name, d := range all {
		d.viewer, d.member = status, status
		all[name] = d
	}
	return all
}

// furnishAlerts makes a webhook in the first project.
func (r *rig) furnishAlerts() {
	r.must(http.StatusCreated, "POST", "/projects/x/web-shop/channels/", `{"kind":"webhook","name":"Ours","url":"https://hooks.example.com/very-secret-path"}`)
}
