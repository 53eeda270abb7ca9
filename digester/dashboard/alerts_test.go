package dashboard

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sundew/digester/alert"
	"sundew/digester/notify"
	"sundew/digester/store"
)

const alertsPath = "/projects/1/settings/alerts"

// room adds a channel to the site's project.
func (s *site) room(name string) (id int64) {
	s.t.Helper()
	s.mustWrite(func(tx *store.Tx) error {
		c, err := tx.AddChannel(s.project.ID, store.Channel{Kind: notify.Slack, Name: name, Config: notify.Config{URL: "https://hooks.example.com/a"}})
		id = c.ID
		return err
	})
	return id
}

// typedRule is a form that will do.
func typedRule(change ...string) url.Values {
	form := url.Values{
		"name": {"Often"}, "new": {"1"}, "events": {"100"}, "events-period": {"5"}, "users": {""}, "users-period": {"60"},
		"environment": {"production"}, "environments": {"qa, staging"}, "level": {"4"}, "tags": {"tenant=a\r\nbrowser=x"}, "title": {"Type"},
		"where": {"all"}, "pause": {"30"},
	}
	for i := 0; i < len(change); i += 2 {
		form.Set(change[i], change[i+1])
	}
	return form
}

func TestAlertRulePages(t *testing.T) {
	s := newSite(t, nil)
	page := s.mustGet(alertsPath)
	mustContain(t, page, "Nobody is told yet", `/projects/1/settings/channels"`, "New and returning issues", "never told yet",
		"When an issue is new, comes back after it was resolved or is no longer muted: send to all channels, at most every 30 minutes for one issue.")
	ops, other := s.room(hostile), s.room("Other")
	mustLack(t, s.mustGet(alertsPath), "Nobody is told yet")

	form := typedRule("where", "some", "name", hostile)
	form["channel"] = []string{formatID(ops)}
	page = s.mustGet(s.mustPost(alertsPath, form))
	assertInert(t, alertsPath, page)
	mustContain(t, page, "The rule is there.", "with “Type” in its title is new or is seen 100 times in 5 minutes in production, qa or staging at level error or above with tenant=a and browser=x: send to ")
	page = s.mustGet(alertsPath + "/2")
	assertInert(t, alertsPath+"/2", page)
	mustContain(t, page, `value="qa" checked`, "tenant=a\nbrowser=x</textarea>", `value="4" selected`, `name="events" value="100"`,
		`value="some" checked`, `name="channel" value="`+formatID(ops)+`" checked`, `name="channel" value="`+formatID(other)+`">`)

	s.mustPost(alertsPath+"/2", typedRule("new", "", "pause", "60"))
	mustContain(t, s.mustGet(alertsPath), "with “Type” in its title is seen 100 times", "at most every hour for one issue.")
	mustContain(t, s.mustGet(s.mustPost(alertsPath+"/2/disable", nil)), "switched off", "Switch on")
	s.mustPost(alertsPath+"/2/enable", nil)
	mustLack(t, s.mustGet(s.mustPost(alertsPath+"/2/delete", nil)), "Often")
	if resp := s.get(alertsPath + "/2"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a rule that is gone: status %d", resp.StatusCode)
	}
	if got := strings.Join(s.audited(), " "); got != "alert-rule.delete alert-rule.enable alert-rule.disable alert-rule.change alert-rule.add" {
		t.Errorf("audited %q", got)
	}
}

func TestAlertRuleReturns(t *testing.T) {
	s := newSite(t, nil)
	for _, c := range []struct{ field, value, want string }{
		{"name", "", "its name needs"},
		{"events", "many", "the number of events is a whole number"},
		{"events", "-1", "the number of events is a whole number"},
		{"users", "10001", "the number of users is from 1 to 10000"},
		{"tags", "tenant=a\nbrowser", "line 2 of the tags"},
		{"pause", "0", "needs a pause"},
	} {
		page := s.mustReturn(alertsPath, typedRule("events-period", "10", "users-period", "30", c.field, c.value))
		mustContain(t, page, c.want, `value="Type"`, `value="10" selected`, `value="30" selected>30 minutes</option><option value="60">1 hour</option><option value="180">`)
		if c.field == "tags" {
			mustContain(t, page, "tenant=a\nbrowser</textarea>")
		}
	}
	page := s.mustReturn(alertsPath, url.Values{"name": {"x"}, "level": {"0"}, "pause": {"0"}, "events-period": {"5"}, "users-period": {"5"}})
	mustContain(t, page, "choose at least one occasion")
	for _, field := range []string{"level", "pause", "events-period"} {
		if resp := s.post(alertsPath, typedRule(field, "<b>").Encode()); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s that nobody offered: status %d", field, resp.StatusCode)
		}
	}
	mustLack(t, s.mustGet(alertsPath), "Often")
}

func TestAlertLog(t *testing.T) {
	s := newSite(t, nil)
	ops := s.room("#ops")
	mustContain(t, s.mustGet(alertsPath), "Nothing yet.")
	for _, title := range []string{"first", "second", hostile} {
		s.message(title, testNow)
	}
	s.mustWrite(func(tx *store.Tx) error {
		if err := tx.TellAlert(1, alert.Send{Channel: ops, Rule: 1}, notify.Message{Kind: notify.KindNew}); err != nil {
			return err
		}
		return tx.SettleAlerts(store.SettledAlerts{
			Told: []int64{1, 3}, TooSoon: []int64{2}, Collected: []store.CollectedAlert{{Alert: 3, Channel: ops, Rule: 1}}, Fired: map[int64]int64{1: 2},
		})
	})
	page := s.mustGet(alertsPath)
	assertInert(t, alertsPath, page)
	mustContain(t, page, ">WEB-SHOP-1</a>", `href="/issues/1"`, "Seen for the first time.", `#ops <span class="note">waiting</span>`, "by New and returning issues",
		"not sent: the rule told of the same a short while before", "for the next summary", "told 2 times")
	s.mustWrite(func(tx *store.Tx) error { return tx.SetChannelEnabled(1, ops, false) })
	mustContain(t, s.mustGet(alertsPath), "not delivered", "Nobody is told yet")
	s.mustWrite(func(tx *store.Tx) error { return tx.DeleteChannel(1, ops) })
	mustContain(t, s.mustGet(alertsPath), "the channel is gone")
}
