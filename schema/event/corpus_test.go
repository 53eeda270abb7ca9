package event_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/event"
	"sundew/schema/event/eventtest"
)

// facts is what a plain JSON decoder and this parser must see alike in an event
// of the corpus, whose shapes are all well formed.
type facts struct {
	ID, Platform, Release, Environment, Server, Transaction, SDK string
	Types                                                        []string
	Values                                                       []string
	Frames                                                       []int
	Functions                                                    []string
	Threads, Breadcrumbs, Tags, Extra, Modules, Fingerprint      int
}

// plain reads facts with encoding/json.
func plain(t *testing.T, payload []byte) facts {
	t.Helper()
	var raw struct {
		ID          string `json:"event_id"`
		Platform    string `json:"platform"`
		Release     string `json:"release"`
		Environment string `json:"environment"`
		Server      string `json:"server_name"`
		Transaction string `json:"transaction"`
		SDK         struct {
			Name string `json:"name"`
		} `json:"sdk"`
		Exception   json.RawMessage `json:"exception"`
		Threads     json.RawMessage `json:"threads"`
		Breadcrumbs json.RawMessage `json:"breadcrumbs"`
		Tags        json.RawMessage `json:"tags"`
		Extra       json.RawMessage `json:"extra"`
		Modules     json.RawMessage `json:"modules"`
		Fingerprint []any           `json:"fingerprint"`
	}
	if err := json.Unmarshal(payload, &raw); err != nil {
		t.Fatal(err)
	}
	f := facts{
		ID: raw.ID, Platform: raw.Platform, Release: raw.Release, Environment: raw.Environment, Server: raw.Server,
		Transaction: raw.Transaction, SDK: raw.SDK.Name, Fingerprint: len(raw.Fingerprint),
		Threads: len(values(t, raw.Threads)), Breadcrumbs: len(values(t, raw.Breadcrumbs)),
		Tags: length(raw.Tags) - bytes.Count(raw.Tags, []byte(`:""`)), Extra: length(raw.Extra), Modules: length(raw.Modules),
	}
	if f.Platform == "" {
		f.Platform = "other"
	}
	if id, err := event.ParseID(f.ID); err == nil {
		f.ID = id.String()
	}
	for _, v := range values(t, raw.Exception) {
		var x struct {
			Type, Value string
			Stacktrace  struct {
				Frames []struct{ Function string }
			}
		}
		if err := json.Unmarshal(v, &x); err != nil {
			t.Fatal(err)
		}
		f.Types = append(f.Types, x.Type)
		f.Values = append(f.Values, x.Value)
		f.Frames = append(f.Frames, len(x.Stacktrace.Frames))
		if n := len(x.Stacktrace.Frames); n > 0 {
			f.Functions = append(f.Functions, x.Stacktrace.Frames[n-1].Function)
		}
	}
	return f
}

// values takes apart {"values":[…]}, a list, or one object.
func values(t *testing.T, raw json.RawMessage) []json.RawMessage {
	t.Helper()
	var list []json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &list) == nil {
		return list
	}
	var wrapped map[string]json.RawMessage
	if err := json.Unmarshal(raw, &wrapped); err != nil {
		t.Fatal(err)
	}
	if inner, ok := wrapped["values"]; ok {
		return values(t, inner)
	}
	return []json.RawMessage{raw}
}

func length(raw json.RawMessage) int {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) == nil {
		return len(object)
	}
	var list []json.RawMessage
	_ = json.Unmarshal(raw, &list)
	return len(list)
}

// seen reads facts off an event.
func seen(e *event.Event) facts {
	f := facts{
		Platform: e.Platform, Release: e.Release, Environment: e.Environment, Server: e.ServerName, Transaction: e.Transaction, SDK: e.SDK.Name,
		Threads: len(e.Threads), Breadcrumbs: len(e.Breadcrumbs), Tags: len(e.Tags), Extra: len(e.Extra), Modules: len(e.Modules), Fingerprint: len(e.Fingerprint),
	}
	if !e.ID.IsZero() {
		f.ID = e.ID.String()
	}
	for _, x := range e.Exceptions {
		f.Types = append(f.Types, x.Type)
		f.Values = append(f.Values, x.Value)
		n := 0
		if x.Stacktrace != nil {
			n = len(x.Stacktrace.Frames) + x.Stacktrace.Omitted
			f.Functions = append(f.Functions, x.Stacktrace.Frames[len(x.Stacktrace.Frames)-1].Function)
		}
		f.Frames = append(f.Frames, n)
	}
	return f
}

func TestCaptured(t *testing.T) {
	for _, p := range eventtest.Captured(t) {
		e, err := p.Parse()
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			continue
		}
		if p.Security {
			if e.Security.Kind != "csp" || e.Security.Directive == "" || e.Security.Blocked == "" {
				t.Errorf("%s: %+v", p.Name, e.Security)
			}
			continue
		}
		if _, err := event.Scan(p.JSON, 100); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		if bytes.Contains(p.JSON, []byte(`"timestamp":`)) && e.Timestamp.IsZero() && len(e.Breadcrumbs) == 0 {
			t.Errorf("%s: its timestamp was not understood", p.Name)
		}
		// The parser cuts and cleans; the texts of the corpus are compared as
		// far as they are neither.
		want, got := plain(t, p.JSON), seen(e)
		for i := range min(len(want.Values), len(got.Values)) {
			if len(want.Values[i]) > 200 || bytes.ContainsAny([]byte(want.Values[i]), "\x00\ufffd") {
				want.Values[i], got.Values[i] = "", ""
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", p.Name, diff)
		}
	}
}

// TestForeign reads other projects' fixtures, where they are present: none of
// them may be refused.
func TestForeign(t *testing.T) {
	payloads := eventtest.Foreign(t)
	if len(payloads) == 0 {
		t.Skip("no foreign fixtures here")
	}
	for _, p := range payloads {
		if _, err := p.Parse(); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}

func TestTags(t *testing.T) {
	payloads := eventtest.Captured(t)
	tests := map[string][]event.Pair{
		"browser-scope--03": {{"environment", "production"}, {"release", "web@3.2.0"}, {"level", "warning"}, {"browser", "Headless Chrome 156"}, {"os", "Linux"}, {"user", "id:17"}},
		"node-handled--02":  {{"level", "error"}, {"os", "Debian 12.11"}, {"runtime", "node 20.20.2"}, {"handled", "yes"}, {"mechanism", "generic"}},
		"py2-handled":       {{"runtime", "CPython 3.11.2"}, {"handled", "yes"}},
		"go-error":          {{"os", "Linux"}, {"runtime", "go 1.26.8"}},
		"php-handled":       {{"os", "Linux"}, {"runtime", "php 8.2.35"}},
		"rb6-scope":         {{"runtime", "ruby3.1 3.1.2p20"}, {"user", "id:17"}},
		"browser-csp--03":   {{"effective-directive", "script-src-elem"}, {"blocked-uri", "evil.example.com"}, {"environment", "production"}, {"logger", "csp"}, {"url", "http://127.0.0.1:9200/csp"}},
		"native-event":      {{"user", "id:c88f75b7-3b3e-4456-7e8a-98220852ef83"}},
	}
	for name, want := range tests {
		got := map[string]string{}
		for _, p := range eventtest.MustParse(t, payloads, name).AllTags() {
			got[p.Key] = p.Value
		}
		for _, p := range want {
			if got[p.Key] != p.Value {
				t.Errorf("%s: tag %s is %q, want %q", name, p.Key, got[p.Key], p.Value)
			}
		}
	}
}

func TestClientTagsWin(t *testing.T) {
	e := &event.Event{Tags: []event.Pair{{Key: "release", Value: "mine"}}, Release: "theirs", User: event.User{IP: event.AutoIP}}
	if id := e.User.Identifier(); id != "" {
		t.Errorf("an unresolved address identifies %q", id)
	}
	e.ResolveIP("192.0.2.1")
	want := []event.Pair{{Key: "release", Value: "mine"}, {Key: "level", Value: "error"}, {Key: "user", Value: "ip:192.0.2.1"}}
	if diff := cmp.Diff(want, e.AllTags()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Who the user is can be searched for by whatever is known of them, and the usual event
// has no tag more for that.
func TestSearchTags(t *testing.T) {
	ada := event.User{ID: "7", Email: "ada@example.com", Username: "ada", IP: "192.0.2.1"}
	mine := []event.Pair{{Key: "user", Value: "mine"}, {Key: "user.ip", Value: "none"}}
	level := event.Pair{Key: "level", Value: "error"}
	for _, c := range []struct {
		e    event.Event
		want []event.Pair
	}{
		{event.Event{User: ada}, []event.Pair{level, {Key: "user", Value: "id:7"},
			{Key: "user.email", Value: "ada@example.com"}, {Key: "user.username", Value: "ada"}, {Key: "user.ip", Value: "192.0.2.1"}}},
		{event.Event{User: event.User{Email: "ada@example.com", IP: event.AutoIP}}, []event.Pair{level, {Key: "user", Value: "email:ada@example.com"}}},
		{event.Event{User: ada, Tags: mine}, append(slices.Clone(mine), level, event.Pair{Key: "user.id", Value: "7"},
			event.Pair{Key: "user.email", Value: "ada@example.com"}, event.Pair{Key: "user.username", Value: "ada"})},
		{event.Event{}, []event.Pair{level}},
	} {
		if diff := cmp.Diff(c.want, c.e.SearchTags()); diff != "" {
			t.Errorf("%+v (-want +got)\n%s", c.e.User, diff)
		}
	}
}

func TestIdentifier(t *testing.T) {
	tests := map[string]event.User{
		"id:1":        {ID: "1", Email: "a@example.com"},
		"email:a@b.c": {Email: "a@b.c", Username: "a"},
		"username:a":  {Username: "a", IP: "192.0.2.1"},
		"ip:::1":      {IP: "::1"},
		"":            {Name: "Ada"},
	}
	for want, u := range tests {
		if got := u.Identifier(); got != want {
			t.Errorf("%+v is %q, want %q", u, got, want)
		}
	}
}
