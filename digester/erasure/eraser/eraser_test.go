package eraser_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sundew/digester/access"
	"sundew/digester/erasure"
	"sundew/digester/erasure/eraser"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// desk is where requests come in, and events.
type desk struct {
	t       *testing.T
	db      *store.DB
	replica *store.Replica
	project event.ProjectID
	user    store.User
	seq     uint64
	now     time.Time
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	d.db, d.replica = storetest.Open(t, func() time.Time { return d.now })
	d.project = storetest.MustCreateProject(t, d.db, "Shop", "").ID
	d.write(func(tx *store.Tx) (err error) {
		d.user, err = tx.CreateUser("owner@example.com", "Owner", "", access.Owner)
		return err
	})
	return d
}

func (d *desk) write(do func(*store.Tx) error) {
	d.t.Helper()
	if err := d.db.Write(d.t.Context(), "test", do); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) round() {
	d.t.Helper()
	if err := eraser.Round(d.t.Context(), eraser.Config{Replica: d.replica, DB: d.db}); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) message(group string) *store.Incoming {
	d.seq++
	in := &store.Incoming{
		Instance: wire.InstanceID{1}, Seq: d.seq, Project: d.project, ReceivedAt: d.now, OccurredAt: d.now, Category: "error",
		Level: event.LevelError, Platform: "go", Title: "Error: " + group, Culprit: "main", GroupRules: 1,
		Kind: wire.KindEvent, Encoding: wire.EncodingIdentity, Meta: []byte(`{}`), Body: []byte(`{}`),
	}
	in.EventID[0] = byte(d.project)
	binary.BigEndian.PutUint64(in.EventID[8:], d.seq)
	copy(in.Group[:], group)
	return in
}

// digest stores a message that was filled in, and returns its event's id.
func (d *desk) digest(in *store.Incoming) event.ID {
	d.t.Helper()
	if got, err := d.db.Digest(d.t.Context(), in); err != nil || got != store.Stored {
		d.t.Fatalf("%d, %v", got, err)
	}
	return in.EventID
}

// of digests an event of a group with a user and a message.
func (d *desk) of(group string, u event.User, message string) event.ID {
	d.t.Helper()
	in := d.message(group)
	in.User = u.Identifier()
	if in.User != "" {
		in.Tags = (&event.Event{User: u}).SearchTags()[1:] // without the level
	}
	in.Body = fmt.Appendf(nil, `{"message":%q,"user":{"id":%q,"email":%q,"ip_address":%q}}`, message, u.ID, u.Email, u.IP)
	if strings.Contains(message, "@") {
		in.Title = message
		in.Tags = append(in.Tags, event.Pair{Key: "customer", Value: message})
	}
	return d.digest(in)
}

func (d *desk) ask(project event.ProjectID, kind, value string) int64 {
	d.t.Helper()
	s, err := erasure.Parse(kind, value)
	if err != nil {
		d.t.Fatal(err)
	}
	var e store.Erasure
	d.write(func(tx *store.Tx) (err error) {
		e, err = tx.CreateErasure(project, s, d.user.ID)
		return err
	})
	d.round()
	return e.ID
}

func (d *desk) request(id int64) (e store.Erasure) {
	d.t.Helper()
	storetest.MustRead(d.t, d.replica, func(rx *store.Rx) (err error) {
		e, err = rx.Erasure(id)
		return err
	})
	return e
}

func (d *desk) confirm(id int64) {
	d.t.Helper()
	d.write(func(tx *store.Tx) error { return tx.ConfirmErasure(id) })
	d.round()
}

// is reports whether an event is stored.
func (d *desk) is(id event.ID) bool {
	d.t.Helper()
	var events []store.Event
	storetest.MustRead(d.t, d.replica, func(rx *store.Rx) (err error) {
		events, err = rx.EventsByID(id)
		return err
	})
	return len(events) > 0
}

func TestErasePerson(t *testing.T) {
	d := newDesk(t)
	ann, bob := event.User{ID: "42", Email: "ann@example.com"}, event.User{ID: "421"}
	first := d.of("login", bob, "no such user")
	gone := []event.ID{
		d.of("login", ann, "no such user"),
		d.of("mail", event.User{}, "cannot send to ann@example.com"),
		d.of("login", event.User{Email: "Ann@Example.com"}, "no such user"),
	}
	onlyID := d.of("cart", event.User{ID: "42"}, "empty") // nobody knows that it is Ann
	about := d.message("")
	about.Category, about.EventID, about.Feedback = store.CategoryFeedback, event.ID{9}, &store.Feedback{FeedbackID: event.ID{9}, Feedback: event.Feedback{Name: "Ann", Email: "ann@example.com", Message: "It broke."}}
	d.digest(about)
	file := d.message("")
	file.Category, file.EventID, file.Attachment = store.CategoryAttachment, gone[0], &store.Attachment{Name: "screen.png", SHA256: [32]byte{1}}
	d.digest(file)
	dropped := d.message("")
	dropped.Drop, dropped.Detail = "bad_json", `unexpected "ann@example.com"`
	if got, err := d.db.Digest(t.Context(), dropped); err != nil || got != store.Dropped {
		t.Fatalf("%d, %v", got, err)
	}
	other := storetest.MustCreateProject(t, d.db, "Other", "").ID
	ours := d.project
	d.project, d.seq = other, 0
	elsewhere := d.of("login", ann, "no such user")
	d.project, d.seq = ours, 100

	id := d.ask(ours, "email", "ANN@example.com")
	if e := d.request(id); e.State != store.ErasureFound || e.Events != 3 || e.Feedback != 1 || e.Attachments != 1 {
		t.Errorf("found: %+v", e)
	}
	for _, ev := range gone {
		if !d.is(ev) {
			t.Error("an event is gone that nobody confirmed")
		}
	}
	late := d.of("login", ann, "no such user") // comes between
	d.confirm(id)
	if e := d.request(id); e.State != store.ErasureDone || e.Subject.Value != "" || e.Events != 4 || e.DoneAt.IsZero() {
		t.Errorf("done: %+v", e)
	}
	for _, ev := range append(gone, late) {
		if d.is(ev) {
			t.Error("an event is still there")
		}
	}
	for what, ev := range map[string]event.ID{"of somebody else": first, "that says nothing of her": onlyID, "of another project": elsewhere} {
		if !d.is(ev) {
			t.Errorf("an event %s is gone", what)
		}
	}
	d.lacks(ours, "ann@example.com", "id:42,")
	d.confirmAll("email", "ann@example.com")
	if d.is(elsewhere) {
		t.Error("of all projects, one is left out")
	}
}

// confirmAll removes a person from all projects.
func (d *desk) confirmAll(kind, value string) {
	d.t.Helper()
	d.confirm(d.ask(0, kind, value))
}

// lacks fails if anything that is kept of a project's issues says one of some words.
func (d *desk) lacks(project event.ProjectID, words ...string) {
	d.t.Helper()
	var said []string
	storetest.MustRead(d.t, d.replica, func(rx *store.Rx) error {
		stocks, err := rx.IssueStocks(project, 1<<40, 100)
		if err != nil {
			return err
		}
		for _, s := range stocks {
			issue, err := rx.Issue(s.ID)
			if err != nil {
				return err
			}
			said = append(said, issue.Title, issue.Culprit)
			if issue.Users > 1 {
				d.t.Errorf("issue %d still counts %d users", s.ID, issue.Users)
			}
			tags, err := rx.IssueTags(s.ID, 100)
			if err != nil {
				return err
			}
			for _, tag := range tags {
				if s.Stored > 0 && tag.Value == "id:42" { // of the event without her address
					continue
				}
				said = append(said, tag.Value+",")
			}
		}
		rejects, err := rx.Rejects(project, 100)
		if err != nil {
			return err
		}
		for _, r := range rejects {
			said = append(said, r.Detail)
		}
		log, err := rx.AuditLog(store.AuditQuery{})
		for _, e := range log {
			said = append(said, e.Subject, e.Detail)
		}
		if !slices.ContainsFunc(log, func(e store.AuditEntry) bool {
			return e.Action == "person.removed" && strings.HasPrefix(e.Subject, "sha256:")
		}) {
			d.t.Errorf("the audit log does not say that somebody was removed: %v", log)
		}
		return err
	})
	for _, word := range words {
		if i := slices.IndexFunc(said, func(s string) bool { return strings.Contains(strings.ToLower(s), word) }); i >= 0 {
			d.t.Errorf("%q is still in %q", word, said[i])
		}
	}
}

// A person whose data cannot be removed does not keep another one's from being removed.
func TestOneRequestFails(t *testing.T) {
	d := &desk{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	d.db, d.replica = storetest.OpenFile(t, store.Config{Now: func() time.Time { return d.now }})
	d.project = storetest.MustCreateProject(t, d.db, "Shop", "").ID
	d.write(func(tx *store.Tx) (err error) {
		d.user, err = tx.CreateUser("owner@example.com", "Owner", "", access.Owner)
		return err
	})
	first, second := d.of("login", event.User{ID: "1"}, "no"), d.of("login", event.User{ID: "2"}, "no")
	ids := []int64{d.ask(d.project, "id", "1"), d.ask(d.project, "id", "2")}
	storetest.MustSpoil(t, d.replica, `CREATE TRIGGER refuse BEFORE DELETE ON events WHEN OLD.user = 'id:1' BEGIN SELECT RAISE(ABORT, 'refused'); END`)
	for _, id := range ids {
		d.write(func(tx *store.Tx) error { return tx.ConfirmErasure(id) })
	}
	err := eraser.Round(t.Context(), eraser.Config{Replica: d.replica, DB: d.db})
	if store.KindOf(err) != store.KindConstraint {
		t.Errorf("the round says %v", err)
	}
	if !d.is(first) || d.is(second) {
		t.Errorf("stored are %v and %v, want the first alone", d.is(first), d.is(second))
	}
}

// Whoever is removed by an id is not told by the rest of their names either, and nobody
// else is forgotten for it.
func TestEraseNames(t *testing.T) {
	d := newDesk(t)
	first := d.of("login", event.User{ID: "42", Email: "ann@example.com", IP: "192.0.2.7"}, "no such user")
	d.of("login", event.User{ID: "43", Email: "bob@example.com"}, "no such user")
	d.confirmAll("id", "42")
	if d.is(first) {
		t.Error("the event is there")
	}
	d.lacks(d.project, "ann@example.com", "192.0.2.7", "id:42,")
	var issues []int64
	storetest.MustRead(t, d.replica, func(rx *store.Rx) (err error) {
		issues, err = rx.IssuesOfUser(d.project, erasure.Subject{Kind: erasure.ByEmail, Value: "bob@example.com"})
		return err
	})
	if len(issues) != 1 {
		t.Errorf("Bob is in the issues %v", issues)
	}
}

// What was found can be left alone; then nobody is remembered.
func TestWithdraw(t *testing.T) {
	d := newDesk(t)
	ev := d.of("login", event.User{ID: "42"}, "no")
	id := d.ask(d.project, "id", "42")
	d.write(func(tx *store.Tx) error { return tx.WithdrawErasure(id) })
	d.round()
	if e := d.request(id); e.State != store.ErasureWithdrawn || e.Subject.Value != "" || e.Events != 1 || !d.is(ev) {
		t.Errorf("%+v", e)
	}
	if err := d.db.Write(t.Context(), "test", func(tx *store.Tx) error { return tx.ConfirmErasure(id) }); err == nil {
		t.Error("it can still be confirmed")
	}
}

// Whose events went before are still in the tags of issues, until they are removed.
func TestTagsOfEventsThatWentBefore(t *testing.T) {
	d := newDesk(t)
	d.of("login", event.User{IP: "192.0.2.1"}, "no")
	d.write(func(tx *store.Tx) error {
		_, err := tx.RemoveEvents([]int64{1})
		return err
	})
	d.confirmAll("ip", "192.0.2.1")
	storetest.MustRead(t, d.replica, func(rx *store.Rx) error {
		tags, err := rx.IssueTags(1, 10)
		issue, err2 := rx.Issue(1)
		if len(tags) > 0 || issue.Users != 0 || err != nil || err2 != nil {
			t.Errorf("tags %v, users %d, %v, %v", tags, issue.Users, err, err2)
		}
		return nil
	})
}
