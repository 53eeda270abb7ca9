package api

import (
	"cmp"
	"maps"
	"net/http"
	"strings"
	"testing"

	"sundew/digester/access"
)

// door is what a route answers.
type door struct {
	path   string // with the names of what newRig and TestDoors made
	body   string
	want   int // as an owner of the installation; 0: 200
	viewer int // as one who may only look; 0: 403 where something is changed, else as an owner
	member int // as a member of the project's team; 0: as an owner
	other  int // by a token of another project; 0: 404 where the path is about a project, else as an owner
}

// doors are all routes. One that is missing here fails the test.
func doors() map[string]door {
	all := make(map[string]door)
	maps.Copy(all, indexDoors())
	maps.Copy(all, projectDoors())
	maps.Copy(all, peopleDoors())
	maps.Copy(all, projectChangeDoors())
	maps.Copy(all, issueDoors())
	maps.Copy(all, eventDoors())
	maps.Copy(all, releaseDoors())
	maps.Copy(all, foreignDoors())
	maps.Copy(all, sqlDoors())
	maps.Copy(all, uploadDoors())
	maps.Copy(all, alertDoors())
	maps.Copy(all, operationDoors())
	maps.Copy(all, eventQueryDoors())
	return all
}

func uploadDoors() map[string]door {
	const at, in = "/projects/acme/web-shop/", "/projects/{org}/{project}/"
	const org, orgAt = "/organizations/{org}/", "/organizations/acme/"
	return map[string]door{
		"GET " + org + "chunk-upload/":                 {path: orgAt + "chunk-upload/", viewer: 403},
		"POST " + org + "chunk-upload/":                {path: orgAt + "chunk-upload/", want: 400},
		"POST " + org + "artifactbundle/assemble/":     {path: orgAt + "artifactbundle/assemble/", body: "{}", want: 400},
		"POST " + org + "releases/{version}/assemble/": {path: orgAt + "releases/1.0/assemble/", body: "{}", want: 404},
		"POST " + in + "files/difs/assemble/":          {path: at + "files/difs/assemble/", body: "{}"},
		"GET " + in + "files/artifact-bundles/":        {path: at + "files/artifact-bundles/"},
		"DELETE " + in + "files/artifact-bundles/":     {path: at + "files/artifact-bundles/?bundleId=1", want: 404, member: 403},
		"GET " + in + "files/dsyms/":                   {path: at + "files/dsyms/"},
		"DELETE " + in + "files/dsyms/":                {path: at + "files/dsyms/?id=1", want: 404, member: 403},
		"GET " + in + "releases/{version}/files/":      {path: at + "releases/1.0/files/"},
		"POST " + in + "releases/{version}/files/":     {path: at + "releases/1.0/files/", want: 400},
	}
}

func indexDoors() map[string]door {
	return map[string]door{
		"GET /":                                  {path: "/"},
		"GET /auth/":                             {path: "/auth/", other: http.StatusNotFound},
		"GET /users/me/":                         {path: "/users/me/", other: http.StatusNotFound},
		"GET /users/me/regions/":                 {path: "/users/me/regions/"},
		"GET /organizations/":                    {path: "/organizations/"},
		"GET /organizations/{org}/":              {path: "/organizations/acme/"},
		"GET /organizations/{org}/environments/": {path: "/organizations/acme/environments/"},
		"GET /organizations/{org}/teams/":        {path: "/organizations/acme/teams/"},
		"GET /organizations/{org}/members/":      {path: "/organizations/acme/members/"},
		"GET /organizations/{org}/users/":        {path: "/organizations/acme/users/"},
		"GET /teams/{org}/{team}/":               {path: "/teams/acme/shop/"},
		"GET /teams/{org}/{team}/projects/":      {path: "/teams/acme/shop/projects/"},
	}
}

func projectDoors() map[string]door {
	const at, in = "/projects/acme/web-shop/", "/projects/{org}/{project}/"
	doors := map[string]door{
		"GET /projects/":                          {path: "/projects/"},
		"GET /organizations/{org}/projects/":      {path: "/organizations/acme/projects/"},
		"GET /organizations/{org}/tags/":          {path: "/organizations/acme/tags/"},
		"GET /organizations/{org}/user-feedback/": {path: "/organizations/acme/user-feedback/"},
		"GET " + in + "keys/{key}/":               {path: at + "keys/0123456789abcdef0123456789abcdef/"},
		"GET " + in + "tags/{key}/values/":        {path: at + "tags/level/values/"},
	}
	for _, below := range []string{"", "keys/", "environments/", "teams/", "members/", "tags/", "user-feedback/", "user-reports/", "events/"} {
		doors["GET "+in+below] = door{path: at + below}
	}
	return doors
}

func issueDoors() map[string]door {
	const noContent, accepted, created, missing = http.StatusNoContent, http.StatusAccepted, http.StatusCreated, http.StatusNotFound
	resolve := `{"status":"resolved"}`
	doors := map[string]door{
		"GET /organizations/{org}/shortids/{issue}/": {path: "/organizations/acme/shortids/WEB-SHOP-1/"},
		"GET /organizations/{org}/issues/":           {path: "/organizations/acme/issues/"},
		"PUT /organizations/{org}/issues/":           {path: "/organizations/acme/issues/?id=1", body: resolve, other: noContent},
		"DELETE /organizations/{org}/issues/":        {path: "/organizations/acme/issues/?id=1", want: noContent, member: http.StatusForbidden, other: noContent},
		"GET /projects/{org}/{project}/issues/":      {path: "/projects/acme/web-shop/issues/"},
		"PUT /projects/{org}/{project}/issues/":      {path: "/projects/acme/web-shop/issues/?id=1", body: resolve},
		"DELETE /projects/{org}/{project}/issues/":   {path: "/projects/acme/web-shop/issues/?id=1", want: noContent, member: http.StatusForbidden},
	}
	for _, at := range []string{"/issues/", "/organizations/{org}/issues/"} {
		path := strings.ReplaceAll(at, "{org}", "acme") + "1/"
		at += "{issue}/"
		doors["GET "+at] = door{path: path}
		doors["PUT "+at] = door{path: path, body: resolve}
		doors["DELETE "+at] = door{path: path, want: accepted, member: http.StatusForbidden}
		doors["GET "+at+"tags/{key}/"] = door{path: path + "tags/level/"}
		doors["GET "+at+"tags/{key}/values/"] = door{path: path + "tags/level/values/"}
		doors["GET "+at+"events/{event}/"] = door{path: path + "events/latest/"}
		for _, below := range []string{"hashes/", "activities/", "tags/", "events/", "user-reports/"} {
			doors["GET "+at+below] = door{path: path + below}
		}
		for _, notes := range []string{"comments/", "notes/"} {
			doors["GET "+at+notes] = door{path: path + notes}
			doors["POST "+at+notes] = door{path: path + notes, body: `{"text":"seen"}`, want: created}
			doors["PUT "+at+notes+"{note}/"] = door{path: path + notes + "1/", body: `{"text":"seen"}`, want: missing}
			doors["DELETE "+at+notes+"{note}/"] = door{path: path + notes + "1/", want: missing}
		}
	}
	return doors
}

func eventDoors() map[string]door {
	const at, in = "/projects/acme/web-shop/events/{event}/", "/projects/{org}/{project}/events/{event}/"
	return map[string]door{
		"GET " + in:                                  {path: at},
		"GET " + in + "attachments/":                 {path: at + "attachments/"},
		"GET " + in + "attachments/{attachment}/":    {path: at + "attachments/1/", want: http.StatusNotFound},
		"GET /organizations/{org}/eventids/{event}/": {path: "/organizations/acme/eventids/{event}/", other: http.StatusNotFound},
	}
}

// TestDoors asks every route as those who may, and as those who may not.
func TestDoors(t *testing.T) {
	known := doors()
	shared := newRig(t, nil)
	first := shared.furnish()
	for _, route := range shared.api.table {
		name := route.Method + " " + route.Path
		d, ok := known[name]
		if !ok {
			t.Errorf("%s is not in the table of doors", name)
			continue
		}
		delete(known, name)
		d.path = strings.ReplaceAll(d.path, "{event}", first)
		t.Run(name, func(t *testing.T) { checkDoor(t, shared, route, d) })
	}
	for name := range known {
		t.Errorf("%s is a door to nothing", name)
	}
}

// checkDoor asks a route. Who changes something does so in a database of their own.
func checkDoor(t *testing.T, shared *rig, route Route, d door) {
	want := cmp.Or(d.want, http.StatusOK)
	viewer, other := want, want
	if route.Method != http.MethodGet {
		viewer = http.StatusForbidden
	}
	if strings.Contains(route.Path, "{project}") || strings.Contains(route.Path, "{issue}") {
		other = http.StatusNotFound
	}
	for who, ask := range map[string]struct {
		token func(*rig) string
		want  int
	}{
		"nobody":      {func(*rig) string { return "" }, http.StatusUnauthorized},
		"a stranger":  {func(*rig) string { return "sdw_wrong" }, http.StatusUnauthorized},
		"an owner":    {func(r *rig) string { return r.ownerToken }, want},
		"a viewer":    {func(r *rig) string { return r.viewerToken }, cmp.Or(d.viewer, viewer)},
		"a member":    {func(r *rig) string { return r.memberToken }, cmp.Or(d.member, want)},
		"another's":   {func(r *rig) string { return r.otherToken }, cmp.Or(d.other, other)},
		"the reduced": {func(r *rig) string { return r.reduced(route.Scopes) }, http.StatusForbidden},
	} {
		if who == "the reduced" && (route.Scopes == anyToken || route.Scopes == access.AllScopes) {
			continue
		}
		r := shared
		if route.Method != http.MethodGet && ask.want < http.StatusBadRequest {
			r = newRig(t, nil)
			r.furnish()
		}
		if got := r.do(route.Method, Root+d.path, ask.token(r), d.body).StatusCode; got != ask.want {
			t.Errorf("%s got %d, want %d", who, got, ask.want)
		}
	}
}

// furnish makes what doors are about, and returns the id of an event.
func (r *rig) furnish() string {
	first := r.message(r.web.ID, "first")
	r.message(r.web.ID, "second")
	r.message(r.other.ID, "elsewhere")
	r.must(http.StatusCreated, "POST", "/projects/x/web-shop/releases/", `{"version":"made@1"}`)
	r.furnishAlerts()
	r.furnishOperation()
	return first.String()
}
