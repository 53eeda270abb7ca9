package dashboard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sundew/digester/deadletter"
	"sundew/digester/queue"
	"sundew/digester/queue/local"
	"sundew/schema/event"
	"sundew/schema/event/eventtest"
	"sundew/schema/wire"
)

// deadLetters is a queue's dead letters in memory: any bytes, which a real queue of
// ours would not take.
type deadLetters struct {
	letters []queue.DeadLetter
	err     error // of asking
	last    error // what the digester said of all
}

func (d *deadLetters) DeadLetters(_ context.Context, limit int) ([]queue.DeadLetter, error) {
	return d.letters[:min(limit, len(d.letters))], d.err
}

func (d *deadLetters) Redrive(_ context.Context, ids []string) (int, error) {
	before := len(d.letters)
	d.letters = slices.DeleteFunc(d.letters, func(l queue.DeadLetter) bool { return slices.Contains(ids, l.ID) })
	return before - len(d.letters), d.err
}

func (d *deadLetters) lastError([]byte) error { return d.last }

func (d *deadLetters) add(id string, body []byte) {
	d.letters = append(d.letters, queue.DeadLetter{ID: id, Body: body, Receives: 8, SentAt: testNow.Add(-time.Hour)})
}

// path is the page of the i-th.
func (d *deadLetters) path(i int) string { return links{}.deadLetter("local", d.letters[i].ID) }

// letterOf returns an encoded message with a JSON body.
func letterOf(m wire.Message, json string) []byte {
	m.Body, m.Encoding = wire.NewCodec().Compress([]byte(json))
	return m.Encode(nil)
}

// hostileLetters makes letters that are a text wherever they can be.
func (s *site) hostileLetters(text string) {
	s.dead.last = errors.New(text + "\n" + text)
	m := wire.Message{Kind: wire.KindEvent, Project: s.project.ID, EventID: event.ID{7}, Region: text, Client: text, RemoteIP: text, Environment: text, Release: text}
	s.dead.add(text, letterOf(m, string(eventtest.Hostile(text))))
	s.dead.add(text+"2", letterOf(m, text))
	s.dead.add(text+"3", []byte(text))
}

// TestDeadLetterPages follows a message through a real queue: delivered too often,
// looked at, put back, delivered again.
func TestDeadLetterPages(t *testing.T) {
	clock := testNow.Add(-time.Hour)
	q, err := local.Open(t.Context(), local.Config{Path: filepath.Join(t.TempDir(), "queue.db"), MaxReceives: 1, Visibility: time.Second, Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close(context.WithoutCancel(t.Context()))
	poison := errors.New("constraint failed: a number that is no number\ngoroutine 1")
	s := newSite(t, func(cfg *Config) {
		cfg.Dead = deadletter.Queues{{Name: "local", Letters: q, LastError: func([]byte) error { return poison }}}
	})
	mustContain(t, textOf(s.mustGet("/dead-letters")), "There are none", "A dead letter is a message that was accepted")
	mustContain(t, s.mustGet("/ledger"), `href="/dead-letters"`)

	body, encoding := wire.NewCodec().Compress([]byte(`{"message":"it broke","extra":{"user_number":"0123456789012345678901234567890123456789"}}`))
	die := func() {
		t.Helper()
		for want := 1; want >= 0; want-- {
			messages, err := q.Receive(t.Context(), 10, 0)
			if err != nil || len(messages) != want {
				t.Fatalf("%d messages, %v", len(messages), err)
			}
			clock = clock.Add(time.Minute)
		}
	}
	for n := range byte(3) {
		m := &wire.Message{Kind: wire.KindEvent, Encoding: encoding, Project: s.project.ID, EventID: event.ID{0xab, n}, ReceivedAt: clock, Client: "sentry.go/1.0", Body: body}
		if err := q.Send(t.Context(), []*wire.Message{m}); err != nil {
			t.Fatal(err)
		}
		die()
	}
	page := s.mustGet("/dead-letters")
	mustContain(t, textOf(page), "Event of Web shop ab00", "Event of Web shop ab02", "constraint failed: a number that is no number 1 h ago 1 ", "Try all again")
	mustLack(t, page, "goroutine")
	letter := s.mustGet("/dead-letters/letter?queue=local&id=2")
	mustContain(t, textOf(letter), "Event of Web shop", "ab010000", "goroutine 1", "sentry.go/1.0", `"message": "it broke"`, "What the client sent.", "Set aside 2026-03-14 14:12:26 UTC")

	retry := func(form, want string, left int) {
		t.Helper()
		resp := s.post("/dead-letters/retry", form)
		if to := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther || to != want {
			t.Errorf("%s: status %d to %q, want %q", form, resp.StatusCode, to, want)
		}
		stats, err := q.Stats(t.Context())
		if err != nil || stats.Dead != int64(left) {
			t.Errorf("%s: %d dead letters, want %d, %v", form, stats.Dead, left, err)
		}
	}
	retry("queue=local&id=2", "/dead-letters?retried=1", 2)
	retry("queue=local&id=2", "/dead-letters?retried=0", 2)
	retry("queue=local&id=nonsense", "/dead-letters?retried=0", 2)
	if resp := s.get("/dead-letters/letter?queue=local&id=2"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a letter that was put back has a page: status %d", resp.StatusCode)
	}
	retry("queue=local&all=1", "/dead-letters?retried=2", 0)
	mustContain(t, textOf(s.mustGet("/dead-letters?retried=2")), "2 messages are back in the queue.", "There are none")
	if messages, err := q.Receive(t.Context(), 10, 0); err != nil || len(messages) != 3 {
		t.Errorf("%d messages came back, %v", len(messages), err)
	}
}

// TestDeadLetterReasons: what a letter says about itself when nothing else is known.
func TestDeadLetterReasons(t *testing.T) {
	s := newSite(t, nil)
	fine := wire.Message{Kind: wire.KindEvent, Project: 77}
	for _, c := range []struct {
		body []byte
		want []string
	}{
		{letterOf(fine, `{}`), []string{"Event of Project 77 (does not exist)", "Not known to this process."}},
		{letterOf(wire.Message{Kind: 9}, `{}`), []string{"Message of kind 9", "newer than this digester"}},
		{letterOf(wire.Message{Kind: wire.KindCounts}, `[]`), []string{"Counts of the edge", "Not known"}},
		{letterOf(wire.Message{Kind: wire.KindAttachment}, `{"a":1}`), []string{"Attachment", "Not known", `{"a":1}|`}},
		{letterOf(wire.Message{Kind: wire.KindUserReport}, `{"comments":"Hi"}`), []string{"User feedback", "Not known"}},
		{letterOf(wire.Message{Kind: wire.KindCSP}, `not JSON`), []string{"Security report", "Not known", "not JSON"}},
		{[]byte{9, 'n', 'e', 'w'}, []string{"Message", "newer than this digester", "09 6e 65 77"}},
		{letterOf(fine, `{}`)[:40], []string{"Message", "It is damaged", "00000010"}},
		{wire.ClaimOf("our-bucket", "claims/1", []byte("x")).Encode(nil), []string{"object storage", "our-bucket", "claims/1"}},
		{wire.ClaimOf("b", "k", nil).Encode(nil)[:20], []string{"It is damaged"}},
		{nil, []string{"Its content cannot be had.", "There is none to show."}},
	} {
		s.dead.letters = nil
		s.dead.add("1", c.body)
		text := textOf(s.mustGet(s.dead.path(0)))
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%q: the page lacks %q:\n%s", c.body, want, text)
			}
		}
		mustContain(t, textOf(s.mustGet("/dead-letters")), c.want[0])
	}
}

// TestDeadLettersAreBounded: large ones, many of them, and long errors.
func TestDeadLettersAreBounded(t *testing.T) {
	s := newSite(t, nil)
	s.dead.last = errors.New(strings.Repeat("&", 1<<20))
	large := letterOf(wire.Message{Kind: wire.KindEvent, Project: 1}, `{"message":"`+strings.Repeat("'", 8<<20)+`"}`)
	for i := range 3*deadletter.Shown + 7 {
		s.dead.add(fmt.Sprint(i), large)
	}
	page := s.mustGet("/dead-letters")
	mustContain(t, page, "There are more.")
	if n := strings.Count(page, "Try again</button>"); n != deadletter.Shown {
		t.Errorf("%d letters are shown", n)
	}
	for _, page := range []string{page, s.mustGet(s.dead.path(0))} {
		if len(page) > pageBudget {
			t.Errorf("a page has %d bytes", len(page))
		}
	}
	s.post("/dead-letters/retry", "queue=local&all=1")
	if n := len(s.dead.letters); n != 0 {
		t.Errorf("%d letters are left", n)
	}
}

// TestDeadLetterQueueFails: a queue that does not answer hides no other.
func TestDeadLetterQueueFails(t *testing.T) {
	down := &deadLetters{err: errors.New("secret host unreachable")}
	s := newSite(t, func(cfg *Config) { cfg.Dead = append(cfg.Dead, deadletter.Queue{Name: "eu-central-1", Letters: down}) })
	s.dead.add("1", letterOf(wire.Message{Kind: wire.KindEvent, Project: 1}, `{}`))
	page := textOf(s.mustGet("/dead-letters"))
	mustContain(t, page, "Queue local", "Event of Web shop", "Queue eu-central-1 This queue does not answer")
	mustLack(t, page, "secret host")
	mustContain(t, s.log.String(), "secret host unreachable")
	for _, resp := range []*http.Response{
		s.post("/dead-letters/retry", "queue=eu-central-1&all=1"), s.get("/dead-letters/letter?queue=eu-central-1&id=1"),
	} {
		if page := bodyOf(t, resp); resp.StatusCode != http.StatusServiceUnavailable || strings.Contains(page, "secret host") {
			t.Errorf("status %d: %s", resp.StatusCode, page)
		}
	}
}

// TestDeadLetterForms refuses what no page of ours sends.
func TestDeadLetterForms(t *testing.T) {
	s := newSite(t, nil)
	s.dead.add("1", nil)
	for form, want := range map[string]int{
		"": http.StatusNotFound, "queue=nowhere&all=1": http.StatusNotFound, "queue=local": http.StatusBadRequest,
		"queue=local&id=" + strings.Repeat("x", 2*maxForm): http.StatusBadRequest,
	} {
		if resp := s.post("/dead-letters/retry", form); resp.StatusCode != want {
			t.Errorf("%.30s: status %d, want %d", form, resp.StatusCode, want)
		}
	}
	foreign := httptest.NewRequest(http.MethodPost, "/dead-letters/retry", bytes.NewBufferString(url.Values{"queue": {"local"}, "all": {"1"}}.Encode()))
	foreign.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	if resp := s.do(foreign); resp.StatusCode != http.StatusForbidden || len(s.dead.letters) != 1 {
		t.Errorf("a form of another site: status %d, %d letters left", resp.StatusCode, len(s.dead.letters))
	}
	for path, want := range map[string]int{"/dead-letters/letter?queue=local&id=2": 404, "/dead-letters/letter": 404, "/dead-letters/retry": 405} {
		if resp := s.get(path); resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, resp.StatusCode, want)
		}
	}
	without := newSite(t, func(cfg *Config) { cfg.Dead = nil })
	if resp := without.get("/dead-letters"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("without queues: status %d", resp.StatusCode)
	}
	mustLack(t, without.mustGet("/ledger"), "/dead-letters")
}

// FuzzDeadLetter renders letters of any bytes.
func FuzzDeadLetter(f *testing.F) {
	f.Add([]byte(hostile), hostile)
	f.Add(letterOf(wire.Message{Kind: wire.KindEvent, Project: 1, Client: hostile}, string(eventtest.Hostile(hostile))), "")
	f.Add(letterOf(wire.Message{Kind: 99}, `{"a":[[[`), "poison\nat <b>")
	f.Add(wire.ClaimOf("<b>", "k", nil).Encode(nil), "")
	files, err := loadAssets()
	if err != nil {
		f.Fatal(err)
	}
	all, err := loadPages(links{}, files, Config{Now: testClock})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, last string) {
		q := deadletter.Queue{Name: "local", LastError: func([]byte) error {
			if last == "" {
				return nil
			}
			return errors.New(last)
		}}
		letter := queue.DeadLetter{ID: last, Body: body}
		row := newDeadRow(q, letter, nil, newBudget())
		for name, page := range map[string]any{
			"deadletter":  newDeadLetterPage(q, letter, nil, nil),
			"deadletters": deadLettersPage{Queues: []deadGroup{{Name: q.Name, Rows: []deadRow{row}}}},
		} {
			var out strings.Builder
			if err := all.render(&out, name, framed{Page: page}); err != nil {
				t.Fatal(err)
			}
			assertInert(t, name, out.String())
			if limit := 2*pageBudget + 20*len(last); out.Len() > limit {
				t.Errorf("%s has %d bytes, more than %d", name, out.Len(), limit)
			}
		}
	})
}
