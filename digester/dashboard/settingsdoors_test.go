package dashboard

import (
	"net/http"

	"sundew/digester/access"
)

// settingsDoors are about a project's settings and its releases.
func settingsDoors() map[string]door {
	const ok, found, unfit, missing = http.StatusOK, http.StatusSeeOther, http.StatusUnprocessableEntity, http.StatusNotFound
	admin := team(access.Admin, found)
	return map[string]door{
		"GET /projects/{id}/setup/status":                                          {path: "/projects/1/setup/status", want: team(access.Viewer, ok)},
		"GET /projects/{id}/settings":                                              {path: "/projects/1/settings", want: team(access.Admin, ok)},
		"GET /settings/{org}/projects/{project}":                                   {path: "/settings/acme/projects/web-shop", want: team(access.Viewer, found)},
		"POST /projects/{id}/settings":                                             {path: "/projects/1/settings", form: "name=Shop&slug=shop&platform=go", want: admin},
		"POST /projects/{id}/settings/team":                                        {path: "/projects/1/settings/team", form: "team=1", want: team(access.Owner, found)},
		"GET /projects/{id}/settings/keys":                                         {path: "/projects/1/settings/keys", want: team(access.Admin, ok)},
		"POST /projects/{id}/settings/keys":                                        {path: "/projects/1/settings/keys", form: "name=x", want: admin},
		"POST /projects/{id}/settings/keys/{key}/enable":                           {path: "/projects/1/settings/keys/1/enable", want: admin},
		"POST /projects/{id}/settings/keys/{key}/disable":                          {path: "/projects/1/settings/keys/1/disable", want: admin},
		"POST /projects/{id}/settings/keys/{key}/delete":                           {path: "/projects/1/settings/keys/1/delete", want: team(access.Admin, unfit)},
		"GET /projects/{id}/settings/domains":                                      {path: "/projects/1/settings/domains", want: team(access.Admin, ok)},
		"POST /projects/{id}/settings/domains":                                     {path: "/projects/1/settings/domains", form: "domains=example.com", want: admin},
		"GET /projects/{id}/settings/grouping":                                     {path: "/projects/1/settings/grouping", want: team(access.Admin, ok)},
		"POST /projects/{id}/settings/grouping":                                    {path: "/projects/1/settings/grouping", form: "rules=type:A+->+a", want: admin},
		"POST /projects/{id}/settings/grouping/try":                                {path: "/projects/1/settings/grouping/try", form: "rules=type:A+->+a", want: team(access.Admin, ok)},
		"GET /projects/{id}/settings/privacy":                                      {path: "/projects/1/settings/privacy", want: team(access.Admin, ok)},
		"POST /projects/{id}/settings/privacy":                                     {path: "/projects/1/settings/privacy", form: "on=yes&names=tax", want: admin},
		"POST /projects/{id}/settings/privacy/try":                                 {path: "/projects/1/settings/privacy/try", form: "on=yes&sample=x", want: team(access.Admin, ok)},
		"GET /projects/{id}/settings/environments":                                 {path: "/projects/1/settings/environments", want: team(access.Admin, ok)},
		"POST /projects/{id}/settings/environments":                                {path: "/projects/1/settings/environments", want: admin},
		"GET /projects/{id}/settings/members":                                      {path: "/projects/1/settings/members", want: team(access.Admin, ok)},
		"POST /projects/{id}/settings/members":                                     {path: "/projects/1/settings/members", form: "email=colleague@example.com&role=viewer", want: admin},
		"POST /projects/{id}/settings/members/{user}":                              {path: "/projects/1/settings/members/{colleague}", form: "role=viewer", want: admin},
		"GET /projects/{id}/settings/delete":                                       {path: "/projects/1/settings/delete", want: team(access.Owner, ok)},
		"POST /projects/{id}/settings/delete":                                      {path: "/projects/1/settings/delete", form: "name=Web+shop", want: team(access.Owner, found), once: true},
		"GET /projects/{id}/settings/sourcemaps":                                   {path: "/projects/1/settings/sourcemaps", want: team(access.Viewer, ok)},
		"GET /projects/{id}/settings/sourcemaps/{bundle}":                          {path: "/projects/1/settings/sourcemaps/1", want: team(access.Viewer, ok)},
		"POST /projects/{id}/settings/sourcemaps/{bundle}/delete":                  {path: "/projects/1/settings/sourcemaps/1/delete", want: admin, once: true},
		"GET /projects/{id}/settings/channels":                                     {path: "/projects/1/settings/channels", want: team(access.Admin, ok)},
		"GET /projects/{id}/settings/channels/new":                                 {path: "/projects/1/settings/channels/new?kind=slack", want: team(access.Admin, ok)},
		"POST /projects/{id}/settings/channels":                                    {path: "/projects/1/settings/channels", form: "kind=slack&name=Room&url=https%3A%2F%2Fhooks.example.com%2Fa", want: admin},
		"GET /projects/{id}/settings/channels/{channel}":                           {path: "/projects/1/settings/channels/{channel}", want: team(access.Admin, ok)},
		"POST /projects/{id}/settings/channels/{channel}":                          {path: "/projects/1/settings/channels/{channel}", form: "name=Room", want: admin},
		"POST /projects/{id}/settings/channels/{channel}/enable":                   {path: "/projects/1/settings/channels/{channel}/enable", want: admin},
		"POST /projects/{id}/settings/channels/{channel}/disable":                  {path: "/projects/1/settings/channels/{channel}/disable", want: admin},
		"POST /projects/{id}/settings/channels/{channel}/delete":                   {path: "/projects/1/settings/channels/{channel}/delete", want: admin, once: true},
		"POST /projects/{id}/settings/channels/{channel}/secret":                   {path: "/projects/1/settings/channels/{channel}/secret", want: team(access.Admin, ok)},
		"POST /projects/{id}/settings/channels/{channel}/test":                     {path: "/projects/1/settings/channels/{channel}/test", want: admin},
		"POST /projects/{id}/settings/channels/{channel}/messages/{message}/retry": {path: "/projects/1/settings/channels/{channel}/messages/{message}/retry", want: admin, once: true},
		"GET /projects/{id}/settings/limits":                                       {path: "/projects/1/settings/limits", want: team(access.Admin, ok)},
		"POST /projects/{id}/settings/limits":                                      {path: "/projects/1/settings/limits", form: "events-hour=100&spike=50", want: admin},
		"GET /projects/deleted":                                                    {path: "/projects/deleted", want: members(ok)},
		"POST /projects/{id}/restore":                                              {path: "/projects/1/restore", want: team(access.Owner, missing)},
		"GET /projects/{id}/releases":                                              {path: "/projects/1/releases", want: team(access.Viewer, ok)},
		"GET /projects/{id}/release":                                               {path: "/projects/1/release?version=none", want: team(access.Viewer, missing)},
		"POST /projects/{id}/deploys":                                              {path: "/projects/1/deploys", form: "release=1.0&environment=production", want: team(access.Member, found)},
		"POST /projects/{id}/deploys/{deploy}/remove":                              {path: "/projects/1/deploys/1/remove", want: team(access.Member, missing)},
	}
}
