package dashboard

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/access"
	"sundew/digester/deadletter"
	"sundew/digester/grouping"
	"sundew/digester/ledger"
	"sundew/digester/password"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/vitals"
	"sundew/schema/event"
	"sundew/schema/event/eventtest"
	"sundew/schema/wire"
)

// testNow is when every test takes place.
var testNow = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

// site is a dashboard over a real database.
type site struct {
	t       testing.TB
	db      *store.DB
	replica *store.Replica
	dash    *Dashboard
	project store.Project
	log     *bytes.Buffer
	seq     uint64
	counts  uint64
	queue   ledger.Queue // what the ledger's page finds in the queue
	vitals  vitals.Vitals
	dead    deadLetters // of the queue "local"
	session string      // whose all requests are; empty: nobody's
}

// newSite makes a dashboard with one project. edit, if not nil, changes its
// configuration.
func newSite(t testing.TB, edit func(*Config)) *site {
	t.Helper()
	return newSiteOn(t, storetest.OpenWith, edit)
}

// newSiteOn is newSite with a database opened by open.
func newSiteOn(t testing.TB, open func(testing.TB, store.Config) (*store.DB, *store.Replica), edit func(*Config)) *site {
	t.Helper()
	clock := func() time.Time { return testNow }
	s := &site{t: t, log: &bytes.Buffer{}}
	s.db, s.replica = open(t, store.Config{Now: clock})
	s.project = storetest.MustCreateProject(t, s.db, "Web shop", "0123456789abcdef0123456789abcdef")
	cfg := Config{
		Replica: s.replica, DB: s.db, PublicURL: "http://127.0.0.1:8000", Now: clock,
		Log: zerolog.New(s.log), Version: "1.2.3", Ledger: s.books,
		Snapshot: func(context.Context) (*Snapshot, error) {
			return &Snapshot{ReadCloser: io.NopCloser(strings.NewReader("a copy")), Name: "copy.db", Size: 6}, nil
		},
		Vitals:    func(context.Context) vitals.Vitals { return s.vitals },
		Passwords: password.NewHasher(1, password.Cost{KiB: 64, Passes: 1}),
		Dead:      deadletter.Queues{{Name: "local", Letters: &s.dead, LastError: s.dead.lastError}},
	}
	if edit != nil {
		edit(&cfg)
	}
	var err error
	if s.dash, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	s.signInAs("owner@example.com", access.Owner)
	return s
}

// books balances the database against s.queue.
func (s *site) books(ctx context.Context) (*ledger.Books, error) {
	var decided store.Books
	err := s.replica.Read(ctx, func(rx *store.Rx) (err error) {
		decided, err = rx.Books(ledger.Since(testNow))
		return err
	})
	return ledger.Reconcile(decided, s.queue, testNow), err
}

// stored says where an event of a test ended up.
type stored struct {
	ID    event.ID
	Issue int64
	Event store.Event
}

// digest stores an event as the digester does.
func (s *site) digest(p eventtest.Payload, at time.Time) stored {
	s.t.Helper()
	ev, err := p.Skim()
	if err != nil {
		s.t.Fatalf("%s: %v", p.Name, err)
	}
	group := grouping.Group(ev)
	kind := wire.KindEvent
	if p.Security {
		kind = wire.KindCSP
	}
	meta, err := json.Marshal(store.EventMeta{Client: p.SDK, RemoteIP: "192.0.2.7", SentAt: at})
	if err != nil {
		s.t.Fatal(err)
	}
	body, encoding := wire.NewCodec().Compress(p.JSON)
	s.seq++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", p.Name, s.seq))
	in := &store.Incoming{
		Instance: wire.InstanceID{1}, Seq: s.seq, Project: s.project.ID, EventID: event.ID(sum[:16]),
		ReceivedAt: at, OccurredAt: at, Category: "error", Level: ev.Level, Platform: ev.Platform,
		Title: group.Title, Culprit: group.Culprit, Group: group.Key, GroupRules: group.Version,
		Release: ev.Release, Environment: ev.Environment, User: ev.User.Identifier(), Tags: ev.SearchTags(),
		Kind: kind, Encoding: encoding, Meta: meta, Body: body,
	}
	if in.Level == event.LevelUnset {
		in.Level = event.LevelError
	}
	if result, err := s.db.Digest(s.t.Context(), in); err != nil || result != store.Stored {
		s.t.Fatalf("%s: result %v, error %v", p.Name, result, err)
	}
	out := stored{ID: in.EventID}
	storetest.MustRead(s.t, s.replica, func(rx *store.Rx) (err error) {
		out.Event, err = rx.EventByID(in.EventID)
		out.Issue = out.Event.IssueID
		return err
	})
	return out
}

// message stores an event that is an issue of its own by its text.
func (s *site) message(text string, at time.Time) stored {
	s.t.Helper()
	return s.digest(payloadOf(s.t, map[string]any{"platform": "other", "message": text, "fingerprint": []string{text}}), at)
}

// payloadOf is an event that a client sent.
func payloadOf(t testing.TB, fields map[string]any) eventtest.Payload {
	t.Helper()
	payload, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return eventtest.Payload{Name: fmt.Sprint(fields["message"]), JSON: payload}
}

// do sends a request.
func (s *site) do(r *http.Request) *http.Response {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.dash.ServeHTTP(w, s.withSession(r))
	return w.Result()
}

func (s *site) get(path string) *http.Response {
	s.t.Helper()
	return s.do(httptest.NewRequest(http.MethodGet, path, nil))
}

// post sends a form as a browser does from a page of the dashboard itself.
func (s *site) post(path, form string) *http.Response {
	s.t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return s.do(r)
}

// mustGet returns a page's text.
func (s *site) mustGet(path string) string {
	s.t.Helper()
	resp := s.get(path)
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s: status %d\n%s", path, resp.StatusCode, s.log)
	}
	return bodyOf(s.t, resp)
}

func bodyOf(t testing.TB, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func mustContain(t testing.TB, page string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func mustLack(t testing.TB, page string, unwanted ...string) {
	t.Helper()
	for _, text := range unwanted {
		if strings.Contains(page, text) {
			t.Errorf("the page has %q", text)
		}
	}
}

// find returns one of the captured events.
func find(t testing.TB, payloads []eventtest.Payload, name string) eventtest.Payload {
	t.Helper()
	for _, p := range payloads {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("no event %q in the corpus", name)
	return eventtest.Payload{}
}
