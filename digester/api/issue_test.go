package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

// found are the short ids of a list.
func (r *rig) found(path string) []string {
	r.t.Helper()
	var ids []string
	for _, issue := range mustRead[[]Issue](r.t, r.must(http.StatusOK, "GET", path, "")) {
		ids = append(ids, issue.ShortID)
	}
	return ids
}

// UnmarshalJSON lets tests read what is sent.
func (t *Time) UnmarshalJSON(text []byte) (err error) {
	if string(text) == "null" {
		return nil
	}
	t.Time, err = time.Parse(`"`+time.RFC3339Nano+`"`, string(text))
	return err
}

func TestIssueLists(t *testing.T) {
	r := newRig(t, nil)
	r.furnish()
	r.must(http.StatusOK, "PUT", "/issues/1/", `{"status":"resolved"}`)
	for path, want := range map[string][]string{
		"/organizations/x/issues/":                                           {"OTHER-1", "WEB-SHOP-2"},
		"/organizations/x/issues/?query=":                                    {"OTHER-1", "WEB-SHOP-2", "WEB-SHOP-1"},
		"/organizations/x/issues/?query=is:resolved":                         {"WEB-SHOP-1"},
		"/organizations/x/issues/?query=&project=1":                          {"WEB-SHOP-2", "WEB-SHOP-1"},
		"/organizations/x/issues/?query=&project=other&project=-1":           {"OTHER-1", "WEB-SHOP-2", "WEB-SHOP-1"},
		"/organizations/x/issues/?query=&project=other":                      {"OTHER-1"},
		"/projects/x/web-shop/issues/?status=resolved":                       {"WEB-SHOP-1"},
		"/organizations/x/issues/?query=web-shop-1&shortIdLookup=1":          {"WEB-SHOP-1"},
		"/organizations/x/issues/?statsPeriod=24h":                           {"OTHER-1", "WEB-SHOP-2"},
		"/organizations/x/issues/?start=2026-03-04T12:29:30":                 nil,
		"/organizations/x/issues/?end=2026-03-03":                            nil,
		"/organizations/x/issues/?start=2026-03-04T12:00:00Z&end=2026-03-05": {"OTHER-1", "WEB-SHOP-2"},
		"/organizations/x/issues/?environment=production":                    nil,
		"/organizations/x/issues/?query=&sort=new&limit=1":                   {"OTHER-1"},
	} {
		if diff := cmp.Diff(want, r.found(path)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
	for path, words := range map[string]string{
		"/organizations/x/issues/?query=" + url.QueryEscape("is:nonsense"): "Column 4",
		"/organizations/x/issues/?sort=inbox":                              "There is no order",
		"/organizations/x/issues/?statsPeriod=x":                           "statsPeriod",
		"/organizations/x/issues/?start=yesterday":                         "start",
		"/organizations/x/issues/?cursor=x":                                "cursor",
		"/organizations/x/issues/?limit=-1":                                "limit",
	} {
		if got := r.must(http.StatusBadRequest, "GET", path, ""); !strings.Contains(got, words) {
			t.Errorf("%s: %s", path, got)
		}
	}
	r.must(http.StatusNotFound, "GET", "/organizations/x/issues/?project=nowhere", "")
}

// Lists are read page by page, as tools do: by the Link header until results is false.
func TestIssuePages(t *testing.T) {
	r := newRig(t, nil)
	for i := range 5 {
		r.message(r.web.ID, fmt.Sprint("message ", i))
	}
	seen := make(map[string]bool)
	path := "/api/0/projects/x/web-shop/issues/?limit=2"
	for pages := 0; path != ""; pages++ {
		if pages > 3 {
			t.Fatal("it does not end")
		}
		answer := r.do("GET", path, r.ownerToken, "")
		for _, issue := range mustRead[[]Issue](t, mustStatus(t, answer, http.StatusOK)) {
			if seen[issue.ID] {
				t.Errorf("%s is there twice", issue.ID)
			}
			seen[issue.ID] = true
		}
		_, next, _ := strings.Cut(answer.Header.Get("Link"), ", ")
		link, rest, _ := strings.Cut(strings.TrimPrefix(next, "<"), ">")
		path = ""
		if strings.Contains(rest, `results="true"`) {
			path = strings.TrimPrefix(link, "http://errors.example.com")
		}
	}
	if len(seen) != 5 {
		t.Errorf("found %d issues", len(seen))
	}
}

func TestChangeIssue(t *testing.T) {
	r := newRig(t, nil)
	r.furnish()
	for _, step := range []struct{ body, status, substatus, details string }{
		{`{"status":"resolved"}`, "resolved", "", "{}"},
		{`{"status":"unresolved"}`, "unresolved", "new", "{}"},
		{`{"status":"resolved","statusDetails":{"inRelease":"shop@1.2"}}`, "resolved", "", `{"inRelease":"shop@1.2"}`},
		{`{"status":"resolvedInNextRelease"}`, "resolved", "", `{"inNextRelease":true}`},
		{`{"status":"ignored"}`, "ignored", "archived_forever", "{}"},
		{`{"status":"ignored","substatus":"archived_until_escalating"}`, "ignored", "archived_until_escalating", "{}"},
		{`{"status":"ignored","statusDetails":{"ignoreDuration":60}}`, "ignored", "archived_until_condition_met", `{"ignoreUntil":"2026-03-04T13:30:00.000000Z"}`},
		{`{"status":"ignored","statusDetails":{"ignoreCount":10}}`, "ignored", "archived_until_condition_met", `{"ignoreCount":10}`},
		{`{"status":"ignored","statusDetails":{"ignoreCount":10,"ignoreWindow":60}}`, "ignored", "archived_until_condition_met", `{"ignoreCount":10,"ignoreWindow":60}`},
		{`{"hasSeen":true}`, "ignored", "archived_until_condition_met", `{"ignoreCount":10,"ignoreWindow":60}`},
	} {
		text := r.must(http.StatusOK, "PUT", "/issues/WEB-SHOP-1/", step.body)
		got := mustRead[Issue](t, text)
		sub := ""
		if got.Substatus != nil {
			sub = *got.Substatus
		}
		if got.Status != step.status || sub != step.substatus || !strings.Contains(text, `"statusDetails":`+step.details+`,`) {
			t.Errorf("%s: %s, %s in %.900s", step.body, got.Status, sub, text)
		}
	}
	member := fmt.Sprint("user:", r.member.ID)
	for assigned, want := range map[string]*Actor{
		`"` + member + `"`:     {Type: "user", ID: number(r.member.ID), Name: "member", Email: "member@example.com"},
		`"member@example.com"`: {Type: "user", ID: number(r.member.ID), Name: "member", Email: "member@example.com"},
		`"team:1"`:             {Type: "team", ID: "1", Name: "shop"},
		`"#shop"`:              {Type: "team", ID: "1", Name: "shop"},
		`""`:                   nil,
		`null`:                 nil,
	} {
		got := mustRead[Issue](t, r.must(http.StatusOK, "PUT", "/organizations/x/issues/1/", `{"assignedTo":`+assigned+`}`))
		if diff := cmp.Diff(want, got.AssignedTo); diff != "" {
			t.Errorf("%s: %s", assigned, diff)
		}
	}
	for body, status := range map[string]int{
		`{"status":"gone"}`: 400, `{"assignedTo":"nobody@example.com"}`: 400, `{"assignedTo":"team:2"}`: 400, `{"status":1}`: 400, `{`: 400,
		`{"status":"resolved","statusDetails":{"inCommit":{"commit":"x"}}}`: 404, `{"discard":true}`: 404,
		`{"status":"ignored","statusDetails":{"ignoreUserCount":3}}`:              404,
		`{"status":"ignored","statusDetails":{"ignoreDuration":307445734561828}}`: 400, `{"status":"ignored","statusDetails":{"ignoreDuration":-1}}`: 400,
		`{"status":"ignored","statusDetails":{"ignoreCount":1,"ignoreWindow":307445734561828}}`: 400, `{"status":"ignored","statusDetails":{"ignoreCount":1,"ignoreWindow":43201}}`: 400,
	} {
		if got := r.must(status, "PUT", "/issues/1/", body); !strings.Contains(got, `{"detail":"`) {
			t.Errorf("%s: %s", body, got)
		}
	}
	if got := r.must(400, "PUT", "/issues/1/", `{"status":"ignored","statusDetails":{"ignoreDuration":5256001}}`); !strings.Contains(got, "ignoreDuration is a number of minutes from 1 to 5256000") {
		t.Errorf("for too long: %s", got)
	}
	got := r.must(http.StatusOK, "PUT", "/projects/x/web-shop/issues/?id=1", `{"status":"resolved","statusDetails":{"inRelease":"latest"}}`)
	if !strings.Contains(got, `"statusDetails":{"inRelease":"made@1"}`) {
		t.Errorf("the latest release is another: %s", got)
	}
	r.must(http.StatusBadRequest, "PUT", "/organizations/x/issues/?id=1", `{"status":"resolved","statusDetails":{"inRelease":"latest"}}`)
	r.must(http.StatusRequestEntityTooLarge, "PUT", "/issues/1/", `{"status":"`+strings.Repeat("x", maxBody)+`"}`)
}

// What a token did is in the audit log, and in the history of the issue.
func TestAudit(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Address = func(*http.Request) string { return "192.0.2.1" } })
	r.furnish()
	mustStatus(t, r.do("PUT", "/api/0/issues/1/", r.memberToken, `{"status":"resolved"}`), http.StatusOK)
	storetest.MustRead(t, r.replica, func(rx *store.Rx) error {
		log, err := rx.AuditLog(store.AuditQuery{Limit: 1})
		if err == nil && (len(log) != 1 || log[0].Action != "issue.resolve" || log[0].Subject != "WEB-SHOP-1" || log[0].UserID != r.member.ID || log[0].TokenID == 0 || log[0].Address != "192.0.2.1") {
			t.Errorf("the log says %+v", log)
		}
		return err
	})
	all := mustRead[Activities](t, r.must(http.StatusOK, "GET", "/issues/1/activities/", "")).Activity
	if len(all) != 2 || all[0].Type != "set_resolved" || all[0].User.Email != "member@example.com" || all[1].Type != "first_seen" {
		t.Errorf("its history is %+v", all)
	}
}

func TestBulk(t *testing.T) {
	r := newRig(t, nil)
	r.furnish()
	r.must(http.StatusOK, "PUT", "/organizations/x/issues/?id=1&id=OTHER-1&id=999", `{"status":"resolved"}`)
	if diff := cmp.Diff([]string{"OTHER-1", "WEB-SHOP-1"}, r.found("/organizations/x/issues/?query=is:resolved")); diff != "" {
		t.Error(diff)
	}
	// Who may work with one of two projects changes what is there.
	mustStatus(t, r.do("PUT", "/api/0/organizations/x/issues/?id=1&id=3", r.memberToken, `{"status":"unresolved"}`), http.StatusOK)
	if diff := cmp.Diff([]string{"OTHER-1"}, r.found("/organizations/x/issues/?query=is:resolved")); diff != "" {
		t.Error(diff)
	}
	r.must(http.StatusOK, "PUT", "/projects/x/web-shop/issues/?query=issue:WEB-SHOP-2", `{"status":"ignored"}`)
	if diff := cmp.Diff([]string{"WEB-SHOP-2"}, r.found("/organizations/x/issues/?query=is:muted")); diff != "" {
		t.Error(diff)
	}
	r.must(http.StatusNoContent, "PUT", "/projects/x/web-shop/issues/?id=3", `{"status":"resolved"}`)
	for path, want := range map[string]string{
		"?ids=1": `"ids" chooses no issues: name them with id=1&id=2`, "": `There is no status "reopened"`, "?id=abc": `id "abc" is neither the number`, "?id=": `id "" is neither`,
		"?id=999": `There is no status "reopened"`, "?query=is:assigned": `There is no status "reopened"`,
	} {
		r.refused(http.StatusBadRequest, r.ownerToken, "PUT", "/organizations/x/issues/"+path, `{"status":"reopened"}`, want)
	}
	if got := r.must(http.StatusBadRequest, "DELETE", "/organizations/x/issues/", ""); !strings.Contains(got, "id=1&id=2") {
		t.Errorf("an & is not one: %s", got)
	}
	if got := r.must(http.StatusBadRequest, "PUT", "/organizations/x/issues/?id=1&id=3", `{"merge":1}`); !strings.Contains(got, "Only issues of one project") {
		t.Errorf("got %s", got)
	}
	r.must(http.StatusOK, "PUT", "/projects/x/web-shop/issues/", `{"status":"ignored"}`) // as sentry-cli issues mute --all asks
	if diff := cmp.Diff([]string{"WEB-SHOP-2", "WEB-SHOP-1"}, r.found("/organizations/x/issues/?query=is:muted")); diff != "" {
		t.Error(diff)
	}
	got := r.must(http.StatusOK, "PUT", "/organizations/x/issues/?id=1&id=2", `{"merge":1}`)
	if !strings.Contains(got, `"merge":{"parent":"1","children":["2"]}`) {
		t.Errorf("got %s", got)
	}
	// What was merged is found by its own number still.
	if issue := mustRead[Issue](t, r.must(http.StatusOK, "GET", "/issues/2/", "")); issue.ID != "1" || issue.Count != "2" {
		t.Errorf("it is %s with %s events", issue.ID, issue.Count)
	}
	r.must(http.StatusBadRequest, "DELETE", "/organizations/x/issues/", "")
	r.must(http.StatusNoContent, "DELETE", "/organizations/x/issues/?id=1", "")
	r.must(http.StatusNotFound, "GET", "/issues/1/", "")
}

// A search for what to change takes place before anything is locked: who writes at the
// moment is not waited for, and nobody waits for the search.
func TestBulkSearchesFirst(t *testing.T) {
	r := newRig(t, nil)
	r.mustWrite(func(*store.Tx) error {
		r.must(http.StatusBadRequest, "PUT", "/organizations/x/issues/?query=is:nothing", `{"status":"resolved"}`)
		r.must(http.StatusBadRequest, "PUT", "/projects/x/web-shop/issues/?query=is:nothing", `{"status":"resolved"}`)
		r.must(http.StatusBadRequest, "DELETE", "/organizations/x/issues/", "")
		return nil
	})
}

func TestComments(t *testing.T) {
	r := newRig(t, nil)
	r.furnish()
	note := mustRead[Activity](t, r.must(http.StatusCreated, "POST", "/issues/1/comments/", `{"text":"seen **before**"}`))
	if note.Data.Text != "seen **before**" || note.User.Name != "owner" {
		t.Errorf("it is %+v", note)
	}
	r.must(http.StatusBadRequest, "POST", "/issues/1/comments/", `{"text":"  "}`)
	r.must(http.StatusOK, "PUT", "/issues/1/notes/"+note.ID+"/", `{"text":"never seen"}`)
	mustStatus(t, r.do("DELETE", "/api/0/issues/1/notes/"+note.ID+"/", r.memberToken, ""), http.StatusNotFound)
	notes := mustRead[[]Activity](t, r.must(http.StatusOK, "GET", "/issues/1/notes/", ""))
	if len(notes) != 1 || notes[0].Data.Text != "never seen" {
		t.Errorf("they are %+v", notes)
	}
	r.must(http.StatusNoContent, "DELETE", "/issues/1/comments/"+note.ID+"/", "")
	if got := r.must(http.StatusOK, "GET", "/issues/1/comments/", ""); got != "[]\n" {
		t.Errorf("got %s", got)
	}
}

// Who lacks a scope is told which.
func TestScopeIsNamed(t *testing.T) {
	r := newRig(t, nil)
	r.furnish()
	told := mustStatus(t, r.do("PUT", "/api/0/issues/1/", r.reduced(access.WriteEvents|access.AdminEvents), `{"status":"resolved"}`), http.StatusForbidden)
	if !strings.Contains(told, "without the scope event:write") {
		t.Errorf("the answer is %s", told)
	}
}

// A copy is read, and says of writing that it is done elsewhere.
func TestCopy(t *testing.T) {
	r := newRig(t, nil)
	r.furnish()
	r.api.cfg.DB = nil
	r.must(http.StatusOK, "GET", "/issues/1/", "")
	r.must(http.StatusServiceUnavailable, "PUT", "/issues/1/", `{"status":"resolved"}`)
	mustStatus(t, r.do("PUT", "/api/0/issues/1/", r.viewerToken, `{"status":"resolved"}`), http.StatusForbidden)
}
