package notify

import (
	"encoding/json"
	"errors"
	"html"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

func units(s string) int { return len(utf16.Encode([]rune(s))) }

// into reads what a service gets.
func into[T any](t *testing.T, kind ChannelKind, m Message) (v T) {
	t.Helper()
	r, err := Render(Delivery{ID: "n-17.mmqgone8", Kind: kind, Config: configOf(kind), Message: m, LeftOut: 12, At: testNow}, DefaultServices())
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(r.Body), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// FuzzRender checks what no text of an event or of people may do: make a message longer
// than its service takes, or have it call somebody or lead somewhere.
func FuzzRender(f *testing.F) {
	for _, s := range []string{"", "<!channel>", "@everyone @here <@1>", strings.Repeat("<", 4000), strings.Repeat("@", 4000), strings.Repeat("🔥", 4000), "\xff\x00", "a\r\nBcc: x", `</a>"'&<b>`, "[x](http://y)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m := hostile(text)
		checkSlack(t, m)
		checkDiscord(t, m)
		checkTelegram(t, m)
		for _, a := range into[mattermostMessage](t, Mattermost, m).Attachments {
			all := a.Pretext + a.Text + a.Fallback + a.Title + a.Footer
			if strings.Contains(all, "@everyone") || strings.Contains(all, "@all") || len(all) > 16000 {
				t.Errorf("mattermost: %d bytes: %s", len(all), all)
			}
		}
		e := into[pagerDutyEvent](t, PagerDuty, m)
		if units(e.Payload.Summary) > 1024 || len(e.DedupKey) > 255 || e.Payload.Source == "" {
			t.Errorf("pagerduty: %+v", e)
		}
		for _, a := range into[teamsMessage](t, Teams, m).Attachments {
			for _, b := range a.Content.Body {
				if b.Type != "RichTextBlock" {
					t.Errorf("teams: a block that has markup: %+v", b)
				}
			}
		}
		l := NewLetter(m, 1)
		checkTags(t, "mail", l.HTML, "div", "p", "h1", "table", "tr", "td", "ul", "li")
		if units(l.Subject) > maxSubject || strings.ContainsAny(l.Subject, "\r\n\x00") {
			t.Errorf("subject %q", l.Subject)
		}
	})
}

func checkSlack(t *testing.T, m Message) {
	for _, b := range into[slackMessage](t, Slack, m).Blocks {
		texts := append(b.Fields, b.Elements...)
		if b.Text != nil {
			texts = append(texts, *b.Text)
		}
		for _, text := range texts {
			most := 3000
			if b.Type == "header" {
				most = 150
			}
			if text.Text == "" || units(text.Text) > most {
				t.Errorf("slack: a %s of %d characters", b.Type, units(text.Text))
			}
			rest := text.Text
			if text.Type == "plain_text" {
				continue
			}
			for {
				_, after, found := strings.Cut(rest, "<")
				if !found {
					break
				}
				if !strings.HasPrefix(after, "https://errors.example.com/") {
					t.Fatalf("slack: %q", text.Text)
				}
				rest = after
			}
		}
	}
}

func checkDiscord(t *testing.T, m Message) {
	msg := into[discordMessage](t, Discord, m)
	if msg.AllowedMentions.Parse == nil || len(msg.AllowedMentions.Parse) != 0 {
		t.Error("discord: mentions are allowed")
	}
	for _, e := range msg.Embeds {
		all := units(e.Author.Name) + units(e.Title) + units(e.Description)
		if e.Footer != nil {
			all += units(e.Footer.Text)
		}
		for _, f := range e.Fields {
			if f.Value == "" || units(f.Value) > 1024 {
				t.Errorf("discord: a field of %d characters", units(f.Value))
			}
			all += units(f.Name) + units(f.Value)
		}
		if units(e.Author.Name) > 256 || units(e.Title) > 256 || units(e.Description) > 4096 || all > 6000 {
			t.Errorf("discord: %d characters", all)
		}
		for _, mention := range []string{"@everyone", "@here", "<@1", "<#1"} {
			if strings.Contains(e.Description+e.Title, mention) {
				t.Errorf("discord: %s", e.Description)
			}
		}
	}
}

func checkTelegram(t *testing.T, m Message) {
	text := into[telegramMessage](t, Telegram, m).Text
	if units(text) > 4096 {
		t.Errorf("telegram: %d characters", units(text))
	}
	checkTags(t, "telegram", text, "b", "code")
	if strings.Contains(html.UnescapeString(text), "@everyone") {
		t.Errorf("telegram: %q", text)
	}
}

// checkTags fails unless all tags of a text are some, or links to us, and all are
// closed.
func checkTags(t *testing.T, service, text string, known ...string) {
	t.Helper()
	open := 0
	for part := range strings.SplitSeq(text, "<") {
		tag, _, isTag := strings.Cut(part, ">")
		name, _, _ := strings.Cut(tag, " ")
		switch {
		case slices.Contains(known, name), strings.HasPrefix(tag, `a href="https://errors.example.com/`) && strings.Count(tag, `"`)%2 == 0:
			open++
		case slices.Contains(known, strings.TrimPrefix(tag, "/")), tag == "/a":
			open--
		case isTag:
			t.Fatalf("%s: tag %q in %q", service, tag, text)
		}
	}
	if open != 0 {
		t.Errorf("%s: %d tags are open: %q", service, open, text)
	}
}

// A receiver can check who sent a request, as the README says.
func TestSignature(t *testing.T) {
	// printf '%s' '1773500966.{"a":1}' | openssl dgst -sha256 -hmac sundew_secret
	const want = "t=1773500966,v1=d7170c56cf868e48ef41c20817c057626b8faf3ba3b70a1c6d32e7f2591c6e40"
	if got := Signature("sundew_secret", testNow, `{"a":1}`); got != want {
		t.Errorf("got %s", got)
	}
}

func TestServices(t *testing.T) {
	d := Delivery{ID: "n-1", Kind: PagerDuty, Config: Config{Token: "x", Region: "eu"}, Message: messages()["new"]}
	r, err := Render(d, DefaultServices())
	if err != nil || r.URL != "https://events.eu.pagerduty.com/v2/enqueue" {
		t.Errorf("%s, %v", r.URL, err)
	}
	if _, err := Render(Delivery{Kind: Mail}, DefaultServices()); !errors.Is(err, ErrConfig) {
		t.Errorf("mail is a request: %v", err)
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		status int
		after  string
		body   string
		want   Verdict
	}{
		{200, "", "ok", Verdict{}},
		{204, "", "", Verdict{}},
		{404, "", "no_service", Verdict{Failure: "answered 404: no_service", Final: true}},
		{400, "", `{"ok":false,"description":"Bad Request: chat not found"}`, Verdict{Failure: "answered 400: Bad Request: chat not found", Final: true}},
		{400, "", `{"status":"invalid event","message":"Event object is invalid","errors":["no key"]}`, Verdict{Failure: "answered 400: Event object is invalid: no key", Final: true}},
		{301, "", "x", Verdict{Failure: "answered 301: the address leads to another one, which is not followed", Final: true}},
		{408, "", "", Verdict{Failure: "answered 408"}},
		{425, "", "", Verdict{Failure: "answered 425"}},
		{500, "", "<html>", Verdict{Failure: "answered 500"}},
		{429, "30", "slow", Verdict{Failure: "answered 429: slow", Pause: 30 * time.Second}},
		{429, "0.5", "", Verdict{Failure: "answered 429", Pause: 500 * time.Millisecond}},
		{429, "Sat, 14 Mar 2026 15:10:26 GMT", "", Verdict{Failure: "answered 429", Pause: time.Minute}},
		{503, "Sat, 14 Mar 2026 15:00:00 GMT", "", Verdict{Failure: "answered 503"}},
		{429, "", `{"ok":false,"description":"Too Many Requests","parameters":{"retry_after":35}}`, Verdict{Failure: "answered 429: Too Many Requests", Pause: 35 * time.Second}},
		{429, "", `{"message":"limited","retry_after":1.5}`, Verdict{Failure: "answered 429: limited", Pause: 1500 * time.Millisecond}},
		{429, "NaN", "", Verdict{Failure: "answered 429"}},
		{429, "1e300", "", Verdict{Failure: "answered 429", Pause: 24 * time.Hour}},
		{400, "", strings.Repeat("x", 300), Verdict{Failure: "answered 400: " + strings.Repeat("x", 199) + "…", Final: true}},
	} {
		if diff := cmp.Diff(c.want, Judge(c.status, c.after, []byte(c.body), testNow)); diff != "" {
			t.Errorf("%d %q: %s", c.status, c.body, diff)
		}
	}
}
