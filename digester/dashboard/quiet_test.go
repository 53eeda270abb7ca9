package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"sundew/digester/deed"
	"sundew/digester/store"
)

// TestQuietIssues resolves what nobody has seen for long, in several transactions.
func TestQuietIssues(t *testing.T) {
	s := newSite(t, nil)
	const old = 2*deed.QuietChunk + 3
	for i := range old {
		s.message(fmt.Sprintf("old %03d", i), testNow.AddDate(0, 0, -20).Add(-time.Duration(i)*time.Second))
	}
	s.message("older", testNow.AddDate(0, 0, -40))
	s.message("new", testNow.AddDate(0, 0, -3))
	s.post("/projects", "name=Other")

	mustContain(t, s.mustGet("/projects/1/issues"), `href="/projects/1/quiet"`)
	mustLack(t, s.mustGet("/projects/1/issues?q=is:resolved"), "/quiet")
	text := textOf(s.mustGet("/projects/1/quiet"))
	mustContain(t, text, "7 days 404 14 days 404 30 days 1 90 days 0 1 open issue not seen for 30 days", "Resolve 1 issue ")
	for _, nonsense := range []string{"?days=1", "?days=8", "?days=x", "?days=-7"} {
		if textOf(s.mustGet("/projects/1/quiet"+nonsense)) != text {
			t.Errorf("%s is not the default", nonsense)
		}
	}
	mustContain(t, textOf(s.mustGet("/projects/1/quiet?days=90")), "Every open issue was seen in the last 90 days", "nothing to resolve")
	before := testNow.AddDate(0, 0, -14).UnixMilli()
	mustContain(t, s.mustGet("/projects/1/quiet?days=14"), fmt.Sprintf(`name="before" value="%d"`, before), "Resolve 404 issues")

	resolve := func(form, want string) {
		t.Helper()
		resp := s.post("/projects/1/quiet", form)
		if to := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther || to != want {
			t.Errorf("%s: status %d to %q, want %q", form, resp.StatusCode, to, want)
		}
	}
	resolve("before="+strconv.FormatInt(before, 10), "/projects/1/issues?resolved=404")
	resolve("before="+strconv.FormatInt(before, 10), "/projects/1/issues?resolved=0")
	page := s.mustGet("/projects/1/issues?resolved=404")
	mustContain(t, page, "404 issues were resolved.", ">new<", `Open <span class="badge">1</span>`)
	mustLack(t, page, ">old")
	mustContain(t, s.mustGet("/issues/1"), "<span>Resolved</span>")
	s.message("old 000", testNow)
	mustContain(t, s.mustGet("/issues/1"), "Came back after it was resolved")
}

// TestQuietIssuesRefuses what no page of ours sends.
func TestQuietIssuesRefuses(t *testing.T) {
	s := newSite(t, nil)
	s.message("yesterday", testNow.AddDate(0, 0, -1))
	long := fmt.Sprint(testNow.AddDate(0, 0, -7).UnixMilli())
	for _, c := range []struct {
		path, form string
		want       int
	}{
		{"/projects/1/quiet", "", 400}, {"/projects/1/quiet", "before=x", 400},
		{"/projects/1/quiet", fmt.Sprint("before=", testNow.UnixMilli()), 422},
		{"/projects/1/quiet", "before=9223372036854775807", 422},
		{"/projects/1/quiet", "before=-9223372036854775808", 303},
		{"/projects/9/quiet", "before=" + long, 404}, {"/projects/x/quiet", "before=" + long, 404},
	} {
		if resp := s.post(c.path, c.form); resp.StatusCode != c.want {
			t.Errorf("%s %s: status %d, want %d", c.path, c.form, resp.StatusCode, c.want)
		}
	}
	if resp := s.get("/projects/9/quiet"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("status %d", resp.StatusCode)
	}
	mustContain(t, s.mustGet("/projects/1/issues"), ">yesterday<")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := deed.ResolveQuiet(ctx, s.dash.cfg.Replica, s.dash.cfg.DB, deed.By{}, 1, testNow.AddDate(0, 0, -7), testNow); store.KindOf(err) != store.KindInterrupted {
		t.Errorf("a reader that has gone: %v", err)
	}
}
