package sentryapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/sentryapi"
	"sundew/digester/sentryapi/sentryapitest"
)

var update = flag.Bool("update", false, "write golden files anew")

// client asks a server without waiting, and notes for how long it would have.
func client(t *testing.T, s *sentryapitest.Server, edit func(*sentryapi.Config)) (c *sentryapi.Client, waited *[]time.Duration) {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	waited = new([]time.Duration)
	cfg := sentryapi.Config{URL: u, Token: sentryapitest.Token, Org: "acme", Wait: func(_ context.Context, d time.Duration) error {
		*waited = append(*waited, d)
		return nil
	}}
	if edit != nil {
		edit(&cfg)
	}
	return sentryapi.New(cfg), waited
}

func projects(t *testing.T, c *sentryapi.Client) (slugs []string, err error) {
	t.Helper()
	err = c.Projects(t.Context(), func(p sentryapi.Project) error {
		slugs = append(slugs, string(p.Slug))
		return nil
	})
	return slugs, err
}

func five() []json.RawMessage {
	var all []json.RawMessage
	for _, slug := range []string{"a", "b", "c", "d", "e"} {
		all = append(all, json.RawMessage(`{"id":"1","slug":"`+slug+`"}`))
	}
	return all
}

// All pages are read, by the cursors of either server, and never by the address.
func TestPages(t *testing.T) {
	for _, glitchtip := range []bool{false, true} {
		s := sentryapitest.New(t)
		s.GlitchTip, s.Projects = glitchtip, five()
		c, _ := client(t, s, nil)
		got, err := projects(t, c)
		if diff := cmp.Diff([]string{"a", "b", "c", "d", "e"}, got); diff != "" || err != nil {
			t.Errorf("GlitchTip %v: %v, (-want +got):\n%s", glitchtip, err, diff)
		}
		if asked := s.Asked(); len(asked) != 3 {
			t.Errorf("GlitchTip %v: asked %v, want three pages", glitchtip, asked)
		}
	}
}

// What passes is tried again, as late as the server says; what does not pass is not.
func TestFailures(t *testing.T) {
	s := sentryapitest.New(t)
	s.Projects = five()[:1]
	c, waited := client(t, s, nil)
	s.RefuseNext(http.StatusTooManyRequests, http.StatusBadGateway, http.StatusBadGateway)
	if got, err := projects(t, c); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	if diff := cmp.Diff([]time.Duration{7 * time.Second, 2 * time.Second, 4 * time.Second}, *waited); diff != "" {
		t.Errorf("waited (-want +got):\n%s", diff)
	}
	s.Asked()
	s.RefuseNext(500, 500, 500, 500, 500, 500)
	if _, err := projects(t, c); err == nil || !strings.Contains(err.Error(), "500") || len(s.Asked()) != 6 {
		t.Errorf("of a server that is broken: %v", err)
	}
	s.RefuseNext(http.StatusMovedPermanently)
	if _, err := projects(t, c); err == nil || !strings.Contains(err.Error(), "redirect") {
		t.Errorf("of a redirect: %v", err)
	}
	s.RefuseNext(http.StatusGone)
	if _, err := projects(t, c); !errors.Is(err, sentryapi.ErrNotFound) {
		t.Errorf("of a list that is gone: %v", err)
	}
	wrong, _ := client(t, s, func(cfg *sentryapi.Config) { cfg.Token = "x" })
	s.Asked()
	if _, err := projects(t, wrong); !errors.Is(err, sentryapi.ErrRefused) || len(s.Asked()) != 1 || strings.Contains(err.Error(), `"x"`) {
		t.Errorf("of a wrong token: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := c.Projects(ended, func(sentryapi.Project) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("of a context that is done: %v", err)
	}
}

func TestRate(t *testing.T) {
	s := sentryapitest.New(t)
	s.Projects = five()
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	c, waited := client(t, s, func(cfg *sentryapi.Config) { cfg.Rate, cfg.Now = 4, func() time.Time { return now } })
	if _, err := projects(t, c); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]time.Duration{250 * time.Millisecond, 500 * time.Millisecond}, *waited); diff != "" {
		t.Errorf("waited (-want +got):\n%s", diff)
	}
}

// The API's events become what the SDK sent.
func TestLatestEvent(t *testing.T) {
	for _, name := range []string{"sentry", "glitchtip"} {
		t.Run(name, func(t *testing.T) {
			s := sentryapitest.New(t)
			text, err := os.ReadFile(filepath.Join("testdata", name+"_event.json"))
			if err != nil {
				t.Fatal(err)
			}
			s.Events["7"] = text
			c, _ := client(t, s, nil)
			ev, err := c.LatestEvent(t.Context(), sentryapi.Issue{ID: "7", Level: "error"})
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := json.Indent(&got, ev.Payload, "", "  "); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+"_event.golden")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("the event (-want +got):\n%s", diff)
			}
			if len(ev.ID) != 32 || ev.Received.Year() != 2026 {
				t.Errorf("id %q, received %v", ev.ID, ev.Received)
			}
		})
	}
}

// What is missing or of another type is empty; nothing of it is an error.
func TestMissingFields(t *testing.T) {
	s := sentryapitest.New(t)
	c, _ := client(t, s, nil)
	s.Issues["a"] = []json.RawMessage{
		json.RawMessage(`{"id":12,"count":"345","userCount":6,"statusDetails":[],"firstSeen":"yesterday","lastSeen":"2026-03-14T15:09:26.5Z","culprit":null,"level":3}`),
		json.RawMessage(`{"id":"13","count":-4,"statusDetails":{"inRelease":"v1","ignoreUntil":null},"permalink":{}}`),
	}
	var got []sentryapi.Issue
	err := c.Issues(t.Context(), sentryapi.Project{ID: "1", Slug: "a"}, func(i sentryapi.Issue) error {
		got = append(got, i)
		return nil
	})
	want := []sentryapi.Issue{
		{ID: "12", Count: 345, UserCount: 6, Level: "3", LastSeen: sentryapi.Time{Time: time.Date(2026, 3, 14, 15, 9, 26, 5e8, time.UTC)}},
		{ID: "13", StatusDetails: sentryapi.StatusDetails{InRelease: "v1"}},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, issues (-want +got):\n%s", err, diff)
	}
	for _, event := range []string{`{}`, `{"eventID":"x","entries":[{},{"type":"exception","data":[]},{"type":"exception","data":{"values":[{"stacktrace":{"frames":[{"context":[1,[2],["a","b"]]}]}}]}},{"type":"request","data":7}],"tags":[{}],"user":"ada","release":"v2"}`} {
		s.Events["12"] = json.RawMessage(event)
		ev, err := c.LatestEvent(t.Context(), want[0])
		if err != nil || len(ev.ID) != 32 || !json.Valid(ev.Payload) {
			t.Errorf("%s: %v, %s", event, err, ev.Payload)
		}
	}
	if _, err := c.LatestEvent(t.Context(), sentryapi.Issue{ID: "../../projects"}); !errors.Is(err, sentryapi.ErrNotFound) {
		t.Errorf("an id with steps: %v", err)
	}
	if _, err := c.LatestEvent(t.Context(), sentryapi.Issue{ID: ".."}); !errors.Is(err, sentryapi.ErrNotFound) {
		t.Errorf("an id that is a step: %v", err)
	}
	one, err := want[0].Placeholder()
	two, err2 := want[0].Placeholder()
	if err != nil || err2 != nil || one.ID != two.ID || !strings.Contains(string(one.Payload), "without a title") {
		t.Errorf("placeholders %s and %s: %v, %v", one.Payload, two.Payload, err, err2)
	}
}

func TestKey(t *testing.T) {
	s := sentryapitest.New(t)
	c, _ := client(t, s, nil)
	s.Keys["a"] = []json.RawMessage{json.RawMessage(`{"public":"off","isActive":false}`), json.RawMessage(`{"public":"01234567-89ab-cdef-0123-456789abcdef"}`)}
	s.Keys["b"] = []json.RawMessage{}
	if key, err := c.Key(t.Context(), "a"); err != nil || key != strings.Repeat("0123456789abcdef", 2) {
		t.Errorf("key %q, %v", key, err)
	}
	if _, err := c.Key(t.Context(), "b"); !errors.Is(err, sentryapi.ErrNotFound) {
		t.Errorf("without a key: %v", err)
	}
	if _, err := c.Key(t.Context(), "c"); !errors.Is(err, sentryapi.ErrRefused) {
		t.Errorf("without the right: %v", err)
	}
}
