package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

// with makes a user with a role in the first team, and their token.
func (r *rig) with(name string, rank, team access.Role) (store.User, string) {
	r.t.Helper()
	var user store.User
	r.mustWrite(func(tx *store.Tx) (err error) {
		if user, err = tx.CreateUser(name+"@example.com", name, "", rank); err != nil {
			return err
		}
		return tx.SetTeamMember(r.team.ID, user.ID, team)
	})
	return user, r.token(user.ID, access.AllScopes)
}

// A team whose name has no letter that an address can have is called a team there.
func TestTeamInOtherLetters(t *testing.T) {
	r := newRig(t, nil)
	for _, want := range []string{`"slug":"team"`, `"slug":"team-2"`} {
		if got := r.must(http.StatusCreated, "POST", "/organizations/x/teams/", `{"name":"日本"}`); !strings.Contains(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
	r.refused(http.StatusBadRequest, r.ownerToken, "POST", "/organizations/x/teams/", `{"slug":"日本"}`, "it has at most 40 letters")
}

// roles are those of the people of the first team, by name.
func (r *rig) roles() map[string]string {
	r.t.Helper()
	all := make(map[string]string)
	storetest.MustRead(r.t, r.replica, func(rx *store.Rx) error {
		members, err := rx.TeamMembers(r.team.ID)
		for _, m := range members {
			all[m.Name] = m.Role.String()
		}
		return err
	})
	return all
}

// TestTeams makes, changes and deletes teams.
func TestTeams(t *testing.T) {
	r := newRig(t, nil)
	const list = "/organizations/x/teams/"
	made := mustRead[Team](t, r.must(http.StatusCreated, "POST", list, `{"name":"Check out"}`))
	if made.Slug != "check-out" || made.Name != "Check out" || made.MemberCount != 1 || made.TeamRole == nil || *made.TeamRole != "owner" || !made.IsMember {
		t.Errorf("made %+v", made)
	}
	named := mustRead[Team](t, r.must(http.StatusCreated, "POST", list, `{"slug":"ops"}`))
	if named.Slug != "ops" || named.Name != "ops" {
		t.Errorf("made %+v", named)
	}
	both := mustRead[Team](t, r.must(http.StatusCreated, "POST", list, `{"name":"Ops of nights","slug":"nights"}`))
	if both.Slug != "nights" || both.Name != "Ops of nights" {
		t.Errorf("made %+v", both)
	}
	own := mustRead[[]Team](t, r.must(http.StatusOK, "GET", "/organizations/x/user-teams/", ""))
	if len(own) != 3 || own[0].Slug != "check-out" || own[0].TeamRole == nil {
		t.Errorf("one's own teams are %+v", own)
	}
	r.wantAudited(0, "team.slug Ops of nights nights", "team.create Ops of nights", "team.create ops", "team.create Check out")
	r.refused(http.StatusConflict, r.ownerToken, "POST", list, `{"name":"Nights","slug":"nights"}`, "already exists")
	r.refused(http.StatusBadRequest, r.ownerToken, "POST", list, `{}`, "name or slug")
	r.refused(http.StatusBadRequest, r.ownerToken, "POST", list, `{"name":"`+strings.Repeat("x", 81)+`"}`, "1 to 80")
	r.refused(http.StatusBadRequest, r.ownerToken, "POST", list, `{"slug":"No Blanks"}`, "letters a to z")

	renamed := mustRead[Team](t, r.must(http.StatusOK, "PUT", "/teams/x/nights/", `{"name":"Nights"}`))
	if renamed.Name != "Nights" || renamed.Slug != "nights" {
		t.Errorf("renamed to %+v", renamed)
	}
	if moved := mustRead[Team](t, r.must(http.StatusOK, "PUT", "/teams/x/nights/", `{"slug":"late"}`)); moved.Slug != "late" || moved.Name != "Nights" {
		t.Errorf("changed to %+v", moved)
	}
	r.wantAudited(0, "team.slug Nights late", "team.rename Nights")
	r.refused(http.StatusConflict, r.ownerToken, "PUT", "/teams/x/late/", `{"slug":"ops"}`, "already exists")
	r.refused(http.StatusNotFound, r.ownerToken, "PUT", "/teams/x/nights/", `{"name":"y"}`, "does not exist")

	r.refused(http.StatusConflict, r.ownerToken, "DELETE", "/teams/x/shop/", "", "the team has projects")
	_, admin := r.with("admin", access.None, access.Admin)
	r.refused(http.StatusForbidden, admin, "DELETE", "/teams/x/shop/", "", "your role")
	r.must(http.StatusNoContent, "DELETE", "/teams/x/late/", "")
	r.wantAudited(0, "team.delete Nights")
	r.must(http.StatusNotFound, "GET", "/teams/x/late/", "")
}

// TestTeamMembers: nobody gives, or takes, more than they have.
func TestTeamMembers(t *testing.T) {
	r := newRig(t, nil)
	_, admin := r.with("admin", access.None, access.Admin)
	r.with("boss", access.None, access.Owner)
	r.mustWrite(func(tx *store.Tx) error {
		_, err := tx.CreateUser("new@example.com", "new", "", access.None)
		return err
	})
	at := func(member string) string { return "/organizations/x/members/" + member + "/teams/shop/" }
	r.refused(http.StatusForbidden, admin, "POST", at("new@example.com"), `{"teamRole":"owner"}`, "your role")
	r.refused(http.StatusBadRequest, admin, "POST", at("new@example.com"), `{"teamRole":"king"}`, "want viewer")
	r.refused(http.StatusNotFound, admin, "POST", at(number(r.owner.ID)), "", "does not exist") // no colleague, and not by mail
	r.refused(http.StatusNotFound, admin, "POST", at("nobody@example.com"), "", "does not exist")
	joined := mustRead[Team](t, mustStatus(t, r.do("POST", Root+at("new@example.com"), admin, `{"teamRole":"contributor"}`), http.StatusCreated))
	if joined.MemberCount != 5 || r.roles()["new"] != "member" {
		t.Errorf("%d members, %v", joined.MemberCount, r.roles())
	}
	r.wantAudited(0, "team.member new@example.com Shop: member")
	if text := mustStatus(t, r.do("POST", Root+at("new@example.com"), admin, `{"teamRole":"viewer"}`), http.StatusNoContent); text != "" || r.roles()["new"] != "member" {
		t.Errorf("joined again: %q, %v", text, r.roles())
	}

	r.refused(http.StatusForbidden, admin, "PUT", at("boss@example.com"), `{"teamRole":"viewer"}`, "your role")
	r.refused(http.StatusBadRequest, admin, "PUT", at("new@example.com"), `{}`, "teamRole is required")
	position := mustRead[TeamPosition](t, mustStatus(t, r.do("PUT", Root+at("new@example.com"), admin, `{"teamRole":"admin"}`), http.StatusOK))
	if diff := cmp.Diff(TeamPosition{IsActive: true, TeamRole: "admin"}, position); diff != "" || r.roles()["new"] != "admin" {
		t.Errorf("%s, %v", diff, r.roles())
	}
	r.refused(http.StatusForbidden, admin, "DELETE", at("boss@example.com"), "", "your role")
	r.refused(http.StatusForbidden, r.memberToken, "DELETE", at("new@example.com"), "", "your role")
	mustStatus(t, r.do("DELETE", Root+at("new@example.com"), admin, ""), http.StatusOK)
	r.wantAudited(0, "team.remove new@example.com Shop", "team.member new@example.com Shop: admin")
	r.refused(http.StatusNotFound, admin, "DELETE", at("new@example.com"), "", "does not exist")

	left := mustRead[Team](t, mustStatus(t, r.do("DELETE", Root+at("me"), r.memberToken, ""), http.StatusOK))
	if left.IsMember || left.TeamRole != nil || len(left.Projects) != 0 {
		t.Errorf("left %+v", left)
	}
	r.wantAudited(0, "team.leave Shop")
	r.refused(http.StatusForbidden, r.memberToken, "GET", "/teams/x/shop/members/", "", "your role")

	people := mustRead[[]TeamMember](t, mustStatus(t, r.do("GET", Root+"/teams/x/shop/members/?per_page=2", r.viewerToken, ""), http.StatusOK))
	if len(people) != 2 || people[0].Name != "admin" || people[0].TeamRole != "admin" || people[0].TeamSlug != "shop" || people[0].User == nil {
		t.Errorf("people %+v", people)
	}
}

// TestProjectTeam gives a project to another team, and to none.
func TestProjectTeam(t *testing.T) {
	r := newRig(t, nil)
	_, boss := r.with("boss", access.None, access.Owner)
	teamOf := func() (id int64) {
		storetest.MustRead(t, r.replica, func(rx *store.Rx) error {
			p, err := rx.Project(r.web.ID)
			id = p.TeamID
			return err
		})
		return id
	}
	const at = "/projects/x/web-shop/teams/"
	r.refused(http.StatusForbidden, boss, "POST", at+"elsewhere/", "", "your role")
	r.refused(http.StatusForbidden, boss, "DELETE", at+"shop/", "", "your role") // who may make projects of no team
	r.refused(http.StatusNotFound, boss, "POST", at+"nowhere/", "", "does not exist")
	mustStatus(t, r.do("POST", Root+at+"shop/", boss, ""), http.StatusCreated) // it is there already
	if audited := r.audited(0, 1); len(audited) != 0 {
		t.Errorf("audit log %v", audited)
	}
	moved := mustRead[Project](t, r.must(http.StatusCreated, "POST", at+"elsewhere/", ""))
	if len(moved.Teams) != 1 || moved.Teams[0].Slug != "elsewhere" || teamOf() == r.team.ID {
		t.Errorf("moved to %+v", moved.Teams)
	}
	r.wantAudited(0, "project.transfer Web shop to Elsewhere")
	r.must(http.StatusNotFound, "DELETE", at+"shop/", "") // not its team
	free := mustRead[Project](t, r.must(http.StatusOK, "DELETE", at+"elsewhere/", ""))
	if len(free.Teams) != 0 || teamOf() != 0 {
		t.Errorf("it has %+v", free.Teams)
	}
	r.wantAudited(0, "project.transfer Web shop to no team")
}
