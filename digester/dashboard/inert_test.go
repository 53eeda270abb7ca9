package dashboard

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"sundew/digester/highlight"
	md "sundew/digester/markdown"
	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/event/eventtest"
)

// hostile is a text that breaks out of every place where escaping was forgotten.
const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>` + "`${alert(1)}`"

// TestInjection fills every field of an event with attacks and looks at every
// page for anything that a browser would run, load or follow.
func TestInjection(t *testing.T) {
	for _, text := range []string{hostile, "javascript:alert(1)", "https://example.com/\" onmouseover=\"alert(1)", "\u202e</title><svg onload=alert(1)>"} {
		s := newSite(t, nil)
		ev := s.digest(eventtest.Payload{Name: "hostile", SDK: text, JSON: eventtest.Hostile(text)}, testNow)
		s.hostileBooks(text)
		s.hostileLetters(text)
		s.upload(store.BundleArtifacts, text)
		s.upload(store.BundleDebugFile, text)
		if resp := s.post(fmt.Sprintf("/issues/%d/resolve", ev.Issue), ""); resp.StatusCode != 303 {
			t.Fatalf("resolving: status %d", resp.StatusCode)
		}
		for _, path := range append(allPages(s, ev), s.dead.path(0), s.dead.path(1), s.dead.path(2), "/dead-letters?retried="+url.QueryEscape(text)) {
			resp := s.get(path)
			if strings.HasPrefix(path, "/dead") && resp.StatusCode != 200 {
				t.Errorf("%s: status %d", path, resp.StatusCode)
			}
			page := bodyOf(t, resp)
			if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
				assertInert(t, path, page)
			}
		}
		for _, path := range []string{fmt.Sprintf("/issues/%d", ev.Issue), "/ledger", "/dead-letters", s.dead.path(0)} {
			mustContain(t, s.mustGet(path), html.EscapeString(text)[:12])
		}
	}
}

// TestProjectNameInjection does the same with what people type.
func TestProjectNameInjection(t *testing.T) {
	s := newSite(t, nil)
	project := hostile
	if resp := s.post("/projects", "name="+strings.NewReplacer("<", "%3C", "&", "%26", ";", "%3B", "+", "%2B").Replace(project)); resp.StatusCode != 303 {
		t.Fatalf("creating: status %d", resp.StatusCode)
	}
	resp := s.post("/projects", "name="+strings.Repeat("%3Cscript%3E", 20))
	if resp.StatusCode != 422 {
		t.Fatalf("creating with a long name: status %d", resp.StatusCode)
	}
	assertInert(t, "the form that came back", bodyOf(t, resp))
	for _, path := range []string{"/", "/projects/2/setup", "/projects/2/issues"} {
		assertInert(t, path, s.mustGet(path))
	}
}

// FuzzEventView renders events of any content.
func FuzzEventView(f *testing.F) {
	f.Add(eventtest.Hostile(hostile))
	f.Add([]byte(`{"exception":[{"type":"<b>","value":["x"]}],"request":{"url":"javascript:1"}}`))
	f.Add([]byte(`{"extra":{"a":` + strings.Repeat("[", 60) + strings.Repeat("]", 60) + `}}`))
	files, err := loadAssets()
	if err != nil {
		f.Fatal(err)
	}
	all, err := loadPages(links{}, files, Config{Now: testClock})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		ev, err := event.Parse(payload)
		if err != nil {
			return
		}
		view := &eventView{Event: store.Event{IssueID: 1, Number: 1}}
		view.fill(ev, highlight.NewLanguages())
		var page strings.Builder
		if err := all.render(&page, "event", framed{Page: eventPage{Event: view}}); err != nil {
			t.Fatal(err)
		}
		assertInert(t, "event", page.String())
		if limit := 2 * pageBudget; page.Len() > limit {
			t.Errorf("the page has %d bytes, more than %d", page.Len(), limit)
		}
	})
}

// allPages returns the address of every page about an event.
func allPages(s *site, ev stored) []string {
	project, issue := fmt.Sprintf("/projects/%d", s.project.ID), fmt.Sprintf("/issues/%d", ev.Issue)
	one := fmt.Sprintf("%s/events/%d", issue, ev.Event.Number)
	return []string{
		"/", project + "/setup", project + "/setup?platform=curl", project + "/issues", project + "/issues?q=",
		project + "/issues?q=is:resolved&sort=events&graph=14d", "/issues?q=", "/issues?q=" + url.QueryEscape("release:\""+hostile) + "&env=" + url.QueryEscape(hostile) + "&deleted=" + url.QueryEscape(hostile), issue, issue + "/events", one, one + "?frames=oldest", one + "?maps=explained", one + "?as=sent", one + "?crumbs=notable", one + "?crumbs=" + url.QueryEscape("kind:"+hostile),
		project + "/quiet", project + "/feedback", project + "/issues?resolved=3", "/dead-letters", "/ledger", "/system", fmt.Sprintf("/ledger?project=%d", s.project.ID), "/nowhere", "/issues/999", "/events/" + strings.Repeat("a", 32),
		"/docs/api", "/teams", "/teams/1", "/teams/1/invite", "/users", "/users/1", "/users/invite", "/account", "/account/sessions", "/audit", project + "/audit", "/mail", "/limits", "/forgot",
		project + "/settings", project + "/settings/keys", project + "/settings/domains", project + "/settings/limits", project + "/settings/grouping",
		project + "/settings/privacy", project + "/settings/environments", project + "/settings/alerts", project + "/settings/alerts/new", project + "/settings/alerts/1", project + "/settings/members", project + "/settings/delete", "/projects/deleted",
		project + "/settings/channels", project + "/settings/channels/new?kind=telegram",
		project + "/settings/sourcemaps", project + "/settings/sourcemaps/1", project + "/settings/sourcemaps/2",
		project + "/settings/retention", project + "/settings/person", "/person", "/system/database", "/sql?deleted=" + url.QueryEscape(hostile) + "&q=" + url.QueryEscape("SELECT '"+hostile),
		project + "/releases", project + "/releases?sort=version&environment=" + url.QueryEscape(ev.Event.Environment),
		project + "/release?version=" + url.QueryEscape(ev.Event.Release),
	}
}

// assertInert fails for everything on a page that runs, loads or leads anywhere
// but to where the dashboard's own templates do.
func assertInert(t testing.TB, path, page string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	allowed := strings.Fields(`html head meta title link script body a header div img form label input button select option optgroup textarea fieldset legend kbd main nav ol li ul footer span
		h1 h2 h3 h4 p code pre strong time svg g rect figure figcaption section article aside table thead tbody tr th td dl dt dd details summary mark`)
	allowed = append(allowed, md.Elements()...)
	for node := range doc.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		if !slices.Contains(allowed, node.Data) {
			t.Errorf("%s: unexpected element <%s>", path, node.Data)
		}
		if node.Data == "script" && (attr(node, "src") == "" || node.FirstChild != nil) {
			t.Errorf("%s: an inline script", path)
		}
		for _, a := range node.Attr {
			assertInertAttr(t, path, node, a)
		}
	}
}

func assertInertAttr(t testing.TB, path string, node *html.Node, a html.Attribute) {
	t.Helper()
	switch {
	case strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcdoc" || a.Key == "http-equiv" || strings.ContainsAny(a.Key, `<>"'=`):
		t.Errorf("%s: unexpected attribute %s=%q of <%s>", path, a.Key, a.Val, node.Data)
	case a.Key == "src" || a.Key == "href" && node.Data == "link":
		if !strings.HasPrefix(a.Val, "/static/") {
			t.Errorf("%s: <%s> loads %q", path, node.Data, a.Val)
		}
	case a.Key == "action":
		if !strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "//") {
			t.Errorf("%s: a form goes to %q", path, a.Val)
		}
	case a.Key == "href":
		inside := strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "//") || strings.HasPrefix(a.Val, "#") || strings.HasPrefix(a.Val, "?")
		outside := strings.HasPrefix(a.Val, "https://") || strings.HasPrefix(a.Val, "http://") || strings.HasPrefix(a.Val, "mailto:")
		if !inside && !(outside && strings.Contains(attr(node, "rel"), "noreferrer")) {
			t.Errorf("%s: a link leads to %q", path, a.Val)
		}
	}
}

func attr(node *html.Node, key string) string {
	for _, a := range node.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
