package dashboard

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"sundew/digester/courier"
	"sundew/digester/courier/couriertest"
	"sundew/digester/notify"
	"sundew/digester/outbound"
	"sundew/digester/store"
)

// postedSite is a site with a courier, and a service that he brings messages to.
type postedSite struct {
	*site
	*couriertest.Hook
}

func newPostedSite(t *testing.T) *postedSite {
	t.Helper()
	client := couriertest.NewClient(t)
	var carrier *courier.Courier
	s := newSite(t, func(cfg *Config) {
		carrier = courier.New(courier.Config{DB: cfg.DB, Replica: cfg.Replica, Client: client, Now: cfg.Now, Log: zerolog.Nop()})
		cfg.Courier, cfg.CheckURL = carrier.Call, client.Check
	})
	couriertest.Run(t, carrier)
	return &postedSite{s, couriertest.NewHook(t, "said <b>this</b>")}
}

// Somebody adds a channel, tries it, sees why it fails, and tries again.
func TestChannelSettings(t *testing.T) {
	s := newPostedSite(t)
	const list = "/projects/1/settings/channels"
	mustContain(t, s.mustGet(list), "There are none yet", "Microsoft Teams")
	mustContain(t, s.mustGet(list+"/new?kind=slack"), "Incoming Webhooks")
	if resp := s.get(list + "/new?kind=fax"); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("a kind that is none: status %d", resp.StatusCode)
	}
	page := s.mustGet(s.mustPost(list, url.Values{"kind": {"slack"}, "name": {"Room " + hostile}, "url": {s.URL}}))
	mustContain(t, page, "The channel is there", "not used yet", "Nothing was sent yet")
	mustLack(t, page, "very-secret-path")
	assertInert(t, "the channel", page)

	page = s.mustGet(s.mustPost(list+"/1/test", nil))
	mustContain(t, page, "The test message was taken", ">works<", ">sent<")
	if got := s.Visits(); len(got) != 1 || !strings.Contains(got[0].Body, "Test message in Web shop") || !strings.Contains(got[0].Body, "http://127.0.0.1:8000/projects/1/") {
		t.Errorf("got %q", got)
	}

	s.Answer(http.StatusNotFound)
	page = s.mustGet(s.mustPost(list+"/1/test", nil))
	mustContain(t, page, "was not taken: answered 404: said &lt;b&gt;this", ">given up<", "Try")
	assertInert(t, "the channel", page)
	mustContain(t, s.mustGet(list), "failing", "answered 404")
	s.Answer(http.StatusOK)
	s.mustPost(list+"/1/messages/2/retry", nil)
	if resp := s.post(list+"/1/messages/1/retry", ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a message that was sent: status %d", resp.StatusCode)
	}

	// What is saved stays where the form leaves it empty.
	mustContain(t, s.mustGet(s.mustPost(list+"/1", url.Values{"name": {"Other room"}, "url": {""}})), "Saved.", "Other room", "/…path")
	mustContain(t, s.mustGet(s.mustPost(list+"/1/test", nil)), "The test message was taken")
	mustContain(t, s.mustGet(s.mustPost(list+"/1/disable", nil)), "switched off", ">off<")
	mustContain(t, s.mustGet(s.mustPost(list+"/1/test", nil)), "no test was sent")
	s.mustPost(list+"/1/enable", nil)
	mustContain(t, s.mustGet(s.mustPost(list+"/1/delete", nil)), "The channel is deleted", "There are none yet")
	want := "channel.delete channel.enable channel.test channel.disable channel.test channel.change channel.retry channel.test channel.test channel.add"
	if got := strings.Join(s.audited(), " "); got != want {
		t.Errorf("audited %q", got)
	}
	mustLack(t, s.mustGet("/projects/1/audit"), "very-secret-path")
	if strings.Contains(s.log.String(), "very-secret-path") {
		t.Errorf("the address is in the log: %s", s.log)
	}
}

// What is wrong is said, and what was typed comes back.
func TestChannelForms(t *testing.T) {
	s := newSite(t, func(cfg *Config) { cfg.CheckURL = outbound.New(outbound.Config{Networks: outbound.PublicOnly()}).Check })
	const list = "/projects/1/settings/channels"
	for _, c := range []struct {
		form url.Values
		want []string
	}{
		{url.Values{"kind": {"slack"}, "name": {"Room"}, "url": {""}}, []string{"the address is missing"}},
		{url.Values{"kind": {"slack"}, "name": {""}, "url": {"https://hooks.example.com/a"}}, []string{"name of a channel", `value="https://hooks.example.com/a"`}},
		{url.Values{"kind": {"slack"}, "name": {"Room"}, "url": {hostile}}, []string{"begins with https://"}},
		{url.Values{"kind": {"mattermost"}, "name": {"Room"}, "url": {"http://10.0.0.7/hooks/a"}}, []string{"cannot be called: not an address on the internet: 10.0.0.7", "SUNDEW_ALLOW_NETWORKS"}},
		{url.Values{"kind": {"webhook"}, "name": {"Room"}, "url": {"http://localhost:1/"}}, []string{"not an address on the internet: localhost"}},
		{url.Values{"kind": {"telegram"}, "name": {"Bot"}, "token": {"x"}, "chat": {"y"}}, []string{"token is a number", `value="x"`, `value="y"`}},
		{url.Values{"kind": {"pagerduty"}, "name": {"Pager"}, "token": {"x"}}, []string{"32 letters"}},
		{url.Values{"kind": {"mail"}, "name": {"Mail"}, "addresses": {"ada@example.com, " + hostile}}, []string{"is no mail address", "ada@example.com", "SUNDEW_SMTP"}},
	} {
		mustContain(t, s.mustReturn(list, c.form), c.want...)
	}
	if resp := s.post(list, "kind=fax&name=x"); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a kind that is none: status %d", resp.StatusCode)
	}
	mustContain(t, s.mustGet(list), "There are none yet")
}

// A webhook's secret is shown when it is made and never again.
func TestChannelSecret(t *testing.T) {
	s := newSite(t, nil)
	const list = "/projects/1/settings/channels"
	form := url.Values{"kind": {"webhook"}, "name": {"Ours"}, "url": {"https://example.com/hook"}}
	secretIn := func(resp *http.Response) string {
		t.Helper()
		page := bodyOf(t, resp)
		_, rest, found := strings.Cut(page, "sundew_")
		if resp.StatusCode != http.StatusOK || !found {
			t.Fatalf("status %d, a secret: %v", resp.StatusCode, found)
		}
		return "sundew_" + rest[:64]
	}
	first := secretIn(s.post(list, form.Encode()))
	mustLack(t, s.mustGet(list+"/1"), "sundew_")
	second := secretIn(s.post(list+"/1/secret", ""))
	mustLack(t, s.mustGet(list+"/1"), "sundew_")
	s.mustWrite(func(tx *store.Tx) error {
		c, err := tx.Channel(1, 1)
		if first == second || c.Config.Secret != second {
			t.Errorf("secrets %q and %q, saved %q", first, second, c.Config.Secret)
		}
		_, err2 := tx.AddChannel(1, store.Channel{Kind: notify.Slack, Name: "x", Config: notify.Config{URL: "https://example.com"}})
		if err == nil {
			err = err2
		}
		return err
	})
	if resp := s.post(list+"/2/secret", ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a secret of what has none: status %d", resp.StatusCode)
	}
}
