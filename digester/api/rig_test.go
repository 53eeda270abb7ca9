package api

import (
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

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"sundew/digester/access"
	"sundew/digester/deadletter"
	"sundew/digester/grouping"
	"sundew/digester/ledger"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/vitals"
	"sundew/schema/event"
	"sundew/schema/event/eventtest"
	"sundew/schema/wire"
)

// testNow is what the clock shows.
var testNow = time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC)

// rig is an API of a database with two projects, each of a team of its own.
type rig struct {
	t       testing.TB
	now     time.Time
	db      *store.DB
	replica *store.Replica
	api     *API
	web     store.Project // of the first team
	other   store.Project
	team    store.Team
	seq     uint64
	dead    deadLetters

	owner, viewer, member store.User // the last two of the first team

	// Tokens with every scope.
	ownerToken, viewerToken, memberToken string
	otherToken                           string // the other project's
	without                              map[access.Scopes]string
}

// newRig makes one. edit, if not nil, changes its configuration.
func newRig(t testing.TB, edit func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, now: testNow, without: make(map[access.Scopes]string), dead: newDeadLetters()}
	clock := func() time.Time { return r.now }
	r.db, r.replica = storetest.Open(t, clock)
	r.web = storetest.MustCreateProject(t, r.db, "Web shop", "0123456789abcdef0123456789abcdef")
	r.other = storetest.MustCreateProject(t, r.db, "Other", "fedcba9876543210fedcba9876543210")
	cfg := Config{
		Replica: r.replica, DB: r.db, PublicURL: "http://errors.example.com", Now: clock,
		Log: zerolog.New(zerolog.NewTestWriter(t)), Version: "1.2.3",
		EventMarkdown: func(_ *store.Rx, issue store.Issue, ev store.Event) ([]byte, error) {
			return fmt.Appendf(nil, "# %s event %d", issue.ShortID(), ev.Number), nil
		},
	}
	cfg.Dead = deadletter.Queues{{Name: "local", Letters: &r.dead}}
	cfg.Vitals = func(context.Context) vitals.Vitals {
		return vitals.Vitals{At: r.now, Started: r.now.Add(-time.Hour), Version: "1.2.3", Role: "everything", Intake: vitals.Intake{Here: true}, Copies: []vitals.Copy{{Name: "copy.example.com"}}}
	}
	cfg.Ledger = func(ctx context.Context) (books *ledger.Books, err error) {
		err = r.replica.Read(ctx, func(rx *store.Rx) error {
			decided, err := rx.Books(ledger.Since(r.now))
			books = ledger.Reconcile(decided, ledger.Queue{}, r.now)
			return err
		})
		return books, err
	}
	if edit != nil {
		edit(&cfg)
	}
	var err error
	if r.api, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	r.mustWrite(func(tx *store.Tx) (err error) {
		if r.team, err = tx.CreateTeam("Shop"); err != nil {
			return err
		}
		foreign, err := tx.CreateTeam("Elsewhere")
		if err != nil {
			return err
		}
		if err := tx.SetProjectTeam(r.web.ID, r.team.ID); err != nil {
			return err
		}
		if err := tx.SetProjectTeam(r.other.ID, foreign.ID); err != nil {
			return err
		}
		for user, with := range map[*store.User]struct {
			name string
			rank access.Role
			team access.Role
		}{&r.owner: {"owner", access.Owner, access.None}, &r.viewer: {"viewer", access.None, access.Viewer}, &r.member: {"member", access.None, access.Member}} {
			if *user, err = tx.CreateUser(with.name+"@example.com", with.name, "", with.rank); err != nil {
				return err
			}
			if with.team != access.None {
				if err := tx.SetTeamMember(r.team.ID, user.ID, with.team); err != nil {
					return err
				}
			}
		}
		r.web, err = tx.Project(r.web.ID)
		return err
	})
	r.ownerToken, r.viewerToken, r.memberToken = r.token(r.owner.ID, access.AllScopes), r.token(r.viewer.ID, access.AllScopes), r.token(r.member.ID, access.AllScopes)
	r.otherToken = r.make(store.Token{Project: r.other.ID, Scopes: access.AllScopes})
	return r
}

func (r *rig) mustWrite(change func(tx *store.Tx) error) {
	r.t.Helper()
	if err := r.db.Write(r.t.Context(), "test", change); err != nil {
		r.t.Fatal(err)
	}
}

// token makes a user's token.
func (r *rig) token(user int64, scopes access.Scopes) string {
	return r.make(store.Token{UserID: user, Scopes: scopes})
}

// reduced is a token of the owner without some scopes; each is made once, since a user
// has only so many.
func (r *rig) reduced(without access.Scopes) string {
	if r.without[without] == "" {
		r.without[without] = r.token(r.owner.ID, access.AllScopes&^without)
	}
	return r.without[without]
}

func (r *rig) make(t store.Token) string {
	r.t.Helper()
	plain := store.NewToken()
	t.Name, t.CreatedBy = "test", r.owner.ID
	r.mustWrite(func(tx *store.Tx) error {
		_, err := tx.CreateToken(t, plain)
		return err
	})
	return plain
}

// digest stores an event of a project and returns its id.
func (r *rig) digest(project event.ProjectID, p eventtest.Payload, at time.Time) event.ID {
	r.t.Helper()
	ev, err := p.Skim()
	if err != nil {
		r.t.Fatalf("%s: %v", p.Name, err)
	}
	group := grouping.Group(ev)
	meta, err := json.Marshal(store.EventMeta{Client: p.SDK, RemoteIP: "192.0.2.7", SentAt: at})
	if err != nil {
		r.t.Fatal(err)
	}
	body, encoding := wire.NewCodec().Compress(p.JSON)
	r.seq++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", p.Name, r.seq))
	in := &store.Incoming{
		Instance: wire.InstanceID{1}, Seq: r.seq, Project: project, EventID: event.ID(sum[:16]),
		ReceivedAt: at, OccurredAt: at, Category: "error", Level: max(ev.Level, event.LevelError), Platform: ev.Platform,
		Title: group.Title, Culprit: group.Culprit, Group: group.Key, GroupRules: group.Version,
		Release: ev.Release, Environment: ev.Environment, User: ev.User.Identifier(), Tags: ev.SearchTags(),
		Kind: wire.KindEvent, Encoding: encoding, Meta: meta, Body: body,
	}
	if result, err := r.db.Digest(r.t.Context(), in); err != nil || result != store.Stored {
		r.t.Fatalf("%s: result %v, error %v", p.Name, result, err)
	}
	return in.EventID
}

// message stores an event with a text, an issue for each text.
func (r *rig) message(project event.ProjectID, text string) event.ID {
	r.t.Helper()
	payload, err := json.Marshal(map[string]any{"platform": "other", "message": text, "fingerprint": []string{text}})
	if err != nil {
		r.t.Fatal(err)
	}
	return r.digest(project, eventtest.Payload{Name: text, JSON: payload}, r.now.Add(-time.Minute))
}

// do sends a request with a token.
func (r *rig) do(method, path, token, body string) *http.Response {
	r.t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	r.api.ServeHTTP(w, req)
	return w.Result()
}

// must sends a request as the owner and returns the answer's JSON; it has to have a
// status.
func (r *rig) must(status int, method, path, body string) string {
	r.t.Helper()
	return mustStatus(r.t, r.do(method, Root+path, r.ownerToken, body), status)
}

func mustStatus(t testing.TB, answer *http.Response, status int) string {
	t.Helper()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", answer.StatusCode, status, text)
	}
	return string(text)
}

// mustRead reads JSON into a value.
func mustRead[T any](t testing.TB, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// audited returns the newest entries of the audit log about a project, 0 for all, the
// newest first: action, subject and detail.
func (r *rig) audited(project event.ProjectID, n int) []string {
	r.t.Helper()
	var lines []string
	storetest.MustRead(r.t, r.replica, func(rx *store.Rx) error {
		entries, err := rx.AuditLog(store.AuditQuery{Project: project, Limit: n})
		for _, e := range entries {
			if e.TokenID == 0 || e.Address == "" {
				r.t.Errorf("%s does not say that a token did it, or from where", e.Action)
			}
			lines = append(lines, strings.TrimSpace(strings.Join([]string{e.Action, e.Subject, e.Detail}, " ")))
		}
		return err
	})
	return lines
}

// wantAudited compares them.
func (r *rig) wantAudited(project event.ProjectID, want ...string) {
	r.t.Helper()
	if diff := cmp.Diff(want, r.audited(project, len(want))); diff != "" {
		r.t.Errorf("audit log (-want +got):\n%s", diff)
	}
}

// refused asks for what is refused, and wants some words.
func (r *rig) refused(status int, token, method, path, body, words string) {
	r.t.Helper()
	got := mustRead[detail](r.t, mustStatus(r.t, r.do(method, Root+path, token, body), status))
	if !strings.Contains(got.Detail, words) {
		r.t.Errorf("%s %s with %s: %q lacks %q", method, path, body, got.Detail, words)
	}
}
