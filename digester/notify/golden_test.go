package notify

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

var testNow = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

const shop = "https://errors.example.com/projects/1"

// messages are one of each kind, and one from somebody who means ill.
func messages() map[string]Message {
	issue := Issue{
		ID: 42, ShortID: "WEB-SHOP-42", Title: "TypeError: Cannot read properties of undefined (reading 'street')", Culprit: "renderInvoice(invoice.ts)",
		Level: "error", URL: "https://errors.example.com/issues/42", Events: 1234, Users: 56, FirstSeen: testNow.Add(-time.Hour), LastSeen: testNow,
	}
	project := Project{ID: 1, Name: "Web shop", URL: shop}
	of := func(kind Kind, reason string) Message {
		return Message{
			Kind: kind, Project: project, Rule: "Production errors", Issue: issue, Environment: "production", Release: "shop@1.4.0",
			Reason: reason, At: testNow, SettingsURL: shop + "/settings/alerts",
		}
	}
	all := map[string]Message{
		"new":        of(KindNew, "seen for the first time"),
		"regression": of(KindRegression, "it was resolved in shop@1.3.0"),
		"unmuted":    of(KindUnmuted, "more than 100 events in an hour"),
		"volume":     of(KindVolume, "seen 120 times in 5 minutes (rule: 100 in 5 minutes)"),
		"users":      of(KindUsers, "56 users in an hour (rule: 50 in an hour)"),
		"test":       {Kind: KindTest, Project: project, At: testNow, SettingsURL: shop + "/settings/channels"},
	}
	storm := of(KindStorm, "4,987 new issues in one minute")
	storm.Issue, storm.OthersCount = Issue{}, 4987
	for i := range 5 {
		storm.Others = append(storm.Others, Issue{
			ID: int64(i), ShortID: fmt.Sprintf("WEB-SHOP-%d", i), Title: fmt.Sprintf("TimeoutError: no answer of host %d", i), Level: "error",
			URL: fmt.Sprintf("https://errors.example.com/issues/%d", i),
		})
	}
	all["storm"] = storm
	all["hostile"] = hostile("@everyone <!channel> <@U123> <https://evil.example|click> [click](https://evil.example) </a><b onx=1> \"'&amp; `*_~` \u202emoc\u2028@all www.evil.example /kick #x\x00\xff\n- item")
	return all
}

// hostile is a message that has a text wherever an event or a person decides it.
func hostile(text string) Message {
	issue := Issue{ID: 7, ShortID: text, Title: text, Culprit: text, Level: text, URL: "https://errors.example.com/issues/7", Events: 1, Users: 1}
	m := Message{
		Kind: KindNew, Project: Project{ID: 1, Name: text, URL: shop}, Rule: text, Issue: issue, Environment: text, Release: text,
		Reason: text, OthersCount: 1 << 60, At: testNow, SettingsURL: shop + "/settings/alerts",
	}
	for range 9 {
		m.Others = append(m.Others, issue)
	}
	return m
}

func configOf(kind ChannelKind) Config {
	return Config{
		URL: "https://hooks.example.com/" + string(kind), Token: "123456:of-the-bot", Chat: "-100123", Secret: "sundew_secret",
		Addresses: []string{"ada@example.com"},
	}
}

// text is all of what a service gets, for people to read.
func text(t *testing.T, kind ChannelKind, m Message) string {
	t.Helper()
	if kind == Mail {
		l := NewLetter(m, 0)
		return "Subject: " + l.Subject + "\n\n" + l.Text + "\n\n" + l.HTML
	}
	r, err := Render(Delivery{ID: "n-17.mmqgone8", Kind: kind, Config: configOf(kind), Message: m, At: testNow}, DefaultServices())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s\n", r.URL)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		fmt.Fprintf(&b, "%s: %s\n", name, r.Header[name])
	}
	b.WriteByte('\n')
	if err := json.Indent(&b, []byte(r.Body), "", "  "); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	return b.String()
}

func TestGolden(t *testing.T) {
	for _, kind := range ChannelKinds() {
		for name, m := range messages() {
			path := filepath.Join("testdata", string(kind), name+".golden")
			got := text(t, kind, m)
			if *update {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s, %s:\n%s", kind, name, diff)
			}
		}
	}
}

// What was left out is told everywhere.
func TestLeftOut(t *testing.T) {
	m := messages()["new"]
	if l := NewLetter(m, 12); !strings.Contains(l.Text, "12 messages were left out") {
		t.Errorf("mail:\n%s", l.Text)
	}
	for _, kind := range ChannelKinds()[1:] {
		r, err := Render(Delivery{ID: "n-17.mmqgone8", Kind: kind, Config: configOf(kind), Message: m, LeftOut: 12, At: testNow}, DefaultServices())
		if err != nil || !strings.Contains(r.Body, "12 messages were left out") && !strings.Contains(r.Body, `"left_out":12`) {
			t.Errorf("%s: %v\n%s", kind, err, r.Body)
		}
	}
}
