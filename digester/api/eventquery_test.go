package api

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
	"sundew/schema/event"
	"sundew/schema/event/eventtest"
)

// shopEvent is an event as the tests of questions make it.
type shopEvent struct {
	Fingerprint []string          `json:"fingerprint"`
	Message     string            `json:"message"`
	Release     string            `json:"release,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Transaction string            `json:"transaction,omitempty"`
	User        map[string]string `json:"user,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// shop stores events of two issues of the web shop, and one of another project.
func (r *rig) shop() {
	r.t.Helper()
	add := func(project event.ProjectID, ago time.Duration, e shopEvent) {
		e.Fingerprint = []string{e.Message}
		payload, err := json.Marshal(e)
		if err != nil {
			r.t.Fatal(err)
		}
		r.digest(project, eventtest.Payload{Name: e.Message, JSON: payload}, r.now.Add(-ago))
	}
	ada, bob := map[string]string{"id": "1", "email": "ada@example.com"}, map[string]string{"id": "2"}
	add(r.web.ID, 50*time.Hour, shopEvent{Message: "declined", Release: "shop@1", User: ada, Tags: map[string]string{"plan": "gold"}})
	add(r.web.ID, 3*time.Hour, shopEvent{Message: "declined", Release: "shop@2", Environment: "production", User: ada, Tags: map[string]string{"plan": "gold"}, Transaction: "/pay"})
	add(r.web.ID, 2*time.Hour, shopEvent{Message: "declined", Release: "shop@2", User: bob, Tags: map[string]string{"plan": "free"}})
	add(r.web.ID, 1*time.Hour, shopEvent{Message: "no stock", Environment: "production"})
	add(r.other.ID, 1*time.Hour, shopEvent{Message: "elsewhere"})
}

// table is the answer to a question as texts, a row each.
func (r *rig) table(status int, token, fields, query, more string) []string {
	r.t.Helper()
	q := url.Values{"query": {query}, "field": strings.Fields(fields)}
	text := mustStatus(r.t, r.do("GET", Root+"/organizations/x/events/?"+q.Encode()+more, token, ""), status)
	if status != http.StatusOK {
		return []string{mustRead[detail](r.t, text).Detail}
	}
	var all []string
	for _, row := range mustRead[struct{ Data []map[string]any }](r.t, text).Data {
		var cells []string
		for _, f := range strings.Fields(fields) {
			cells = append(cells, fmt.Sprint(row[f]))
		}
		all = append(all, strings.Join(cells, " "))
	}
	return all
}

// Events are found and summed up by what they are.
func TestEventTable(t *testing.T) {
	r := newRig(t, nil)
	r.shop()
	for asked, want := range map[string][]string{
		"issue count() count_unique(user)":                                                 {"WEB-SHOP-1 3 2", "WEB-SHOP-2 1 0", "OTHER-1 1 0"},
		"issue issue.id count() | | &statsPeriod=1d":                                       {"WEB-SHOP-1 1 2", "WEB-SHOP-2 2 1", "OTHER-1 3 1"},
		"count() | project:web-shop":                                                       {"4"},
		"count() | | &project=web-shop":                                                    {"4"},
		"count() | | &environment=production":                                              {"2"},
		"count() | is:unresolved !plan:gold":                                               {"3"},
		"count() | is:resolved":                                                            {"0"},
		"plan count() | issue:WEB-SHOP-1":                                                  {"gold 2", "free 1"},
		"title timestamp | user.email:ada@*":                                               {"declined 2026-03-04T09:30:00+00:00", "declined 2026-03-02T10:30:00+00:00"},
		"title project plan | | &per_page=2":                                               {"elsewhere other <nil>", "no stock web-shop <nil>"},
		"release count() | has:release | &sort=release":                                    {"shop@1 1", "shop@2 2"},
		"message transaction user.id | release:2 | &sort=user.id":                          {"declined /pay 1", "declined <nil> 2"},
		"title user | | &sort=timestamp&start=2026-03-04T09:00:00&end=2026-03-04T10:45:00": nil,
		"title user timestamp | | &sort=timestamp&start=2026-03-04T09:00:00&end=2026-03-04T10:45:00": {
			"declined id:1 2026-03-04T09:30:00+00:00", "declined id:2 2026-03-04T10:30:00+00:00"},
	} {
		parts := append(strings.Split(strings.ReplaceAll(asked, "| |", "|  |"), " | "), "", "")
		status := http.StatusOK
		if want == nil {
			status, want = http.StatusBadRequest, []string{`The table is sorted by "timestamp", which is not one of its columns: ask for it with field.`}
		}
		if diff := cmp.Diff(want, r.table(status, r.ownerToken, parts[0], strings.TrimSpace(parts[1]), parts[2])); diff != "" {
			t.Errorf("%s: %s", asked, diff)
		}
	}
	// Who sees one project is told of that one.
	if got := r.table(http.StatusOK, r.viewerToken, "count()", "", ""); !slices.Equal(got, []string{"4"}) {
		t.Errorf("a viewer counts %v", got)
	}
	if got := r.table(http.StatusOK, r.otherToken, "title", "", ""); !slices.Equal(got, []string{"elsewhere"}) {
		t.Errorf("the other project's token sees %v", got)
	}
	mustStatus(t, r.do("GET", Root+"/organizations/x/events/?field=title&project=other", r.viewerToken, ""), http.StatusNotFound)
}

// What was merged is one issue, and what was deleted is none.
func TestEventTableOfIssues(t *testing.T) {
	r := newRig(t, nil)
	r.shop()
	r.must(http.StatusOK, "PUT", "/organizations/x/issues/?id=1&id=2", `{"merge":1}`)
	for _, fields := range []string{"issue count()", "issue count() count_unique(plan)"} { // the second reads bodies
		for _, query := range []string{"project:web-shop", "issue:WEB-SHOP-1", "issue:WEB-SHOP-1 is:unresolved"} {
			got := r.table(http.StatusOK, r.ownerToken, fields, query, "")
			if len(got) != 1 || !strings.HasPrefix(got[0], "WEB-SHOP-1 4") {
				t.Errorf("%s of merged issues by %s: %v", fields, query, got)
			}
		}
	}
	r.must(http.StatusNoContent, "DELETE", "/organizations/x/issues/?id=1", "")
	if got := r.table(http.StatusOK, r.ownerToken, "issue count()", "", ""); !slices.Equal(got, []string{"OTHER-1 1"}) {
		t.Errorf("after the deletion: %v", got)
	}
	if got := r.table(http.StatusOK, r.ownerToken, "title", "", ""); !slices.Equal(got, []string{"elsewhere"}) {
		t.Errorf("a list after the deletion: %v", got)
	}
}

// What cannot be asked is refused in words.
func TestEventTableWords(t *testing.T) {
	r := newRig(t, nil)
	r.shop()
	for query, want := range map[string]string{
		"":                              "Name 1 to 20 columns",
		"field=count()&dataset=spans":   "Sundew keeps errors only: there are no spans",
		"field=title&query=is:nonsense": "Column 4",
		"field=title&query=a+OR+b":      "`OR` is not supported",
		"field=count(":                  `"count(" lacks its closing parenthesis`,
		"field=title&statsPeriod=4000d": "ten years at most",
		"field=title&statsPeriod=soon":  "want a number and m, h, d or w",
		"field=title&start=2026-02-01&end=2026-01-01": "start has to be before end",
		"field=p95(span.duration)":                    "Sundew keeps errors only",
		"field=title&cursor=x":                        "Invalid cursor",
	} {
		text := r.must(http.StatusBadRequest, "GET", "/organizations/x/events/?"+query, "")
		if !strings.Contains(mustRead[detail](t, text).Detail, want) {
			t.Errorf("%s: %s, want %s", query, text, want)
		}
	}
	if _, words := explain(fmt.Errorf("asked: %w", store.ErrTooMany)); words != tooManyWords {
		t.Errorf("too many: %s", words)
	}
	text := r.must(http.StatusBadRequest, "GET", "/organizations/x/events/validate/?field=span.op&field=title&query=level:error&orderby=-title&dataset=errors", "")
	check := mustRead[QueryCheck](t, text)
	if check.Valid || check.Field[0].Valid || !check.Field[1].Valid || !check.Query.Valid || !check.OrderBy[0].Valid {
		t.Errorf("validated: %s", text)
	}
}

// A list of many events is turned over page by page, and one question takes only so long.
func TestEventTablePages(t *testing.T) {
	r := newRig(t, nil)
	for i := range 7 {
		r.message(r.web.ID, fmt.Sprintf("message %d", i))
	}
	var all []string
	path := "/organizations/x/events/?field=title&per_page=3&query=" + url.QueryEscape("!title:*4*")
	for range 3 {
		answer := r.do("GET", Root+path, r.ownerToken, "")
		link := answer.Header.Get("Link")
		for _, row := range mustRead[struct{ Data []map[string]any }](t, mustStatus(t, answer, http.StatusOK)).Data {
			all = append(all, fmt.Sprint(row["title"]))
		}
		_, next, more := strings.Cut(link, `rel="next"; results="true"; cursor="`)
		if !more {
			break
		}
		path = strings.Split(path, "&cursor=")[0] + "&cursor=" + strings.TrimSuffix(next, `"`)
	}
	if want := []string{"message 6", "message 5", "message 3", "message 2", "message 1", "message 0"}; !slices.Equal(all, want) {
		t.Errorf("%v, want %v", all, want)
	}
	slow := r.now
	r.api.cfg.Now = func() time.Time { slow = slow.Add(2 * maxAsking); return slow }
	r.must(http.StatusBadRequest, "GET", "/organizations/x/events/?field=plan&field=count()", "")
}

// Numbers over time are of the same events.
func TestEventSeries(t *testing.T) {
	r := newRig(t, nil)
	r.shop()
	type series struct {
		Data []json.RawMessage
	}
	text := r.must(http.StatusOK, "GET", "/organizations/x/events-stats/?interval=1h&start=2026-03-04T09:00:00&end=2026-03-04T12:00:00", "")
	got := mustRead[series](t, text).Data
	if want := `[[1772614800,[{"count":1}]] [1772618400,[{"count":1}]] [1772622000,[{"count":2}]]]`; fmt.Sprintf("%s", got) != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, query := range []string{"", "&query=plan:*"} { // the second reads bodies
		two := mustRead[map[string]series](t, r.must(http.StatusOK, "GET", "/organizations/x/events-stats/?interval=1d&statsPeriod=3d&yAxis=count()&yAxis=count_unique(user)"+query, ""))
		if last := two["count_unique(user)"].Data; len(last) != 4 || !strings.Contains(string(last[3]), `{"count":2}`) {
			t.Errorf("users by day%s: %s", query, last)
		}
	}
	whole := mustRead[TimeSeries](t, r.must(http.StatusOK, "GET", "/organizations/x/events-timeseries/?interval=1h&statsPeriod=3h&yAxis=count()&project=web-shop", ""))
	var counts []float64
	for _, v := range whole.TimeSeries[0].Values {
		counts = append(counts, v.Value)
	}
	if last := whole.TimeSeries[0].Values[len(counts)-1]; !slices.Equal(counts, []float64{1, 1, 1, 0}) || !last.Incomplete || last.Timestamp != 1772625600000 {
		t.Errorf("%v, then %+v", counts, last)
	}
	for query, want := range map[string]string{
		"yAxis=title": "yAxis takes aggregates", "interval=5s": "want a number", "statsPeriod=90d&interval=1m": "makes more than 1000", "topEvents=5&field=title": "Series of groups", "yAxis=last_seen()": "yAxis takes aggregates",
	} {
		if text := r.must(http.StatusBadRequest, "GET", "/organizations/x/events-stats/?"+query, ""); !strings.Contains(text, want) {
			t.Errorf("%s: %s, want %s", query, text, want)
		}
	}
}

// Conditions about issues hold for the events of one issue, too.
func TestEventsOfIssueByItsState(t *testing.T) {
	r := newRig(t, nil)
	r.shop()
	for query, want := range map[string]int{"": 3, "assigned:me": 0, "!assigned:me": 3, "times_seen:>100": 0, "times_seen:>1": 3, "firstSeen:-30m": 0, "times_seen:>1 release:shop@1": 1, "times_seen:>1 is:resolved": 0} {
		got := mustRead[[]struct{ ID string }](t, r.must(http.StatusOK, "GET", "/issues/1/events/?query="+url.QueryEscape(query), ""))
		if len(got) != want {
			t.Errorf("%q finds %d events of the issue, want %d", query, len(got), want)
		}
	}
}

// What is asked of events is asked of all that may have it, whether issues have it as a tag
// or not.
func TestEventTableLosesNothing(t *testing.T) {
	r := newRig(t, nil)
	payload, err := json.Marshal(map[string]any{
		"message": "boo", "dist": "7", "environment": "production", "release": "shop@1", "sdk": map[string]string{"name": "sentry.go", "version": "1"},
		"exception": map[string]any{"values": []any{map[string]any{"type": "E", "value": "v"}}}, "request": map[string]any{"method": "GET"},
		"tags": map[string]string{"plan": "gold", "environment": "mine", "user": "mine"}, "user": map[string]any{"username": "ada"},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.digest(r.web.ID, eventtest.Payload{Name: "boo", JSON: payload}, r.now.Add(-time.Minute))
	for _, query := range []string{
		"has:error.type", "has:http.method", "has:dist", "has:sdk.name", "has:id", "has:timestamp", "has:tags[plan]", "has:plan", "has:user", "has:user.username",
		"has:environment", "has:release", "environment:production", "release:shop@1", "tags[plan]:gold", "user.username:ada", "user:ada",
	} {
		if got := r.table(http.StatusOK, r.ownerToken, "count()", query, ""); len(got) != 1 || got[0] != "1" {
			t.Errorf("%s counts %v, want 1", query, got)
		}
	}
	for _, query := range []string{"!has:error.type", "has:trace", "has:nothing", "has:user.email", "!has:user.name"} {
		if got := r.table(http.StatusOK, r.ownerToken, "count()", query, ""); len(got) != 1 || got[0] != "0" {
			t.Errorf("%s counts %v, want 0", query, got)
		}
	}
}

// No time is so long that its stretches are too many to answer, or cannot be counted.
func TestLongTimes(t *testing.T) {
	r := newRig(t, nil)
	r.shop()
	const ever, org = "?start=0001-01-01T00:00:00&end=9999-01-01T00:00:00", "/organizations/x/"
	for _, path := range []string{"events-stats/" + ever, "events-timeseries/" + ever, "events-stats/?start=1970-01-01T00:00:00"} {
		if answer := r.do("GET", Root+org+path, r.ownerToken, ""); answer.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: status %d", path, answer.StatusCode)
		}
	}
	r.must(http.StatusOK, "GET", org+"events-stats/?start=2016-01-01T00:00:00", "")
	sums := mustRead[Sums](t, r.must(http.StatusOK, "GET", org+"stats_v2/"+ever+"&field=sum(quantity)&interval=4w", ""))
	if len(sums.Intervals) > 4000 || len(sums.Groups) != 1 {
		t.Fatalf("%d stretches, %d groups", len(sums.Intervals), len(sums.Groups))
	}
	at := slices.IndexFunc(sums.Groups[0].Series["sum(quantity)"], func(n int64) bool { return n > 0 })
	if from := sums.Intervals[at].Time; from.After(r.now) || from.Before(r.now.AddDate(0, 0, -60)) {
		t.Errorf("what was reported now is in the stretch from %s", from)
	}
	stats := mustRead[[]Stat](t, r.must(http.StatusOK, "GET", "/projects/x/web-shop/stats/?since=0&until=100000000000&resolution=4w", ""))
	if len(stats) > 4000 {
		t.Errorf("%d stretches", len(stats))
	}
}
