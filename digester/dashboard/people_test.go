package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

// withTeam makes a team whose owner is signed in.
func withTeam(t *testing.T, edit func(*Config)) (*site, store.User) {
	t.Helper()
	s := newSite(t, edit)
	var ada store.User
	s.mustWrite(func(tx *store.Tx) error {
		team, err := tx.CreateTeam("Checkout")
		if err != nil {
			return err
		}
		return tx.SetProjectTeam(s.project.ID, team.ID)
	})
	ada = s.signInAs("ada@example.com", access.None)
	s.mustWrite(func(tx *store.Tx) error { return tx.SetTeamMember(1, ada.ID, access.Admin) })
	return s, ada
}

// link returns the secret of the address on a page.
func (s *site) link(resp *http.Response, kind string) string {
	s.t.Helper()
	mustStatus(s.t, resp, http.StatusOK)
	found := regexp.MustCompile(`http://127\.0\.0\.1:8000(/` + kind + `/[\w-]{43})`).FindStringSubmatch(bodyOf(s.t, resp))
	if found == nil {
		s.t.Fatal("the page has no link")
	}
	return found[1]
}

// led fails unless an answer leads somewhere.
func led(t *testing.T, resp *http.Response, want string) {
	t.Helper()
	if to := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther || to != want {
		t.Errorf("status %d to %q, want %q", resp.StatusCode, to, want)
	}
}

// errands does what no answer waited for.
func (s *site) errands() {
	s.t.Helper()
	for len(s.dash.errands) > 0 {
		s.dash.runErrand(s.t.Context(), <-s.dash.errands)
	}
}

// mails takes all mail that is due.
func (s *site) mails() (all []store.Posting) {
	s.t.Helper()
	s.mustWrite(func(tx *store.Tx) (err error) {
		all, err = tx.TakeMail(100)
		return err
	})
	return all
}

// TestInvitation invites by link: who has it makes an account in the team, once.
func TestInvitation(t *testing.T) {
	s, _ := withTeam(t, nil)
	mustStatus(t, s.post("/teams/1/invite", "role=owner"), http.StatusForbidden)
	mustStatus(t, s.post("/teams/1/invite", "role=none"), http.StatusBadRequest)
	bad := s.post("/teams/1/invite", "role=viewer&email=nonsense%3Cb%3E")
	mustStatus(t, bad, http.StatusUnprocessableEntity)
	mustContain(t, bodyOf(t, bad), "This is not a mail address", "nonsense&lt;b&gt;")

	path := s.link(s.post("/teams/1/invite", "role=member&email=Bob@example.com"), "invitations")
	mustContain(t, s.mustGet("/teams/1"), "bob@example.com", "Withdraw", "in 14 days")
	s.mustNotStore(path[strings.LastIndex(path, "/")+1:])
	inviter := s.session

	// It is not for whoever is signed in.
	mustContain(t, s.mustGet(path), "signed in with another account")
	mustStatus(t, s.post(path, ""), http.StatusForbidden)

	s.signOut()
	mustContain(t, s.mustGet(path), "Join Checkout", "member of Checkout", `value="bob@example.com"`)
	again := s.post(path, "name=Bob&password=short")
	mustStatus(t, again, http.StatusUnprocessableEntity)
	mustContain(t, bodyOf(t, again), "at least 10 characters", `value="Bob"`)
	form := url.Values{"name": {"Bob"}, "email": {"other@example.com"}, "password": {goodPassword}}.Encode()
	led(t, s.follow(s.post(path, form)), "/teams/1?done=joined")
	mustContain(t, s.mustGet("/teams/1?done=joined"), "Welcome to the team", "bob@example.com", "Leave this team")
	mustStatus(t, s.post("/issues/1/resolve", ""), http.StatusNotFound) // there is no issue; a member may ask
	mustStatus(t, s.post("/teams/1/rename", "name=Mine"), http.StatusForbidden)
	bob := s.session

	s.signOut()
	mustStatus(t, s.get(path), http.StatusNotFound)
	mustStatus(t, s.post(path, form), http.StatusNotFound)

	// Who has an account joins with it, and keeps what they have.
	s.session = inviter
	path = s.link(s.post("/teams/1/invite", "role=viewer"), "invitations")
	s.session = bob
	mustContain(t, s.mustGet(path), "Join as bob@example.com")
	led(t, s.post(path, ""), "/teams/1?done=joined")
	mustContain(t, textOf(s.mustGet("/teams/1")), "Bob you bob@example.com member")
	led(t, s.post("/teams/1/leave", ""), "/teams?done=left")
	mustStatus(t, s.get("/teams/1"), http.StatusNotFound)
	mustStatus(t, s.get("/projects/1/issues"), http.StatusNotFound)
}

// mustNotStore fails if the database has a secret.
func (s *site) mustNotStore(secret string) {
	s.t.Helper()
	storetest.MustRead(s.t, s.replica, func(rx *store.Rx) error {
		entries, err := rx.AuditLog(store.AuditQuery{Limit: 100})
		mails, errMail := rx.Outbox(100)
		if strings.Contains(fmt.Sprint(entries, mails), secret) {
			s.t.Error("the database has the secret")
		}
		return errors.Join(err, errMail)
	})
}

// What an invitation gives depends on who made it still being able to.
func TestInvitationOfSomebodyWhoMayNotAnyMore(t *testing.T) {
	s, ada := withTeam(t, nil)
	demoted := s.link(s.post("/teams/1/invite", "role=member"), "invitations")
	withdrawn := s.link(s.post("/teams/1/invite", "role=member"), "invitations")
	led(t, s.post("/teams/1/invitations/2/withdraw", ""), "/teams/1?done=withdrawn")
	mustStatus(t, s.post("/teams/1/invitations/2/withdraw", ""), http.StatusNotFound)
	form := url.Values{"name": {"Bob"}, "email": {"bob@example.com"}, "password": {goodPassword}}.Encode()
	s.mustWrite(func(tx *store.Tx) error { return tx.SetTeamMember(1, ada.ID, access.Viewer) })
	s.signOut()
	for _, path := range []string{demoted, withdrawn} {
		mustStatus(t, s.get(path), http.StatusNotFound)
		mustStatus(t, s.post(path, form), http.StatusNotFound)
	}
	s.mustWrite(func(tx *store.Tx) error { return tx.SetTeamMember(1, ada.ID, access.Admin) })
	mustStatus(t, s.get(demoted), http.StatusOK)
	s.mustWrite(func(tx *store.Tx) error { return tx.DisableUser(ada.ID) })
	mustStatus(t, s.get(demoted), http.StatusNotFound)
}

// TestMembers: nobody gives, or takes, more than they have.
func TestMembers(t *testing.T) {
	s, ada := withTeam(t, nil)
	mine := s.session
	owner := s.signInAs("theirs@example.com", access.None)
	bob := s.signInAs("bob@example.com", access.None)
	s.mustWrite(func(tx *store.Tx) error { return tx.SetTeamMember(1, owner.ID, access.Owner) })
	s.session = mine
	add := func(email, role string, want int) {
		t.Helper()
		mustStatus(t, s.post("/teams/1/members", url.Values{"email": {email}, "role": {role}}.Encode()), want)
	}
	add("bob@example.com", "owner", http.StatusForbidden)
	add("BOB@example.com", "admin", http.StatusSeeOther)
	add("theirs@example.com", "viewer", http.StatusForbidden)
	missing := s.post("/teams/1/members", "email=carol%40example.com&role=member")
	mustStatus(t, missing, http.StatusUnprocessableEntity)
	mustContain(t, bodyOf(t, missing), "Nobody here has an account", `href="/teams/1/invite?email=carol%40example.com"`)
	mustContain(t, s.mustGet("/teams/1/invite?email=carol%40example.com"), `value="carol@example.com"`)

	change := func(user int64, form string, want int) {
		t.Helper()
		mustStatus(t, s.post("/teams/1/members/"+strconv.FormatInt(user, 10), form), want)
	}
	change(owner.ID, "role=viewer", http.StatusForbidden)
	change(owner.ID, "remove=1", http.StatusForbidden)
	change(bob.ID, "role=owner", http.StatusForbidden)
	change(bob.ID, "role=king", http.StatusBadRequest)
	change(bob.ID, "role=viewer", http.StatusSeeOther)
	mustContain(t, textOf(s.mustGet("/teams/1")), "theirs@example.com theirs@example.com owner")
	change(bob.ID, "remove=1", http.StatusSeeOther)
	change(bob.ID, "role=viewer", http.StatusNotFound)
	led(t, s.post("/teams/1/members/"+strconv.FormatInt(ada.ID, 10), "remove=1"), "/teams?done=left")
	mustStatus(t, s.get("/teams/1"), http.StatusNotFound)
}

// TestTeams makes, renames and deletes teams.
func TestTeams(t *testing.T) {
	s := newSite(t, nil)
	led(t, s.post("/teams", "name=Checkout"), "/teams/1")
	mustContain(t, textOf(s.mustGet("/teams")), "Checkout owner 1 0")
	for _, path := range []string{"/teams", "/teams/1/rename"} {
		for _, name := range []string{"", " ", "two%0Alines", strings.Repeat("x", 81)} {
			resp := s.post(path, "name="+name)
			mustStatus(t, resp, http.StatusUnprocessableEntity)
			mustContain(t, bodyOf(t, resp), "A name needs", `aria-invalid="true"`)
		}
	}
	led(t, s.post("/teams/1/rename", "name=Pay+%3Cb%3E"), "/teams/1?done=saved")
	mustContain(t, s.mustGet("/teams/1?done=saved"), "Pay &lt;b&gt;", "Saved.", "This team has no project")
	s.mustWrite(func(tx *store.Tx) error { return tx.SetProjectTeam(1, 1) })
	refused := s.post("/teams/1/delete", "")
	mustStatus(t, refused, http.StatusConflict)
	mustContain(t, bodyOf(t, refused), "The team has projects")
	s.mustWrite(func(tx *store.Tx) error { return tx.SetProjectTeam(1, 0) })
	s.post("/teams/1/invite", "role=viewer")
	ev := s.message("it broke", testNow)
	s.mustWrite(func(tx *store.Tx) error { // it was assigned to the team when the project was the team's
		_, err := tx.Assign([]int64{ev.Issue}, store.Assignee{Team: 1}, 1)
		return errors.Join(err, tx.SaveSearch(store.SavedSearch{UserID: 1, Place: store.SearchPlace{Team: 1}, Name: "Ours", Query: "is:unresolved"}))
	})
	led(t, s.post("/teams/1/delete", ""), "/teams?done=team-deleted")
	mustContain(t, s.mustGet("/teams?done=team-deleted"), "The team is deleted", "No team yet")
	mustLack(t, s.mustGet("/users"), "Withdraw")
}

// TestUsers: an installation keeps an owner, and admins do nothing to owners.
func TestUsers(t *testing.T) {
	s := newSite(t, nil)
	const owner = "/users/1"
	refused := s.post(owner+"/role", "role=admin")
	mustStatus(t, refused, http.StatusConflict)
	mustContain(t, bodyOf(t, refused), "Somebody has to own the installation")
	mustStatus(t, s.post(owner+"/disable", ""), http.StatusConflict)
	admin := s.signInAs("admin@example.com", access.Admin)
	for _, path := range []string{"/role", "/disable", "/enable", "/sign-out", "/password"} {
		mustStatus(t, s.post(owner+path, "role=admin"), http.StatusForbidden)
	}
	mustLack(t, s.mustGet(owner), `action="/users/1/`)
	mustStatus(t, s.post("/users/2/role", "role=owner"), http.StatusForbidden)
	mustStatus(t, s.post("/users/invite", "rank=owner&team=0"), http.StatusForbidden)
	mustStatus(t, s.post("/users/2/disable", ""), http.StatusConflict) // themselves

	mine := s.session
	bob := s.signInAs("bob@example.com", access.None)
	bobs := s.session
	s.session = mine
	page := "/users/" + strconv.FormatInt(bob.ID, 10)
	mustContain(t, textOf(s.mustGet("/users")), "bob@example.com bob@example.com what teams give just now")
	led(t, s.post(page+"/role", "role=admin"), page+"?done=saved")
	mustContain(t, textOf(s.mustGet("/users")), "bob@example.com bob@example.com admin just now")
	led(t, s.post(page+"/disable", ""), page+"?done=disabled")
	mustContain(t, s.mustGet("/users"), "switched off", "signed out")
	mustStatus(t, s.post(page+"/password", ""), http.StatusConflict)
	s.session = bobs
	mustStatus(t, s.get("/"), http.StatusUnauthorized)
	s.session = mine
	led(t, s.post(page+"/enable", ""), page+"?done=enabled")
	s.session = bobs
	mustStatus(t, s.get("/"), http.StatusUnauthorized) // the session has gone

	// A second owner lets the first go.
	s.session = mine
	s.mustWrite(func(tx *store.Tx) error { return tx.SetUserRole(admin.ID, access.Owner) })
	led(t, s.post(owner+"/role", "role=none"), owner+"?done=saved")
	path := s.link(s.post("/users/invite", "rank=owner&team=0"), "invitations")
	s.signOut()
	mustContain(t, s.mustGet(path), "owner of everything")
	s.follow(s.post(path, url.Values{"name": {"Carol"}, "email": {"carol@example.com"}, "password": {goodPassword}}.Encode()))
	mustContain(t, s.mustGet("/users"), "Carol")
}

// TestAuditLog pages and filters.
func TestAuditLog(t *testing.T) {
	s, ada := withTeam(t, nil)
	for i := range auditPerPage {
		mustStatus(t, s.post("/account/name", fmt.Sprintf("name=Ada+%d+%%3Cb%%3E", i)), http.StatusSeeOther)
	}
	ev := s.message("it broke", testNow)
	mustStatus(t, s.post(fmt.Sprintf("/issues/%d/resolve", ev.Issue), ""), http.StatusSeeOther)
	mustContain(t, textOf(s.mustGet("/projects/1/audit")), "Ada 49 <b> resolved WEB-SHOP-1 Web shop just now")
	mustLack(t, s.mustGet("/projects/1/audit"), "changed their name")
	s.signInAs("admin@example.com", access.Admin)
	first := s.mustGet("/audit")
	mustContain(t, first, "Older", "Ada 49 &lt;b&gt;", "WEB-SHOP-1", "192.0.2.1")
	mustLack(t, first, "Ada 0 &lt;b&gt;")
	older := regexp.MustCompile(`rel="next" href="([^"]*)"`).FindStringSubmatch(first)
	if older == nil {
		t.Fatal("no older page")
	}
	mustContain(t, s.mustGet(strings.ReplaceAll(older[1], "&amp;", "&")), "Ada 0 &lt;b&gt;", "Newest")
	mustContain(t, textOf(s.mustGet("/audit?project=1")), "resolved WEB-SHOP-1", "Show all")
	mustLack(t, s.mustGet("/audit?project=1"), "changed their name")
	mustContain(t, s.mustGet(fmt.Sprintf("/audit?user=%d", ada.ID)), "changed their name", "selected")
	mustContain(t, s.mustGet("/audit?user=999"), "Nothing here")
}

// TestPeopleInjection does with the names of people and teams what TestInjection does
// with events.
func TestPeopleInjection(t *testing.T) {
	s := newSite(t, func(cfg *Config) { cfg.Mail = func() {} })
	name := url.QueryEscape(hostile)
	mustStatus(t, s.post("/account/name", "name="+name), http.StatusSeeOther)
	mustStatus(t, s.post("/teams", "name="+name), http.StatusSeeOther)
	s.post("/users/invite", "rank=none&team=1&role=viewer&by=mail&email=x@example.com")
	s.mustWrite(func(tx *store.Tx) error { return tx.MailDone(1, errors.New(hostile), true) })
	path := s.link(s.post("/teams/1/invite", "role=viewer"), "invitations")
	own := s.session
	pages := []string{
		"/", "/teams", "/teams/1", "/teams/1/invite?email=" + url.QueryEscape(hostile), "/users", "/users/1", "/users/invite",
		"/account", "/account/sessions", "/audit", "/mail", path, "/forgot", "/sign-in?done=" + url.QueryEscape(hostile),
	}
	for _, session := range []string{own, ""} {
		s.session = session
		for _, page := range pages {
			if resp := s.get(page); resp.StatusCode == http.StatusOK {
				assertInert(t, page, bodyOf(t, resp))
			} else if session == own && !strings.HasPrefix(page, "/sign-in") {
				t.Errorf("%s: status %d", page, resp.StatusCode)
			}
		}
	}
	for _, form := range []string{"/account/name", "/teams", "/teams/1/rename", "/teams/1/members", "/forgot", path} {
		s.session = own
		resp := s.post(form, "name="+strings.Repeat(name, 2)+"&role=viewer&email="+url.QueryEscape(hostile))
		assertInert(t, form, bodyOf(t, resp))
	}
}

// A copy that knows no primary says that it cannot be written, and has all pages that
// it can make by itself.
func TestCopyWithoutPrimary(t *testing.T) {
	s := newSite(t, func(cfg *Config) { cfg.Copy, cfg.DB, cfg.Ledger, cfg.Dead = &Copy{Old: time.Hour}, nil, nil, nil })
	for _, path := range []string{"/", "/teams", "/users", "/account", "/account/sessions", "/audit", "/mail"} {
		mustStatus(t, s.get(path), http.StatusOK)
	}
	for _, path := range []string{"/forgot", "/users/invite", "/users/1"} {
		mustStatus(t, s.get(path), http.StatusForbidden)
	}
	mustStatus(t, s.post("/account/name", "name=Ada"), http.StatusForbidden)
}
