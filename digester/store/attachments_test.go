package store_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// attachment returns a prepared file of an event, number seq of its lane.
func attachment(project event.ProjectID, seq uint64, of event.ID, name string, content []byte) *store.Incoming {
	return &store.Incoming{
		Instance: wire.InstanceID{1}, Seq: seq, Project: project, EventID: of, ReceivedAt: start, Category: store.CategoryAttachment,
		Kind: wire.KindAttachment, Encoding: wire.EncodingIdentity, Body: content,
		Attachment: &store.Attachment{Name: name, ContentType: "text/plain", Type: "event.attachment", Size: int64(len(content)), SHA256: sha256.Sum256(content)},
	}
}

// feedback returns prepared feedback, number seq of its lane.
func feedback(project event.ProjectID, seq uint64, id, about event.ID, message string) *store.Incoming {
	return &store.Incoming{
		Instance: wire.InstanceID{1}, Seq: seq, Project: project, EventID: id, ReceivedAt: start, Category: store.CategoryFeedback, Kind: wire.KindFeedback,
		Feedback: &store.Feedback{FeedbackID: id, Feedback: event.Feedback{Name: "Ada", Email: "ada@example.com", Message: message, URL: "https://shop.example.com/", About: about}},
	}
}

// TestDigestAttachment: stored once, whatever comes again and in whatever order.
func TestDigestAttachment(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p := storetest.MustCreateProject(t, db, "Shop", "")
	other := storetest.MustCreateProject(t, db, "Other", "")
	ev := incoming(p.ID, 5, "a")
	long := bytes.Repeat([]byte("0123456789"), 250_000) // three parts
	for _, step := range []struct {
		in   *store.Incoming
		want store.Result
	}{
		{attachment(p.ID, 1, ev.EventID, "log.txt", []byte("one")), store.Stored}, // before its event
		{attachment(p.ID, 1, ev.EventID, "log.txt", []byte("one")), store.Redelivered},
		{attachment(p.ID, 2, ev.EventID, "log.txt", []byte("one")), store.Duplicate},
		{attachment(p.ID, 2, ev.EventID, "log.txt", []byte("one")), store.Redelivered},
		{attachment(p.ID, 3, ev.EventID, "log.txt", []byte("two")), store.Stored},
		{attachment(p.ID, 4, ev.EventID, "empty", nil), store.Stored},
		{ev, store.Stored},
		{attachment(p.ID, 6, ev.EventID, "long", long), store.Stored},
		{attachment(other.ID, 1, ev.EventID, "log.txt", []byte("one")), store.Stored},
		{attachment(99, 1, ev.EventID, "log.txt", []byte("one")), store.Dropped},
	} {
		mustDigest(t, db, step.in, step.want)
	}
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		files, err := rx.Attachments(p.ID, event.ID{1}, ev.EventID)
		if err != nil {
			return err
		}
		var got []string
		for _, a := range files {
			_, content, err := rx.AttachmentContent(p.ID, a.ID)
			if err != nil {
				return err
			}
			if a.SHA256 != sha256.Sum256(content) || a.Size != int64(len(content)) || a.EventID != ev.EventID || !a.ReceivedAt.Equal(start) {
				t.Errorf("%+v", a)
			}
			got = append(got, fmt.Sprintf("%s %.3s %d", a.Name, content, len(content)))
			if _, _, err := rx.AttachmentContent(other.ID, a.ID); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("another project's attachment: %v", err)
			}
		}
		want := []string{"log.txt one 3", "log.txt two 3", "empty  0", "long 012 2500000"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		return nil
	})
	wantBooks(t, replica, "stored: 6", "duplicate: 1", "dropped unknown_project: 1")
}

func TestDigestFeedback(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p := storetest.MustCreateProject(t, db, "Shop", "")
	ev := incoming(p.ID, 3, "a")
	mustDigest(t, db, feedback(p.ID, 1, event.ID{1}, ev.EventID, "It does nothing"), store.Stored) // before its event
	mustDigest(t, db, feedback(p.ID, 1, event.ID{1}, ev.EventID, "It does nothing"), store.Redelivered)
	mustDigest(t, db, feedback(p.ID, 2, event.ID{1}, ev.EventID, "It does nothing"), store.Duplicate)
	mustDigest(t, db, ev, store.Stored)
	mustDigest(t, db, feedback(p.ID, 4, event.ID{2}, event.ID{}, "Hello"), store.Stored)
	mustDigest(t, db, feedback(p.ID, 5, event.ID{3}, event.ID{77}, "Of an event that never came"), store.Stored)
	mustDigest(t, db, feedback(99, 1, event.ID{1}, event.ID{}, "Of no project"), store.Dropped)
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		newest, more, err := rx.ProjectFeedback(p.ID, 0, 2)
		if err != nil || !more || len(newest) != 2 || newest[0].Issue != 0 || newest[0].About != (event.ID{77}) || newest[1].Message != "Hello" {
			t.Errorf("%+v, more %v, %v", newest, more, err)
		}
		rest, more, err := rx.ProjectFeedback(p.ID, newest[1].ID, 2)
		if err != nil || more || len(rest) != 1 {
			t.Fatalf("%+v, more %v, %v", rest, more, err)
		}
		want := store.Feedback{ID: 1, ProjectID: p.ID, FeedbackID: event.ID{1}, ReceivedAt: start, Issue: 1, IssueNumber: 1, Number: 1, Title: ev.Title, Feedback: event.Feedback{
			Name: "Ada", Email: "ada@example.com", Message: "It does nothing", URL: "https://shop.example.com/", About: ev.EventID}}
		if diff := cmp.Diff(want, rest[0]); diff != "" {
			t.Error(diff)
		}
		about, err := rx.EventFeedback(p.ID, ev.EventID)
		if diff := cmp.Diff([]store.Feedback{want}, about); diff != "" || err != nil {
			t.Error(diff, err)
		}
		return nil
	})
	wantBooks(t, replica, "stored: 4", "duplicate: 1", "dropped unknown_project: 1")
}

// TestEvictAttachments: a project cannot fill the disk, the newest files stay, and
// another project's too.
func TestEvictAttachments(t *testing.T) {
	const limit = 20 << 10
	db, replica := storetest.OpenWith(t, store.Config{AttachmentBytes: limit})
	p := storetest.MustCreateProject(t, db, "Shop", "")
	other := storetest.MustCreateProject(t, db, "Other", "")
	mustDigest(t, db, attachment(other.ID, 1, event.ID{1}, "kept", []byte("x")), store.Stored)
	seq := uint64(0)
	next := func(size int, want store.Result) {
		t.Helper()
		seq++
		mustDigest(t, db, attachment(p.ID, seq, event.ID{1}, fmt.Sprint(seq), make([]byte, size)), want)
	}
	for range 25 {
		next(0, store.Stored) // an empty one is charged with 1 KiB
	}
	next(0, store.Dropped) // a quarter more than the limit
	evict := func(want int64) {
		t.Helper()
		if n, err := db.EvictAttachments(t.Context(), replica); n != want || err != nil {
			t.Fatalf("evicted %d, %v, want %d", n, err, want)
		}
	}
	evict(5)
	evict(0)
	next(0, store.Stored) // there is room again, and the digester finds out by itself
	next(3<<10, store.Stored)
	evict(5)
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		files, err := rx.Attachments(p.ID, event.ID{1})
		if len(files) != 17 || files[0].Name != "11" || files[16].Name != "28" {
			t.Errorf("%d files: %+v", len(files), files)
		}
		return err
	})
	wantBooks(t, replica, "stored: 28", "dropped attachments_full: 1")
}
