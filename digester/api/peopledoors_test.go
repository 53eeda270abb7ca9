package api

import "net/http"

func peopleDoors() map[string]door {
	const created, missing, forbidden, conflict, noContent = http.StatusCreated, http.StatusNotFound, http.StatusForbidden, http.StatusConflict, http.StatusNoContent
	const members, at = "/organizations/{org}/members/", "/organizations/acme/members/"
	const viewer = at + "viewer@example.com/"
	admins := func(d door) door { // who is no admin may not
		d.member, d.other = forbidden, forbidden
		return d
	}
	return map[string]door{
		"PUT /users/me/": {path: "/users/me/", body: `{"name":"Ada"}`, viewer: http.StatusOK, other: missing},

		"GET /organizations/{org}/user-teams/": {path: "/organizations/acme/user-teams/", other: missing},

		"GET " + members + "{member}/":                      {path: at + "me/", other: missing},
		"POST " + members:                                   admins(door{path: at, body: `{"email":"new@example.com"}`, want: created}),
		"PUT " + members + "{member}/":                      admins(door{path: viewer, body: `{"orgRole":"manager"}`}),
		"DELETE " + members + "{member}/":                   admins(door{path: viewer, want: noContent}),
		"POST " + members + "{member}/sign-out/":            admins(door{path: viewer + "sign-out/", want: noContent}),
		"POST " + members + "{member}/second-factor/reset/": admins(door{path: viewer + "second-factor/reset/", want: noContent}),

		"POST /organizations/{org}/teams/":             admins(door{path: "/organizations/acme/teams/", body: `{"name":"Ops"}`, want: created}),
		"PUT /teams/{org}/{team}/":                     admins(door{path: "/teams/acme/shop/", body: `{"name":"Ops"}`}),
		"DELETE /teams/{org}/{team}/":                  admins(door{path: "/teams/acme/shop/", want: conflict}),
		"GET /teams/{org}/{team}/members/":             {path: "/teams/acme/shop/members/", other: forbidden},
		"POST " + members + "{member}/teams/{team}/":   admins(door{path: at + "owner@example.com/teams/shop/", want: created}),
		"PUT " + members + "{member}/teams/{team}/":    admins(door{path: viewer + "teams/shop/", body: `{"teamRole":"admin"}`}),
		"DELETE " + members + "{member}/teams/{team}/": {path: viewer + "teams/shop/", viewer: http.StatusOK, member: forbidden, other: forbidden},

		"POST /projects/{org}/{project}/teams/{team}/":   {path: "/projects/acme/web-shop/teams/elsewhere/", want: created, member: forbidden},
		"DELETE /projects/{org}/{project}/teams/{team}/": {path: "/projects/acme/web-shop/teams/shop/", member: forbidden},

		"GET /organizations/{org}/audit-logs/": {path: "/organizations/acme/audit-logs/", viewer: forbidden, member: forbidden, other: forbidden},
	}
}
