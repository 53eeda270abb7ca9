package dashboard

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event/eventtest"
)

func testClock() time.Time { return testNow }

// TestPages shows events of real SDKs on every page.
func TestPages(t *testing.T) {
	payloads := eventtest.Captured(t)
	for _, test := range []struct {
		name  string
		event []string // on the page of the event
		list  []string // on the issue list
	}{
		{"py2-chained", []string{"PaymentError", "charge declined", "Caused by", "JSONDecodeError", "Local variables", `data-n="19"`, "in app"}, []string{"PaymentError"}},
		{"java-threads", []string{"Threads", "Finalizer", "com.example.shop.Main"}, []string{"message with all threads"}},
		{"browser-csp--01", []string{"Directive", "script-src"}, []string{"warning"}},
		{"node-scope-full--02", []string{"Breadcrumbs", "User", "Additional data"}, nil},
		{"rb6-rack--01", []string{"Request", "POST", "Headers", "Query", "http://example.org/orders/17"}, []string{"KeyError"}},
		{"py1-group", []string{"ExceptionGroup"}, nil},
		{"go-error", []string{"Modules"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, nil)
			ev := s.digest(find(t, payloads, test.name), testNow.Add(-time.Hour))
			mustContain(t, s.mustGet("/"), "Web shop", "1 issue", "1 event", "http://0123456789abcdef0123456789abcdef@127.0.0.1:8000/1", "1 in 24 h")
			list := s.mustGet("/projects/1/issues")
			mustContain(t, list, test.list...)
			mustContain(t, list, "1 h ago", `aria-current="page">Open`, "WEB-SHOP-1", "1 event in the last 24 hours")
			for _, path := range []string{"/issues/1", "/issues/1/events/1"} {
				page := s.mustGet(path)
				mustContain(t, page, test.event...)
				mustContain(t, page, ev.ID.String(), "WEB-SHOP-1", "Why it is in this issue", "Resolve", "How it got here", "192.0.2.7")
				assertInert(t, path, page)
			}
			mustContain(t, s.mustGet("/issues/1"), "Comments and history", "First seen", "of all events", "100%")
			mustContain(t, s.mustGet("/issues/1/events"), ev.ID.String(), `href="/issues/1/events/1"`)
			mustContain(t, s.mustGet("/projects/1/setup"), "1 event received")
		})
	}
}

// TestEmpty looks at the pages before anything has happened.
func TestEmpty(t *testing.T) {
	s := newSite(t, nil)
	mustContain(t, s.mustGet("/"), "no events yet", "Set up your SDK")
	mustContain(t, s.mustGet("/projects/1/issues"), "No events yet", `href="/projects/1/setup"`)
	mustContain(t, s.mustGet("/projects/1/issues?page=7"), "No more issues")
	mustContain(t, s.mustGet("/projects/1/setup"), "Waiting for the first event")
}

// TestHeaders checks what every answer carries, pages, errors and redirects
// alike.
func TestHeaders(t *testing.T) {
	s := newSite(t, nil)
	ev := s.message("here", testNow)
	paths := append(allPages(s, ev), "/events/"+ev.ID.String(), "/issues/1/", "/events?id=x")
	for _, path := range paths {
		h := s.get(path).Header
		csp := h.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: Content-Security-Policy %q", path, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "same-origin" || h.Get("Cache-Control") == "" {
			t.Errorf("%s: headers %v", path, h)
		}
	}
	h := s.get("/issues/1/events/1/json").Header
	if csp := h.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "sandbox") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("JSON: headers %v", h)
	}
}

// TestNotFound asks for what there is not.
func TestNotFound(t *testing.T) {
	s := newSite(t, nil)
	s.message("here", testNow)
	for _, path := range []string{
		"/nowhere", "/issues/0", "/issues/-1", "/issues/x", "/issues/2", "/issues/99999999999999999999",
		"/issues/1/events/2", "/issues/1/events/x", "/issues/1/events/2/json", "/issues/2/events", "/projects/2/issues", "/projects/x/setup", "/projects",
		"/events", "/events?id=", "/events/zz", "/events/" + strings.Repeat("0", 32), "/events/" + strings.Repeat("a", 32), "/static/none.css", "/\\example.com/",
	} {
		want := http.StatusNotFound
		if path == "/projects" {
			want = http.StatusMethodNotAllowed
		}
		resp := s.get(path)
		if resp.StatusCode == http.StatusPermanentRedirect {
			resp = s.get(resp.Header.Get("Location"))
		}
		if resp.StatusCode != want {
			t.Errorf("GET %s: status %d, want %d", path, resp.StatusCode, want)
		}
		if page := bodyOf(t, resp); !strings.HasPrefix(path, "/static/") {
			mustContain(t, page, "All projects", "<!doctype html>")
		}
	}
}

// TestRedirectStaysHere sends addresses that a careless redirect would take for
// another host.
func TestRedirectStaysHere(t *testing.T) {
	s := newSite(t, nil)
	for _, path := range []string{"//example.com/", "//example.com/..//", `/\example.com/`, "/%5cexample.com/", "/%2f/example.com/"} {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8000/", nil)
		u, err := r.URL.Parse("http://127.0.0.1:8000" + path)
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Path = u.Path
		to := s.do(r).Header.Get("Location")
		if strings.HasPrefix(to, "//") || strings.Contains(to, `\`) || strings.Contains(to, "://") {
			t.Errorf("%s leads to %q", path, to)
		}
	}
}

// TestReadersCannotWrite checks guarantee 7: what a page's handler holds has no
// method that writes, and asking for a form's address with GET changes nothing.
func TestReadersCannotWrite(t *testing.T) {
	rx, tx := reflect.TypeFor[*store.Rx](), reflect.TypeFor[*store.Tx]()
	if got := reflect.TypeFor[reader]().In(0); got != rx {
		t.Errorf("a reader gets a %v", got)
	}
	for _, method := range []string{"CreateProject", "Resolve", "Merge"} {
		if _, ok := tx.MethodByName(method); !ok {
			t.Errorf("Tx has no %s: the test is out of date", method)
		}
		if _, ok := rx.MethodByName(method); ok {
			t.Errorf("Rx has %s", method)
		}
	}

	s := newSite(t, nil)
	ev := s.message("here", testNow)
	for _, path := range append(allPages(s, ev), "/issues/1/resolve", "/issues/1/reopen", "/projects?name=x") {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			s.do(httptest.NewRequest(method, path, nil))
		}
	}
	storetest.MustRead(t, s.replica, func(rx *store.Rx) error {
		projects, err := rx.Projects()
		if err != nil {
			return err
		}
		issue, err := rx.Issue(ev.Issue)
		if len(projects) != 1 || issue.State != store.StateOpen {
			t.Errorf("%d projects, issue %v", len(projects), issue.State)
		}
		return err
	})
}

// TestCrossOrigin sends forms from elsewhere.
func TestCrossOrigin(t *testing.T) {
	for _, test := range []struct {
		name   string
		header map[string]string
		want   int
	}{
		{"another site", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"a sibling", map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"another origin, old browser", map[string]string{"Origin": "https://evil.example.com"}, 403},
		{"no origin to name", map[string]string{"Origin": "null"}, 403},
		{"our own page", map[string]string{"Sec-Fetch-Site": "same-origin"}, 303},
		{"our own page behind a proxy that rewrites Host", map[string]string{"Origin": "http://127.0.0.1:8000"}, 303},
		{"a program", nil, 303},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, nil)
			ev := s.message("here", testNow)
			r := httptest.NewRequest(http.MethodPost, "http://inside.example.com/issues/1/resolve", nil)
			for k, v := range test.header {
				r.Header.Set(k, v)
			}
			if got := s.do(r).StatusCode; got != test.want {
				t.Errorf("status %d, want %d", got, test.want)
			}
			storetest.MustRead(t, s.replica, func(rx *store.Rx) error {
				issue, err := rx.Issue(ev.Issue)
				if resolved := issue.State == store.StateResolved; resolved != (test.want == 303) {
					t.Errorf("resolved: %v", resolved)
				}
				return err
			})
		})
	}
}

// TestMethods checks that a wrong method is told from a wrong address, and HEAD.
func TestMethods(t *testing.T) {
	s := newSite(t, nil)
	s.message("here", testNow)
	for _, test := range []struct {
		method, path string
		want         int
	}{
		{"POST", "/issues/1", 405}, {"DELETE", "/issues/1", 405}, {"GET", "/issues/1/resolve", 405},
		{"PUT", "/projects", 405}, {"POST", "/nowhere", 404}, {"HEAD", "/nowhere", 404}, {"HEAD", "/issues/1", 200},
	} {
		if got := s.do(httptest.NewRequest(test.method, test.path, nil)).StatusCode; got != test.want {
			t.Errorf("%s %s: status %d, want %d", test.method, test.path, got, test.want)
		}
	}
	server := httptest.NewServer(s.dash)
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, server.URL+"/issues/1", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(s.withSession(request))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body := bodyOf(t, resp); resp.StatusCode != 200 || body != "" || resp.ContentLength <= 0 {
		t.Errorf("HEAD: status %d, length %d, %d bytes of body", resp.StatusCode, resp.ContentLength, len(body))
	}
}

// TestBasePath publishes the dashboard below a path, behind proxies that take
// the path off and proxies that do not.
func TestBasePath(t *testing.T) {
	s := newSite(t, func(cfg *Config) { cfg.PublicURL = "https://errors.example.com/tools/sundew/" })
	s.message("here", testNow)
	for _, prefix := range []string{"", "/tools/sundew"} {
		for _, path := range []string{"/", "/projects/1/issues", "/projects/1/setup", "/issues/1", "/issues/1/events", "/issues/1/events/1"} {
			page := s.mustGet(prefix + path)
			for _, link := range []string{`href="/projects`, `href="/issues`, `action="/issues`, `src="/static`, `href="/static`} {
				mustLack(t, page, link)
			}
			mustContain(t, page, `href="/tools/sundew/"`)
		}
		if to := s.post(prefix+"/issues/1/resolve", "").Header.Get("Location"); to != "/tools/sundew/issues/1" {
			t.Errorf("resolving leads to %q", to)
		}
		if to := s.get(prefix + "/issues/1/?a=b").Header.Get("Location"); to != "/tools/sundew/issues/1?a=b" {
			t.Errorf("a slash too many leads to %q", to)
		}
	}
	mustContain(t, s.mustGet("/tools/sundew"), "https://0123456789abcdef0123456789abcdef@errors.example.com/tools/sundew/1")
	if got := s.get("/tools/sundewx/").StatusCode; got == 200 {
		t.Error("a path that only begins like ours was answered")
	}
}

// TestConfig refuses what cannot work.
func TestConfig(t *testing.T) {
	for _, public := range []string{"", "127.0.0.1:8000", "ftp://example.com", "http://", "http://user@example.com", "http://example.com/?x=1", "http://example.com/issues", "http://example.com/projects/x"} {
		if _, err := New(Config{PublicURL: public}); err == nil {
			t.Errorf("public URL %q was accepted", public)
		}
	}
}

// TestInternalError checks that an error that no page explains is logged with
// the number that the page shows, and not shown itself.
func TestInternalError(t *testing.T) {
	s := newSite(t, nil)
	w := httptest.NewRecorder()
	s.dash.fail(w, httptest.NewRequest("GET", "/issues/1", nil), fmt.Errorf("table secrets is corrupt"))
	page := w.Body.String()
	if w.Code != 500 {
		t.Errorf("status %d", w.Code)
	}
	mustLack(t, page, "secrets")
	mustContain(t, s.log.String(), "table secrets is corrupt", "/issues/1")
	_, id, _ := strings.Cut(s.log.String(), `"error_id":"`)
	mustContain(t, page, id[:8])
}

// TestDSN keeps ports and paths of the address.
func TestDSN(t *testing.T) {
	got := map[string]string{}
	for _, public := range []string{"http://127.0.0.1:8000", "https://errors.example.com/", "https://example.com/sundew"} {
		got[public] = DSN(public, "k", 42)
	}
	want := map[string]string{
		"http://127.0.0.1:8000":       "http://k@127.0.0.1:8000/42",
		"https://errors.example.com/": "https://k@errors.example.com/42",
		"https://example.com/sundew":  "https://k@example.com/sundew/42",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestAssets checks that pages refer to files that are there, for ever.
func TestAssets(t *testing.T) {
	s := newSite(t, nil)
	page := s.mustGet("/")
	for _, name := range []string{"sundew.", "icon."} {
		_, rest, ok := strings.Cut(page, `"/static/`+name)
		if !ok {
			t.Fatalf("no link to %s", name)
		}
		path := "/static/" + name + rest[:strings.IndexByte(rest, '"')]
		resp := s.get(path)
		if resp.StatusCode != 200 || !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") || len(bodyOf(t, resp)) == 0 {
			t.Errorf("%s: status %d, headers %v", path, resp.StatusCode, resp.Header)
		}
	}
}
