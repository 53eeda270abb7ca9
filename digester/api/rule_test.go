package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/alert"
	"sundew/digester/notify"
	"sundew/digester/store"
)

const rulesPath = "/projects/acme/web-shop/rules/"

// A program makes a rule, reads it, changes parts of it, sends back what it read, and
// deletes it; each leaves the line in the audit log that the dashboard leaves.
func TestRules(t *testing.T) {
	r := newRig(t, nil)
	r.furnishAlerts()
	if first := mustRead[List[Rule]](t, r.must(http.StatusOK, "GET", rulesPath, "")); len(first) != 1 || !first[0].AllChannels || first[0].Frequency != 30 ||
		first[0].When != (RuleWhen{New: true, Regression: true, Unmuted: true}) {
		t.Errorf("a project begins with %+v", first)
	}
	made := mustRead[Rule](t, r.must(http.StatusCreated, "POST", rulesPath, `{"name":" Often ","when":{"regression":true,"events":{"count":100,"minutes":10}},
		"filter":{"environments":["production","qa"],"level":"warning","tags":[{"key":"tenant","value":"a"}],"title":"Type"},"frequency":45,"channels":["1"]}`))
	want := Rule{
		ID: "3", Name: "Often", Enabled: true, DateCreated: made.DateCreated, When: RuleWhen{Regression: true, Events: &RuleRate{100, 10}},
		Filter:    RuleFilter{Environments: List[string]{"production", "qa"}, Level: "warning", Tags: List[RuleTag]{{"tenant", "a"}}, Title: "Type"},
		Frequency: 45, Channels: List[string]{"1"},
		Sentence: "When an issue with “Type” in its title comes back after it was resolved or is seen 100 times in 10 minutes in production or qa at level warning or above with tenant=a: send to Ours, at most every 45 minutes for one issue.",
	}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Error(diff)
	}
	one := rulesPath + "3/"
	changed := mustRead[Rule](t, r.must(http.StatusOK, "PUT", one, `{"enabled":false,"when":{"users":{"count":5,"minutes":60}}}`))
	if changed.Enabled || changed.When.Regression || changed.When.Events != nil || *changed.When.Users != (RuleRate{5, 60}) || changed.Frequency != 45 || changed.Filter.Title != "Type" {
		t.Errorf("changed to %+v", changed)
	}
	back, err := json.Marshal(changed)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(changed, mustRead[Rule](t, r.must(http.StatusOK, "PUT", one, string(back)))); diff != "" {
		t.Errorf("sent back as it was: %s", diff)
	}
	if all := mustRead[Rule](t, r.must(http.StatusOK, "PUT", one, `{"allChannels":true}`)); !all.AllChannels || len(all.Channels) != 0 {
		t.Errorf("to all channels: %+v", all)
	}
	r.mustWrite(func(tx *store.Tx) error {
		rule, err := tx.AlertRule(r.web.ID, 3)
		if rule.Enabled || rule.Users.Count != 5 || rule.Filter.Tags[0].Value != "a" || rule.Interval.Minutes() != 45 {
			t.Errorf("the store has %+v", rule)
		}
		return err
	})
	r.must(http.StatusAccepted, "DELETE", one, "")
	r.must(http.StatusNotFound, "GET", one, "")
	r.wantAudited(0, "alert-rule.delete Web shop Often", "alert-rule.change Web shop Often", "alert-rule.change Web shop Often",
		"alert-rule.disable Web shop Often", "alert-rule.change Web shop Often", "alert-rule.add Web shop Often")
}

// What a rule cannot say is refused in words.
func TestRuleRefusals(t *testing.T) {
	r := newRig(t, nil)
	for body, want := range map[string]string{
		`{}`:           "its name needs",
		`{"name":"x"}`: "choose at least one occasion",
		`{"name":"x","when":{"new":true},"channels":["7"]}`:                        "The project has no channel 7.",
		`{"name":"x","when":{"new":true},"channels":["#ops"]}`:                     `channels has the numbers of channels, as texts; "#ops" is none`,
		`{"name":"x","when":{"new":true},"allChannels":true,"channels":["1"]}`:     "not to both",
		`{"name":"x","when":{"new":true},"frequency":1441}`:                        "frequency is a number of minutes from 1 to 1440.",
		`{"name":"x","when":{"new":true},"filter":{"level":"loud"}}`:               `There is no level "loud"`,
		`{"name":"x","when":{"new":true},"filter":{"envs":["a"]}}`:                 `"envs" is not something that can be set here`,
		`{"name":"x","when":{"events":{"count":5,"minutes":9223372036854775807}}}`: "events are counted over a period from a minute to 24 hours",
		`{"name":"x","when":{"new":true,"users":{"count":-1,"minutes":5}}}`:        "the number of users is from 1 to",
		`{"name":"x","actionMatch":"all","conditions":[],"when":{"new":true}}`:     `"actionMatch" is not something that can be set here; there are name, enabled`,
		`{"name":"x","when":{"new":true},"filter":{"tags":[{"key":"a"}]}}`:         "a tag is written key=value",
		`{"name":1}`:                         `"name" has a JSON number where there has to be a string`,
		`{"channels":[1]}`:                   `"channels" has a JSON number where there has to be a string`,
		`{"when":{"new":"yes"}}`:             `"when.new" has a JSON string where there has to be true or false`,
		`{"frequency":99999999999999999999}`: `"frequency" has the number 99999999999999999999, which is not whole or too large`,
		`[1]`:                                "it is not supposed to be a JSON array",
	} {
		if got := mustRead[detail](t, r.must(http.StatusBadRequest, "POST", rulesPath, body)).Detail; !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
	r.must(http.StatusNotFound, "PUT", rulesPath+"x/", `{"enabled":true}`)
	if n := len(mustRead[List[Rule]](t, r.must(http.StatusOK, "GET", rulesPath, ""))); n != 1 {
		t.Errorf("%d rules", n)
	}
}

// The log of alerts says what came of each, in the channel.
func TestAlertLog(t *testing.T) {
	r := newRig(t, nil)
	r.furnishAlerts()
	r.message(r.web.ID, "first")
	r.mustWrite(func(tx *store.Tx) error {
		if err := tx.TellAlert(1, alert.Send{Channel: 1, Rule: 1}, notify.Message{Kind: notify.KindNew}); err != nil {
			return err
		}
		return tx.SettleAlerts(store.SettledAlerts{Told: []int64{1}, Fired: map[int64]int64{1: 1}})
	})
	log := mustRead[List[Alert]](t, r.must(http.StatusOK, "GET", "/projects/acme/web-shop/alerts/", ""))
	want := List[Alert]{{ID: "1", Kind: "new", IssueID: "1", IssueTitle: "first", Permalink: "http://errors.example.com/issues/1", DateCreated: log[0].DateCreated,
		Sends: List[AlertSend]{{Channel: "1", ChannelName: "Ours", Rule: "1", RuleName: "New and returning issues", State: "waiting"}}}}
	if diff := cmp.Diff(want, log); diff != "" {
		t.Error(diff)
	}
}
