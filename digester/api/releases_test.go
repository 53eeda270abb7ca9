package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
	"sundew/schema/event/eventtest"
)

func releaseDoors() map[string]door {
	const web, org = "/projects/x/web-shop/releases/", "/organizations/x/releases/"
	doors := make(map[string]door)
	for list, pattern := range map[string]string{web: "/projects/{org}/{project}/releases/", org: "/organizations/{org}/releases/"} {
		unseen := 0 // by those who see another project alone
		if list == org {
			unseen = http.StatusNotFound
		}
		one := list + "made@1/"
		for name, d := range map[string]door{
			"GET ":                      {path: list},
			"POST ":                     {path: list, body: `{"version":"made@1"}`, want: http.StatusAlreadyReported},
			"GET one":                   {path: one, other: unseen},
			"PUT one":                   {path: one, body: `{"dateReleased":"2026-01-02T03:04:05Z"}`, other: unseen},
			"DELETE one":                {path: one, want: http.StatusNoContent, other: unseen},
			"GET commits":               {path: one + "commits/", other: unseen},
			"GET previous-with-commits": {path: one + "previous-with-commits/", other: unseen},
			"GET deploys":               {path: one + "deploys/", other: unseen},
			"POST deploys":              {path: one + "deploys/", body: `{"environment":"production"}`, want: http.StatusCreated, other: unseen},
			"DELETE deploys/{deploy}":   {path: one + "deploys/9/", want: http.StatusNotFound, other: unseen},
		} {
			method, rest, _ := strings.Cut(name, " ")
			switch rest {
			case "":
				if method == "POST" && list == org {
					d.other = http.StatusBadRequest // it names no project of theirs
				}
			case "one":
				rest = "{version}/"
			default:
				rest = "{version}/" + rest + "/"
			}
			doors[method+" "+pattern+rest] = d
		}
	}
	return doors
}

func foreignDoors() map[string]door {
	return map[string]door{
		"GET /organizations/{org}/repos/":               {path: "/organizations/x/repos/"},
		"GET /organizations/{org}/monitors/":            {path: "/organizations/x/monitors/"},
		"GET /projects/{org}/{project}/monitors/":       {path: "/projects/x/web-shop/monitors/"},
		"POST /projects/{org}/{project}/files/dsyms/":   {path: "/projects/x/web-shop/files/dsyms/", want: http.StatusBadRequest},
		"POST /organizations/{org}/code-mappings/bulk/": {path: "/organizations/x/code-mappings/bulk/", body: `{"mappings":[{}]}`, viewer: http.StatusOK},
	}
}

// exchange is a request of a real tool, and what it was content with.
type exchange struct {
	Name   string
	Tool   string
	Method string
	Path   string
	Query  string
	Body   json.RawMessage
	Status int
	Answer any
}

// What sentry-cli sent when it was recorded is answered so that it finds what it then
// reads.
func TestRecordedRequests(t *testing.T) {
	text, err := os.ReadFile("testdata/recorded.json")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, nil)
	r.mustWrite(func(tx *store.Tx) error {
		_, err := tx.ChangeProject(r.web.ID, store.ProjectChange{Name: "Web", Slug: "web"})
		return err
	})
	storetest.MustCreateProject(t, r.db, "Api", "")
	r.message(r.web.ID, "boom")
	for _, c := range mustRead[[]exchange](t, string(text)) {
		body := string(c.Body)
		if body == "null" {
			body = ""
		}
		got := r.do(c.Method, c.Path+"?"+c.Query, r.ownerToken, body)
		if c.Status == http.StatusCreated && got.StatusCode == http.StatusAlreadyReported {
			c.Status = got.StatusCode // it was there
		}
		answer := mustStatus(t, got, c.Status)
		if c.Answer == nil {
			continue
		}
		var ours any
		if err := json.Unmarshal([]byte(answer), &ours); err != nil {
			t.Fatalf("%s: %v: %s", c.Name, err, answer)
		}
		for _, problem := range lacks("answer", c.Answer, ours) {
			t.Errorf("%s, %s: %s", c.Name, c.Tool, problem)
		}
	}
	commits := mustRead[[]Commit](t, r.must(http.StatusOK, "GET", "/organizations/acme/releases/web@3.2.0/commits/", ""))
	if len(commits) != 3 || commits[0].Message != "commit 3: change f3\n\nFixes WEB-3" || commits[0].Author.Email != "ada@example.com" {
		t.Errorf("commits %+v", commits)
	}
}

// lacks says where an answer has not what another one has: keys and kinds of values.
func lacks(at string, want, got any) (problems []string) {
	if want == nil {
		return nil
	}
	if reflect.TypeOf(want) != reflect.TypeOf(got) {
		return []string{fmt.Sprintf("%s is %T, want %T", at, got, want)}
	}
	switch want := want.(type) {
	case map[string]any:
		for key, value := range want {
			ours, ok := got.(map[string]any)[key]
			if !ok {
				problems = append(problems, at+" has no "+key)
				continue
			}
			problems = append(problems, lacks(at+"."+key, value, ours)...)
		}
	case []any:
		if ours := got.([]any); len(want) > 0 && len(ours) > 0 {
			return lacks(at+"[0]", want[0], ours[0])
		}
	}
	return problems
}

// One name is one release to tools, in those projects that they may see.
func TestReleaseOfProjects(t *testing.T) {
	r := newRig(t, nil)
	const all, path = "/organizations/acme/releases/", "/organizations/acme/releases/a%2Bb@1%2F%252F./"
	r.must(http.StatusBadRequest, "POST", all, `{"version":"a+b@1/%2F."}`)
	r.must(http.StatusBadRequest, "POST", all, `{"version":"a+b@1/%2F.","projects":["nowhere"]}`)
	made := mustRead[Release](t, r.must(http.StatusCreated, "POST", all, fmt.Sprintf(`{"version":"a+b@1/%%2F.","projects":["web-shop",%d],"url":"https://example.com/1"}`, r.other.ID)))
	if len(made.Projects) != 2 || made.Status != "open" || made.Version != "a+b@1/%2F." || made.ShortVersion != "1/%2F." {
		t.Errorf("made %+v", made)
	}
	r.must(http.StatusOK, "PUT", path, `{"status":"archived","dateReleased":"2026-03-04T12:00:00.123456789Z","refs":[{"repository":"shop/web","commit":"abc"}]}`)
	got := mustRead[struct{ Status, DateReleased, URL string }](t, r.must(http.StatusOK, "GET", path, ""))
	if got.Status != "archived" || got.DateReleased != "2026-03-04T12:00:00.123000Z" || got.URL != "https://example.com/1" {
		t.Errorf("changed to %+v", got)
	}
	theirs := mustRead[Release](t, mustStatus(t, r.do("GET", Root+path, r.otherToken, ""), http.StatusOK))
	if len(theirs.Projects) != 1 || theirs.Projects[0].ID != int64(r.other.ID) {
		t.Errorf("another sees %+v", theirs.Projects)
	}
	for query, want := range map[string]int{"": 0, "?status=archived": 1, "?status=": 1, "?status=&query=B@1": 1, "?status=&query=c": 0} {
		if list := mustRead[[]Release](t, r.must(http.StatusOK, "GET", all+query, "")); len(list) != want {
			t.Errorf("%s: %d releases, want %d", query, len(list), want)
		}
	}
	// A member of one project's team changes that project's alone.
	mustStatus(t, r.do("PUT", Root+path, r.memberToken, `{"status":"open"}`), http.StatusOK)
	if got := mustRead[Release](t, mustStatus(t, r.do("GET", Root+path, r.otherToken, ""), http.StatusOK)); got.Status != "archived" {
		t.Error("another project's release was changed")
	}
	mustStatus(t, r.do("POST", Root+all, r.memberToken, fmt.Sprintf(`{"version":"x","projects":["%s"]}`, r.other.Slug)), http.StatusBadRequest)
	mustStatus(t, r.do("POST", Root+all, r.viewerToken, `{"version":"x","projects":["web-shop"]}`), http.StatusForbidden)
}

func TestReleaseRefusals(t *testing.T) {
	r := newRig(t, nil)
	const all = "/projects/acme/web-shop/releases/"
	for _, body := range []string{
		`{}`, `{"version":".."}`, `{"version":"x","dateReleased":"yesterday"}`, `{"version":"x","status":"gone"}`, `{"version":"x","url":"ftp://x"}`,
		`{"version":"x","commits":[{}]}`, `[]`, `{"version":1}`, `{"version":"x","projects":[true]}`,
	} {
		if got := r.must(http.StatusBadRequest, "POST", all, body); !strings.Contains(got, `"detail":`) {
			t.Errorf("%s: %s", body, got)
		}
	}
	r.must(http.StatusNotFound, "PUT", all+"nowhere/", `{}`)
	r.must(http.StatusNotFound, "POST", all+"nowhere/deploys/", `{"environment":"x"}`)
	r.must(http.StatusCreated, "POST", all, `{"version":"1"}`)
	r.must(http.StatusBadRequest, "POST", all+"1/deploys/", `{"environment":""}`)
	r.must(http.StatusBadRequest, "POST", all+"1/deploys/", `{"environment":"x","dateStarted":"2026-01-02T00:00:00Z","dateFinished":"2026-01-01T00:00:00Z"}`)
	r.digest(r.web.ID, eventtest.Payload{Name: "first", JSON: []byte(`{"message":"x","release":"1"}`)}, r.now)
	if got := r.must(http.StatusBadRequest, "DELETE", all+"1/", ""); !strings.Contains(got, "archived") {
		t.Errorf("removing one with events: %s", got)
	}
}

func TestReleasePages(t *testing.T) {
	r := newRig(t, nil)
	r.mustWrite(func(tx *store.Tx) error {
		for i := range 5 {
			for _, project := range []event.ProjectID{r.web.ID, r.other.ID} {
				if _, err := tx.MakeRelease(project, fmt.Sprint(i), store.ReleaseChange{}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	var names []string
	for path := "/organizations/acme/releases/?per_page=2"; path != ""; {
		answer := r.do("GET", Root+path, r.ownerToken, "")
		for _, one := range mustRead[[]Release](t, mustStatus(t, answer, http.StatusOK)) {
			names = append(names, one.Version)
		}
		_, next, _ := strings.Cut(answer.Header.Get("Link"), `rel="next"`)
		path = ""
		if strings.Contains(next, `results="true"`) {
			_, cursor, _ := strings.Cut(next, `cursor="`)
			cursor, _, _ = strings.Cut(cursor, `"`)
			path = "/organizations/acme/releases/?per_page=2&cursor=" + cursor
		}
	}
	if got := strings.Join(names, " "); got != "4 3 2 1 0" {
		t.Errorf("releases %s", got)
	}
}

// Deploys of tools are those of the release's page, and of each project that has it.
func TestDeploys(t *testing.T) {
	r := newRig(t, nil)
	r.must(http.StatusCreated, "POST", "/organizations/acme/releases/", fmt.Sprintf(`{"version":"1","projects":["web-shop","%s"]}`, r.other.Slug))
	got := mustRead[Deploy](t, r.must(http.StatusCreated, "POST", "/organizations/acme/releases/1/deploys/", `{"environment":"production","name":null,"url":"https://shop.example","dateStarted":null,"dateFinished":null}`))
	if got.Environment != "production" || got.Name != nil || *got.URL != "https://shop.example" || !got.DateFinished.Equal(r.now) {
		t.Errorf("deploy %+v", got)
	}
	r.must(http.StatusCreated, "POST", "/organizations/acme/releases/1/deploys/", `{"environment":"staging","projects":["web-shop"]}`)
	if list := mustRead[[]Deploy](t, r.must(http.StatusOK, "GET", "/organizations/acme/releases/1/deploys/", "")); len(list) != 2 {
		t.Errorf("deploys %+v", list)
	}
	if list := mustRead[[]Deploy](t, r.must(http.StatusOK, "GET", "/projects/acme/"+r.other.Slug+"/releases/1/deploys/", "")); len(list) != 1 {
		t.Errorf("the other project's deploys %+v", list)
	}
	shape := mustRead[Release](t, r.must(http.StatusOK, "GET", "/organizations/acme/releases/1/", ""))
	if shape.DeployCount != 2 || shape.LastDeploy == nil {
		t.Errorf("release %+v", shape)
	}
	reader := r.token(r.owner.ID, access.ReadProjects)
	mustStatus(t, r.do("POST", Root+"/organizations/acme/releases/1/deploys/", reader, `{"environment":"x"}`), http.StatusForbidden)
}
