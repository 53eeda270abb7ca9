package dashboard

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event/eventtest"
	"sundew/schema/scrub"
)

func TestPrivacySettings(t *testing.T) {
	s := newSite(t, nil)
	const path = "/projects/1/settings/privacy"
	mustContain(t, s.mustGet(path), `name="on" value="yes" checked`)
	page := s.mustGet(s.mustPost(path, url.Values{
		"names": {"tax id\r\n\r\npatient\r\n"}, "safe": {"session kind"}, "patterns": {`\bDE\d{20}\b`}, "addresses": {"truncate"}, "files": {"refuse"},
	}))
	mustContain(t, page, "Saved.", "tax id\npatient</textarea>", "session kind</textarea>", `\bDE\d{20}\b</textarea>`, `value="truncate" selected`, `value="refuse" checked`)
	mustLack(t, page, `name="on" value="yes" checked`)
	var got scrub.Settings
	storetest.MustRead(t, s.replica, func(rx *store.Rx) (err error) {
		got, err = rx.Privacy(1)
		return err
	})
	want := scrub.Settings{Off: true, Names: []string{"tax id", "patient"}, Safe: []string{"session kind"}, Patterns: []string{`\bDE\d{20}\b`},
		Addresses: scrub.TruncateAddresses, RefuseFiles: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := strings.Join(s.audited(), " "); got != "project.privacy" {
		t.Errorf("audited %q", got)
	}
}

func TestPrivacySettingsReturned(t *testing.T) {
	s := newSite(t, nil)
	const path = "/projects/1/settings/privacy"
	for _, tt := range []struct {
		form url.Values
		want string
	}{
		{url.Values{"patterns": {"ok\n(" + hostile}}, "Line 2: the pattern"},
		{url.Values{"patterns": {".*"}}, "found everywhere"},
		{url.Values{"patterns": {`\w+`}}, "it matches [Filtered] too"},
		{url.Values{"names": {"ok\n?"}}, "Line 2: the name"},
		{url.Values{"safe": {strings.Repeat("x", 101)}}, "at most 100"},
	} {
		for _, p := range []string{path, path + "/try"} {
			mustContain(t, s.mustReturn(p, tt.form), tt.want)
		}
	}
	for _, p := range []string{path, path + "/try"} {
		if resp := s.post(p, url.Values{"addresses": {hostile}}.Encode()); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("a treatment of addresses that there is not: status %d", resp.StatusCode)
		}
	}
	if s.audited() != nil {
		t.Error("something was saved")
	}
}

func TestTryPrivacy(t *testing.T) {
	s := newSite(t, nil)
	const path = "/projects/1/settings/privacy"
	try := func(form url.Values) string {
		resp := s.post(path+"/try", form.Encode())
		page := bodyOf(t, resp)
		if resp.StatusCode != http.StatusOK {
			t.Errorf("status %d", resp.StatusCode)
		}
		assertInert(t, path, page)
		return page
	}
	page := try(url.Values{"on": {"yes"}, "names": {"tax"}, "sample": {`{"extra":{"taxId":"12","note":"<b>"},"request":{"data":"password=swordfish"}}`}})
	mustContain(t, page, "2 found", "extra.taxId", "request.data", "password=<mark")
	page = try(url.Values{"on": {"yes"}, "sample": {"no JSON, token=abc" + hostile}})
	mustContain(t, page, "1 found", "the text")
	mustContain(t, try(url.Values{"on": {"yes"}, "sample": {"nothing"}}), "Nothing was found")
	mustContain(t, try(url.Values{"sample": {"token=abc"}}), "Nothing was found")
	mustContain(t, s.mustGet(path), `name="names"`)
	mustLack(t, s.mustGet(path), "swordfish", "tax</textarea>")
}

// What was taken out says on the event's page what it is.
func TestFilteredOnPage(t *testing.T) {
	s := newSite(t, nil)
	ev := s.digest(eventtest.Payload{Name: "x", JSON: []byte(`{"message":"token=[Filtered] seen","extra":{"password":"[Filtered]"}}`)}, testNow)
	page := s.mustGet("/issues/1/events/1")
	if n := strings.Count(page, `<mark class="scrub-filtered" title="A secret`); n < 2 {
		t.Errorf("event %v: %d marks\n%s", ev, n, page)
	}
}
