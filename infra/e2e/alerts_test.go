//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"sundew/digester/courier/couriertest"
)

// toldWithin is how long a message may take from the page of its event to its receiver.
const toldWithin = 10 * time.Second

// hookMessage is what a webhook gets, as far as it matters here.
type hookMessage struct {
	Kind   string `json:"kind"`
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
	Issue  struct {
		Title string `json:"title"`
		URL   string `json:"url"`
	} `json:"issue"`
}

// await waits for the next visit and returns its message.
func await(ctx context.Context, t *testing.T, h *couriertest.Hook, visits int) (m hookMessage) {
	t.Helper()
	waitFor(ctx, t, toldWithin, "a message", func() bool { return len(h.Visits()) >= visits })
	if err := json.Unmarshal([]byte(lastVisit(t, h, visits).Body), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestAlerts has people set up a rule and a channel, a program with a real SDK fail, and
// people come by the message: when the error is new, after it was resolved, and when it
// is too much.
func TestAlerts(t *testing.T) {
	requireSetup(t)
	ctx := withinDeadline(t)
	p := startProduct(ctx, t, "SUNDEW_ALLOW_NETWORKS=127.0.0.0/8")
	b := startBrowser(ctx, t, p)
	at := map[string]string{"alerts-none": p.url + "/projects/1/settings/alerts"}
	for _, who := range []*person{{Name: "Ada Example", Look: "light"}, {Name: "Grace Example", Look: "night"}, {Name: "Alan Example", Look: "dark", Plain: true}} {
		t.Run(who.Name, func(t *testing.T) {
			dsn := p.createProject(ctx, t, "Shop of "+who.Name)
			project := p.url + "/projects/" + dsn[len(dsn)-1:]
			receiver := couriertest.NewHook(t, "")
			do := func(c command) answer {
				c.Person = who
				return b.do(ctx, t, c)
			}
			do(command{Do: "addChannel", Project: project, Value: "Webhook", Name: "On call", URL: receiver.URL, Text: "The test message was taken", State: "works"})
			rule := "Shop of " + who.Name + " breaks"
			alerts := do(command{Do: "addAlertRule", Project: project, Name: rule, Value: "On call", Text: environment}).At
			do(command{Do: "deleteAlertRule", URL: alerts, Name: "New and returning issues"})

			want := nodeHandled(ctx, t, dsn)
			title := want.Type + ": " + want.Value
			made := await(ctx, t, receiver, 2)
			if made.Kind != "new" || made.Rule != rule || made.Issue.Title != title || made.Reason != "seen for the first time" {
				t.Errorf("the message says %+v", made)
			}
			do(command{Do: "followMessage", URL: made.Issue.URL, Text: want.Value})
			nodeHandled(ctx, t, dsn)
			back := await(ctx, t, receiver, 3)
			if back.Kind != "regression" || back.Issue.URL != made.Issue.URL {
				t.Errorf("the message says %+v", back)
			}
			nodeHandled(ctx, t, dsn)
			often := await(ctx, t, receiver, 4)
			if often.Kind != "volume" || often.Reason != "seen 3 times in 10 minutes (rule: 3)" {
				t.Errorf("the message says %+v", often)
			}
			at["alerts"], at["alert-new"] = alerts, alerts+"/new"
			do(command{Do: "readAlerts", URL: alerts, Name: rule, Titles: []string{"Seen 3 times in 10 minutes", "Came back after it was resolved", "Seen for the first time"}})
		})
	}
	t.Run("pictures", func(t *testing.T) {
		b.do(ctx, t, command{Do: "takePictures", Directory: pictures, Pages: at})
	})
	t.Run("stop and check", func(t *testing.T) {
		p.stop(t)
		p.check(ctx, t)
	})
}
