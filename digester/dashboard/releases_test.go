package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
	"sundew/schema/event/eventtest"
)

func (s *site) release(text, release, environment string) stored {
	s.t.Helper()
	body := fmt.Appendf(nil, `{"message":%q,"release":%q,"environment":%q}`, text, release, environment)
	return s.digest(eventtest.Payload{Name: text, JSON: body}, testNow)
}

func TestReleases(t *testing.T) {
	s := newSite(t, nil)
	s.release("a", "shop@1.10.0", "production")
	s.release("b", "shop@1.9.0", "production")
	s.release("a", "shop@1.10.0", "staging")
	s.release("a", "a/b?c&d", "staging")
	page := s.mustGet("/projects/1/releases")
	mustContain(t, page, "a/b?c&amp;d", "50%", "25%", "/projects/1/release?version=a%2Fb%3Fc%26d")
	if strings.Index(page, "shop@1.9.0") > strings.Index(page, "shop@1.10.0") {
		t.Error("by date the newest release comes first")
	}
	page = s.mustGet("/projects/1/releases?sort=version")
	if strings.Index(page, "shop@1.9.0") < strings.Index(page, "shop@1.10.0") {
		t.Error("by version the highest release comes first")
	}
	page = s.mustGet("/projects/1/releases?environment=production")
	mustLack(t, page, "a/b?c&amp;d")
	mustContain(t, s.mustGet("/projects/1/releases?environment=nowhere"), "nowhere")

	page = s.mustGet("/projects/1/release?version=shop%401.10.0")
	mustContain(t, page, "WEB-SHOP-1", "production", "staging", "2 events")
	mustLack(t, page, "WEB-SHOP-2")
	mustContain(t, s.mustGet("/projects/1/release?version=a%2Fb%3Fc%26d"), "a/b?c&amp;d", `href="/projects/1/issues?q=&amp;release=a%2Fb%3Fc%26d"`)
	if resp := s.get("/projects/1/release?version=9"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a release that nobody saw: status %d", resp.StatusCode)
	}
}

func TestDeployForm(t *testing.T) {
	s := newSite(t, nil)
	s.release("a", "1.0", "production")
	s.mustReturn("/projects/1/deploys", url.Values{"release": {"1.0"}, "environment": {""}, "name": {hostile}})
	page := s.mustGet(s.mustPost("/projects/1/deploys", url.Values{"release": {"1.0"}, "environment": {"production"}, "name": {"<b>blue"}}))
	mustContain(t, page, "&lt;b&gt;blue", "The deploy is recorded.")
	mustContain(t, s.mustGet(s.mustPost("/projects/1/deploys", url.Values{"release": {"2.0"}, "environment": {"qa"}})), "No event of this release has come yet")
	s.mustPost("/projects/1/deploys/1/remove", nil)
	mustLack(t, s.mustGet("/projects/1/release?version=1.0"), "blue")
	s.mustPost("/projects/1/deploys/2/remove", nil)
	if resp := s.post("/projects/1/deploys/2/remove", ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a deploy that is gone: status %d", resp.StatusCode)
	}
}

func TestSortByVersion(t *testing.T) {
	want := []string{"2.0", "1.0", "abc", "a@1.10.0", "a@1.9.0", "a@1.9.0-rc.1", "a@0.0.0-0", "a@x", "b@3.0.0"}
	var releases []store.Release
	for _, version := range []string{"a@1.9.0", "abc", "b@3.0.0", "1.0", "a@x", "a@0.0.0-0", "a@1.10.0", "2.0", "a@1.9.0-rc.1"} {
		releases = append(releases, store.Release{Version: version})
	}
	for range 2 {
		sortByVersion(releases)
		got := make([]string, len(releases))
		for i, r := range releases {
			got[i] = r.Version
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		slices.Reverse(releases)
	}
}

// The set-up page waits, and knows where to go when something comes.
func TestSetupStatus(t *testing.T) {
	s := newSite(t, nil)
	mustContain(t, s.mustGet("/projects/1/setup"), "Waiting for the first event", `data-waiting="/projects/1/setup/status"`, "X-Sentry-Auth")
	status := func() (answer struct {
		Events int64
		Next   string
	}) {
		t.Helper()
		if err := json.Unmarshal([]byte(s.mustGet("/projects/1/setup/status")), &answer); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	if got := status(); got.Events != 0 || got.Next != "" {
		t.Errorf("before: %+v", got)
	}
	ev := s.message("first", testNow)
	if got := status(); got.Events != 1 || got.Next != fmt.Sprintf("/issues/%d", ev.Issue) {
		t.Errorf("after: %+v", got)
	}
	mustLack(t, s.mustGet("/projects/1/setup"), "data-waiting")
}

// What tools said of a release is on its page, before there is an event of it and after.
func TestReleaseOfTools(t *testing.T) {
	s := newSite(t, nil)
	at := testNow.Add(-time.Hour)
	s.mustWrite(func(tx *store.Tx) error {
		change := store.ReleaseChange{URL: new("https://example.com/3"), ReleasedAt: &at, Archived: new(true)}
		if _, err := tx.MakeRelease(1, "web@3", change); err != nil {
			return err
		}
		if _, err := tx.AddDeploy(1, store.Deploy{Release: "web@3", Environment: "production", URL: "https://shop.example"}); err != nil {
			return err
		}
		commits := []store.Commit{{Hash: "0123456789abcdef", Repository: "github.com/shop/web", AuthorName: "Ada <b>", Message: "Fix the cart\n\nhidden", At: at}, {Hash: "fedcba9876543210", Repository: "shop/web"}}
		return tx.SetCommits(1, "web@3", slices.Concat(commits, slices.Repeat(commits[1:], 60)))
	})
	page := s.mustGet("/projects/1/release?version=web%403")
	mustContain(t, page, "archived", "Finalized", `href="https://example.com/3"`, `href="https://shop.example"`, "No event of this release", "Fix the cart",
		`href="https://github.com/shop/web/commit/0123456789abcdef"`, "<code>fedcba9876</code>", "Ada &lt;b&gt;", "Older commits")
	mustLack(t, page, "hidden</span>", `/commit/fedcba`)
	mustContain(t, s.mustGet("/projects/1/releases"), "web@3", "archived")
}

func TestCommitURL(t *testing.T) {
	for repository, want := range map[string]string{
		"": "", "shop/web": "", "origin": "", "javascript:alert(1)": "", "https://me:secret@example.com/x": "",
		"github.com/shop/web":            "https://github.com/shop/web/commit/abc",
		"https://git.example.com/x.git/": "https://git.example.com/x/commit/abc",
		"bitbucket.org/shop/web":         "https://bitbucket.org/shop/web/commits/abc",
	} {
		if got := commitURL(repository, "abc"); got != want {
			t.Errorf("%q: %q, want %q", repository, got, want)
		}
	}
}
