package dashboard

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/access"
	"sundew/digester/search/indexer"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event/eventtest"
)

// index indexes the texts of all issues, as happens behind the digest.
func (s *site) index() {
	s.t.Helper()
	for {
		n, err := indexer.Step(s.t.Context(), indexer.Config{Replica: s.replica, DB: s.db})
		if err != nil {
			s.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// tagged stores an event with an environment.
func (s *site) tagged(text, environment string, at time.Time) stored {
	payload := fmt.Sprintf(`{"platform":"python","fingerprint":[%q],"environment":%q,"release":"1.2",
		"exception":{"values":[{"type":"Oops","value":%q,"stacktrace":{"frames":[{"module":"shop.CartService","function":"checkout","filename":"src/cart/service.py","in_app":true}]}}]}}`,
		text, environment, text)
	return s.digest(eventtest.Payload{Name: text, JSON: []byte(payload)}, at)
}

func searched(q string) string { return "?" + url.Values{"q": {q}}.Encode() }

// A list is found by what its address says, and each part of it leads on with all the
// rest.
func TestSearchIssues(t *testing.T) {
	s := newSite(t, nil)
	s.tagged("alpha", "production", testNow.Add(-time.Hour))
	s.tagged("beta", "staging", testNow.Add(-10*24*time.Hour))
	s.index()
	list := "/projects/1/issues"
	for _, c := range []struct{ address, has, lacks string }{
		{list + searched("CartService.check"), "alpha beta", ""},
		{list + searched("cart/serv alph"), "alpha", "beta"},
		{list + searched("!alpha"), "beta", "alpha"},
		{list + searched("environment:production"), "alpha", "beta"},
		{list + "?env=staging", "beta", "alpha"},
		{list + "?release=1.2&since=7d", "alpha", "beta"},
		{list + searched("is:resolved"), "", "alpha beta"},
		{list + "?sort=trend", "alpha", "beta"},
		{"/issues" + searched("project:web-shop"), "alpha beta", ""},
		{"/issues" + searched("project:other"), "", "alpha beta"},
	} {
		page := s.mustGet(c.address)
		for _, word := range strings.Fields(c.has) {
			mustContain(t, page, ">Oops: "+word+"<")
		}
		for _, word := range strings.Fields(c.lacks) {
			mustLack(t, page, ">Oops: "+word+"<")
		}
		if t.Failed() {
			t.Fatalf("that was %s", c.address)
		}
	}
	page := s.mustGet(list + "?q=is%3Aunresolved+Oops&env=staging&sort=users&graph=14d")
	mustContain(t, page, `value="is:unresolved Oops"`, `<option value="staging" selected>`, `<option value="users" selected>Sort by: Users`, "Last 14 days",
		`aria-current="page">Open</a>`, `href="/projects/1/issues?env=staging&amp;graph=14d&amp;q=is%3Aresolved&#43;Oops&amp;sort=users"`,
		`href="/projects/1/issues?env=staging&amp;graph=14d&amp;q=Oops&amp;sort=users"`)
	mustContain(t, s.mustGet(list), `<span class="badge">2</span>`)
	mustContain(t, s.mustGet(list+searched("nothing at all")), "No issue matches")
	mustContain(t, s.mustGet(list+searched("error.type:Oops")), "No issue has a tag error.type.")
	mustContain(t, s.mustGet(list+searched("release:5.3.0")), "Releases here are written like 1.2.")
	mustLack(t, s.mustGet(list+searched("!release:5.3.0 nowhere environment:production")), "No issue has a tag", "written like")
}

// A search that did not look at all issues says so, and leads on.
func TestSearchLooked(t *testing.T) {
	s := newSite(t, nil)
	s.message("new one", testNow.Add(-time.Hour))
	s.message("old one", testNow.Add(-10*24*time.Hour))
	list := "/projects/1/issues"
	page := s.mustGet(list + fmt.Sprintf("?before=%d", testNow.Add(-2*time.Hour).Unix()))
	mustContain(t, page, ">old one<", "Issues last seen before", `href="/projects/1/issues">Begin with the newest`)
	mustLack(t, page, ">new one<", "Look further back")

	p := &issuesPage{Base: list, List: issueList{Query: "!has:user", Page: 3}}
	if got := p.newLookedView(store.Found{More: true}); got != nil {
		t.Errorf("a search of all issues says %+v", got)
	}
	since := time.Unix(1_770_000_000, 0)
	want := &lookedView{Count: 10, Since: since, Further: list + "?before=1770000000&q=%21has%3Auser"}
	if diff := cmp.Diff(want, p.newLookedView(store.Found{Looked: 10, Since: since})); diff != "" {
		t.Errorf("by last seen (-want +got):\n%s", diff)
	}
	p.List.Sort = "events"
	want = &lookedView{Count: 10, LastSeen: list + "?q=%21has%3Auser"}
	if diff := cmp.Diff(want, p.newLookedView(store.Found{Looked: 10})); diff != "" {
		t.Errorf("in another order (-want +got):\n%s", diff)
	}
}

// A query that cannot be understood is shown with the place that is wrong.
func TestSearchError(t *testing.T) {
	s := newSite(t, nil)
	s.message("one", testNow)
	for query, wants := range map[string][]string{
		"is:open release:":           {"Column 9: <code>release:</code> needs a value", "is:open <mark>release:</mark>", `aria-invalid="true"`, `value="is:open release:"`},
		"x assigned:joe@example.com": {"there is nobody with the address joe@example.com", "<mark>assigned:joe@example.com</mark>"},
	} {
		resp := s.get("/projects/1/issues" + searched(query))
		if resp.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d", query, resp.StatusCode)
		}
		page := bodyOf(t, resp)
		mustContain(t, page, wants...)
		mustLack(t, page, "No issue matches")
	}
}

// Lists of several projects show what the person sees, and nothing else.
func TestIssuesOfSeveralProjects(t *testing.T) {
	s := newSite(t, nil)
	s.message("in the shop", testNow)
	shop := s.project
	s.project = storetest.MustCreateProject(t, s.db, "Mail", "fedcba9876543210fedcba9876543210")
	s.message("in the mail", testNow)
	var team store.Team
	s.mustWrite(func(tx *store.Tx) (err error) {
		if team, err = tx.CreateTeam("Shop team"); err != nil {
			return err
		}
		return tx.SetProjectTeam(shop.ID, team.ID)
	})
	mine := fmt.Sprintf("/teams/%d/issues", team.ID)
	mustContain(t, s.mustGet("/issues"), ">in the shop<", ">in the mail<", `<span class="badge">2</span>`)
	mustContain(t, s.mustGet(mine), ">in the shop<", "Issues of Shop team")
	mustLack(t, s.mustGet(mine), ">in the mail<")

	s.signInAs("member@example.com", access.None)
	mustContain(t, s.mustGet("/issues"), "No projects")
	mustLack(t, s.mustGet("/issues"+searched("the")), ">in the shop<", ">in the mail<")
	for _, path := range []string{mine, "/projects/1/issues"} {
		if status := s.get(path).StatusCode; status != http.StatusNotFound {
			t.Errorf("%s: status %d for who does not belong to the team", path, status)
		}
	}
}

// Searches are saved, shared, deleted, and saved again.
func TestSavedSearches(t *testing.T) {
	s := newSite(t, nil)
	s.message("one", testNow)
	list := "/projects/1/issues"
	save := func(form string) string {
		t.Helper()
		resp := s.post("/searches", form)
		if resp.StatusCode != http.StatusSeeOther {
			t.Fatalf("saving %s: status %d", form, resp.StatusCode)
		}
		return resp.Header.Get("Location")
	}
	if to := save("project=1&name=Mine&query=level%3Aerror+x&sort=users"); to != list+"?q=level%3Aerror+x&sort=users" {
		t.Errorf("saving leads to %s", to)
	}
	if to := save("project=1&name=Longer&query=is%3Aassigned&graph=14d"); to != list+"?graph=14d&q=is%3Aassigned" {
		t.Errorf("saving leads to another graph: %s", to)
	}
	mustContain(t, s.mustGet(list+"?graph=14d"), `name="graph" value="14d"`)
	if to := s.post("/searches/2/delete", "graph=14d").Header.Get("Location"); !strings.Contains(to, "graph=14d") {
		t.Errorf("deleting leads to another graph: %s", to)
	}
	save("project=1&name=Ours&query=is%3Anew&shared=1")
	save("name=Everywhere&query=is%3Anew")
	mustContain(t, s.mustGet(list), ">Mine<", ">Ours<", "shared")
	mustLack(t, s.mustGet(list), ">Everywhere<")
	mustContain(t, s.mustGet("/issues"), ">Everywhere<")
	mustContain(t, s.mustGet(list+"?q=level%3Aerror+x&env=prod"), `name="query" value="level:error x environment:prod"`)
	if to := save("project=1&name=+&query=x"); !strings.Contains(to, "unsaved=name") {
		t.Errorf("a search without a name leads to %s", to)
	}

	to := s.post("/searches/1/delete", "").Header.Get("Location")
	undo := s.mustGet(to)
	mustContain(t, undo, "“Mine” is deleted", `name="query" value="level:error x"`, `name="sort" value="users"`)
	mustLack(t, undo, ">Mine</a>")

	viewer := s.signInAs("viewer@example.com", access.None)
	s.mustWrite(func(tx *store.Tx) error {
		team, err := tx.CreateTeam("Shop team")
		if err != nil {
			return err
		}
		if err := tx.SetProjectTeam(1, team.ID); err != nil {
			return err
		}
		return tx.SetTeamMember(team.ID, viewer.ID, access.Viewer)
	})
	page := s.mustGet(list)
	mustContain(t, page, ">Ours<")
	mustLack(t, page, ">Mine<", "/searches/2/delete", `name="shared"`)
	for path, want := range map[string]int{"/searches/2/delete": 403, "/searches/3/delete": 404, "/searches/9/delete": 404} {
		if got := s.post(path, "").StatusCode; got != want {
			t.Errorf("%s: status %d, want %d", path, got, want)
		}
	}
	for form, want := range map[string]int{
		"project=1&name=a&query=b&shared=1": 403, "project=2&name=a&query=b": 404, "team=7&name=a&query=b": 404, "project=x&name=a": 400, "project=1&name=a&query=b": 303,
	} {
		if got := s.post("/searches", form).StatusCode; got != want {
			t.Errorf("saving %s: status %d, want %d", form, got, want)
		}
	}
}

// The values of an issue's and an event's tags lead to the issues that have them,
// whatever they say.
func TestTagLinks(t *testing.T) {
	s := newSite(t, nil)
	evil := `x" is:resolved *&q=<b>`
	ev := s.digest(payloadOf(t, map[string]any{"message": "alpha", "release": "shop@1.2", "user": map[string]string{"id": "7", "email": "ada@example.com"}, "tags": map[string]string{"evil": evil}}), testNow)
	s.message("beta", testNow)
	page := s.mustGet(fmt.Sprintf("/issues/%d", ev.Issue))
	for text, query := range map[string]string{"shop@1.2": "release:shop@1.2", "id:7": "user.id:7", evil: `evil:"x\" is:resolved \*&q=<b>"`} {
		to := "/projects/1/issues" + searched(query)
		link := `<a href="` + html.EscapeString(to) + `">` + html.EscapeString(text)
		link = strings.ReplaceAll(link, "+", "&#43;")
		if n := strings.Count(page, link); n != 2 {
			t.Errorf("%d links %s, want one of all events and one of the newest", n, link)
		}
		list := s.mustGet(to)
		mustContain(t, list, ">alpha<")
		mustLack(t, list, ">beta<")
	}
	mustContain(t, s.mustGet("/projects/1/issues"+searched("user.email:ada@example.com")), ">alpha<")
	mustLack(t, page, "user.email")
}
