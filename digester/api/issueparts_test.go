package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"sundew/digester/store"
)

// lastAudit is the newest entry of the audit log: what was done, to what, and the rest.
func (r *rig) lastAudit() string {
	r.t.Helper()
	var last string
	err := r.replica.Read(r.t.Context(), func(rx *store.Rx) error {
		log, err := rx.AuditLog(store.AuditQuery{Limit: 1})
		if err == nil && len(log) > 0 {
			last = strings.TrimSpace(log[0].Action + " " + log[0].Subject + " " + log[0].Detail)
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return last
}

func (r *rig) wantAudit(want string) {
	r.t.Helper()
	if got := r.lastAudit(); got != want {
		r.t.Errorf("the audit log says %q, want %q", got, want)
	}
}

// Merged issues are listed, and taken apart by their number or by their groups.
func TestUnmerge(t *testing.T) {
	r := newRig(t, nil)
	for _, text := range []string{"first", "first", "second", "third"} {
		r.message(r.web.ID, text)
	}
	r.must(http.StatusOK, "PUT", "/organizations/x/issues/?id=1&id=2&id=3", `{"merge":1}`)
	members := mustRead[[]Issue](t, r.must(http.StatusOK, "GET", "/organizations/x/issues/1/members/", ""))
	if len(members) != 2 || members[0].ShortID != "WEB-SHOP-2" || members[1].ShortID != "WEB-SHOP-3" {
		t.Errorf("members %+v", members)
	}
	got := mustRead[Changes](t, r.must(http.StatusOK, "DELETE", "/issues/1/members/?id=WEB-SHOP-2&id=77", ""))
	if len(got.Changed) != 1 || got.Changed[0] != "2" {
		t.Errorf("taken apart: %+v", got)
	}
	r.wantAudit("issue.unmerge WEB-SHOP-2 from WEB-SHOP-1")
	r.must(http.StatusBadRequest, "DELETE", "/issues/1/members/?id=2", "")
	r.must(http.StatusBadRequest, "DELETE", "/issues/1/members/", "")

	hashes := func() map[string]string {
		all := make(map[string]string)
		for _, h := range mustRead[[]Hash](t, r.must(http.StatusOK, "GET", "/issues/1/hashes/", "")) {
			all[h.MemberID] = h.ID
		}
		return all
	}
	before := hashes()
	if len(before) != 2 || before["3"] == "" {
		t.Fatalf("groups %v", before)
	}
	own := r.must(http.StatusBadRequest, "DELETE", "/issues/1/hashes/?id="+before["1"], "")
	if !strings.Contains(own, "the issue's own") {
		t.Errorf("its own group: %s", own)
	}
	r.must(http.StatusAccepted, "DELETE", "/organizations/x/issues/1/hashes/?id="+before["3"], "")
	if after := hashes(); len(after) != 1 {
		t.Errorf("groups afterwards %v", after)
	}
	r.wantAudit("issue.unmerge WEB-SHOP-3 from WEB-SHOP-1")
	r.must(http.StatusBadRequest, "DELETE", "/issues/1/hashes/?id=unknown", "")
}

// What is like an issue is named, with why.
func TestSimilar(t *testing.T) {
	r := newRig(t, nil)
	for _, text := range []string{"Payment of order 1 declined", "Payment of order 2 declined twice", "Stock is low"} {
		r.message(r.web.ID, text)
	}
	got := mustRead[[]SimilarIssue](t, r.must(http.StatusOK, "GET", "/issues/1/similar/", ""))
	if len(got) != 1 || got[0].ShortID != "WEB-SHOP-2" || got[0].Why != "similar words" || got[0].Project.Slug != "web-shop" {
		t.Errorf("%+v", got)
	}
}

// What was deleted comes back for a while: issues and comments.
func TestRestore(t *testing.T) {
	r := newRig(t, nil)
	r.furnish()
	note := mustRead[Activity](t, r.must(http.StatusCreated, "POST", "/issues/1/comments/", `{"text":"seen"}`))
	r.must(http.StatusNoContent, "DELETE", "/issues/1/comments/"+note.ID+"/", "")
	again := mustRead[Activity](t, r.must(http.StatusOK, "POST", "/issues/1/comments/"+note.ID+"/restore/", ""))
	if again.Data.Text != "seen" {
		t.Errorf("the comment is %+v", again)
	}
	r.wantAudit("issue.comment.restore WEB-SHOP-1")

	r.must(http.StatusAccepted, "DELETE", "/issues/1/", "")
	r.must(http.StatusNotFound, "GET", "/issues/1/", "")
	got := mustRead[Changes](t, r.must(http.StatusOK, "POST", "/organizations/x/issues/restore/?id=WEB-SHOP-1", ""))
	if len(got.Changed) != 1 || got.Changed[0] != "1" {
		t.Errorf("restored %+v", got)
	}
	r.must(http.StatusOK, "GET", "/issues/1/", "")
	r.wantAudit("issue.restore WEB-SHOP-1")
	r.must(http.StatusNotFound, "POST", "/organizations/x/issues/restore/?id=77", "")
	late := r.must(http.StatusBadRequest, "POST", "/organizations/x/issues/restore/?id=1", "")
	if !strings.Contains(late, "too late") {
		t.Errorf("what was not deleted: %s", late)
	}
	mustStatus(t, r.do("POST", Root+"/organizations/x/issues/restore/?id=1", r.memberToken, ""), http.StatusForbidden)
	mustStatus(t, r.do("POST", Root+"/organizations/x/issues/restore/?id=1", r.otherToken, ""), http.StatusNotFound)
}

// An event is there as its client sent it, and as Markdown.
func TestEventText(t *testing.T) {
	r := newRig(t, func(c *Config) { c.EventJSON = func(p []byte) []byte { return append(p, '\n') } })
	id := r.message(r.web.ID, "first").String()
	if text := r.must(http.StatusOK, "GET", "/projects/x/web-shop/events/"+id+"/json/", ""); !strings.Contains(text, `"message":"first"`) || !strings.HasSuffix(text, "\n") {
		t.Errorf("its JSON: %s", text)
	}
	if text := r.must(http.StatusOK, "GET", "/projects/x/web-shop/events/"+id+"/markdown/", ""); text != "# WEB-SHOP-1 event 1" {
		t.Errorf("its Markdown: %s", text)
	}
	r.must(http.StatusNotFound, "GET", "/projects/x/other/events/"+id+"/json/", "")
}

// The books say what became of what was reported.
func TestStats(t *testing.T) {
	r := newRig(t, nil)
	r.shop()
	r.message(r.web.ID, "now")
	count := func(path string) map[string]int64 {
		t.Helper()
		all := make(map[string]int64)
		for _, g := range mustRead[Sums](t, r.must(http.StatusOK, "GET", "/organizations/x/stats_v2/?field=sum(quantity)&"+path, "")).Groups {
			all[g.By["outcome"]+" "+g.By["project"]] += g.Totals["sum(quantity)"]
			var n int64
			for _, v := range g.Series["sum(quantity)"] {
				n += v
			}
			if n != g.Totals["sum(quantity)"] {
				t.Errorf("%s: a series of %d, in all %d", path, n, g.Totals["sum(quantity)"])
			}
		}
		return all
	}
	if got := count("groupBy=outcome&statsPeriod=14d&interval=1d"); got["accepted "] != 6 || len(got) != 1 {
		t.Errorf("14 days: %v", got)
	}
	if got := count("groupBy=project&statsPeriod=24h"); got[" "+projectNumber(r.web.ID)] != 4 || got[" "+projectNumber(r.other.ID)] != 1 {
		t.Errorf("a day by project: %v", got)
	}
	if got := count("groupBy=outcome&statsPeriod=24h&outcome=filtered"); len(got) != 0 {
		t.Errorf("filtered: %v", got)
	}
	hours := mustRead[[]Stat](t, r.must(http.StatusOK, "GET", "/projects/x/web-shop/stats/?stat=generated", ""))
	if n := len(hours); n != 25 || hours[n-1] != (Stat{testNow.Truncate(time.Hour).Unix(), 1}) || hours[n-2][1] != 1 {
		t.Errorf("%d hours, the last %v", n, hours[n-2:])
	}
	dropped := mustRead[DroppedEvents](t, r.must(http.StatusOK, "GET", "/organizations/x/events-dropped/?statsPeriod=24h&interval=1d", ""))
	var accepted int64
	for _, c := range dropped.AcceptedEvents {
		accepted += c.Count
	}
	if accepted != 5 || len(dropped.DroppedEvents) != 0 || dropped.Meta.Interval != 86_400_000 {
		t.Errorf("%d accepted: %+v", accepted, dropped)
	}
	for path, want := range map[string]string{
		"/organizations/x/stats_v2/":                                      "Name a field",
		"/organizations/x/stats_v2/?field=sum(size)":                      "There is no field",
		"/organizations/x/stats_v2/?field=sum(quantity)&groupBy=x":        "groupBy",
		"/organizations/x/stats_v2/?field=sum(quantity)&interval=5m":      "kept by the hour",
		"/organizations/x/stats_v2/?field=sum(quantity)&statsPeriod=500w": "10,000 stretches",
		"/organizations/x/events-dropped/?dataset=spans":                  "errors only",
		"/projects/x/web-shop/stats/?stat=x":                              "There is no stat",
		"/projects/x/web-shop/stats/?since=yesterday":                     "Unix seconds",
	} {
		if text := r.must(http.StatusBadRequest, "GET", path, ""); !strings.Contains(text, want) {
			t.Errorf("%s: %s, want %s", path, text, want)
		}
	}
}

// What became of something is told in the words that tools know.
func TestOutcomes(t *testing.T) {
	for line, want := range map[store.OutcomeHour]string{
		{Outcome: store.BookStored}:                           "accepted ",
		{Outcome: store.BookDuplicate}:                        "invalid duplicate",
		{Outcome: store.BookLimited, Reason: "x"}:             "rate_limited x",
		{Outcome: store.BookDropped, Reason: "project_quota"}: "rate_limited project_quota",
		{Outcome: store.BookDropped, Reason: "bad_json"}:      "invalid bad_json",
		{Outcome: store.BookUnstored}:                         "filtered ",
		{Outcome: store.BookClient, Reason: "before_send"}:    "client_discard before_send",
		{Outcome: "refused", Reason: "unknown_key"}:           "invalid unknown_key",
	} {
		if got := outcomeOf(line) + " " + reasonOf(line); got != want {
			t.Errorf("%v: %q, want %q", line, got, want)
		}
	}
}
