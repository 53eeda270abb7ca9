package notify

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClean(t *testing.T) {
	const token = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"
	for _, c := range []struct {
		kind ChannelKind
		in   Config
		want Config
		err  string // part of it; empty: there is none
	}{
		{Slack, Config{URL: " https://hooks.example.com/a#x ", Token: "y"}, Config{URL: "https://hooks.example.com/a"}, ""},
		{Slack, Config{}, Config{}, "address is missing"},
		{Slack, Config{URL: "hooks.example.com/a"}, Config{}, "begins with https://"},
		{Slack, Config{URL: "ftp://hooks.example.com/a"}, Config{}, "begins with https://"},
		{Slack, Config{URL: "https://u:p@hooks.example.com/a"}, Config{}, "no user name"},
		{Slack, Config{URL: "https://example.com/" + strings.Repeat("x", 2000)}, Config{}, "at most 2000"},
		{Webhook, Config{URL: "https://example.com/a", Secret: "s"}, Config{URL: "https://example.com/a", Secret: "s"}, ""},
		{Webhook, Config{URL: "https://example.com/a"}, Config{}, "needs a secret"},
		{Mail, Config{Addresses: []string{" ada@example.com", "", "ada@example.com"}}, Config{Addresses: []string{"ada@example.com"}}, ""},
		{Mail, Config{}, Config{}, "is missing"},
		{Mail, Config{Addresses: []string{"ada"}}, Config{}, "no mail address"},
		{Mail, Config{Addresses: []string{"Ada <ada@example.com>"}}, Config{}, "no mail address"},
		{Mail, Config{Addresses: []string{"ada@example.com\r\nBcc: x@example.com"}}, Config{}, "no mail address"},
		{PagerDuty, Config{Token: strings.Repeat("a", 32), Region: "eu"}, Config{Token: strings.Repeat("a", 32), Region: "eu"}, ""},
		{PagerDuty, Config{Token: "a"}, Config{}, "32 letters"},
		{PagerDuty, Config{Token: strings.Repeat("a", 32), Region: "mars"}, Config{}, "no such region"},
		{Telegram, Config{Token: token, Chat: "-100123"}, Config{Token: token, Chat: "-100123"}, ""},
		{Telegram, Config{Token: token, Chat: "@public_room"}, Config{Token: token, Chat: "@public_room"}, ""},
		{Telegram, Config{Token: token + "/../x", Chat: "1"}, Config{}, "bot's token"},
		{Telegram, Config{Token: token, Chat: "room"}, Config{}, "a chat is a number"},
		{"fax", Config{}, Config{}, "no such kind"},
	} {
		got, err := c.in.Clean(c.kind)
		if c.err != "" {
			if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s %+v: error %v, want %q", c.kind, c.in, err, c.err)
			}
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", c.kind, err, diff)
		}
	}
}

func TestHint(t *testing.T) {
	for secret, want := range map[string]string{
		"": "", "https://hooks.example.com/services/T0/B0/abcdefghij": "https://hooks.example.com/…ghij",
		"https://hooks.example.com/abc": "https://hooks.example.com/…", "0123456789abcdef0123456789abcdef": "…cdef", "short": "…",
	} {
		if got := Hint(secret); got != want {
			t.Errorf("%q: %q", secret, got)
		}
	}
}

func TestKeep(t *testing.T) {
	saved := Config{URL: "a", Token: "b", Secret: "c", Chat: "d", Addresses: []string{"e"}}
	want := Config{URL: "new", Token: "b", Secret: "c", Chat: "f"}
	if diff := cmp.Diff(want, Config{URL: "new", Chat: "f", Token: " "}.Keep(saved)); diff != "" {
		t.Error(diff)
	}
	if got := saved.Hide("a is x"); strings.Contains(got, "a") {
		t.Errorf("hidden: %q", got)
	}
}
