package api

import (
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
	return all
}

func indexDoors() map[string]door {
	return map[string]door{"GET /": {path: "/"}}
}

// TestDoors asks every route as those who may, and as those who may not.
func TestDoors(t *testing.T) {
	known := doors()
	for _, route := range newRig(t, nil).api.table {
		name := route.Method + " " + route.Path
		d, ok := known[name]
		if !ok {
			t.Errorf("%s is not in the table of doors", name)
			continue
		}
		delete(known, name)
		t.Run(name, func(t *testing.T) { checkDoor(t, route, d) })
	}
	for name := range known {
		t.Errorf("%s is a door to nothing", name)
	}
}

// checkDoor asks a route. Each who is asked as gets a database of its own where the
// route changes something.
func checkDoor(t *testing.T, route Route, d door) {
	var r *rig
	status := func(token func(*rig) string) int {
		if r == nil || route.Method != http.MethodGet {
			r = newRig(t, nil)
			r.furnish()
		}
		return r.do(route.Method, root+d.path, token(r), d.body).StatusCode
	}
	or := func(status, otherwise int) int {
		if status == 0 {
			return otherwise
		}
		return status
	}
	want := or(d.want, http.StatusOK)
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
		"a viewer":    {func(r *rig) string { return r.viewerToken }, or(d.viewer, viewer)},
		"a member":    {func(r *rig) string { return r.memberToken }, or(d.member, want)},
		"another's":   {func(r *rig) string { return r.otherToken }, or(d.other, other)},
		"the reduced": {func(r *rig) string { return r.token(r.owner.ID, access.AllScopes&^route.Scopes) }, http.StatusForbidden},
	} {
		if who == "the reduced" && (route.Scopes == anyToken || route.Scopes == access.AllScopes) {
			continue
		}
		if got := status(ask.token); got != ask.want {
			t.Errorf("%s got %d, want %d", who, got, ask.want)
		}
	}
}

// furnish makes what doors are about.
func (r *rig) furnish() {
	r.message(r.web.ID, "first")
	r.message(r.web.ID, "second")
	r.message(r.other.ID, "elsewhere")
}
