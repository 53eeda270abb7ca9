package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sundew/schema/event/eventtest"
)

// captured returns a recorded event of a real SDK.
func captured(t testing.TB, name string) eventtest.Payload {
	t.Helper()
	all := eventtest.Captured(t)
	at := slices.IndexFunc(all, func(p eventtest.Payload) bool { return p.Name == name })
	if at < 0 {
		t.Fatalf("there is no %s", name)
	}
	return all[at]
}

// sentEvent is of an event what tests look at.
type sentEvent struct {
	ID, GroupID, Title, Type, Culprit string
	PreviousEventID, NextEventID      *string
	Tags                              []Tag
	Contexts                          map[string]struct{ Type string }
	Entries                           []struct {
		Type string
		Data json.RawMessage
	}
}

// Events of real SDKs are answered with what is in them: frames with their source, the
// breadcrumbs, the request.
func TestEventDetails(t *testing.T) {
	r := newRig(t, nil)
	for name, want := range map[string][]string{
		"py2-chained":         {`"type":"exception"`, `"type":"PaymentError"`, `"handled":`, `"context":[[`, `"inApp":true`, `"vars":{`, `"type":"JSONDecodeError"`},
		"java-threads":        {`"type":"threads"`, `"crashed":`, `"type":"message"`},
		"node-scope-full--02": {`"type":"breadcrumbs"`, `"category":`, `"user":{"id":`, `"contexts":{`},
		"rb6-rack--01":        {`"type":"request"`, `"method":"POST"`, `"url":"http://example.org/orders/17"`, `"headers":[[`, `"packages":{"`},
	} {
		id := r.digest(r.web.ID, captured(t, name), r.now.Add(-time.Hour))
		text := r.must(http.StatusOK, "GET", "/projects/x/web-shop/events/"+id.String()+"/", "")
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks %s: %.3000s", name, part, text)
			}
		}
		ev := mustRead[sentEvent](t, text)
		if ev.ID != id.String() || ev.Title == "" || len(ev.Entries) == 0 || len(ev.Tags) == 0 {
			t.Errorf("%s: %+v", name, ev)
		}
	}
}

// Every recorded event can be answered.
func TestEveryEvent(t *testing.T) {
	r := newRig(t, nil)
	for _, p := range eventtest.Captured(t) {
		if p.Security {
			continue
		}
		id := r.digest(r.web.ID, p, r.now.Add(-time.Hour))
		mustRead[sentEvent](t, mustStatus(t, r.do("GET", "/api/0/projects/x/1/events/"+id.String()+"/", r.ownerToken, ""), http.StatusOK))
	}
}

func TestEventLists(t *testing.T) {
	r := newRig(t, func(c *Config) { c.PerMin = 1000 })
	var ids []string
	for range 5 {
		ids = append(ids, r.message(r.web.ID, "first").String())
		r.message(r.other.ID, "elsewhere")
	}
	list := func(path string) (got []string, link string) {
		t.Helper()
		answer := r.do("GET", "/api/0"+path, r.ownerToken, "")
		for _, ev := range mustRead[[]sentEvent](t, mustStatus(t, answer, http.StatusOK)) {
			got = append(got, ev.ID)
			if len(ev.Entries) > 0 != strings.Contains(path, "full=true") {
				t.Errorf("%s has %d entries", path, len(ev.Entries))
			}
		}
		return got, answer.Header.Get("Link")
	}
	slices.Reverse(ids)
	for _, path := range []string{"/issues/1/events/", "/issues/1/events/?full=true", "/projects/x/web-shop/events/", "/issues/1/events/?statsPeriod=1h", "/issues/1/events/?start=2026-03-04T12:00:00"} {
		if got, _ := list(path); !slices.Equal(got, ids) {
			t.Errorf("%s: %v", path, got)
		}
	}
	for _, path := range []string{"/issues/1/events/?environment=x", "/issues/1/events/?end=2026-03-04T12:00:00"} {
		if got, _ := list(path); len(got) != 0 {
			t.Errorf("%s: %v", path, got)
		}
	}
	for _, base := range []string{"/issues/1/events/", "/projects/x/web-shop/events/"} {
		first, link := list(base + "?limit=3")
		_, next, _ := strings.Cut(link, `rel="next"; results="true"; cursor="`)
		second, link := list(base + "?limit=3&cursor=" + strings.TrimSuffix(next, `"`))
		if all := slices.Concat(first, second); !slices.Equal(all, ids) || !strings.Contains(link, `rel="next"; results="false"`) {
			t.Errorf("%s: %v, %s", base, all, link)
		}
	}
	for _, base := range []string{"/issues/1/events/", "/projects/x/web-shop/events/"} {
		for query, want := range map[string]int{"nothing": 0, "level:error": len(ids), "!level:error": 0, "timestamp:>2026-01-01": len(ids)} {
			if found, _ := list(base + "?query=" + url.QueryEscape(query)); len(found) != want {
				t.Errorf("%s finds %d by %s, want %d", base, len(found), query, want)
			}
		}
		r.must(http.StatusBadRequest, "GET", base+"?query=is:nonsense", "")
	}
}

func TestEventOfIssue(t *testing.T) {
	r := newRig(t, nil)
	oldest, latest := r.message(r.web.ID, "first").String(), r.message(r.web.ID, "first").String()
	foreign := r.message(r.web.ID, "second").String()
	for name, want := range map[string]string{"latest": latest, "recommended": latest, "oldest": oldest, oldest: oldest} {
		if got := mustRead[sentEvent](t, r.must(http.StatusOK, "GET", "/issues/1/events/"+name+"/", "")); got.ID != want {
			t.Errorf("%s is %s, want %s", name, got.ID, want)
		}
	}
	if got := mustRead[sentEvent](t, r.must(http.StatusOK, "GET", "/issues/1/events/latest/", "")); got.PreviousEventID == nil || *got.PreviousEventID != oldest || got.NextEventID != nil {
		t.Errorf("around the latest are %v and %v", got.PreviousEventID, got.NextEventID)
	}
	for _, name := range []string{foreign, "newest", strings.Repeat("a", 32), "1"} {
		r.must(http.StatusNotFound, "GET", "/issues/1/events/"+name+"/", "")
	}
	place := mustRead[struct{ ProjectSlug, GroupID string }](t, r.must(http.StatusOK, "GET", "/organizations/x/eventids/"+foreign+"/", ""))
	if place.ProjectSlug != "web-shop" || place.GroupID != "2" {
		t.Errorf("it is at %+v", place)
	}
}

func TestTags(t *testing.T) {
	r := newRig(t, nil)
	for range 3 {
		r.digest(r.web.ID, captured(t, "node-scope-full--02"), r.now.Add(-time.Hour))
	}
	r.message(r.web.ID, "other")
	tag := mustRead[TagSummary](t, r.must(http.StatusOK, "GET", "/issues/1/tags/level/", ""))
	if tag.TotalValues != 3 || tag.UniqueValues != 1 || len(tag.TopValues) != 1 || tag.TopValues[0].Count != 3 {
		t.Errorf("the tag is %+v", tag)
	}
	values := mustRead[[]TagValue](t, r.must(http.StatusOK, "GET", "/projects/x/web-shop/tags/level/values/", ""))
	if len(values) == 0 || values[0].Count < 3 {
		t.Errorf("its values are %+v", values)
	}
	// A value's query finds it.
	if got := r.found("/organizations/x/issues/?query=" + strings.ReplaceAll(tag.TopValues[0].Query, " ", "+")); !slices.Contains(got, "WEB-SHOP-1") {
		t.Errorf("%s finds %v", tag.TopValues[0].Query, got)
	}
	r.must(http.StatusNotFound, "GET", "/issues/1/tags/nowhere/", "")
}
