package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event/eventtest"
)

// mustPost sends a form of the project's settings and returns where it leads.
func (s *site) mustPost(path string, form url.Values) string {
	s.t.Helper()
	resp := s.post(path, form.Encode())
	if resp.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("POST %s: status %d\n%s", path, resp.StatusCode, bodyOf(s.t, resp))
	}
	return resp.Header.Get("Location")
}

// mustReturn sends a form that has to come back, and returns its page.
func (s *site) mustReturn(path string, form url.Values) string {
	s.t.Helper()
	resp := s.post(path, form.Encode())
	if resp.StatusCode != http.StatusUnprocessableEntity {
		s.t.Errorf("POST %s with %v: status %d", path, form, resp.StatusCode)
	}
	page := bodyOf(s.t, resp)
	assertInert(s.t, path, page)
	return page
}

func (s *site) audited() (actions []string) {
	s.t.Helper()
	storetest.MustRead(s.t, s.replica, func(rx *store.Rx) error {
		log, err := rx.AuditLog(store.AuditQuery{Project: s.project.ID, Limit: 100})
		for _, e := range log {
			actions = append(actions, e.Action)
		}
		return err
	})
	return actions
}

func TestGeneralSettings(t *testing.T) {
	s := newSite(t, nil)
	s.message("x", testNow)
	to := s.mustPost("/projects/1/settings", url.Values{"name": {"Shop <b>"}, "slug": {"shop"}, "platform": {"python"}})
	page := s.mustGet(to)
	mustContain(t, page, "Saved.", "Shop &lt;b&gt;", `value="python" selected`)
	mustContain(t, s.mustGet("/projects/1/issues"), "SHOP-1")
	for _, id := range []string{"SHOP-1", "WEB-SHOP-1"} { // as it is and as it was
		mustContain(t, s.mustGet("/projects/1/issues?q="+url.QueryEscape("issue:"+id)), ">SHOP-1<")
	}
	mustContain(t, s.mustGet("/projects/1/setup"), "sentry_sdk")
	if err := s.db.Write(t.Context(), "test", func(tx *store.Tx) error { // as a program has it, which knows more platforms
		_, err := tx.ChangeProject(1, store.ProjectChange{Name: "Shop <b>", Slug: "shop", Platform: "python-django"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	mustContain(t, s.mustGet("/projects/1/setup"), "sentry_sdk")
	to = s.mustPost("/projects/1/settings", url.Values{"name": {"Shop"}, "slug": {"shop"}, "platform": {"python-django"}})
	mustContain(t, s.mustGet(to), `value="python-django" selected`)
	page = s.mustReturn("/projects/1/settings", url.Values{"name": {""}, "slug": {"a b"}, "platform": {"go"}})
	mustContain(t, page, `value="a b"`, "Invalid project name")
	if resp := s.post("/projects/1/settings", url.Values{"name": {"x"}, "slug": {"x"}, "platform": {"<b>"}}.Encode()); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a platform that is none: status %d", resp.StatusCode)
	}
	for _, slug := range []string{"shop", "web-shop"} {
		if resp := s.get("/settings/anything/projects/" + slug); resp.Header.Get("Location") != "/projects/1/settings" {
			t.Errorf("%s leads to %q", slug, resp.Header.Get("Location"))
		}
	}
	if got := strings.Join(s.audited(), " "); got != "project.change project.change" {
		t.Errorf("audited %q", got)
	}
}

func TestKeySettings(t *testing.T) {
	s := newSite(t, nil)
	mustContain(t, s.mustGet("/projects/1/settings/keys"), "Without it nothing can report")
	page := s.mustGet(s.mustPost("/projects/1/settings/keys", url.Values{"name": {"mobile"}}))
	mustContain(t, page, "mobile", "A new key is there")
	s.mustReturn("/projects/1/settings/keys", url.Values{"name": {strings.Repeat("x", 81)}})
	mustContain(t, s.mustReturn("/projects/1/settings/keys/1/delete", nil), "Disable the key first")
	s.mustPost("/projects/1/settings/keys/1/disable", nil)
	mustLack(t, s.mustGet("/projects/1/setup"), "0123456789abcdef0123456789abcdef")
	s.mustPost("/projects/1/settings/keys/1/enable", nil)
	mustContain(t, s.mustGet("/projects/1/setup"), "0123456789abcdef0123456789abcdef")
	s.mustPost("/projects/1/settings/keys/1/disable", nil)
	s.mustPost("/projects/1/settings/keys/1/delete", nil)
	mustLack(t, s.mustGet("/projects/1/settings/keys"), "0123456789abcdef0123456789abcdef")
	if resp := s.post("/projects/1/settings/keys/1/enable", ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a key that is gone: status %d", resp.StatusCode)
	}
}

func TestOriginSettings(t *testing.T) {
	s := newSite(t, nil)
	s.mustPost("/projects/1/settings/domains", url.Values{"domains": {"example.com\r\n*.example.org\r\n"}})
	mustContain(t, s.mustGet("/projects/1/settings/domains"), "example.com\n*.example.org</textarea>")
	page := s.mustReturn("/projects/1/settings/domains", url.Values{"domains": {"example.com\n</textarea>" + hostile}})
	mustContain(t, page, "Line 2")
	mustContain(t, s.mustGet("/projects/1/settings/domains"), "*.example.org")
}

func TestGroupingSettings(t *testing.T) {
	s := newSite(t, nil)
	for i, text := range []string{"timeout of a", "timeout of b", "other"} {
		s.message(text, testNow.Add(time.Duration(i)*time.Second))
	}
	const rule = `message:"timeout*" -> timeouts`
	resp := s.post("/projects/1/settings/grouping/try", url.Values{"rules": {"# all\n" + rule}}.Encode())
	page := bodyOf(t, resp)
	assertInert(t, "a try", page)
	mustContain(t, page, "2 of 3 recent issues match", "timeout of a", "rule in line 2", "<code>timeouts</code>")
	mustLack(t, page, `>other</a>`)
	mustLack(t, s.mustGet("/projects/1/settings/grouping"), "timeouts")

	page = s.mustReturn("/projects/1/settings/grouping", url.Values{"rules": {rule + "\n" + hostile}})
	mustContain(t, page, "Nothing was saved", "Line 2")
	s.mustPost("/projects/1/settings/grouping", url.Values{"rules": {rule}})
	mustContain(t, s.mustGet("/projects/1/settings/grouping"), "message:&#34;timeout*&#34; -&gt; timeouts")
}

func TestEnvironmentSettings(t *testing.T) {
	s := newSite(t, nil)
	for _, name := range []string{"production", "qa"} {
		s.digest(eventtest.Payload{Name: name, JSON: fmt.Appendf(nil, `{"message":"x","release":"1.0","environment":%q}`, name)}, testNow)
	}
	mustContain(t, s.mustGet("/projects/1/releases"), ">production</a>", ">qa</a>")
	s.mustPost("/projects/1/settings/environments", url.Values{"known": {"production", "qa"}, "shown": {"production"}})
	mustLack(t, s.mustGet("/projects/1/releases"), ">qa</a>")
	mustLack(t, s.mustGet("/projects/1/issues"), `value="qa"`)
	mustContain(t, s.mustGet("/projects/1/releases?environment=qa"), ">qa</a>") // who has the link sees where they are
	s.mustPost("/projects/1/settings/environments", url.Values{"known": {"qa"}, "shown": {"qa"}})
	mustContain(t, s.mustGet("/projects/1/releases"), ">production</a>", ">qa</a>")
}

// Nobody gives or takes more than they have.
func TestProjectMemberSettings(t *testing.T) {
	s := newSite(t, nil)
	var ada, bob store.User
	if err := s.db.Write(t.Context(), "test", func(tx *store.Tx) (err error) {
		if ada, err = tx.CreateUser("ada@example.com", "Ada", "", access.None); err != nil {
			return err
		}
		if bob, err = tx.CreateUser("bob@example.com", "Bob", "", access.None); err != nil {
			return err
		}
		return tx.SetProjectMember(s.project.ID, bob.ID, access.Owner)
	}); err != nil {
		t.Fatal(err)
	}
	mustContain(t, s.mustReturn("/projects/1/settings/members", url.Values{"email": {"nobody@example.com"}, "role": {"member"}}), "Nobody here")
	page := s.mustGet(s.mustPost("/projects/1/settings/members", url.Values{"email": {"ADA@example.com"}, "role": {"admin"}}))
	mustContain(t, page, "Ada", `value="admin" selected`)

	s.signInAs("carl@example.com", access.Admin)
	for _, form := range []url.Values{{"role": {"none"}}, {"role": {"owner"}}} {
		if resp := s.post(fmt.Sprintf("/projects/1/settings/members/%d", bob.ID), form.Encode()); resp.StatusCode != http.StatusForbidden {
			t.Errorf("an admin sets an owner to %v: status %d", form, resp.StatusCode)
		}
	}
	s.mustPost(fmt.Sprintf("/projects/1/settings/members/%d", ada.ID), url.Values{"role": {"none"}})
	mustLack(t, s.mustGet("/projects/1/settings/members"), "Ada")
	if resp := s.post(fmt.Sprintf("/projects/1/settings/members/%d", ada.ID), "role=king"); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("no role: status %d", resp.StatusCode)
	}
}

// A project is deleted by its owner, who types its name, and comes back from the
// list of deleted ones.
func TestProjectDeletion(t *testing.T) {
	s := newSite(t, nil)
	owner, ev := s.session, s.message("x", testNow)
	mustContain(t, s.mustReturn("/projects/1/settings/delete", url.Values{"name": {"web shop"}}), "not the project")
	s.signInAs("carl@example.com", access.Admin)
	carl := s.session
	if resp := s.post("/projects/1/settings/delete", "name=Web+shop"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("an admin deletes: status %d", resp.StatusCode)
	}
	s.session = owner
	to := s.mustPost("/projects/1/settings/delete", url.Values{"name": {"Web shop"}})
	mustContain(t, s.mustGet(to), "Web shop", "Restore")
	for _, gone := range []string{"/projects/1/issues", "/projects/1/settings", "/projects/1/setup/status", fmt.Sprintf("/issues/%d", ev.Issue),
		fmt.Sprintf("/issues/%d/events/1", ev.Issue), fmt.Sprintf("/issues/%d/events/1/json", ev.Issue)} {
		if resp := s.get(gone); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d", gone, resp.StatusCode)
		}
	}
	home := s.mustGet("/")
	mustLack(t, home, "/projects/1/")
	mustContain(t, home, `href="/projects/deleted">1 deleted project</a> can be restored`)
	s.session = carl
	mustLack(t, s.mustGet("/"), "can be restored")
	mustLack(t, s.mustGet("/projects/deleted"), "Web shop")
	s.session = owner
	s.mustPost("/projects/1/restore", nil)
	home = s.mustGet("/")
	mustContain(t, home, "/projects/1/")
	mustLack(t, home, "can be restored")
	if resp := s.post("/projects/1/restore", ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("restoring what is there: status %d", resp.StatusCode)
	}
	if got := strings.Join(s.audited(), " "); got != "project.restore project.delete" {
		t.Errorf("audited %q", got)
	}
}

// A project goes to a team of which its owner is an admin, and no other.
func TestTransfer(t *testing.T) {
	s := newSite(t, nil)
	var owner store.User
	var own, foreign store.Team
	s.signInAs("dora@example.com", access.None)
	if err := s.db.Write(t.Context(), "test", func(tx *store.Tx) (err error) {
		if owner, err = tx.UserByEmail("dora@example.com"); err != nil {
			return err
		}
		if own, err = tx.CreateTeam("Own"); err != nil {
			return err
		}
		if foreign, err = tx.CreateTeam("Foreign"); err != nil {
			return err
		}
		if err := tx.SetTeamMember(own.ID, owner.ID, access.Admin); err != nil {
			return err
		}
		return tx.SetProjectMember(s.project.ID, owner.ID, access.Owner)
	}); err != nil {
		t.Fatal(err)
	}
	page := s.mustGet("/projects/1/settings")
	mustContain(t, page, ">Own</option>")
	mustLack(t, page, "Foreign")
	if resp := s.post("/projects/1/settings/team", fmt.Sprintf("team=%d", foreign.ID)); resp.StatusCode != http.StatusForbidden {
		t.Errorf("to a foreign team: status %d", resp.StatusCode)
	}
	s.mustPost("/projects/1/settings/team", url.Values{"team": {fmt.Sprint(own.ID)}})
	storetest.MustRead(t, s.replica, func(rx *store.Rx) error {
		if p, err := rx.Project(1); err != nil || p.TeamID != own.ID {
			t.Errorf("the project: %+v, %v", p, err)
		}
		return nil
	})
}
