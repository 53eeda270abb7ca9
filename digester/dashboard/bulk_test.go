package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sundew/digester/access"
	"sundew/digester/store"
)

// TestBulk does things to several issues of a list and undoes what can be undone.
func TestBulk(t *testing.T) {
	s := newSite(t, nil)
	for i := range 4 {
		s.message(fmt.Sprintf("issue %d", i), testNow)
	}
	s.message("issue 2", testNow)
	list := "/projects/1/issues"
	bulk := func(form, words string, state store.IssueState) {
		t.Helper()
		to := s.act("/issues/bulk", form+"&back="+url.QueryEscape(list+"?page=1"))
		if !strings.HasPrefix(to, list+"?page=1&") {
			t.Errorf("it leads to %q", to)
		}
		page := s.mustGet(to)
		mustContain(t, page, words)
		assertInert(t, form, page)
		if got := s.issue(1).State; got != state {
			t.Errorf("%s: issue 1 is %s, want %s", form, got, state)
		}
	}
	mustContain(t, s.mustGet(list), `name="issue" value="1" form="bulk"`, "Choose WEB-SHOP-1")
	bulk("do=resolve&issue=1&issue=2&issue=2", "2 issues resolved.", store.StateResolved)
	bulk("do=resolve&issue=1&issue=2&issue=3&issue=999", "1 issue resolved, 2 were already.", store.StateResolved)
	if e := s.lastAudit(); e.Action != "issue.resolve" || e.Subject != "WEB-SHOP-3" {
		t.Errorf("audited %+v", e)
	}
	bulk("do=reopen&issue=1&issue=2&issue=3", "3 issues reopened.", store.StateOpen)
	bulk("do=mute:1d&issue=1", "1 issue muted.", store.StateMuted)
	bulk("do=assign:me&issue=1&issue=2", "2 issues assigned.", store.StateMuted)
	bulk("do=merge&issue=1&issue=3&issue=4", "2 issues merged.", store.StateMerged)
	if got := s.issue(1).MergedInto; got != 3 {
		t.Errorf("merged into %d, want the one with the most events", got)
	}
	bulk("do=unmerge&head=3&issue=1&issue=4", "2 issues taken apart.", store.StateMuted)
	bulk("do=delete&issue=1&issue=2", "2 issues deleted.", store.StateDeleted)
	bulk("do=delete&issue=1", "No issue was deleted, 1 was already.", store.StateDeleted)
	bulk("do=restore&issue=1&issue=2", "2 issues restored.", store.StateMuted)

	many := "do=resolve"
	for i := range store.MaxActed + 1 {
		many += fmt.Sprintf("&issue=%d", i+1)
	}
	mustStatus(t, s.post("/issues/bulk", many), http.StatusUnprocessableEntity)
	if to := s.act("/issues/bulk", "do=resolve&issue=3&back=https://example.com/"); !strings.HasPrefix(to, "/?") {
		t.Errorf("it leads away, to %q", to)
	}
}

// TestBulkMergeHead merges an open issue with a larger one that is resolved: what is
// open stays in the list.
func TestBulkMergeHead(t *testing.T) {
	s := newSite(t, nil)
	for _, text := range []string{"large", "large", "large", "small", "two", "two"} {
		s.message(text, testNow)
	}
	s.act("/issues/1/resolve", "")
	s.act("/issues/bulk", "do=merge&issue=1&issue=2&issue=3")
	if got := s.issue(3); got.State != store.StateOpen || s.issue(1).MergedInto != 3 || s.issue(2).MergedInto != 3 {
		t.Errorf("the larger of the open ones is %+v", got)
	}
	s.message("again", testNow)
	s.act("/issues/3/resolve", "")
	s.act("/issues/3/merge", "short=web-shop-4")
	page := s.mustGet("/issues/3")
	mustContain(t, page, ">open</span>", "Merged with WEB-SHOP-4", "<span>Reopened</span>")
}

// TestUndo offers to undo exactly what can be undone.
func TestUndo(t *testing.T) {
	s := newSite(t, nil)
	s.message("one", testNow)
	s.message("two", testNow)
	s.act("/issues/2/mute", "")
	page := s.mustGet(s.act("/issues/bulk", "do=resolve&issue=1&back=/issues"))
	mustContain(t, page, ">Undo<", `name="do" value="reopen"`)
	page = s.mustGet(s.act("/issues/bulk", "do=resolve&issue=2&back=/issues"))
	mustLack(t, page, ">Undo<") // it would not be muted any more
	for _, query := range []string{"did=nonsense&n=1", "did=resolve&n=x&undo=x.-1.y", "did=delete&n=99999999999999999999&undo=1&head=%3Cscript%3E"} {
		assertInert(t, query, s.mustGet("/issues?"+query))
	}
}

// TestBulkRoles has people of several roles choose issues that they may not change.
func TestBulkRoles(t *testing.T) {
	s := newSite(t, nil)
	s.message("ours", testNow)
	theirs := s.project
	s.mustWrite(func(tx *store.Tx) error {
		for i, name := range []string{"Ours", "Theirs"} {
			if _, err := tx.CreateTeam(name); err != nil {
				return err
			}
			if i == 0 {
				if err := tx.SetProjectTeam(1, 1); err != nil {
					return err
				}
				continue
			}
			p, err := tx.CreateProject("Their project")
			if err != nil {
				return err
			}
			s.project = p
			return tx.SetProjectTeam(p.ID, 2)
		}
		return nil
	})
	s.message("their secret", testNow)
	s.project = theirs
	s.act("/issues/1/reopen", "")
	ours := s.signInAs("member@example.com", access.None)
	s.mustWrite(func(tx *store.Tx) error { return tx.SetTeamMember(1, ours.ID, access.Member) })

	page := s.mustGet(s.act("/issues/bulk", "do=resolve&issue=1&issue=2&back=/issues"))
	mustContain(t, page, "1 issue resolved.")
	mustLack(t, page, "secret")
	for form, want := range map[string]int{
		"do=resolve&issue=2": 404, "do=merge&issue=1&issue=2": 422, "do=delete&issue=1": 403, "do=delete&issue=2": 404,
		"do=unmerge&head=2&issue=1": 404, "do=restore&issue=1": 403, "do=assign:to&to=team:2&issue=1": 422,
	} {
		mustStatus(t, s.post("/issues/bulk", form), want)
	}
	for _, form := range []string{"issue=2", "short=their-project-1"} {
		resp := s.post("/issues/1/merge", form)
		mustStatus(t, resp, http.StatusUnprocessableEntity)
		mustLack(t, bodyOf(t, resp), "secret")
	}
	if got := s.issue(2); got.State != store.StateOpen || got.MergedInto != 0 {
		t.Errorf("the other team's issue is %+v", got)
	}

	s.mustWrite(func(tx *store.Tx) error { return tx.SetTeamMember(2, ours.ID, access.Viewer) })
	mustContain(t, s.mustGet(s.act("/issues/bulk", "do=reopen&issue=1&issue=2&back=/issues")), "1 issue reopened; of 1 your role does not allow it.")
	mustLack(t, s.mustGet("/projects/2/issues"), `form="bulk"`, `id="bulk"`)
	all := s.mustGet("/issues")
	mustContain(t, all, "Choose WEB-SHOP-1", "their secret")
	mustLack(t, all, "Choose THEIR-PROJECT-1", `value="delete"`)
	mustLack(t, s.mustGet("/issues/2"), "/issues/2/resolve", "<textarea", "Merge…")
	mustStatus(t, s.get("/issues/2/merge"), http.StatusForbidden)
}

// TestShortcutsPage documents every key that the script knows.
func TestShortcutsPage(t *testing.T) {
	s := newSite(t, nil)
	page := s.mustGet("/shortcuts")
	for _, key := range []string{"j", "k", "o", "x", "e", "m", "a", "c", "?", "/"} {
		mustContain(t, page, "<kbd>"+key+"</kbd>")
	}
	assertInert(t, "/shortcuts", page)
}
