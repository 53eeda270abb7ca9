package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/access"
	"sundew/digester/retention"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	quotas "sundew/schema/quota"
	"sundew/schema/scrub"
)

// What tools have names for is part of the project.
func TestSettingsBySentrysNames(t *testing.T) {
	r := newRig(t, nil)
	const at = "/projects/acme/web-shop/"
	was := mustRead[ProjectDetails](t, r.must(http.StatusOK, "GET", at, ""))
	if diff := cmp.Diff(&ProjectSettings{AllowedDomains: List[string]{"*"}, DataScrubber: true, DataScrubberDefaults: true,
		SensitiveFields: List[string]{}, SafeFields: List[string]{}}, was.ProjectSettings); diff != "" {
		t.Errorf("at first: %s", diff)
	}
	if seen := mustRead[ProjectDetails](t, mustStatus(t, r.do("GET", Root+at, r.memberToken, ""), http.StatusOK)); seen.ProjectSettings != nil {
		t.Errorf("a member sees %+v", seen.ProjectSettings)
	}
	is := mustRead[ProjectDetails](t, r.must(http.StatusOK, "PUT", at,
		`{"allowedDomains":["example.com","*.example.org"],"sensitiveFields":["tax id"," ","tax id"],"safeFields":["session kind"],"scrubIPAddresses":true,"fingerprintingRules":"type:A -> a\r\n"}`))
	want := &ProjectSettings{AllowedDomains: List[string]{"example.com", "*.example.org"}, DataScrubber: true, DataScrubberDefaults: true,
		SensitiveFields: List[string]{"tax id"}, SafeFields: List[string]{"session kind"}, ScrubIPAddresses: true, FingerprintingRules: "type:A -> a"}
	if diff := cmp.Diff(want, is.ProjectSettings); diff != "" {
		t.Errorf("changed: %s", diff)
	}
	storetest.MustRead(t, r.replica, func(rx *store.Rx) error {
		rules, err := rx.ProjectRules(r.web.ID)
		if diff := cmp.Diff(store.ProjectRules{Origins: "example.com\n*.example.org", Fingerprint: "type:A -> a"}, rules); diff != "" {
			t.Errorf("stored: %s", diff)
		}
		return err
	})
	r.wantAudited(r.web.ID, "project.privacy Web shop scrubbing on, addresses dropped, 1 names, 1 safe, 0 patterns",
		"project.grouping Web shop 1 rules", "project.domains Web shop 2 allowed")
	r.must(http.StatusOK, "PUT", at, `{"allowedDomains":["example.com","*.example.org"],"sensitiveFields":["tax id"],"fingerprintingRules":"type:A -> a"}`) // as it is
	if n := len(r.audited(r.web.ID, 10)); n != 3 {
		t.Errorf("%d lines are in the audit log", n)
	}
	r.must(http.StatusOK, "PUT", at, `{"allowedDomains":["*"],"dataScrubber":false,"dataScrubberDefaults":false,"scrubIPAddresses":false,"resolveAge":0,"options":{},"relayPiiConfig":null}`)
	want.AllowedDomains, want.DataScrubber, want.DataScrubberDefaults, want.ScrubIPAddresses = List[string]{"*"}, false, false, false
	if diff := cmp.Diff(want, mustRead[ProjectDetails](t, r.must(http.StatusOK, "GET", at, "")).ProjectSettings); diff != "" {
		t.Errorf("changed again: %s", diff)
	}
}

// Nothing is changed by a request of which a part is refused.
func TestSettingsRefused(t *testing.T) {
	r := newRig(t, nil)
	r.refused(http.StatusBadRequest, r.ownerToken, "PUT", "/projects/acme/web-shop/", `{"resolveAge":99999999999999999999}`, `"resolveAge" has the number 99999999999999999999, which`)
	for body, words := range map[string]string{
		`{"allowedDomains":["example.com","a b"]}`:     "allowedDomains: Line 2",
		`{"fingerprintingRules":"type:A -> a\nwhat?"}`: "fingerprintingRules: Nothing was saved. Line 2: ",
		`{"sensitiveFields":["?"]}`:                    "sensitiveFields: Line 1: the name",
		`{"team":"everyone"}`:                          "by POST …/teams/{team}/",
		`{"groupingEnhancements":"family:x +app"}`:     "groupingEnhancements is not something Sundew has",
		`{"resolveAge":24}`:                            "resolveAge is not something Sundew has",
		`{"relayPiiConfig":"{\"rules\":{}}"}`:          "relayPiiConfig is not something Sundew has",
		`{"options":{"filters:localhost":true}}`:       "options is not something Sundew has",
		`{"dataScrubberDefaults":false}`:               "dataScrubberDefaults",
		`{"allowedDomains":"example.com"}`:             "allowedDomains",
	} {
		with := `{"name":"Changed","fingerprintingRules":"type:B -> b",` + body[1:]
		r.refused(http.StatusBadRequest, r.ownerToken, "PUT", "/projects/acme/web-shop/", with, words)
	}
	storetest.MustRead(t, r.replica, func(rx *store.Rx) error {
		p, err := rx.Project(r.web.ID)
		if err != nil {
			return err
		}
		rules, err := rx.ProjectRules(r.web.ID)
		if p.Name != "Web shop" || rules != (store.ProjectRules{}) {
			t.Errorf("changed: %+v, %+v", p, rules)
		}
		return err
	})
	if lines := r.audited(r.web.ID, 10); lines != nil {
		t.Errorf("audited %v", lines)
	}
}

// Who shortens addresses is not made to store them by a tool that reads and writes.
func TestShortenedAddressesStay(t *testing.T) {
	r := newRig(t, nil)
	r.must(http.StatusOK, "PUT", "/projects/acme/web-shop/settings/privacy/", `{"addresses":"truncate"}`)
	r.must(http.StatusOK, "PUT", "/projects/acme/web-shop/", `{"scrubIPAddresses":false}`)
	if p := mustRead[Privacy](t, r.must(http.StatusOK, "GET", "/projects/acme/web-shop/settings/privacy/", "")); p.Addresses != "truncate" {
		t.Errorf("addresses: %s", p.Addresses)
	}
}

func TestPrivacy(t *testing.T) {
	r := newRig(t, nil)
	const at = "/projects/acme/web-shop/settings/privacy/"
	r.must(http.StatusOK, "PUT", at, `{"names":["tax id","patient"],"patterns":["\\bDE\\d{20}\\b"],"addresses":"drop","refuseAttachments":true}`)
	got := mustRead[Privacy](t, r.must(http.StatusOK, "PUT", at, `{"scrub":false,"patterns":[]}`))
	want := Privacy{Names: List[string]{"tax id", "patient"}, Safe: List[string]{}, Patterns: List[string]{}, Addresses: "drop", RefuseAttachments: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	storetest.MustRead(t, r.replica, func(rx *store.Rx) error {
		s, err := rx.Privacy(r.web.ID)
		if want := (scrub.Settings{Off: true, Names: []string{"tax id", "patient"}, Addresses: scrub.DropAddresses, RefuseFiles: true}); !s.Equal(want) {
			t.Errorf("stored %+v", s)
		}
		return err
	})
	r.wantAudited(r.web.ID, "project.privacy Web shop scrubbing off, addresses dropped, 2 names, 0 safe, 0 patterns, no attachments")
	for _, path := range []string{at, at + "try/"} {
		method := "PUT"
		if path != at {
			method = "POST"
		}
		r.refused(http.StatusBadRequest, r.ownerToken, method, path, `{"patterns":["ok","("]}`, "patterns: Line 2: the pattern")
		r.refused(http.StatusBadRequest, r.ownerToken, method, path, `{"names":["?"]}`, "names: Line 1: the name")
		r.refused(http.StatusBadRequest, r.ownerToken, method, path, `{"addresses":"burn"}`, "addresses: The treatment of addresses")
		r.refused(http.StatusBadRequest, r.ownerToken, method, path, `{"adresses":"drop"}`, `"adresses" is not something that can be set here`)
	}
}

func TestTryPrivacy(t *testing.T) {
	r := newRig(t, nil)
	const at = "/projects/acme/web-shop/settings/privacy/"
	r.must(http.StatusOK, "PUT", at, `{"names":["tax"]}`)
	tried := mustRead[PrivacyTried](t, r.must(http.StatusOK, "POST", at+"try/", `{"sample":{"extra":{"taxId":"12","plain":"kettle"}}}`))
	if len(tried.Findings) != 1 || tried.Findings[0].Path != "extra.taxId" || strings.Contains(tried.Result, "12") || !strings.Contains(tried.Result, "kettle") {
		t.Errorf("tried %+v", tried)
	}
	tried = mustRead[PrivacyTried](t, r.must(http.StatusOK, "POST", at+"try/", `{"sample":"no JSON, token=abc","scrub":false}`))
	if len(tried.Findings) != 0 || tried.Result != "no JSON, token=abc" {
		t.Errorf("tried %+v", tried)
	}
	if p := mustRead[Privacy](t, r.must(http.StatusOK, "GET", at, "")); !p.Scrub {
		t.Error("a try was saved")
	}
}

func TestGroupingRules(t *testing.T) {
	r := newRig(t, nil)
	r.furnish()
	const at = "/projects/acme/web-shop/settings/grouping/"
	tried := mustRead[TriedRules](t, r.must(http.StatusOK, "POST", at+"try/", `{"rules":"# all\nmessage:f* -> together"}`))
	if tried.Events != 2 || len(tried.Matched) != 1 || tried.Matched[0].Issue.ShortID != "WEB-SHOP-1" || tried.Matched[0].Line != 2 || tried.Matched[0].GroupedBy != "together" || !tried.Matched[0].Moves {
		t.Errorf("tried %+v", tried)
	}
	is := mustRead[GroupingRules](t, r.must(http.StatusOK, "PUT", at, `{"rules":"# all\r\nmessage:f* -> together\r\n"}`))
	if is.Rules != "# all\nmessage:f* -> together" || is.Count != 1 || is.Version == 0 {
		t.Errorf("set %+v", is)
	}
	r.wantAudited(r.web.ID, "project.grouping Web shop 1 rules")
	r.refused(http.StatusBadRequest, r.ownerToken, "PUT", at, `{"rules":"what?\nnothing"}`, "Nothing was saved. Line 1: ")
	r.refused(http.StatusBadRequest, r.ownerToken, "PUT", at, `{}`, "rules")
	r.refused(http.StatusBadRequest, r.ownerToken, "POST", at+"try/", `{"rules":"what?"}`, "Line 1: ")
	r.refused(http.StatusForbidden, r.token(r.owner.ID, access.WriteProjects), "POST", at+"try/", `{"rules":""}`, "event:read")
	r.refused(http.StatusBadRequest, r.ownerToken, "PUT", at, `{"rules":"#`+strings.Repeat("x", 40<<10)+`"}`, "at most 32768 bytes")
}

func TestRetentionSettings(t *testing.T) {
	r := newRig(t, func(cfg *Config) { cfg.Retention = retention.Policy{Days: 90, Events: 100_000} })
	r.furnish()
	const at = "/projects/acme/web-shop/settings/retention/"
	want := Retention{Installation: KeptEver{90, 100_000}, Stored: 2}
	if diff := cmp.Diff(want, mustRead[Retention](t, r.must(http.StatusOK, "GET", at, ""))); diff != "" {
		t.Error(diff)
	}
	r.must(http.StatusOK, "PUT", at, `{"days":30,"events":0}`)
	r.must(http.StatusOK, "PUT", at, `{"events":500}`)
	r.refused(http.StatusBadRequest, r.ownerToken, "PUT", at, `{"day":3}`, `"day" is not something that can be set here; there are days, events`)
	want.Days, want.Events = new(int64(30)), new(int64(500))
	if diff := cmp.Diff(want, mustRead[Retention](t, r.must(http.StatusOK, "GET", at, ""))); diff != "" {
		t.Error(diff)
	}
	r.must(http.StatusOK, "PUT", at, `{"days":null}`)
	r.wantAudited(r.web.ID, "project.retention Web shop 90 days, 500 events", "project.retention Web shop 30 days, 500 events", "project.retention Web shop 30 days, all events")
	copied := newRig(t, func(cfg *Config) { cfg.DB = nil })
	copied.refused(http.StatusServiceUnavailable, copied.ownerToken, "GET", at, "", "read-only copy") // it does not know what the installation has
	r.refused(http.StatusBadRequest, r.ownerToken, "PUT", at, `{"days":-1,"events":5}`, "The number of days has to be from 1 to 3,650. The number of events has to be from 100 to 1,000,000,000.")
	storetest.MustRead(t, r.replica, func(rx *store.Rx) error {
		kept, err := rx.Retention(r.web.ID)
		if kept.Setting.Days != nil || *kept.Setting.Events != 500 {
			t.Errorf("stored %+v", kept.Setting)
		}
		return err
	})
}

func TestLimits(t *testing.T) {
	r := newRig(t, nil)
	const one, all = "/projects/acme/web-shop/settings/limits/", "/organizations/acme/settings/limits/"
	r.must(http.StatusOK, "PUT", one, `{"limits":{"events":{"minutes":1000,"hour":5000},"feedback":{"month":7}},"spike":50}`)
	is := mustRead[ProjectLimits](t, r.must(http.StatusOK, "PUT", one, `{"limits":{"events":{"hour":null}}}`))
	if *is.Limits["events"]["minutes"] != 1000 || is.Limits["events"]["hour"] != nil || *is.Limits["feedback"]["month"] != 7 || *is.Spike != 50 || len(is.Uses) != 2 {
		t.Errorf("set %+v", is)
	}
	r.wantAudited(r.web.ID, "project.limits Web shop 1,000 events in 5 minutes, 7 feedback in 30 days; of an issue 50 events a minute are all stored")
	for _, path := range []string{one, all} {
		r.refused(http.StatusBadRequest, r.ownerToken, "PUT", path, `{"events":{"hour":5}}`, `"events" is not something that can be set here; there are limits`)
	}
	r.must(http.StatusOK, "PUT", one, `{"spike":null}`)
	r.must(http.StatusOK, "PUT", all, `{"limits":{"attachments":{"hour":10}}}`)
	var want [2]store.Quotas
	want[0] = store.Quotas{Spike: store.UsualSpike}
	want[0].Limits[quotas.Events][quotas.FiveMinutes], want[0].Limits[quotas.Feedback][quotas.Month] = 1000, 7
	want[1] = store.Quotas{Spike: store.UsualSpike}
	want[1].Limits[quotas.Attachments][quotas.Hour] = 10
	storetest.MustRead(t, r.replica, func(rx *store.Rx) error {
		one, err := rx.Quotas(r.web.ID)
		if err != nil {
			return err
		}
		all, err := rx.Quotas(quotas.Installation)
		if diff := cmp.Diff(want, [2]store.Quotas{one, all}); diff != "" {
			t.Error(diff)
		}
		return err
	})
	r.wantAudited(0, "installation.limits all projects together 10 attachments in an hour")
	for body, words := range map[string]string{
		`{"limits":{"errors":{"hour":1}}}`:  `limits: there are none of "errors"`,
		`{"limits":{"events":{"day":1}}}`:   `limits: there are none in "day"`,
		`{"limits":{"events":{"hour":-1}}}`: "want a whole number up to 1000000000",
		`{"spike":-1}`:                      "spike",
	} {
		r.refused(http.StatusBadRequest, r.ownerToken, "PUT", one, body, words)
	}
}
