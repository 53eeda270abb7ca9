package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sundew/digester/store"
	"sundew/schema/event/eventtest"
)

// TestProjects creates projects with the form.
func TestProjects(t *testing.T) {
	s := newSite(t, nil)
	resp := s.post("/projects", "name=Payments+API")
	if to := resp.Header.Get("Location"); resp.StatusCode != 303 || to != "/projects/2/setup" {
		t.Fatalf("status %d to %q", resp.StatusCode, to)
	}
	mustContain(t, s.mustGet("/projects/2/setup"), "Set up Payments API")
	for _, name := range []string{"", "   ", strings.Repeat("x", 81), "two\nlines"} {
		resp := s.post("/projects", url.Values{"name": {name}}.Encode())
		page := bodyOf(t, resp)
		if resp.StatusCode != 422 {
			t.Errorf("name %q: status %d", name, resp.StatusCode)
		}
		mustContain(t, page, "Invalid project name: it needs 1 to 80", `value="`+name+`"`, "Payments API")
	}
	if resp := s.post("/projects", "name="+strings.Repeat("x", 2*maxForm)); resp.StatusCode != 400 {
		t.Errorf("a form without end: status %d", resp.StatusCode)
	}
	mustLack(t, s.mustGet("/"), "/projects/3/")
}

// TestGuides checks that each platform's guide has the project's address in it
// and none of the placeholders.
func TestGuides(t *testing.T) {
	s := newSite(t, func(cfg *Config) { cfg.PublicURL = "https://errors.example.com/sundew" })
	for _, g := range setupGuides() {
		page := s.mustGet("/projects/1/setup?platform=" + g.key)
		mustContain(t, page, `aria-current="page">`+g.name)
		_, guide, _ := strings.Cut(page, "guide-steps")
		mustContain(t, guide, "0123456789abcdef0123456789abcdef", "errors.example.com/sundew", "est error")
		mustLack(t, guide, "{dsn}", "{key}", "{store}")
	}
	mustContain(t, s.mustGet("/projects/1/setup?platform=curl"), "https://errors.example.com/sundew/api/1/store/")
	mustContain(t, s.mustGet("/projects/1/setup?platform=nonsense"), `aria-current="page">JavaScript`)
}

// TestIssueList pages, sorts and filters.
func TestIssueList(t *testing.T) {
	s := newSite(t, nil)
	for i := range issuesPerPage + 10 {
		s.message(fmt.Sprintf("message %03d", i), testNow.Add(-time.Duration(i)*time.Minute))
	}
	s.message("message 055", testNow.Add(-2*time.Hour)) // a second event: first by count

	first := s.mustGet("/projects/1/issues")
	mustContain(t, first, "message 000", "message 049", `href="/projects/1/issues?page=2"`, "Page 1")
	mustLack(t, first, "message 050")
	second := s.mustGet("/projects/1/issues?page=2")
	mustContain(t, second, "message 050", "message 059", `rel="prev" href="/projects/1/issues"`)
	mustLack(t, second, "message 049", `rel="next"`)
	for _, nonsense := range []string{"?page=0", "?page=-1", "?page=x", "?page=99999999999999999999", "?since=nonsense&graph=nonsense&sort=nonsense", "?page=100000"} {
		if page := s.mustGet("/projects/1/issues" + nonsense); page != first {
			t.Errorf("%s is not the first page", nonsense)
		}
	}
	byCount := s.mustGet("/projects/1/issues?sort=events")
	if strings.Index(byCount, "message 055") > strings.Index(byCount, "message 059") {
		t.Error("sorted by events, the issue with two is not first")
	}
	mustContain(t, byCount, `href="/projects/1/issues?page=2&amp;sort=events"`)
}

// TestStates resolves and reopens, and looks at tabs and history.
func TestStates(t *testing.T) {
	s := newSite(t, nil)
	s.message("one", testNow.Add(-time.Hour))
	s.message("two", testNow.Add(-time.Minute))
	resp := s.post("/issues/1/resolve", "")
	if to := resp.Header.Get("Location"); resp.StatusCode != 303 || to != "/issues/1" {
		t.Fatalf("status %d to %q", resp.StatusCode, to)
	}
	mustContain(t, s.mustGet("/issues/1"), "Reopen", "<span>Resolved</span>", `href="/issues/1/events/1"`)
	mustLack(t, s.mustGet("/projects/1/issues"), ">one<")
	mustContain(t, s.mustGet("/projects/1/issues?q=is:resolved"), ">one<", `Open <span class="badge">1</span>`, `Resolved <span class="badge">1</span>`, `All <span class="badge">2</span>`)
	mustContain(t, s.mustGet("/projects/1/issues?q="), ">one<", ">two<")

	s.message("one", testNow)
	mustContain(t, s.mustGet("/issues/1"), "Came back after it was resolved", "Resolve</button>")
	s.post("/issues/1/resolve", "")
	s.post("/issues/1/reopen", "")
	mustContain(t, s.mustGet("/issues/1"), "<span>Reopened</span>")
	if got := s.post("/issues/9/resolve", "").StatusCode; got != 404 {
		t.Errorf("resolving what there is not: status %d", got)
	}
}

// rowOf is an issue's row of a list.
func rowOf(t *testing.T, page, short string) string {
	t.Helper()
	for row := range strings.SplitSeq(page, `<tr role="row"`) {
		if strings.Contains(row, "<span>"+short+"</span>") {
			return row
		}
	}
	t.Fatalf("no row of %s", short)
	return ""
}

// TestIssueMarks looks at what a list says of issues beside their titles.
func TestIssueMarks(t *testing.T) {
	s := newSite(t, nil)
	const day = 24 * time.Hour
	s.message("plain", testNow.Add(-8*day))
	s.message("back", testNow.Add(-8*day))
	s.message("loud", testNow.Add(-8*day))
	s.message("young", testNow.Add(-6*day))
	s.act("/issues/2/resolve", "")
	s.released("back", "shop@1.3")
	s.act("/issues/3/mute", "do=mute:events&events=1&period=ever")
	s.message("loud", testNow)
	s.mustWrite(func(tx *store.Tx) error { _, err := tx.CreateTeam("Ours"); return err })
	s.mustWrite(func(tx *store.Tx) error { return tx.SetProjectTeam(1, 1) })
	s.act("/issues/2/assign", "do=assign:to&to=team:1")
	s.act("/issues/3/assign", "do=assign:me")
	s.act("/issues/1/comments", "text=a")
	s.act("/issues/1/comments", "text=b")

	page := s.mustGet("/projects/1/issues")
	assertInert(t, "list", page)
	all := []string{`"note">new<`, `"note">came back<`, `"note">no longer muted<`, `</span>#ours<`, `</span>owner@example.com<`, ">2 comments<"}
	for short, has := range map[string][]string{
		"WEB-SHOP-1": {all[5]}, "WEB-SHOP-2": {all[1], all[3]}, "WEB-SHOP-3": {all[2], all[4]}, "WEB-SHOP-4": {all[0]},
	} {
		row := rowOf(t, page, short)
		mustContain(t, row, has...)
		for _, mark := range all {
			if !slices.Contains(has, mark) {
				mustLack(t, row, mark)
			}
		}
	}

	issue := s.mustGet("/issues/2")
	mustContain(t, issue, ">came back</span>", "Came back after it was resolved, in shop@1.3")
	mustLack(t, s.mustGet("/issues/1"), "came back")
	s.act("/issues/2/resolve", "")
	mustLack(t, s.mustGet("/issues/2"), ">came back</span>")
	mustLack(t, rowOf(t, s.mustGet("/projects/1/issues?q="), "WEB-SHOP-2"), "came back")

	s.act("/issues/1/merge", "issue=3") // a head says what became of its members
	mustContain(t, rowOf(t, s.mustGet("/projects/1/issues"), "WEB-SHOP-1"), "no longer muted", "2 comments")
}

// TestIssueGraph asks for the graph of two weeks and keeps what else the address says.
func TestIssueGraph(t *testing.T) {
	s := newSite(t, nil)
	s.message("old", testNow.Add(-5*24*time.Hour))
	day := s.mustGet("/issues/1?frames=oldest")
	mustContain(t, day, "Last 24 hours", "0 events", `href="/issues/1?frames=oldest&amp;graph=14d#graph"`)
	weeks := s.mustGet("/issues/1?frames=oldest&graph=14d&did=resolve&n=1")
	mustContain(t, weeks, "Last 14 days", "1 event, at most 1 a day", `viewBox="0 0 138 40"`, "<span>8 Mar</span>",
		`href="/issues/1?frames=oldest#graph">24 hours`, `href="/issues/1?frames=oldest&amp;graph=14d#graph" aria-current="true">14 days`)
	mustLack(t, weeks, "Last 24 hours")
	mustContain(t, s.mustGet("/issues/1?graph=nonsense"), "Last 24 hours")
}

// TestEventList pages through an issue's events and steps from one to the next.
func TestEventList(t *testing.T) {
	s := newSite(t, nil)
	const events = 2*eventsPerPage + 20
	for i := range events {
		s.message("same", testNow.Add(-time.Duration(events-i)*time.Second))
	}
	first := s.mustGet("/issues/1/events")
	mustContain(t, first, `"/issues/1/events/120"`, `"/issues/1/events/71"`, `rel="next" href="/issues/1/events?before=71"`)
	mustLack(t, first, `"/issues/1/events/70"`, `rel="prev"`)
	second := s.mustGet("/issues/1/events?before=71")
	mustContain(t, second, `"/issues/1/events/70"`, `"/issues/1/events/21"`, `rel="prev" href="/issues/1/events?after=70"`)
	third := s.mustGet("/issues/1/events?before=21")
	mustContain(t, third, `"/issues/1/events/20"`, `"/issues/1/events/1"`, `rel="prev" href="/issues/1/events?after=20"`)
	mustLack(t, third, `rel="next"`)
	mustContain(t, s.mustGet("/issues/1/events?after=20"), `"/issues/1/events/70"`, `"/issues/1/events/21"`, `rel="prev" href="/issues/1/events?after=70"`, `rel="next" href="/issues/1/events?before=21"`)
	mustLack(t, s.mustGet("/issues/1/events?after=70"), `rel="prev"`)

	middle := s.mustGet("/issues/1/events/60")
	for _, number := range []int{1, 59, 61, 120} {
		mustContain(t, middle, fmt.Sprintf(`<a class="button" href="/issues/1/events/%d"`, number))
	}
	mustContain(t, s.mustGet("/issues/1"), "Event 120", `aria-disabled="true">Next`)
}

// TestFindEvent looks events up by the id that an SDK knows.
func TestFindEvent(t *testing.T) {
	s := newSite(t, nil)
	s.message("one", testNow)
	ev := s.message("two", testNow)
	id := ev.ID.String()
	dashed := id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
	for _, path := range []string{"/events/" + id, "/events/" + strings.ToUpper(id), "/events/" + dashed, "/events?id=+" + id + "+", "/events?id=" + strings.ToUpper(dashed)} {
		resp := s.get(path)
		if to := resp.Header.Get("Location"); resp.StatusCode != 303 || to != "/issues/2/events/1" {
			t.Errorf("%s: status %d to %q", path, resp.StatusCode, to)
		}
	}
	mustContain(t, bodyOf(t, s.get("/events?id=nonsense")), "No such event")
}

// TestEventJSON checks that the JSON is what the client sent, and valid even
// where that was not.
func TestEventJSON(t *testing.T) {
	s := newSite(t, nil)
	p := find(t, eventtest.Captured(t), "py2-chained")
	s.digest(p, testNow)
	var want, got bytes.Buffer
	if err := json.Compact(&want, p.JSON); err != nil {
		t.Fatal(err)
	}
	if err := json.Compact(&got, []byte(s.mustGet("/issues/1/events/1/json"))); err != nil {
		t.Fatal(err)
	}
	if got.String() != want.String() {
		t.Error("the JSON is not what was sent")
	}
	ev := s.digest(eventtest.Payload{Name: "nan", JSON: []byte(`{"message":"not a number","extra":{"x":NaN}}`)}, testNow)
	if body := s.mustGet(fmt.Sprintf("/issues/%d/events/1/json", ev.Issue)); !json.Valid([]byte(body)) {
		t.Errorf("not JSON: %s", body)
	}
}

// TestSecondProject checks that lists do not mix projects.
func TestSecondProject(t *testing.T) {
	s := newSite(t, nil)
	s.message("first project's", testNow)
	s.post("/projects", "name=Other")
	mustLack(t, s.mustGet("/projects/2/issues"), "first project")
	mustContain(t, s.mustGet("/projects/2/issues"), "No events yet")
}
