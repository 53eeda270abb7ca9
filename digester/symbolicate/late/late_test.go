package late

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/digest"
	"sundew/digester/grouping"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/symbolicate"
	"sundew/digester/symbolicate/scripts"
	"sundew/schema/corpus"
	"sundew/schema/event"
	"sundew/schema/event/eventtest"
	"sundew/schema/wire"
)

// shop is a project whose recorded events are of a minified application.
type shop struct {
	t       *testing.T
	app     corpus.WebApp
	db      *store.DB
	replica *store.Replica
	cache   *scripts.Cache
	codec   *wire.Codec
	now     time.Time
	project event.ProjectID
	seq     uint64
	pause   func(context.Context, time.Duration) error
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{t: t, codec: wire.NewCodec(), now: time.Now()}
	s.db, s.replica = storetest.Open(t, nil)
	s.project = storetest.MustCreateProject(t, s.db, "Shop", "").ID
	var err error
	if s.app, err = corpus.LoadWebApp(); err != nil {
		t.Fatal(err)
	}
	s.cache = scripts.New(scripts.Config{From: s.replica, Within: time.Minute, Now: func() time.Time { return s.now }})
	s.pause = func(context.Context, time.Duration) error { return nil }
	return s
}

// reader returns what a process has that has just started.
func (s *shop) reader() *Reader {
	l := New(Config{
		Replica: s.replica, DB: s.db, Scripts: s.cache, Rules: func(event.ProjectID) grouping.Rules { return grouping.Rules{} },
		Now: func() time.Time { return s.now },
	})
	l.pause = func(ctx context.Context, d time.Duration) error { return s.pause(ctx, d) }
	return l
}

func (s *shop) step(l *Reader) {
	s.t.Helper()
	if err := l.Step(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	storetest.MustCheck(s.t, s.replica)
}

// events are the recorded ones of the application whose frames its maps know.
func (s *shop) events() []eventtest.Payload {
	var all []eventtest.Payload
	for _, p := range eventtest.Captured(s.t) {
		if slices.ContainsFunc(s.app.Cases[p.Name].Frames, func(f corpus.WebAppFrame) bool { return f.Original != nil }) {
			all = append(all, p)
		}
	}
	return all
}

// prepare makes of a payload, under an event id of its own, what is committed.
func (s *shop) prepare(payload []byte, from digest.Scripts) *store.Incoming {
	s.t.Helper()
	s.seq++
	m := &wire.Message{Kind: wire.KindEvent, Project: s.project, Instance: wire.InstanceID{1}, Seq: s.seq, ReceivedAt: time.Now(), Client: "test"}
	binary.BigEndian.PutUint64(m.EventID[:], s.seq)
	m.Body, m.Encoding = s.codec.Compress(payload)
	in, err := digest.Prepare(s.t.Context(), m.Encode(nil), digest.Config{Scripts: from})
	if err != nil {
		s.t.Fatal(err)
	}
	return in
}

func (s *shop) commit(in *store.Incoming) event.ID {
	s.t.Helper()
	if result, err := s.db.Digest(s.t.Context(), in); err != nil || result != store.Stored {
		s.t.Fatalf("%d, %v", result, err)
	}
	return in.EventID
}

func (s *shop) digest(payload []byte) event.ID {
	s.t.Helper()
	return s.commit(s.prepare(payload, s.cache))
}

func (s *shop) publish() {
	s.t.Helper()
	storetest.MustPublish(s.t, s.db, s.project, "", s.app.Bundle)
}

// issueOf returns the issue that people see of an event's, and whether the event's
// source frames are stored.
func (s *shop) issueOf(id event.ID) (issue store.Issue, mapped bool) {
	s.t.Helper()
	storetest.MustRead(s.t, s.replica, func(rx *store.Rx) error {
		ev, err := rx.EventByID(id)
		if err != nil {
			return err
		}
		body, err := rx.EventBody(ev.ID)
		if err != nil {
			return err
		}
		mapped = len(body.Symbols) > 0
		if issue, err = rx.Issue(ev.IssueID); err == nil && issue.MergedInto != 0 {
			issue, err = rx.Issue(issue.MergedInto)
		}
		return err
	})
	return issue, mapped
}

// In the end it does not matter whether an event or its maps came first.
func TestMapsBehindEvents(t *testing.T) {
	s := newShop(t)
	before := make(map[string]event.ID)
	for _, p := range s.events() {
		before[p.Name] = s.digest(p.JSON)
	}
	l := s.reader()
	s.step(l)
	s.publish()
	s.step(l)
	culprits := make(map[string]bool)
	for _, p := range s.events() {
		after := s.digest(p.JSON)
		was, wasMapped := s.issueOf(before[p.Name])
		is, isMapped := s.issueOf(after)
		if was.ID != is.ID || !wasMapped || !isMapped {
			t.Errorf("%s: before the upload in issue %d (%v), after it in %d (%v)", p.Name, was.ID, wasMapped, is.ID, isMapped)
		}
		culprits[is.Culprit] = true
	}
	for _, want := range []string{"src/cart.ts in applyCoupon", "src/lazy.ts in Ledger.add"} {
		if !culprits[want] {
			t.Errorf("no issue has the culprit %q: %q", want, slices.Sorted(maps.Keys(culprits)))
		}
	}
	s.now = s.now.Add(scripts.Settled)
	s.step(l)
	storetest.MustRead(t, s.replica, func(rx *store.Rx) error {
		cursor, err := rx.SymbolsCursor()
		if cursor != 1 {
			t.Errorf("the cursor is at %d", cursor)
		}
		return err
	})
	if got := s.cache.TakeUses(); fmt.Sprint(got) != "[1]" {
		t.Errorf("uses %v", got)
	}
}

// An event that was prepared before the upload and committed after its issue was looked
// at is looked at once more.
func TestEventUnderWay(t *testing.T) {
	s := newShop(t)
	payload := s.events()[0].JSON
	under := s.prepare(payload, s.cache)
	l := s.reader()
	s.publish()
	s.step(l)
	id := s.commit(under)
	s.step(l)
	if _, mapped := s.issueOf(id); mapped {
		t.Fatal("it is mapped already")
	}
	s.now = s.now.Add(scripts.Settled)
	s.step(l)
	was, mapped := s.issueOf(id)
	if is, _ := s.issueOf(s.digest(payload)); !mapped || is.ID != was.ID {
		t.Errorf("mapped: %v, issues %d and %d", mapped, was.ID, is.ID)
	}
}

// Events that were under way are found behind the many that have come since.
func TestManyBehindEventUnderWay(t *testing.T) {
	s := newShop(t)
	payload := s.events()[0].JSON
	s.digest(payload)
	under := s.prepare(payload, s.cache)
	l := s.reader()
	s.publish()
	s.step(l)
	id := s.commit(under)
	for range 3 * sampled {
		s.digest(payload)
	}
	s.now = s.now.Add(scripts.Settled)
	s.step(l)
	if _, mapped := s.issueOf(id); !mapped {
		t.Error("the event that was under way is as it was sent")
	}
}

// panics is a cache with a map that cannot be looked into.
type panics struct{ *scripts.Cache }

func (panics) Await(context.Context, event.ProjectID, []symbolicate.Ref) (map[symbolicate.Ref]symbolicate.Script, error) {
	panic("a map")
}

// An event that cannot be read again stays as it is, and takes nobody with it.
func TestPanic(t *testing.T) {
	s := newShop(t)
	id := s.digest(s.events()[0].JSON)
	s.publish()
	l := s.reader()
	l.cfg.Scripts = panics{s.cache}
	s.step(l)
	if _, mapped := s.issueOf(id); mapped {
		t.Error("it was read again")
	}
}

// What is damaged in the database stays as it is, is told of once in a pass, and keeps
// nothing else from being read again.
func TestDamaged(t *testing.T) {
	for _, damage := range []string{
		`UPDATE event_bodies SET body = x'00' WHERE event_id = 2`,
		`UPDATE event_bodies SET meta = '{' WHERE event_id = 2`,
	} {
		t.Run(damage, func(t *testing.T) {
			s := newShop(t)
			payload := s.events()[0].JSON
			whole, damaged := s.digest(payload), s.digest(payload)
			before, _ := s.issueOf(damaged)
			storetest.MustSpoil(t, s.replica, damage)
			s.publish()
			var log bytes.Buffer
			l := s.reader()
			l.cfg.Log = zerolog.New(&log)
			s.step(l)
			if got := strings.Count(log.String(), "\n"); got != 1 || !strings.Contains(log.String(), `"event":2`) {
				t.Errorf("logged:\n%s", log.String())
			}
			s.now = s.now.Add(scripts.Settled)
			s.step(l)
			storetest.MustRead(t, s.replica, func(rx *store.Rx) error {
				cursor, err := rx.SymbolsCursor()
				body, errBody := rx.EventBody(1)
				if cursor != 1 || len(body.Symbols) == 0 {
					t.Errorf("the cursor is at %d; mapped: %v", cursor, len(body.Symbols) > 0)
				}
				ev, errWhole := rx.EventByID(whole)
				after, errIssue := rx.Issue(ev.IssueID)
				if before.Culprit != after.Culprit || before.Title != after.Title || before.ID != after.ID {
					t.Errorf("the issue is %q (%s), was %q (%s)", after.Title, after.Culprit, before.Title, before.Culprit)
				}
				return errors.Join(err, errBody, errWhole, errIssue)
			})
		})
	}
}

// Wherever it is killed, the next process gets to the same end.
func TestKilledReader(t *testing.T) {
	killed := errors.New("killed")
	s := newShop(t)
	var ids []event.ID
	for _, p := range s.events()[:6] {
		ids = append(ids, s.digest(p.JSON), s.digest(p.JSON))
	}
	s.publish()
	ended := false
	for after := 0; !ended; after++ {
		left := after
		s.pause = func(context.Context, time.Duration) error {
			if left--; left < 0 {
				return killed
			}
			return nil
		}
		switch err := s.reader().Step(t.Context()); {
		case err == nil:
			ended = true
		case !errors.Is(err, killed):
			t.Fatal(err)
		}
		storetest.MustCheck(t, s.replica)
	}
	for i, id := range ids {
		if _, mapped := s.issueOf(id); !mapped {
			t.Errorf("event %d is not mapped", i)
		}
	}
}

// Events that come all the while are not missed either, and nobody waits for anybody.
func TestMapsWhileEventsStream(t *testing.T) {
	s := newShop(t)
	payloads := s.events()[:4]
	var ids []event.ID
	for _, p := range payloads {
		ids = append(ids, s.digest(p.JSON))
	}
	s.publish()
	var streamed []*store.Incoming
	for i := range 60 {
		streamed = append(streamed, s.prepare(payloads[i%len(payloads)].JSON, [2]digest.Scripts{s.cache, nil}[i%2]))
	}
	for _, in := range streamed {
		ids = append(ids, in.EventID)
	}
	ended := make(chan error, 1)
	go func() {
		for _, in := range streamed {
			if result, err := s.db.Digest(t.Context(), in); err != nil || result != store.Stored {
				ended <- fmt.Errorf("%d, %w", result, err)
				return
			}
		}
		ended <- nil
	}()
	l := s.reader()
	s.step(l)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(scripts.Settled)
	s.step(l)
	for i, id := range ids {
		is, mapped := s.issueOf(id)
		if want, _ := s.issueOf(ids[i%len(payloads)]); !mapped || is.ID != want.ID {
			t.Errorf("event %d: mapped: %v, in issue %d, others in %d", i, mapped, is.ID, want.ID)
		}
	}
}

// away is a database that does not answer.
type away struct{}

func (away) Read(context.Context, func(*store.Rx) error) error { return errors.New("away") }

// While the database does not answer, events are digested as they were sent, and read
// again as soon as it does.
func TestDatabaseAway(t *testing.T) {
	s := newShop(t)
	s.publish()
	payload := s.events()[0].JSON
	in := s.prepare(payload, scripts.New(scripts.Config{From: away{}}))
	if !in.SymbolsDue {
		t.Fatal("it is not to be looked at again")
	}
	id := s.commit(in)
	lone := s.commit(s.prepare([]byte(`{"platform":"javascript","exception":{"values":[{"type":"Error","stacktrace":{"frames":[
		{"filename":"https://example.com/other.js","lineno":1,"colno":2}]}}]}}`), scripts.New(scripts.Config{From: away{}})))
	s.step(s.reader())
	was, mapped := s.issueOf(id)
	if is, _ := s.issueOf(s.digest(payload)); !mapped || is.ID != was.ID {
		t.Errorf("mapped: %v, issues %d and %d", mapped, was.ID, is.ID)
	}
	if _, mapped := s.issueOf(lone); mapped {
		t.Error("a script that nobody uploaded is mapped")
	}
	storetest.MustRead(t, s.replica, func(rx *store.Rx) error {
		due, err := rx.SymbolsDue(10)
		if len(due) > 0 {
			t.Errorf("still due: %v", due)
		}
		return err
	})
}

// What source maps said goes with the event, and stays while only the maps are gone.
func TestOverlaysAndRetention(t *testing.T) {
	s := newShop(t)
	s.publish()
	payload := s.events()[0].JSON
	first, second := s.digest(payload), s.digest(payload)
	if err := s.db.Write(t.Context(), "test", func(tx *store.Tx) error { return tx.RemoveBundle(s.project, 1) }); err != nil {
		t.Fatal(err)
	}
	s.cache.Forget(s.project)
	s.step(s.reader())
	if n, _, err := s.db.RemoveEvents(t.Context(), "test", []int64{1}); n != 1 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	storetest.MustRead(t, s.replica, func(rx *store.Rx) error {
		if _, err := rx.EventByID(first); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the first event: %v", err)
		}
		weights, err := rx.EventWeights([]int64{2})
		if len(weights) != 1 || weights[0].Bytes == 0 {
			t.Errorf("weights %v", weights)
		}
		return err
	})
	if _, mapped := s.issueOf(second); !mapped {
		t.Error("the second event lost its source frames")
	}
}
