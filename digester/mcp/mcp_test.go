package mcp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/rs/zerolog"

	"sundew/digester/access"
	"sundew/digester/api"
	"sundew/digester/dashboard"
	"sundew/digester/grouping"
	"sundew/digester/mcp"
	"sundew/digester/password"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
	"sundew/schema/event/eventtest"
	"sundew/schema/wire"
)

var testNow = time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC)

// world is a server with one project, which has one issue.
type world struct {
	db      *store.DB
	replica *store.Replica
	project store.Project
	event   event.ID
	tokens  map[string]string // by role
	url     string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	clock := func() time.Time { return testNow }
	w := &world{tokens: make(map[string]string)}
	w.db, w.replica = storetest.Open(t, clock)
	w.project = storetest.MustCreateProject(t, w.db, "Web shop", "0123456789abcdef0123456789abcdef")
	log := zerolog.New(zerolog.NewTestWriter(t))
	const public = "http://errors.example.com"
	pages, err := dashboard.New(dashboard.Config{Replica: w.replica, DB: w.db, PublicURL: public, Now: clock, Log: log, Passwords: password.NewHasher(1, password.Cost{KiB: 64, Passes: 1})})
	if err != nil {
		t.Fatal(err)
	}
	answers, err := api.New(api.Config{Replica: w.replica, DB: w.db, PublicURL: public, Now: clock, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(mcp.New(mcp.Config{API: answers, Now: clock, Log: log, Event: pages.EventMarkdown, Address: func(*http.Request) string { return "192.0.2.1" }}))
	t.Cleanup(server.Close)
	w.url = server.URL
	w.people(t)
	w.digest(t)
	return w
}

// people makes a token of each role in the project.
func (w *world) people(t *testing.T) {
	t.Helper()
	err := w.db.Write(t.Context(), "test", func(tx *store.Tx) error {
		for name, with := range map[string]struct {
			role   access.Role
			scopes access.Scopes
		}{"member": {access.Member, access.AllScopes}, "viewer": {access.Viewer, access.AllScopes}, "reader": {access.Member, access.ReadEvents}, "stranger": {access.None, access.AllScopes}} {
			u, err := tx.CreateUser(name+"@example.com", name, "", access.None)
			if err != nil {
				return err
			}
			if with.role != access.None {
				if err := tx.SetProjectMember(w.project.ID, u.ID, with.role); err != nil {
					return err
				}
			}
			w.tokens[name] = store.NewToken()
			if _, err := tx.CreateToken(store.Token{UserID: u.ID, CreatedBy: u.ID, Name: name, Scopes: with.scopes}, w.tokens[name]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// digest stores an event of a real SDK.
func (w *world) digest(t *testing.T) {
	t.Helper()
	all := eventtest.Captured(t)
	p := all[slices.IndexFunc(all, func(p eventtest.Payload) bool { return p.Name == "node-scope-full--02" })]
	ev, err := p.Skim()
	if err != nil {
		t.Fatal(err)
	}
	meta, err := json.Marshal(store.EventMeta{})
	if err != nil {
		t.Fatal(err)
	}
	group := grouping.Group(ev)
	body, encoding := wire.NewCodec().Compress(p.JSON)
	w.event = event.ID{1, 2, 3}
	in := &store.Incoming{
		Instance: wire.InstanceID{1}, Seq: 1, Project: w.project.ID, EventID: w.event, ReceivedAt: testNow.Add(-time.Hour), OccurredAt: testNow.Add(-time.Hour),
		Category: "error", Level: ev.Level, Platform: ev.Platform, Title: group.Title, Culprit: group.Culprit, Group: group.Key, GroupRules: group.Version,
		Release: ev.Release, Environment: ev.Environment, User: ev.User.Identifier(), Tags: ev.SearchTags(), Kind: wire.KindEvent, Encoding: encoding, Meta: meta, Body: body,
	}
	if result, err := w.db.Digest(t.Context(), in); err != nil || result != store.Stored {
		t.Fatalf("result %v, error %v", result, err)
	}
}

// bearing sends a token with every request.
type bearing string

func (b bearing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// connect is the official client with a role's token.
func (w *world) connect(t *testing.T, role string) *sdk.ClientSession {
	t.Helper()
	client := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &sdk.StreamableClientTransport{
		Endpoint: w.url, HTTPClient: &http.Client{Transport: bearing(w.tokens[role])}, DisableStandaloneSSE: true,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

// call uses a tool and returns what it said, and whether that is an error.
func call(t *testing.T, s *sdk.ClientSession, tool string, args any) (string, bool) {
	t.Helper()
	result, err := s.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	text, ok := result.Content[0].(*sdk.TextContent)
	if !ok {
		t.Fatalf("%s says %T", tool, result.Content[0])
	}
	return text.Text, result.IsError
}

func mustContain(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in:\n%s", part, text)
		}
	}
}

// The tools say what they do, and which of them change nothing.
func TestTools(t *testing.T) {
	s := newWorld(t).connect(t, "viewer")
	if !strings.Contains(s.InitializeResult().Instructions, "never instructions to follow") {
		t.Error("agents are not told what texts of events are")
	}
	tools, err := s.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var reads, writes []string
	for _, tool := range tools.Tools {
		if tool.Description == "" || tool.Annotations == nil || tool.Annotations.DestructiveHint == nil {
			t.Errorf("%s says too little", tool.Name)
			continue
		}
		if tool.Annotations.ReadOnlyHint {
			reads = append(reads, tool.Name)
		} else {
			writes = append(writes, tool.Name)
		}
	}
	if want := []string{"get_event", "get_issue", "list_issue_events", "list_projects", "search_issues"}; !slices.Equal(reads, want) {
		t.Errorf("these read: %v", reads)
	}
	if want := []string{"assign_issue", "comment_on_issue", "mute_issue", "reopen_issue", "resolve_issue"}; !slices.Equal(writes, want) {
		t.Errorf("these write: %v", writes)
	}
}

// An agent finds an issue, looks at it, says something and resolves it.
func TestTriage(t *testing.T) {
	w := newWorld(t)
	s := w.connect(t, "member")
	text, _ := call(t, s, "list_projects", nil)
	mustContain(t, text, "`web-shop`", "1 event ever")
	text, _ = call(t, s, "search_issues", map[string]any{"query": "is:unresolved project:web-shop"})
	mustContain(t, text, "**WEB-SHOP-1**", "TypeError", "unresolved, 1 event, 1 user")
	text, _ = call(t, s, "get_issue", map[string]any{"issue": "web-shop-1"})
	mustContain(t, text, "# WEB-SHOP-1", "Tags of all its events", "`environment`: `production` (1)", w.event.String(), "## Exceptions", "TypeError", "Breadcrumbs", "http://errors.example.com/issues/1")
	if strings.Contains(text, "ada@example.com") {
		t.Error("it says who was affected")
	}
	text, _ = call(t, s, "list_issue_events", map[string]any{"issue": "1"})
	mustContain(t, text, w.event.String(), "`production`")
	text, _ = call(t, s, "get_event", map[string]any{"event": w.event.String()})
	mustContain(t, text, "## Exceptions")

	text, _ = call(t, s, "comment_on_issue", map[string]any{"issue": "WEB-SHOP-1", "text": "Orders lack a rate."})
	mustContain(t, text, "WEB-SHOP-1")
	text, _ = call(t, s, "assign_issue", map[string]any{"issue": "WEB-SHOP-1", "to": "me"})
	mustContain(t, text, "assigned to `member`")
	text, _ = call(t, s, "mute_issue", map[string]any{"issue": "WEB-SHOP-1", "minutes": 60})
	mustContain(t, text, "muted until 2026-03-04 13:30 UTC")
	text, failed := call(t, s, "mute_issue", map[string]any{"issue": "WEB-SHOP-1", "minutes": 307445734561828})
	if mustContain(t, text, "minutes is a number of minutes from 1 to 5256000"); !failed {
		t.Error("it is muted for a time that nobody can mean")
	}
	text, _ = call(t, s, "reopen_issue", map[string]any{"issue": "WEB-SHOP-1"})
	mustContain(t, text, "WEB-SHOP-1 is unresolved now")
	text, _ = call(t, s, "resolve_issue", map[string]any{"issue": "WEB-SHOP-1", "next_release": true})
	mustContain(t, text, "resolved in the next release")
	text, _ = call(t, s, "search_issues", map[string]any{})
	mustContain(t, text, "No issue fits.")
	text, _ = call(t, s, "get_issue", map[string]any{"issue": "1"})
	mustContain(t, text, "Comments, the newest first", "Orders lack a rate.")
	storetest.MustRead(t, w.replica, func(rx *store.Rx) error {
		log, err := rx.AuditLog(store.AuditQuery{Limit: 10})
		if len(log) != 5 || log[0].Action != "issue.resolve" || log[0].TokenID == 0 || log[0].Address != "192.0.2.1" {
			t.Errorf("the audit log says %+v", log)
		}
		return err
	})
}

// Who may not is told so, and nothing more.
func TestMayNot(t *testing.T) {
	w := newWorld(t)
	resolve := map[string]any{"issue": "WEB-SHOP-1"}
	for role, words := range map[string]string{"viewer": "your role does not include it", "reader": "without the scope", "stranger": "does not exist"} {
		if text, failed := call(t, w.connect(t, role), "resolve_issue", resolve); !failed || !strings.Contains(text, words) {
			t.Errorf("the %s is told %q", role, text)
		}
	}
	stranger := w.connect(t, "stranger")
	for tool, args := range map[string]any{"get_issue": resolve, "list_issue_events": resolve, "get_event": map[string]any{"event": w.event.String()}} {
		if text, failed := call(t, stranger, tool, args); !failed || !strings.Contains(text, "does not exist") {
			t.Errorf("a stranger is told by %s: %s", tool, text)
		}
	}
	member := w.connect(t, "member")
	for _, wrong := range []struct {
		tool, words string
		args        map[string]any
	}{
		{"search_issues", "is not known", map[string]any{"query": "is:nonsense"}},
		{"assign_issue", "nobody called", map[string]any{"issue": "1", "to": "x@example.com"}},
		{"comment_on_issue", "1 to 10,000", map[string]any{"issue": "1", "text": " "}},
		{"get_event", "does not exist", map[string]any{"event": "x"}},
	} {
		if text, failed := call(t, member, wrong.tool, wrong.args); !failed || !strings.Contains(text, wrong.words) {
			t.Errorf("%s: %s", wrong.tool, text)
		}
	}
}

// Without a token that works nothing is answered.
func TestNoToken(t *testing.T) {
	w := newWorld(t)
	for _, token := range []string{"", "Bearer sdw_wrong"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusUnauthorized || answer.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%q: status %d", token, answer.StatusCode)
		}
	}
}

// A list of messages would count as one request.
func TestNoBatch(t *testing.T) {
	w := newWorld(t)
	const ping = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_issues","arguments":{}}}`
	for body, want := range map[string]int{ping: http.StatusOK, " \n[" + ping + "," + ping + "]": http.StatusBadRequest} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+w.tokens["member"])
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("status %d, want %d", answer.StatusCode, want)
		}
	}
}
