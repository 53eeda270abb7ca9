package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

// act sends an issue's form and fails unless it leads back.
func (s *site) act(path, form string) string {
	s.t.Helper()
	resp := s.post(path, form)
	if resp.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("%s %s: status %d\n%s", path, form, resp.StatusCode, bodyOf(s.t, resp))
	}
	return resp.Header.Get("Location")
}

// lastAudit is what the audit log says last.
func (s *site) lastAudit() store.AuditEntry {
	s.t.Helper()
	var entries []store.AuditEntry
	storetest.MustRead(s.t, s.replica, func(rx *store.Rx) (err error) {
		entries, err = rx.AuditLog(store.AuditQuery{Limit: 1})
		return err
	})
	return entries[0]
}

func (s *site) issue(id int64) store.Issue {
	s.t.Helper()
	var issue store.Issue
	storetest.MustRead(s.t, s.replica, func(rx *store.Rx) (err error) {
		issue, err = rx.Issue(id)
		return err
	})
	return issue
}

// released stores an event of a release.
func (s *site) released(text, release string) {
	s.t.Helper()
	s.digest(payloadOf(s.t, map[string]any{"message": text, "fingerprint": []string{text}, "release": release, "environment": "production", "user": map[string]any{"id": "7"}}), testNow.Add(-time.Minute))
}

// TestActions does each thing to an issue with its form, and looks at what the page,
// the history and the audit log say.
func TestActions(t *testing.T) {
	for _, c := range []struct {
		name, path, form string
		page             []string // of the issue
		audit            string   // action, subject and detail
	}{
		{"now", "resolve", "", []string{">resolved</span>", "<span>Resolved</span>", ">Reopen<"}, "issue.resolve WEB-SHOP-1 "},
		{"next", "resolve", "do=resolve:next", []string{"Resolved in the next release after shop@1.2"}, "issue.resolve WEB-SHOP-1 in the next release"},
		{"in", "resolve", "do=resolve:in&release=shop@1.3", []string{"Resolved in shop@1.3"}, "issue.resolve WEB-SHOP-1 in shop@1.3"},
		{"hour", "mute", "do=mute:1h", []string{"Muted until <time", "2026-03-14 16:09:26 UTC", ">Unmute<"}, "issue.mute WEB-SHOP-1 until 2026-03-14 16:09 UTC"},
		{"week", "mute", "do=mute:1w", []string{"2026-03-21 15:09:26 UTC"}, "issue.mute WEB-SHOP-1 until 2026-03-21 15:09 UTC"},
		{"months", "mute", "do=mute:3m", []string{"2026-06-12 15:09:26 UTC"}, "issue.mute WEB-SHOP-1 until 2026-06-12 15:09 UTC"},
		{"rate", "mute", "do=mute:events&events=100&period=hour", []string{"Muted until 100 events in an hour"}, "issue.mute WEB-SHOP-1 until 100 events in an hour"},
		{"more", "mute", "do=mute:events&events=40&period=ever", []string{"Muted until 40 more events"}, "issue.mute WEB-SHOP-1 until 40 more events"},
		{"worse", "mute", "do=mute:worse", []string{"Muted until it gets worse: 10 events in an hour"}, "issue.mute WEB-SHOP-1 until it gets worse"},
		{"forever", "mute", "", []string{"Muted until somebody unmutes it"}, "issue.mute WEB-SHOP-1 until somebody unmutes it"},
		{"me", "assign", "do=assign:me", []string{"<dd>owner@example.com</dd>", "Assigned to owner@example.com"}, "issue.assign WEB-SHOP-1 to owner@example.com"},
		{"team", "assign", "do=assign:to&to=team:1", []string{"<dd>#ours</dd>", "Assigned to #ours"}, "issue.assign WEB-SHOP-1 to #ours"},
		{"comment", "comments", "text=It+is+**the+gateway**", []string{"<strong>the gateway</strong>"}, "issue.comment WEB-SHOP-1 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, nil)
			s.released("it broke", "shop@1.2")
			s.mustWrite(func(tx *store.Tx) error {
				team, err := tx.CreateTeam("Ours")
				if err != nil {
					return err
				}
				return tx.SetProjectTeam(1, team.ID)
			})
			if to := s.act("/issues/1/"+c.path, c.form); !strings.HasPrefix(to, "/issues/1") {
				t.Errorf("it leads to %q", to)
			}
			page := s.mustGet("/issues/1")
			mustContain(t, page, c.page...)
			by := "owner@example.com · <time"
			if c.path == "comments" {
				by = "<strong>owner@example.com</strong> <time"
			}
			mustContain(t, page, by)
			assertInert(t, c.name, page)
			e := s.lastAudit()
			if got := e.Action + " " + e.Subject + " " + e.Detail; got != c.audit || e.Project != 1 || e.User != "owner@example.com" || e.Address == "" {
				t.Errorf("audited %+v, want %q", e, c.audit)
			}
		})
	}
}

// TestUnfitActions sends forms that ask for what there is not.
func TestUnfitActions(t *testing.T) {
	s := newSite(t, nil)
	s.message("it broke", testNow)
	outsider := s.signInAs("outsider@example.com", access.None)
	s.signInAs("member@example.com", access.Admin)
	for path, forms := range map[string]map[string]int{
		"/issues/1/resolve": {"do=resolve:nonsense": 400, "do=resolve:in&release=+": 422, "do=resolve:in&release=" + strings.Repeat("x", 300): 422, "do=delete": 400, "do=mute": 400},
		"/issues/1/mute":    {"do=mute:events&events=0&period=hour": 422, "do=mute:events&events=x&period=hour": 422, "do=mute:events&events=5&period=year": 400, "do=mute:2y": 400},
		"/issues/1/assign":  {"": 400, "do=assign:to&to=user:999": 422, fmt.Sprintf("do=assign:to&to=user:%d", outsider.ID): 422, "do=assign:to&to=team:1": 422, "do=assign:to&to=robot:1": 400},
		"/issues/1/merge":   {"": 422, "short=nonsense": 422, "short=WEB-SHOP-1": 422, "issue=x": 400},
		"/issues/bulk":      {"do=resolve": 422, "issue=1": 400, "do=merge&issue=1": 422, "do=resolve&issue=999": 404, "do=nonsense&issue=1": 400, "do=unmerge&head=x&issue=1": 400},
		"/issues/1/restore": {"": 422},
		"/issues/9/mute":    {"": 404},
	} {
		for form, want := range forms {
			resp := s.post(path, form)
			if resp.StatusCode != want {
				t.Errorf("%s %q: status %d, want %d", path, form, resp.StatusCode, want)
			}
			assertInert(t, path, bodyOf(t, resp))
		}
	}
	if got := s.issue(1); got.State != store.StateOpen || got.Assignee != (store.Assignee{}) {
		t.Errorf("the issue is %+v", got)
	}
}

// TestMergePage merges by choice and by short ids, and takes apart again.
func TestMergePage(t *testing.T) {
	s := newSite(t, nil)
	for _, text := range []string{"one", "two", "three", "two"} {
		s.message(text, testNow)
	}
	s.act("/projects", "name=Other")
	mustContain(t, bodyOf(t, s.post("/issues/1/merge", "short=other-1")), "no issue", "other-1")
	to := s.act("/issues/1/merge", "issue=2&short=+web-shop-3+")
	page := s.mustGet(to)
	mustContain(t, page, "2 issues merged.", ">Undo<", "Merged with WEB-SHOP-2 and WEB-SHOP-3", "Merged into it", "<dd>4</dd>")
	mustContain(t, s.mustGet("/issues/1/merge"), "WEB-SHOP-2", "issues of their own again")
	if resp := s.get("/issues/2"); resp.Header.Get("Location") != "/issues/1" {
		t.Errorf("a member leads to %q", resp.Header.Get("Location"))
	}
	if resp := s.get("/issues/2/merge"); resp.Header.Get("Location") != "/issues/1/merge" {
		t.Errorf("a member's merging leads to %q", resp.Header.Get("Location"))
	}
	s.act("/issues/1/unmerge", "issue=2")
	mustContain(t, s.mustGet("/issues/2"), "Taken out of WEB-SHOP-1")
	mustContain(t, s.mustGet("/issues/1"), "Parted from WEB-SHOP-2", "<dd>2</dd>")
	if resp := s.post("/issues/1/unmerge", "issue=2"); resp.StatusCode != 422 {
		t.Errorf("taking apart what is apart: status %d", resp.StatusCode)
	}
	if e := s.lastAudit(); e.Action != "issue.unmerge" || e.Subject != "WEB-SHOP-2" || e.Detail != "from WEB-SHOP-1" {
		t.Errorf("audited %+v", e)
	}
}

// TestDeletion deletes, sees what is left, and takes it back while there is time.
func TestDeletion(t *testing.T) {
	s := newSite(t, nil)
	s.message("it broke", testNow)
	to := s.act("/issues/1/delete", "")
	page := s.mustGet(to)
	mustContain(t, page, "1 issue deleted.", ">Undo<")
	mustLack(t, page, ">it broke<")
	gone := s.get("/issues/1")
	mustStatus(t, gone, http.StatusGone)
	mustContain(t, bodyOf(t, gone), "WEB-SHOP-1 was deleted", "Undo the deletion")
	s.act("/issues/bulk", "do=restore&issue=1&back=/projects/1/issues")
	mustContain(t, s.mustGet("/issues/1"), "it broke", "Restored", "Deleted")

	s.act("/issues/1/delete", "")
	s.signInAs("member@example.com", access.None)
	mustStatus(t, s.get("/issues/1"), http.StatusNotFound)
}

// TestShortID finds issues by what people call them.
func TestShortID(t *testing.T) {
	s := newSite(t, nil)
	s.message("one", testNow)
	for _, path := range []string{"/s/WEB-SHOP-1", "/s/web-shop-1", "/s/Web-Shop-1", "/events?id=+web-shop-1+"} {
		if to := s.get(path).Header.Get("Location"); to != "/issues/1" {
			t.Errorf("%s leads to %q", path, to)
		}
	}
	for _, path := range []string{"/s/WEB-SHOP-2", "/s/SHOP-1", "/s/WEB-SHOP", "/s/-1", "/s/1", "/s/WEB-SHOP-x", "/s/%3Cscript%3E-1", "/events?id=web-shop-7"} {
		mustStatus(t, s.get(path), http.StatusNotFound)
	}
	mustContain(t, s.mustGet("/issues/1"), `href="/s/WEB-SHOP-1"`, `data-copy-text="http://127.0.0.1:8000/s/WEB-SHOP-1"`)
	s.signInAs("outsider@example.com", access.None)
	mustStatus(t, s.get("/s/WEB-SHOP-1"), http.StatusNotFound)
	mustStatus(t, s.get("/events?id=WEB-SHOP-1"), http.StatusNotFound)
}

// TestComments writes, changes and deletes, and tries it with somebody else's.
func TestComments(t *testing.T) {
	s := newSite(t, nil)
	s.message("it broke", testNow)
	to := s.act("/issues/1/comments", "text=first")
	entry := strings.TrimPrefix(to, "/issues/1#entry-")
	mustContain(t, s.mustGet("/issues/1"), "<p>first</p>", `id="entry-`+entry+`"`, "Edit</a>")
	mustContain(t, s.mustGet("/issues/1?edit="+entry), ">first</textarea>")
	s.act("/issues/1/comments/"+entry, "text=second")
	mustContain(t, s.mustGet("/issues/1"), "<p>second</p>", "changed <time")
	for path, text := range map[string]string{"/issues/1/comments": " ", "/issues/1/comments/" + entry: strings.Repeat("x", 10_001)} {
		resp := s.post(path, url.Values{"text": {text}}.Encode())
		page := bodyOf(t, resp)
		if resp.StatusCode != 422 || !strings.Contains(page, ">"+text+"</textarea>") {
			t.Errorf("%s: status %d", path, resp.StatusCode)
		}
		mustContain(t, page, deed.CommentWords)
	}
	owner := s.session
	s.signInAs("colleague@example.com", access.Admin)
	mustLack(t, s.mustGet("/issues/1?edit="+entry), "Edit</a>", ">second</textarea>")
	for _, path := range []string{"/issues/1/comments/" + entry, "/issues/1/comments/" + entry + "/delete"} {
		mustStatus(t, s.post(path, "text=third"), http.StatusNotFound)
	}
	s.session = owner
	s.act("/issues/1/comments/"+entry+"/delete", "")
	page := s.mustGet("/issues/1")
	mustLack(t, page, "second")
	mustContain(t, page, "You deleted this comment.", "/comments/"+entry+"/restore")
	s.act("/issues/1/comments/"+entry+"/restore", "")
	mustContain(t, s.mustGet("/issues/1"), "<p>second</p>")
	s.act("/issues/1/comments/"+entry+"/delete", "")
	s.signInAs("third@example.com", access.Admin)
	mustLack(t, s.mustGet("/issues/1"), "You deleted this comment.")
}

// TestHostileComments looks at what becomes of attacks.
func TestHostileComments(t *testing.T) {
	s := newSite(t, nil)
	s.message("it broke", testNow)
	for _, text := range []string{hostile, "[click](javascript:alert(1))", "![x](https://example.com/a.png)", "<img src=x onerror=alert(1)>\n\n<script>alert(1)</script>",
		"[x](https://example.com/\"onmouseover=alert(1))", "```\n</code></pre><script>alert(1)</script>\n```", "<https://example.com/'\"><svg onload=alert(1)>", "</textarea><script>alert(1)</script>"} {
		to := s.act("/issues/1/comments", url.Values{"text": {text}}.Encode())
		assertInert(t, text, s.mustGet("/issues/1"))
		assertInert(t, text, s.mustGet("/issues/1?edit="+strings.TrimPrefix(to, "/issues/1#entry-")))
	}
	doc, err := html.Parse(strings.NewReader(s.mustGet("/issues/1")))
	if err != nil {
		t.Fatal(err)
	}
	for node := range doc.Descendants() {
		if href := attr(node, "href"); strings.HasPrefix(href, "https://example.com") && attr(node, "rel") != "nofollow noopener noreferrer ugc" {
			t.Errorf("a link to %s has rel %q", href, attr(node, "rel"))
		}
	}
}
