package api

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

func mustProject(t *testing.T, r *rig, id string) (p store.Project) {
	t.Helper()
	storetest.MustRead(t, r.replica, func(rx *store.Rx) (err error) {
		p, err = projectNamed(rx, id)
		return err
	})
	return p
}

func TestCreateProject(t *testing.T) {
	r := newRig(t, nil)
	made := mustRead[ProjectDetails](t, r.must(http.StatusCreated, "POST", "/teams/acme/shop/projects/", `{"name":"Payments API","platform":"python-django"}`))
	if made.Slug != "payments-api" || *made.Platform != "python-django" || made.Team == nil || made.Team.Slug != "shop" || !made.IsMember || made.ProjectSettings == nil {
		t.Errorf("made %+v", made)
	}
	p := mustProject(t, r, made.ID)
	if len(p.Keys) != 1 || p.TeamID != r.team.ID {
		t.Errorf("stored %+v", p)
	}
	r.wantAudited(p.ID, "project.create Payments API")

	named := mustRead[ProjectDetails](t, r.must(http.StatusCreated, "POST", "/organizations/acme/projects/", `{"name":"Payments API","slug":"pay","default_rules":false}`))
	if named.Slug != "pay" || named.Platform != nil {
		t.Errorf("named %+v", named)
	}
	var rules []int
	storetest.MustRead(t, r.replica, func(rx *store.Rx) error {
		for _, id := range []string{made.ID, named.ID} {
			p, err := projectNamed(rx, id)
			if err != nil {
				return err
			}
			all, err := rx.AlertRules(p.ID)
			if err != nil {
				return err
			}
			rules = append(rules, len(all))
		}
		return nil
	})
	if diff := cmp.Diff([]int{1, 0}, rules); diff != "" {
		t.Errorf("alert rules: %s", diff)
	}

	r.refused(http.StatusConflict, r.ownerToken, "POST", "/teams/acme/shop/projects/", `{"name":"x","slug":"pay"}`, "The short name pay is taken")
	r.refused(http.StatusBadRequest, r.ownerToken, "POST", "/teams/acme/shop/projects/", `{"name":" "}`, "Invalid project name: it needs 1 to 80")
	r.refused(http.StatusBadRequest, r.ownerToken, "POST", "/teams/acme/shop/projects/", `{"name":"x","slug":"a b"}`, "Invalid short name")
	r.refused(http.StatusBadRequest, r.ownerToken, "POST", "/teams/acme/shop/projects/", `{"name":"x","platform":"<b>"}`, "Invalid platform")
	r.refused(http.StatusNotFound, r.ownerToken, "POST", "/teams/acme/nobody/projects/", `{"name":"x"}`, "does not exist")
}

// An admin of a team makes projects of it, without being one of the installation.
func TestTeamAdminCreates(t *testing.T) {
	r := newRig(t, nil)
	r.mustWrite(func(tx *store.Tx) error { return tx.SetTeamMember(r.team.ID, r.member.ID, access.Admin) })
	answer := r.do("POST", Root+"/organizations/acme/projects/", r.memberToken, `{"name":"Mine"}`)
	made := mustRead[ProjectDetails](t, mustStatus(t, answer, http.StatusCreated))
	if made.Team == nil || made.Team.Slug != "shop" || !made.IsMember {
		t.Errorf("made %+v", made)
	}
	mustStatus(t, r.do("POST", Root+"/teams/acme/elsewhere/projects/", r.memberToken, `{"name":"Theirs"}`), http.StatusForbidden)
	r.mustWrite(func(tx *store.Tx) error { // whoever asks
		person, err := tx.Person(r.member.ID)
		if err != nil {
			return err
		}
		if _, err := deed.CreateProject(tx, deed.By{Person: person}, store.NewProject{ProjectChange: store.ProjectChange{Name: "x"}}); !errors.Is(err, deed.ErrForbidden) {
			t.Errorf("a project of no team: %v", err)
		}
		return nil
	})
	mustStatus(t, r.do("DELETE", Root+"/projects/acme/mine/", r.memberToken, ""), http.StatusForbidden)
}

func TestChangeProject(t *testing.T) {
	r := newRig(t, nil)
	const at = "/projects/acme/web-shop/"
	changed := mustRead[ProjectDetails](t, r.must(http.StatusOK, "PUT", at, `{"slug":"shop","platform":"go"}`))
	if changed.Name != "Web shop" || changed.Slug != "shop" || *changed.Platform != "go" {
		t.Errorf("changed %+v", changed)
	}
	r.wantAudited(r.web.ID, "project.change Web shop Web shop, shop, go")
	r.must(http.StatusOK, "PUT", at, `{"name":"Shop","platform":null}`) // by its former slug
	if p := mustProject(t, r, "shop"); p.Name != "Shop" || p.Platform != "" {
		t.Errorf("stored %+v", p)
	}
	r.must(http.StatusOK, "PUT", at, `{"name":"Shop","isBookmarked":true}`)
	r.wantAudited(r.web.ID, "project.change Web shop Shop, shop,", "project.change Web shop Web shop, shop, go") // nothing was changed the third time
	r.refused(http.StatusBadRequest, r.ownerToken, "PUT", at, `{"name":"x","slug":"other"}`, "The short name other is taken")
	r.refused(http.StatusBadRequest, r.ownerToken, "PUT", at, `{"name":""}`, "Invalid project name")
	if p := mustProject(t, r, "shop"); p.Name != "Shop" {
		t.Errorf("after refusals: %+v", p)
	}
}

// What is deleted can be restored for a day, by its owner.
func TestDeleteProject(t *testing.T) {
	r := newRig(t, nil)
	r.furnish()
	r.must(http.StatusNoContent, "DELETE", "/projects/acme/web-shop/", "")
	r.must(http.StatusNotFound, "GET", "/projects/acme/web-shop/", "")
	deleted := mustRead[[]DeletedProject](t, r.must(http.StatusOK, "GET", "/organizations/acme/deleted-projects/", ""))
	if len(deleted) != 1 || deleted[0].Slug != "web-shop" || !deleted[0].RestorableUntil.Equal(testNow.Add(24*time.Hour)) {
		t.Errorf("deleted: %+v", deleted)
	}
	if got := mustStatus(t, r.do("GET", Root+"/organizations/acme/deleted-projects/", r.memberToken, ""), http.StatusOK); strings.TrimSpace(got) != "[]" {
		t.Errorf("a member sees %s", got)
	}
	const restore = "/organizations/acme/deleted-projects/web-shop/restore/"
	mustStatus(t, r.do("POST", Root+restore, r.memberToken, ""), http.StatusNotFound)
	if p := mustRead[ProjectDetails](t, r.must(http.StatusOK, "POST", restore, "")); p.Slug != "web-shop" || p.Status != "active" {
		t.Errorf("restored %+v", p)
	}
	r.must(http.StatusOK, "GET", "/projects/acme/web-shop/", "")
	r.wantAudited(r.web.ID, "project.restore Web shop", "project.delete Web shop")

	r.must(http.StatusNoContent, "DELETE", "/projects/acme/web-shop/", "")
	r.now = r.now.Add(25 * time.Hour)
	r.must(http.StatusNotFound, "POST", restore, "")
}

func TestKeys(t *testing.T) {
	r := newRig(t, nil)
	const keys = "/projects/acme/web-shop/keys/"
	made := mustRead[Key](t, r.must(http.StatusCreated, "POST", keys, `{"name":"phone"}`))
	if made.Name != "phone" || !made.IsActive || made.DSN.Public != "http://"+made.Public+"@errors.example.com/1" {
		t.Errorf("made %+v", made)
	}
	short := made.Public[:8] + "…"
	if off := mustRead[Key](t, r.must(http.StatusOK, "PUT", keys+made.ID+"/", `{"name":"tablet","isActive":false}`)); off.Name != "tablet" || off.IsActive {
		t.Errorf("changed %+v", off)
	}
	r.must(http.StatusOK, "PUT", keys+made.ID+"/", `{"name":"tablet","isActive":false,"rateLimit":null}`) // so it is
	if p := mustProject(t, r, "web-shop"); len(p.Keys) != 1 {
		t.Errorf("enabled: %v", p.Keys)
	}
	r.must(http.StatusOK, "PUT", keys+made.ID+"/", `{"isActive":true}`)
	r.refused(http.StatusBadRequest, r.ownerToken, "DELETE", keys+made.ID+"/", "", "Disable the key first. If nothing is missing for some days, delete it.")
	r.refused(http.StatusBadRequest, r.ownerToken, "PUT", keys+made.ID+"/", `{"rateLimit":{"window":60,"count":10}}`, "rateLimit")
	r.refused(http.StatusBadRequest, r.ownerToken, "POST", keys, `{"rateLimit":{"window":60,"count":10}}`, "rateLimit")
	r.refused(http.StatusBadRequest, r.ownerToken, "POST", keys, `{"name":"`+strings.Repeat("x", 81)+`"}`, "Invalid name of a key")
	r.must(http.StatusOK, "PUT", keys+made.ID+"/", `{"isActive":false}`)
	r.must(http.StatusNoContent, "DELETE", keys+made.ID+"/", "")
	r.must(http.StatusNotFound, "GET", keys+made.ID+"/", "")
	r.wantAudited(r.web.ID, "key.delete Web shop "+short+" tablet", "key.disable Web shop "+short+" tablet", "key.enable Web shop "+short+" tablet",
		"key.disable Web shop "+short+" phone", "key.rename Web shop "+short+" tablet", "key.add Web shop "+short+" phone")
}

func TestEnvironmentChange(t *testing.T) {
	r := newRig(t, nil)
	r.furnish() // without an environment
	const at = "/projects/acme/web-shop/environments/"
	if e := mustRead[Environment](t, r.must(http.StatusOK, "PUT", at+"none/", `{"isHidden":true}`)); !e.IsHidden {
		t.Errorf("changed %+v", e)
	}
	storetest.MustRead(t, r.replica, func(rx *store.Rx) error {
		hidden, err := rx.HiddenEnvironments(r.web.ID)
		if !hidden[""] {
			t.Errorf("hidden: %v", hidden)
		}
		return err
	})
	r.must(http.StatusOK, "PUT", at+"none/", `{"isHidden":false}`)
	r.refused(http.StatusBadRequest, r.ownerToken, "PUT", at+"none/", `{}`, "isHidden")
	r.must(http.StatusNotFound, "PUT", at+"production/", `{"isHidden":true}`)
	r.wantAudited(r.web.ID, "project.environments Web shop hidden: nothing", "project.environments Web shop hidden: (none)")
}

// Nobody gives or takes more than they have.
func TestProjectMembers(t *testing.T) {
	r := newRig(t, nil)
	var guest store.User
	r.mustWrite(func(tx *store.Tx) (err error) {
		if guest, err = tx.CreateUser("guest@example.com", "Guest", "", access.None); err != nil {
			return err
		}
		return tx.SetTeamMember(r.team.ID, r.member.ID, access.Admin)
	})
	const members = "/projects/acme/web-shop/members/"
	put := func(token, body string, status int) string {
		t.Helper()
		return mustStatus(t, r.do("PUT", Root+members+"guest@example.com/", token, body), status)
	}
	put(r.memberToken, `{"projectRole":"owner"}`, http.StatusForbidden)
	m := mustRead[ProjectMember](t, put(r.memberToken, `{"projectRole":"viewer"}`, http.StatusOK))
	if m.Email != guest.Email || m.ProjectRole == nil || *m.ProjectRole != "viewer" || m.TeamRole != nil {
		t.Errorf("member %+v", m)
	}
	r.wantAudited(r.web.ID, "project.member Web shop guest@example.com: viewer")
	put(r.ownerToken, `{"projectRole":"owner"}`, http.StatusOK)
	put(r.memberToken, `{"projectRole":"viewer"}`, http.StatusForbidden)
	mustStatus(t, r.do("DELETE", Root+members+number(guest.ID)+"/", r.memberToken, ""), http.StatusForbidden)
	r.must(http.StatusNoContent, "DELETE", members+number(guest.ID)+"/", "")
	r.must(http.StatusNotFound, "DELETE", members+number(guest.ID)+"/", "")
	r.must(http.StatusNotFound, "DELETE", members+number(r.viewer.ID)+"/", "") // of the team only
	r.refused(http.StatusBadRequest, r.ownerToken, "PUT", members+"nobody@example.com/", `{"projectRole":"viewer"}`, "Nobody here has an account with this mail address.")
	r.refused(http.StatusBadRequest, r.ownerToken, "PUT", members+"guest@example.com/", `{"projectRole":"king"}`, "projectRole")
	list := mustRead[[]ProjectMember](t, r.must(http.StatusOK, "GET", members, ""))
	if len(list) != 2 || list[1].TeamRole == nil || *list[1].TeamRole != "viewer" || list[1].ProjectRole != nil {
		t.Errorf("members %+v", list)
	}
}

// Who administers one project does not learn who there is by counting.
func TestProjectMemberByNumber(t *testing.T) {
	r := newRig(t, nil)
	token := r.make(store.Token{Project: r.web.ID, Scopes: access.WriteProjects})
	at := "/projects/x/web-shop/members/"
	for _, number := range []string{number(r.owner.ID), "999", "x"} {
		r.refused(http.StatusNotFound, token, "PUT", at+number+"/", `{"projectRole":"viewer"}`, "does not exist")
		r.refused(http.StatusNotFound, token, "DELETE", at+number+"/", "", "does not exist")
	}
	// The people of the project are known, and whoever is named by the mail address.
	mustStatus(t, r.do("PUT", Root+at+number(r.viewer.ID)+"/", token, `{"projectRole":"admin"}`), http.StatusOK)
	mustStatus(t, r.do("PUT", Root+at+"owner@example.com/", token, `{"projectRole":"viewer"}`), http.StatusOK)
	mustStatus(t, r.do("DELETE", Root+at+number(r.owner.ID)+"/", token, ""), http.StatusNoContent)
}

// A short name that looks like a number takes no other's place.
func TestNumbersGoBeforeSlugs(t *testing.T) {
	r := newRig(t, nil)
	r.must(http.StatusOK, "PUT", "/projects/x/web-shop/", `{"slug":"2"}`)
	r.must(http.StatusOK, "PUT", "/teams/x/shop/", `{"slug":"2"}`)
	if got := mustRead[Project](t, r.must(http.StatusOK, "GET", "/projects/x/2/", "")); got.Name != "Other" {
		t.Errorf("2 is the project %s", got.Name)
	}
	if got := mustRead[Team](t, r.must(http.StatusOK, "GET", "/teams/x/2/", "")); got.Name != "Elsewhere" {
		t.Errorf("2 is the team %s", got.Name)
	}
	r.must(http.StatusOK, "PUT", "/projects/x/1/", `{"slug":"404"}`)
	if got := mustRead[Project](t, r.must(http.StatusOK, "GET", "/projects/x/404/", "")); got.Name != "Web shop" {
		t.Errorf("404 is the project %s", got.Name)
	}
}
