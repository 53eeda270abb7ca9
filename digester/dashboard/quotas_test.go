package dashboard

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"sundew/digester/access"
	"sundew/digester/grouping"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
	"sundew/schema/quota"
	"sundew/schema/wire"
)

// TestLimits sets limits of a project and of all, and looks at what pages say of them.
func TestLimits(t *testing.T) {
	s := newSite(t, nil)
	const page, list = "/projects/1/settings/limits", "/projects/1/issues"
	mustContain(t, textOf(s.mustGet(page)), "An empty field is no limit", "this project are stored")
	mustLack(t, s.mustGet(list), "quota-line")

	s.mustPost(page, url.Values{"events-minutes": {"1,000"}, "attachments-month": {"50"}, "spike": {"20"}})
	mustContain(t, s.mustGet(page), `name="events-minutes" value="1000"`, `name="attachments-month" value="50"`, `name="feedback-hour" value=""`, `name="spike" value="20"`)
	mustContain(t, textOf(s.mustGet(page)), "0 of 1,000 events in 5 minutes", "0 of 50 attachments in 30 days")
	mustContain(t, textOf(s.mustGet("/audit")), "changed the limits of", "1,000 events in 5 minutes, 50 attachments in 30 days; of an issue 20 events a minute are all stored")

	for name, value := range map[string]string{"events-hour": "-1", "feedback-month": "2000000000", "attachments-minutes": "many", "spike": "-7"} {
		mustContain(t, s.mustReturn(page, url.Values{name: {value}}), "want a whole number", `value="`+value+`"`)
	}
	mustContain(t, s.mustReturn(page, url.Values{"events-hour": {hostile}}), "want a whole number")
	mustContain(t, s.mustGet(page), `name="events-minutes" value="1000"`)

	s.mustPost("/limits", url.Values{"events-hour": {"5000"}})
	mustContain(t, textOf(s.mustGet("/limits")), "0 of 5,000 events in an hour", "Projects with limits", "0 of 1,000 events in 5 minutes")
	mustContain(t, s.mustReturn("/limits", url.Values{"events-hour": {"x"}}), "want a whole number")
	mustContain(t, textOf(s.mustGet("/audit")), "5,000 events in an hour")
}

// TestLimitReached looks at a project that is over its limit, as one who may change it
// and one who may not, and at the installation's.
func TestLimitReached(t *testing.T) {
	s := newSite(t, nil)
	const list = "/projects/1/issues"
	s.mustPost("/projects/1/settings/limits", url.Values{"events-minutes": {"1000"}, "events-hour": {"9000"}})
	count := func(project event.ProjectID, n int64) {
		t.Helper()
		m := quota.NewMeter()
		m.Recall(project, quota.Events, testNow.Add(-time.Minute), n)
		m.Set(quota.Limits{{1}}.Quotas(project), time.Time{})
		s.mustWrite(func(tx *store.Tx) error {
			return tx.SaveQuotaRecords(map[event.ProjectID]store.QuotaRecord{project: {Counted: m.Changed()[project]}})
		})
	}
	count(1, 700)
	text := textOf(s.mustGet(list))
	mustContain(t, text, "700 of 1,000 events in 5 minutes")
	mustLack(t, text, "has reached its limit")
	count(1, 1000)
	text = textOf(s.mustGet(list))
	mustContain(t, text, "This project has reached its limit of 1,000 events in 5 minutes", "More events are refused until "+"2026-03-14 15:13:30 UTC", "Limits")
	mustContain(t, textOf(s.mustGet("/projects/1/settings/limits")), "1,000 of 1,000 events in 5 minutes full until", "1,000 of 9,000 events in an hour")

	s.mustPost("/limits", url.Values{"events-hour": {"500"}})
	count(quota.Installation, 500)
	mustContain(t, textOf(s.mustGet(list)), "This installation has reached its limit of 500 events in an hour")
	viewer := s.signInAs("viewer@example.com", access.None)
	s.mustWrite(func(tx *store.Tx) error { return tx.SetProjectMember(1, viewer.ID, access.Viewer) })
	mustLack(t, s.mustGet(list), "/settings/limits")
}

// TestCountedOnly looks at an issue of which not all events are stored.
func TestCountedOnly(t *testing.T) {
	s := newSite(t, nil)
	first := s.message("spike", testNow)
	mustLack(t, textOf(s.mustGet(fmt.Sprintf("/issues/%d/events", first.Issue))), "counted,")
	for range 29 {
		s.seq++
		in := &store.Incoming{
			Instance: wire.InstanceID{1}, Seq: s.seq, Project: s.project.ID, ReceivedAt: testNow, OccurredAt: testNow, Category: "error",
			Level: event.LevelError, Title: "spike", SpikeAfter: 5, Encoding: wire.EncodingIdentity, Body: []byte("{}"), Meta: []byte("{}"),
		}
		in.EventID[0] = byte(s.seq)
		in.Group, in.GroupRules = groupOf(t, s, first), 1
		if result, err := s.db.Digest(t.Context(), in); err != nil || result != store.Stored {
			t.Fatalf("%v, %v", result, err)
		}
	}
	issue := fmt.Sprintf("/issues/%d", first.Issue)
	mustContain(t, textOf(s.mustGet(issue)), "30 8 stored")
	mustContain(t, textOf(s.mustGet(issue+"/events")), "30 events counted, 8 of them stored")
	mustContain(t, textOf(s.mustGet("/projects/1/settings/limits")), "Of 30 events that this project had 8 are stored")
	storetest.MustCheck(t, s.replica)
}

// groupOf returns the group of an event that a test has stored.
func groupOf(t *testing.T, s *site, e stored) (key [16]byte) {
	t.Helper()
	body := payloadOf(t, map[string]any{"platform": "other", "message": e.Event.Title, "fingerprint": []string{e.Event.Title}})
	ev, err := body.Skim()
	if err != nil {
		t.Fatal(err)
	}
	return grouping.Group(ev).Key
}
