package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sundew/digester/alert"
	"sundew/digester/notify"
	"sundew/digester/sentryapi/sentryapitest"
	"sundew/digester/store"
	"sundew/digester/triage"
	"sundew/schema/event"
)

// elsewhere is another server with two projects and five issues.
func elsewhere(t *testing.T) *sentryapitest.Server {
	t.Helper()
	s := sentryapitest.New(t)
	s.Projects = raw(
		`{"id":"2","slug":"web-shop","name":"Web shop","platform":"python","teams":[{"id":"1","slug":"pumps","name":"Pump people"}]}`,
		`{"id":"3","slug":"app","name":null,"platform":null}`,
	)
	s.Keys["web-shop"] = raw(`{"id":"x","public":"0123456789abcdef0123456789abcdef","isActive":true}`)
	s.Issues["web-shop"] = raw(
		`{"id":"10","shortId":"WEB-SHOP-1","title":"PaymentError","culprit":"pay","level":"error","status":"unresolved","count":"12345","userCount":321,"firstSeen":"2025-01-02T03:04:05Z","lastSeen":"2026-11-18T09:14:26Z","permalink":"https://acme.sentry.example.com/issues/10/"}`,
		`{"id":"11","shortId":"WEB-SHOP-2","title":"[click](javascript:alert(1))","level":"warning","status":"resolved","statusDetails":{"inRelease":"shop@1.5.0"},"count":"1","lastSeen":"2026-10-01T00:00:00Z","permalink":"javascript:alert(1)"}`,
		`{"id":"12","shortId":"<b>","title":"Slow","status":"ignored","substatus":"archived_until_escalating","count":7,"lastSeen":"2026-09-01T00:00:00Z","permalink":"Not implemented"}`,
		`{"id":"13","title":"Silent","status":"ignored","statusDetails":{},"lastSeen":"2026-09-02T00:00:00Z"}`,
	)
	s.Issues["app"] = raw(`{"id":20,"shortId":"APP-1","title":"TypeError: x is undefined","status":"resolved","count":"2"}`)
	for id, name := range map[string]string{"10": "sentry", "20": "glitchtip"} {
		text, err := os.ReadFile(filepath.Join("sentryapi", "testdata", name+"_event.json"))
		if err != nil {
			t.Fatal(err)
		}
		s.Events[id] = text
	}
	return s
}

func raw(texts ...string) (all []json.RawMessage) {
	for _, text := range texts {
		all = append(all, json.RawMessage(text))
	}
	return all
}

// importEnv is an environment with a token.
func importEnv(dir string) func(string) string {
	return func(name string) string {
		return map[string]string{"SUNDEW_DATA": dir, "SENTRY_AUTH_TOKEN": sentryapitest.Token}[name]
	}
}

// Projects, teams, keys and issues come over with their state; what other people wrote
// is inert; the checker likes it; and a second time nothing is made.
func TestImport(t *testing.T) {
	other := elsewhere(t)
	dir := t.TempDir()
	env := importEnv(dir)
	args := []string{"import", "--url", other.URL, "--org", "acme", "--rate", "1000"}
	r := startService(t, dir) // it may run meanwhile
	if says := mustRun(t, env, append(args, "--dry-run")...); !strings.Contains(says, "web-shop: 4 issues to be brought over") {
		t.Errorf("the dry run says:\n%s", says)
	}
	if n := r.books().Projects; n != 1 {
		t.Errorf("after the dry run there are %d projects", n)
	}
	says := mustRun(t, env, args...)
	for _, want := range []string{"web-shop: 4 issues new, 0 here already, 0 failed", "app: 1 issues new", "http://0123456789abcdef0123456789abcdef@"} {
		if !strings.Contains(says, want) {
			t.Errorf("import does not say %q:\n%s", want, says)
		}
	}
	checkImported(t, r)
	before := r.books()
	if says = mustRun(t, env, args...); !strings.Contains(says, "web-shop: 0 issues new, 4 here already") {
		t.Errorf("the second time it says:\n%s", says)
	}
	if after := r.books(); after.Accepted != before.Accepted || after.Projects != before.Projects || after.Lost != 0 || balance(after) != nil {
		t.Errorf("the second time changed the books from\n%+v to\n%+v", before, after)
	}
	// What the SDK will report from now on, with the key that it has already.
	text, err := os.ReadFile(filepath.Join("sentryapi", "testdata", "sentry_event.golden"))
	if err != nil {
		t.Fatal(err)
	}
	next := strings.Replace(string(text), "9ec79c33", "00000000", 1)
	waitFor(t, "the imported key opens", func() bool {
		answer, err := r.client.Post(r.url+"/api/2/store/?sentry_key=0123456789abcdef0123456789abcdef", "application/json", strings.NewReader(next))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	waitFor(t, "it is digested", func() bool { return r.books().InFlight == 0 })
	if issue := importedIssue(t, r, "9ec79c33ec9942ab8353589fcb2e04dc"); issue.Events != 2 {
		t.Errorf("the next event of the imported issue went elsewhere: it counts %d", issue.Events)
	}
	r.stop()
	mustCheck(t, env)
}

// importedIssue returns the issue of an event.
func importedIssue(t *testing.T, r *running, id string) (issue store.Issue) {
	t.Helper()
	parsed, err := event.ParseID(id)
	if err != nil {
		t.Fatal(err)
	}
	err = r.service.replica.Read(t.Context(), func(rx *store.Rx) error {
		ev, err := rx.EventByID(parsed)
		if err == nil {
			issue, err = rx.Issue(ev.IssueID)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return issue
}

func checkImported(t *testing.T, r *running) {
	t.Helper()
	paid := importedIssue(t, r, "9ec79c33ec9942ab8353589fcb2e04dc")
	if paid.State != store.StateOpen || paid.Events != 1 || !strings.Contains(paid.Culprit, "pay") || paid.LastSeen.Format(time.DateOnly) != "2026-11-18" {
		t.Errorf("the first issue is %+v", paid)
	}
	_, page := r.get("/s/" + "web-shop-1")
	for _, want := range []string{"12345 events of 321 users", "first seen 2025-01-02 03:04 UTC", `href="https://acme.sentry.example.com/issues/10/"`, "PaymentError"} {
		if !strings.Contains(page, want) {
			t.Errorf("the issue's page lacks %q", want)
		}
	}
	if _, teams := r.get("/teams"); !strings.Contains(teams, "Pump people") {
		t.Error("the team did not come along")
	}
	for number, state := range map[string]store.IssueState{"2": store.StateResolved, "3": store.StateMuted, "4": store.StateMuted} {
		var issue store.Issue
		err := r.service.replica.Read(t.Context(), func(rx *store.Rx) (err error) {
			issue, err = rx.IssueByShortID("web-shop", int64(number[0]-'0'))
			return err
		})
		if err != nil || issue.State != state {
			t.Errorf("issue %s has state %v, want %v (%v)", number, issue.State, state, err)
		}
		if kind := map[string]triage.MuteKind{"3": triage.MuteWorse, "4": triage.MuteForever}[number]; issue.Mute.Kind != kind {
			t.Errorf("issue %s is muted as %v, want %v", number, issue.Mute.Kind, kind)
		}
		_, page := r.get("/s/web-shop-" + number)
		if strings.Contains(page, `href="javascript`) || strings.Contains(page, "<b>,") || !strings.Contains(page, "Its events are gone there") {
			t.Errorf("the page of issue %s is not as it should be", number)
		}
	}
	if app := importedIssue(t, r, "0123456789abcdef0123456789abcdef"); app.State != store.StateResolved || !strings.Contains(app.Title, "x is undefined") {
		t.Errorf("the issue of the other project is %+v", app)
	}
}

// What breaks in the middle is gone on with.
func TestImportResumes(t *testing.T) {
	other := elsewhere(t)
	env := importEnv(t.TempDir())
	args := []string{"import", "--url", other.URL, "--org", "acme", "--rate", "1000", "--project", "web-shop"}
	broken := other.Events["10"]
	other.Events["10"] = json.RawMessage(`[]`)
	mustRefuse(t, env, "1 issues could not be brought over", args...)
	other.Events["10"] = broken
	if says := mustRun(t, env, args...); !strings.Contains(says, "1 issues new, 3 here already, 0 failed") {
		t.Errorf("the second time it says:\n%s", says)
	}
	mustCheck(t, env)

	into := importEnv(t.TempDir())
	mustRun(t, into, "project", "create", "Mine")
	if says := mustRun(t, into, append(args, "--into", "1")...); !strings.Contains(says, "4 issues new") || strings.Contains(says, "is now project") {
		t.Errorf("into a project it says:\n%s", says)
	}
	mustRefuse(t, into, "no project 7 here", append(args, "--into", "7")...)
}

func TestImportRefuses(t *testing.T) {
	other := elsewhere(t)
	env := importEnv(t.TempDir())
	for why, args := range map[string][]string{
		"needs --org":                  {},
		"takes flags only":             {"--org", "acme", "x"},
		"want an http":                 {"--org", "acme", "--url", "sentry"},
		"more than 0":                  {"--org", "acme", "--rate", "0"},
		"--into takes one":             {"--org", "acme", "--into", "1"},
		"there is no project \"none\"": {"--org", "acme", "--url", other.URL, "--project", "none"},
		"the token is not taken":       {"--org", "acme", "--url", other.URL, "--token", "wrong"},
		"not found there":              {"--org", "nobody", "--url", other.URL},
	} {
		mustRefuse(t, env, why, append([]string{"import"}, args...)...)
	}
	mustRefuse(t, envOf(t.TempDir()), "needs a token", "import", "--org", "acme")
}

// Old issues ring nowhere, and one that is resolved there stays so when another falls
// into its group.
func TestImportTellsNobody(t *testing.T) {
	other := elsewhere(t)
	other.Issues["web-shop"] = raw(
		`{"id":"10","shortId":"WEB-SHOP-1","title":"PaymentError","status":"resolved","lastSeen":"2026-11-18T09:14:26Z"}`,
		`{"id":"14","shortId":"WEB-SHOP-5","title":"PaymentError","status":"unresolved","lastSeen":"2026-11-17T09:14:26Z"}`,
		`{"id":"15","title":"Slow","status":"unresolved","lastSeen":"2026-09-01T00:00:00Z"}`,
	)
	other.Events["14"] = json.RawMessage(strings.ReplaceAll(string(other.Events["10"]), "9ec79c33", "00000000"))
	dir := t.TempDir()
	env := importEnv(dir)
	r := startService(t, dir) // it has one project
	err := r.service.db.Write(t.Context(), "test", func(tx *store.Tx) error {
		_, err := tx.AddChannel(1, store.Channel{Kind: notify.Slack, Name: "Room", Config: notify.Config{URL: "https://hooks.example.com/a"}})
		if err != nil {
			return err
		}
		_, err = tx.AddAlertRule(1, alert.Rule{Name: "Every event", Enabled: true, Events: alert.Rate{Count: 1, Period: time.Hour}, Interval: time.Hour, AllChannels: true})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	mustRun(t, env, "import", "--url", other.URL, "--org", "acme", "--rate", "1000", "--project", "web-shop", "--into", "1")
	issue := importedIssue(t, r, "9ec79c33ec9942ab8353589fcb2e04dc")
	if issue.State != store.StateResolved || issue.Events != 2 {
		t.Errorf("the resolved issue is %+v", issue)
	}
	err = r.service.replica.Read(t.Context(), func(rx *store.Rx) error {
		pending, err := rx.PendingAlerts(10)
		lines, logged := rx.AlertLog(1, 10)
		seen, _, counted := rx.SeenIssues(0, 10)
		if len(pending)+len(lines)+len(seen) != 0 {
			t.Errorf("pending are %+v, told is %+v, counted %+v", pending, lines, seen)
		}
		return errors.Join(err, logged, counted)
	})
	if err != nil {
		t.Error(err)
	}
}
