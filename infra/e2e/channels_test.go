//go:build e2e

package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"sundew/digester/courier/couriertest"
)

// lastVisit is the last of so many visits.
func lastVisit(t *testing.T, h *couriertest.Hook, visits int) couriertest.Visit {
	t.Helper()
	got := h.Visits()
	if len(got) != visits {
		t.Fatalf("%d messages arrived, want %d", len(got), visits)
	}
	return got[visits-1]
}

// TestChannels has people set up channels to receivers on this machine and look whether
// messages arrive: at a desk, with a phone, without JavaScript.
func TestChannels(t *testing.T) {
	requireSetup(t)
	ctx := withinDeadline(t)
	p := startProduct(ctx, t, "SUNDEW_ALLOW_NETWORKS=127.0.0.0/8")
	b := startBrowser(ctx, t, p)
	project := p.url + "/projects/1"
	at := make(map[string]string)
	for _, who := range []*person{{Name: "Ada Example", Look: "light"}, {Name: "Grace Example", Look: "night"}, {Name: "Alan Example", Look: "dark", Plain: true}} {
		t.Run(who.Name, func(t *testing.T) {
			ours := couriertest.NewHook(t, "no_service")
			made := b.do(ctx, t, command{
				Do: "addChannel", Person: who, Project: project, Value: "Webhook", Name: "Ours of " + who.Name, URL: ours.URL, Text: "The test message was taken", State: "works",
			})
			checkSigned(t, lastVisit(t, ours, 1), made.Link)

			room := couriertest.NewHook(t, "no_service")
			room.Answer(http.StatusNotFound)
			at["channel"] = b.do(ctx, t, command{
				Do: "addChannel", Person: who, Project: project, Value: "Slack", Name: "Room of " + who.Name, URL: room.URL, Text: "answered 404: no_service", State: "failing",
			}).At
			lastVisit(t, room, 1)
			room.Answer(http.StatusOK)
			b.do(ctx, t, command{Do: "retryMessage", Person: who, URL: at["channel"]})
			var message struct {
				Blocks []struct {
					Text struct{ Text string }
				}
			}
			if err := json.Unmarshal([]byte(lastVisit(t, room, 2).Body), &message); err != nil || message.Blocks[0].Text.Text != "Test message in My project" {
				t.Errorf("%+v, %v", message, err)
			}
			b.do(ctx, t, command{
				Do: "refuseChannel", Person: who, Project: project, Value: "Mattermost", Name: "Inside", URL: "http://10.0.0.7/hooks/x", Text: "not an address on the internet: 10.0.0.7",
			})
		})
	}
	t.Run("pictures", func(t *testing.T) {
		at["channels"] = project + "/settings/channels"
		for _, kind := range []string{"mail", "slack", "telegram", "pagerduty"} {
			at["channel-"+kind] = project + "/settings/channels/new?kind=" + kind
		}
		b.do(ctx, t, command{Do: "takePictures", Directory: pictures, Pages: at})
	})
	t.Run("stop and check", func(t *testing.T) {
		p.stop(t)
		p.check(ctx, t)
	})
}

// checkSigned checks a request as the README tells receivers to.
func checkSigned(t *testing.T, v couriertest.Visit, secret string) {
	t.Helper()
	if !strings.HasPrefix(secret, "sundew_") {
		t.Fatalf("secret %q", secret)
	}
	signed := make(map[string]string)
	for part := range strings.SplitSeq(v.Header.Get("Sundew-Signature"), ",") {
		name, value, _ := strings.Cut(part, "=")
		signed[name] = value
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed["t"] + "." + v.Body))
	if hex.EncodeToString(mac.Sum(nil)) != signed["v1"] {
		t.Errorf("the signature %v is not of %q", signed, v.Body)
	}
}
