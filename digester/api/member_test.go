package api

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

// names are those that a list of members has.
func (r *rig) names(token, query string) []string {
	r.t.Helper()
	var names []string
	for _, m := range mustRead[[]Member](r.t, mustStatus(r.t, r.do("GET", Root+"/organizations/x/members/?query="+query, token, ""), http.StatusOK)) {
		names = append(names, m.Name)
	}
	return names
}

// TestMembers lists people as far as they are known to who asks.
func TestMembers(t *testing.T) {
	r := newRig(t, nil)
	gone, _ := r.with("gone", access.None, access.Viewer)
	r.mustWrite(func(tx *store.Tx) error { return tx.DisableUser(gone.ID) })
	r.must(http.StatusCreated, "POST", "/organizations/x/members/", `{"email":"ada@example.com"}`)
	for _, c := range []struct {
		token, query string
		want         []string
	}{
		{r.ownerToken, "", []string{"gone", "member", "owner", "viewer", "ada@example.com"}},
		{r.ownerToken, "isInvited:true", []string{"ada@example.com"}},
		{r.ownerToken, "isInvited:false+role:owner", []string{"owner"}},
		{r.ownerToken, "email:viewer@example.com", []string{"viewer"}},
		{r.ownerToken, "example+EWE", []string{"viewer"}},
		{r.viewerToken, "", []string{"member", "viewer"}},
	} {
		if diff := cmp.Diff(c.want, r.names(c.token, c.query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.query, diff)
		}
	}
	r.refused(http.StatusBadRequest, r.ownerToken, "GET", "/organizations/x/members/?query=has2fa:true", "", "is not known")

	at := "/organizations/x/members/" + number(r.viewer.ID) + "/"
	seen := mustRead[MemberDetails](t, mustStatus(t, r.do("GET", Root+at, r.memberToken, ""), http.StatusOK))
	if seen.Email != "viewer@example.com" || seen.OrgRole != "member" || seen.InviteStatus != "approved" || seen.Has2FA != nil || !cmp.Equal(seen.TeamRoles, List[TeamRole]{{"shop", "viewer"}}) {
		t.Errorf("a colleague sees %+v", seen)
	}
	if seen = mustRead[MemberDetails](t, r.must(http.StatusOK, "GET", at, "")); seen.Has2FA == nil || *seen.Has2FA {
		t.Errorf("an owner sees %+v", seen)
	}
	for _, foreign := range []string{number(r.owner.ID), "owner@example.com", "nobody", "999", "invitation-1", "invitation-x"} {
		r.refused(http.StatusNotFound, r.memberToken, "GET", "/organizations/x/members/"+foreign+"/", "", "does not exist")
	}
	if disabled := mustRead[MemberDetails](t, r.must(http.StatusOK, "GET", "/organizations/x/members/"+number(gone.ID)+"/", "")); !disabled.Disabled || disabled.User.IsActive {
		t.Errorf("whoever is switched off is %+v", disabled)
	}
}

// TestInvite: an invitation by mail goes into the outbox, another is handed over.
func TestInvite(t *testing.T) {
	called := 0
	r := newRig(t, func(c *Config) { c.Mail = func() { called++ } })
	_, admin := r.with("admin", access.None, access.Admin)
	const list = "/organizations/x/members/"
	made := mustRead[MemberDetails](t, mustStatus(t, r.do("POST", Root+list, admin, `{"email":"Ada@example.com","teamRoles":[{"teamSlug":"shop","role":"admin"}]}`), http.StatusCreated))
	if !made.Pending || made.Expired || made.User != nil || made.Email != "ada@example.com" || made.OrgRole != "member" || made.InviteLink != nil || *made.InviterName != "admin" ||
		!cmp.Equal(made.TeamRoles, List[TeamRole]{{"shop", "admin"}}) || made.InviteExpires.Sub(testNow).Hours() != 14*24 {
		t.Errorf("invited %+v", made)
	}
	storetest.MustRead(t, r.replica, func(rx *store.Rx) error {
		mails, err := rx.Outbox(10)
		if len(mails) != 1 || mails[0].To != "ada@example.com" || mails[0].Subject != "admin invites you to Sundew" || called != 1 {
			t.Errorf("mails %+v, the postman was called %d times", mails, called)
		}
		return err
	})
	r.wantAudited(0, "invitation.create ada@example.com admin of Shop")

	handed := mustRead[MemberDetails](t, r.must(http.StatusCreated, "POST", list, `{"email":"bob@example.com","role":"manager","teams":["shop"],"sendInvite":false}`))
	secret, ok := strings.CutPrefix(*handed.InviteLink, "http://errors.example.com/invitations/")
	storetest.MustRead(t, r.replica, func(rx *store.Rx) error {
		link, err := rx.Link(store.LinkInvitation, secret, testNow)
		if !ok || link.Email != "bob@example.com" || link.Role != access.Admin || link.TeamRole != access.Member || link.CreatedBy != r.owner.ID || called != 1 {
			t.Errorf("%s leads to %+v", *handed.InviteLink, link)
		}
		return err
	})
	r.wantAudited(0, "invitation.create bob@example.com admin of everything, member of Shop")

	for _, c := range []struct {
		status             int
		token, body, words string
	}{
		{400, r.ownerToken, `{}`, "email is required"},
		{400, r.ownerToken, `{"email":"nonsense"}`, "mail address"},
		{400, r.ownerToken, `{"email":"x@example.com","orgRole":"admin"}`, "owner, manager or member"},
		{400, r.ownerToken, `{"email":"x@example.com","teams":["shop","elsewhere"]}`, "leads into one team"},
		{400, r.ownerToken, `{"email":"x@example.com","teams":["nowhere"]}`, "There is no team"},
		{400, r.ownerToken, `{"email":"x@example.com","teamRoles":[{"teamSlug":"shop","role":"king"}]}`, "want viewer"},
		{403, r.token(r.owner.ID, access.WriteOrg), `{"email":"x@example.com","orgRole":"manager"}`, "org:admin"},
		{403, admin, `{"email":"x@example.com"}`, "your role"},
		{403, admin, `{"email":"x@example.com","teams":["elsewhere"]}`, "your role"},
		{403, admin, `{"email":"x@example.com","teamRoles":[{"teamSlug":"shop","role":"owner"}]}`, "your role"},
		{403, admin, `{"email":"x@example.com","orgRole":"owner","teams":["shop"]}`, "your role"},
	} {
		r.refused(c.status, c.token, "POST", list, c.body, c.words)
	}

	// Admins of a team see the invitations into it, and withdraw them.
	if diff := cmp.Diff([]string{"bob@example.com", "ada@example.com"}, r.names(admin, "isInvited:true")); diff != "" {
		t.Errorf("an admin of the team sees (-want +got):\n%s", diff)
	}
	r.refused(http.StatusBadRequest, r.ownerToken, "PUT", list+made.ID+"/", `{"orgRole":"owner"}`, "withdraw it")
	r.refused(http.StatusForbidden, r.memberToken, "DELETE", list+made.ID+"/", "", "your role")
	mustStatus(t, r.do("GET", Root+list+made.ID+"/", admin, ""), http.StatusOK)
	mustStatus(t, r.do("DELETE", Root+list+made.ID+"/", admin, ""), http.StatusNoContent)
	r.wantAudited(0, "invitation.withdraw ada@example.com")
	r.refused(http.StatusNotFound, r.ownerToken, "DELETE", list+made.ID+"/", "", "does not exist")
}

// Without a mail server the answer has the address, whatever is asked for.
func TestInviteWithoutMail(t *testing.T) {
	r := newRig(t, nil)
	made := mustRead[MemberDetails](t, r.must(http.StatusCreated, "POST", "/organizations/x/members/", `{"email":"ada@example.com","sendInvite":true}`))
	if made.InviteLink == nil {
		t.Error("nobody has the address")
	}
}

// TestChangeMember: an installation keeps an owner, and admins do nothing to owners.
func TestChangeMember(t *testing.T) {
	r := newRig(t, nil)
	boss, manager := r.with("manager", access.Admin, access.None)
	at := func(id int64) string { return "/organizations/x/members/" + number(id) + "/" }
	owner, viewer := at(r.owner.ID), at(r.viewer.ID)
	r.refused(http.StatusConflict, r.ownerToken, "PUT", at(r.owner.ID), `{"orgRole":"manager"}`, "last owner")
	r.refused(http.StatusConflict, manager, "PUT", at(boss.ID), `{"disabled":true}`, "lock yourself out")
	for _, body := range []string{`{"role":"member"}`, `{"disabled":true}`} {
		r.refused(http.StatusForbidden, manager, "PUT", owner, body, "your role")
	}
	r.refused(http.StatusForbidden, manager, "DELETE", owner, "", "your role")
	r.refused(http.StatusForbidden, manager, "POST", owner+"sign-out/", "", "your role")
	r.refused(http.StatusForbidden, manager, "POST", owner+"second-factor/reset/", "", "your role")
	r.refused(http.StatusForbidden, manager, "PUT", viewer, `{"orgRole":"owner"}`, "your role")
	few := r.token(r.owner.ID, access.WriteOrg)
	for _, body := range []string{`{"orgRole":"manager"}`, `{"disabled":true}`} {
		r.refused(http.StatusForbidden, few, "PUT", viewer, body, "org:admin")
	}
	r.refused(http.StatusForbidden, few, "DELETE", viewer, "", "org:admin")

	changed := mustRead[MemberDetails](t, r.must(http.StatusOK, "PUT", viewer, `{"orgRole":"manager","teamRoles":[{"teamSlug":"elsewhere","role":"owner"}]}`))
	if changed.OrgRole != "manager" || !cmp.Equal(changed.TeamRoles, List[TeamRole]{{"elsewhere", "owner"}}) {
		t.Errorf("changed to %+v", changed)
	}
	r.wantAudited(0, "team.remove viewer@example.com Shop", "team.member viewer@example.com Elsewhere: owner", "user.role viewer@example.com none → admin")
	changed = mustRead[MemberDetails](t, r.must(http.StatusOK, "PUT", viewer, `{"role":"member","teams":["elsewhere","shop"]}`))
	if changed.OrgRole != "member" || !cmp.Equal(changed.TeamRoles, List[TeamRole]{{"elsewhere", "owner"}, {"shop", "member"}}) {
		t.Errorf("changed to %+v", changed)
	}
	r.must(http.StatusOK, "PUT", viewer, `{"orgRole":"member","disabled":false}`) // as it is
	r.wantAudited(0, "team.member viewer@example.com Shop: member")
	r.refused(http.StatusBadRequest, r.ownerToken, "PUT", viewer, `{"reinvite":true}`, "invite again")
}

// TestSwitchOff keeps somebody out, and lets them in again.
func TestSwitchOff(t *testing.T) {
	r := newRig(t, nil)
	at := "/organizations/x/members/" + number(r.viewer.ID) + "/"
	sessions := func() (n int) {
		storetest.MustRead(t, r.replica, func(rx *store.Rx) error {
			all, err := rx.Sessions(r.viewer.ID, testNow)
			n = len(all)
			return err
		})
		return n
	}
	signIn := func() {
		r.mustWrite(func(tx *store.Tx) error {
			_, err := tx.CreateSession(r.viewer.ID, store.FactorAll, "192.0.2.1", "a browser")
			return errors.Join(err, tx.SetRecoveryCodes(r.viewer.ID, []string{"abc"}))
		})
	}
	signIn()
	r.must(http.StatusNoContent, "POST", at+"sign-out/", "")
	if sessions() != 0 {
		t.Error("still signed in")
	}
	r.must(http.StatusNoContent, "POST", at+"second-factor/reset/", "")
	storetest.MustRead(t, r.replica, func(rx *store.Rx) error {
		has, err := rx.SecondFactors(r.viewer.ID)
		if has.RecoveryCodes != 0 {
			t.Errorf("second factors %+v", has)
		}
		return err
	})
	r.wantAudited(0, "user.second_factor_reset viewer@example.com", "session.end viewer@example.com everywhere")
	r.refused(http.StatusForbidden, r.ownerToken, "POST", "/organizations/x/members/me/second-factor/reset/", "", "must not become the account")

	signIn()
	r.must(http.StatusNoContent, "DELETE", at, "")
	if sessions() != 0 {
		t.Error("still signed in")
	}
	r.refused(http.StatusUnauthorized, r.viewerToken, "GET", "/", "", "Invalid token")
	r.must(http.StatusNoContent, "DELETE", at, "") // as it is
	r.must(http.StatusOK, "PUT", at, `{"disabled":false}`)
	r.wantAudited(0, "user.enable viewer@example.com", "user.disable viewer@example.com", "user.second_factor_reset viewer@example.com")
	mustStatus(t, r.do("GET", Root+"/", r.viewerToken, ""), http.StatusOK)
	r.refused(http.StatusConflict, r.ownerToken, "DELETE", "/organizations/x/members/me/", "", "lock yourself out")
}

// TestRename changes one's own name.
func TestRename(t *testing.T) {
	r := newRig(t, nil)
	self := mustRead[Self](t, mustStatus(t, r.do("PUT", Root+"/users/me/", r.viewerToken, `{"name":"Ada"}`), http.StatusOK))
	if self.Name != "Ada" || self.Email != "viewer@example.com" {
		t.Errorf("renamed to %+v", self)
	}
	r.wantAudited(0, "account.name viewer@example.com Ada")
	r.refused(http.StatusBadRequest, r.viewerToken, "PUT", "/users/me/", `{"name":" "}`, "1 to 80")
	mustStatus(t, r.do("PUT", Root+"/users/me/", r.viewerToken, `{}`), http.StatusOK)
	r.wantAudited(0, "account.name viewer@example.com Ada")
}
