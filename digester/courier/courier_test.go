package courier

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/mail"
	"sundew/digester/mail/mailtest"
	"sundew/digester/notify"
	"sundew/digester/outbound"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

// town is a courier between a database and services on loopback.
type town struct {
	t       *testing.T
	db      *store.DB
	replica *store.Replica
	project store.Project
	courier *Courier
	clock   *storetest.Clock
	log     *strings.Builder
}

func newTown(t *testing.T, edit func(*Config)) *town {
	t.Helper()
	w := &town{t: t, clock: storetest.NewClock(), log: &strings.Builder{}}
	w.db, w.replica = storetest.Open(t, w.clock.Now)
	w.project = storetest.MustCreateProject(t, w.db, "Web shop", "0123456789abcdef0123456789abcdef")
	networks, err := outbound.Parse("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{DB: w.db, Replica: w.replica, Client: outbound.New(outbound.Config{Networks: networks}), Now: w.clock.Now, Log: zerolog.New(w.log)}
	if edit != nil {
		edit(&cfg)
	}
	w.courier = New(cfg)
	return w
}

func (w *town) write(fn func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.db.Write(w.t.Context(), "test", fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) add(c store.Channel) store.Channel {
	w.t.Helper()
	if c.Name == "" {
		c.Name = string(c.Kind)
	}
	w.write(func(tx *store.Tx) (err error) {
		c, err = tx.AddChannel(w.project.ID, c)
		return err
	})
	return c
}

// addHook makes a channel that sends to a service.
func (w *town) addHook(s *service) store.Channel {
	w.t.Helper()
	return w.add(store.Channel{Kind: notify.Webhook, Config: notify.Config{URL: s.url, Secret: "sundew_secret"}})
}

func (w *town) queue(c store.Channel, title string) {
	w.t.Helper()
	w.write(func(tx *store.Tx) error {
		return tx.QueueNotification(c.ID, notify.Message{Kind: notify.KindNew, Issue: notify.Issue{ID: 1, Title: title}, At: tx.Now()})
	})
}

// round serves all that is due, and returns for how long nothing is.
func (w *town) round() time.Duration {
	w.t.Helper()
	pause, err := w.courier.round(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	w.courier.workers.Wait()
	return pause
}

// list returns what became of a channel's messages, the newest first.
func (w *town) list(c store.Channel) (all []store.Notification) {
	w.t.Helper()
	storetest.MustRead(w.t, w.replica, func(rx *store.Rx) (err error) {
		all, err = rx.Notifications(c.ID, 100)
		return err
	})
	return all
}

func (w *town) mustBe(c store.Channel, state store.MailState, attempts int64, failure string) {
	w.t.Helper()
	if n := w.list(c)[0]; n.State() != state || n.Attempts != attempts || n.Error != failure && !(failure != "" && strings.Contains(n.Error, failure)) {
		w.t.Errorf("outbox has %+v, want %s after %d attempts, %q", n, state, attempts, failure)
	}
}

// service is a receiver on loopback.
type service struct {
	url    string
	mu     sync.Mutex
	got    []*http.Request // guarded by mu
	bodies []string        // guarded by mu
	answer http.HandlerFunc
}

// newService starts a service; nil answers 200.
func newService(t *testing.T, answer http.HandlerFunc) *service {
	t.Helper()
	s := &service{answer: answer}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		s.got, s.bodies = append(s.got, r), append(s.bodies, string(body))
		s.mu.Unlock()
		if s.answer != nil {
			s.answer(w, r)
		}
	}))
	t.Cleanup(server.Close)
	s.url = server.URL + "/hooks/very-secret-path"
	return s
}

func (s *service) visits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.got)
}

// once answers the first request with one handler and the others with 200.
func once(first http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	done := false
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if !done {
			done = true
			first(w, r)
		}
	}
}

// hangUp closes the connection in place of an answer.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func status(code int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		io.WriteString(w, text)
	}
}

// A message arrives once, signed so that the receiver can check it.
func TestWebhook(t *testing.T) {
	w, s := newTown(t, nil), newService(t, nil)
	c := w.addHook(s)
	w.queue(c, "TypeError: x")
	if pause := w.round(); pause != lookEvery {
		t.Errorf("he looks again after %s", pause)
	}
	w.round()
	w.mustBe(c, store.MailSent, 1, "")
	if s.visits() != 1 {
		t.Fatalf("%d visits", s.visits())
	}
	r, body := s.got[0], s.bodies[0]
	if got, want := r.Header.Get("Sundew-Signature"), notify.Signature("sundew_secret", w.clock.Now(), body); got != want {
		t.Errorf("signed %q, want %q", got, want)
	}
	if id := r.Header.Get("Sundew-Delivery"); id == "" || !strings.Contains(body, id) || !strings.Contains(body, "TypeError: x") {
		t.Errorf("delivery %q: %s", id, body)
	}
}

// Each failure applied and not applied: a service that refuses, one that hangs up before
// it took the message, one that took it and hangs up then. The message goes out again,
// under the same id.
func TestAttempts(t *testing.T) {
	for _, c := range []struct {
		name    string
		answer  http.HandlerFunc
		failure string
		final   bool
		class   string
	}{
		{"busy", status(503, "later, of TypeError"), "answered 503: later", false, "answered 503"},
		{"taken and cut", hangUp, "EOF", false, "not reached"},
		{"gone", status(404, "no_service for TypeError"), "answered 404: no_service", true, "answered 404"},
		{"moved", status(302, ""), "leads to another one", true, "answered 302"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, s := newTown(t, nil), newService(t, once(c.answer))
			channel := w.addHook(s)
			w.queue(channel, "x")
			w.round()
			if c.final {
				w.mustBe(channel, store.MailFailed, 1, c.failure)
				w.write(func(tx *store.Tx) error { return tx.RetryNotification(channel.ID, w.list(channel)[0].ID) })
			} else {
				w.mustBe(channel, store.MailWaiting, 1, c.failure)
				if pause := w.round(); pause != 10*time.Second {
					t.Errorf("he tries again after %s", pause)
				}
				w.clock.Pass(10 * time.Second)
			}
			w.round()
			w.mustBe(channel, store.MailSent, 2, "")
			if s.visits() != 2 || s.got[0].Header.Get("Sundew-Delivery") != s.got[1].Header.Get("Sundew-Delivery") {
				t.Errorf("%d visits", s.visits())
			}
			if strings.Contains(w.log.String(), "very-secret-path") || strings.Contains(w.list(channel)[0].Error, "very-secret-path") {
				t.Errorf("the address is in the log: %s", w.log)
			}
			if !strings.Contains(w.log.String(), `"failure":"`+c.class+`"`) || strings.Contains(w.log.String(), "TypeError") {
				t.Errorf("the log says: %s", w.log)
			}
		})
	}
}

// Nobody listens: not applied for sure.
func TestNobodyListens(t *testing.T) {
	w := newTown(t, nil)
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c := w.add(store.Channel{Kind: notify.Slack, Config: notify.Config{URL: server.URL + "/very-secret-path"}})
	w.queue(c, "x")
	w.round()
	w.mustBe(c, store.MailWaiting, 1, "connection refused")
	if !strings.Contains(w.log.String(), `"failure":"refused"`) {
		t.Errorf("the log says: %s", w.log)
	}
	if n := w.list(c)[0]; strings.Contains(n.Error, "very-secret-path") {
		t.Errorf("failure %q", n.Error)
	}
}

// A service that says for how long is left alone for so long, with all its messages.
func TestRetryAfter(t *testing.T) {
	w, s := newTown(t, nil), newService(t, once(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	c := w.addHook(s)
	w.queue(c, "x")
	w.queue(c, "y")
	w.round()
	if pause := w.round(); s.visits() != 1 || pause != lookEvery {
		t.Errorf("%d visits, he looks again after %s", s.visits(), pause)
	}
	w.clock.Pass(2 * time.Minute)
	w.round()
	if s.visits() != 3 {
		t.Errorf("%d visits", s.visits())
	}
}

// What must not be called is not, and the channel says why.
func TestPrivateAddress(t *testing.T) {
	s := newService(t, nil)
	w := newTown(t, func(cfg *Config) {
		cfg.Client = outbound.New(outbound.Config{Networks: outbound.PublicOnly()})
	})
	c := w.addHook(s)
	w.queue(c, "x")
	w.round()
	w.mustBe(c, store.MailFailed, 1, "SUNDEW_ALLOW_NETWORKS")
	if s.visits() != 0 {
		t.Errorf("%d visits", s.visits())
	}
}

// A message that a process took and died with is sent by the next one.
func TestDeadProcess(t *testing.T) {
	w, s := newTown(t, nil), newService(t, nil)
	c := w.addHook(s)
	w.queue(c, "x")
	w.write(func(tx *store.Tx) error {
		_, err := tx.TakeNotification(c.ID)
		return err
	})
	if pause := w.round(); s.visits() != 0 || pause != lookEvery {
		t.Errorf("%d visits, he looks again after %s", s.visits(), pause)
	}
	w.clock.Pass(time.Minute)
	w.round()
	w.mustBe(c, store.MailSent, 2, "")
	if s.visits() != 1 {
		t.Errorf("%d visits", s.visits())
	}
}

// A channel that does not answer holds up no other, and stopping does not wait for it
// for ever: what nobody knows of is due again.
func TestSlowChannel(t *testing.T) {
	w := newTown(t, nil)
	stuck, free := make(chan struct{}), make(chan struct{})
	slow := w.addHook(newService(t, func(_ http.ResponseWriter, r *http.Request) {
		close(stuck)
		<-free
	}))
	served := make(chan struct{}, 1)
	fast := w.addHook(newService(t, func(http.ResponseWriter, *http.Request) { served <- struct{}{} }))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.courier.Run(ctx)
	}()
	w.queue(slow, "x")
	w.courier.Call()
	<-stuck
	w.queue(fast, "y")
	w.courier.Call()
	<-served
	stop()
	close(free) // its last words
	<-done
	w.mustBe(fast, store.MailSent, 1, "")
	w.mustBe(slow, store.MailSent, 1, "")
}

// More channels than are served at once are all served.
func TestManyChannels(t *testing.T) {
	w, s := newTown(t, nil), newService(t, nil)
	for range channelsAtOnce + 3 {
		w.queue(w.addHook(s), "x")
	}
	w.round()
	w.round()
	if s.visits() != channelsAtOnce+3 {
		t.Errorf("%d visits", s.visits())
	}
}

// Services that have one address for everybody.
func TestServices(t *testing.T) {
	s := newService(t, nil)
	base := strings.TrimSuffix(s.url, "/hooks/very-secret-path")
	w := newTown(t, func(cfg *Config) {
		cfg.Services = notify.Services{PagerDuty: base, PagerDutyEU: base + "/eu", Telegram: base}
	})
	const token = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"
	for _, c := range []store.Channel{
		{Kind: notify.PagerDuty, Config: notify.Config{Token: strings.Repeat("a", 32)}},
		{Kind: notify.PagerDuty, Config: notify.Config{Token: strings.Repeat("a", 32), Region: "eu"}},
		{Kind: notify.Telegram, Config: notify.Config{Token: token, Chat: "-1"}},
	} {
		w.queue(w.add(c), "x")
		w.round()
	}
	want := fmt.Sprint([]string{"/v2/enqueue", "/eu/v2/enqueue", "/bot" + token + "/sendMessage"})
	var got []string
	for _, r := range s.got {
		got = append(got, r.URL.Path)
	}
	if fmt.Sprint(got) != want {
		t.Errorf("got %v", got)
	}
}

// Mail goes to each address by itself, and a channel without a server says so.
func TestMail(t *testing.T) {
	server := mailtest.Start(t)
	parsed, err := mail.ParseServer(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	w := newTown(t, func(cfg *Config) { cfg.Mail, cfg.From = parsed, `"Sundew" <errors@example.com>` })
	c := w.add(store.Channel{Kind: notify.Mail, Config: notify.Config{Addresses: []string{"gone@example.com", "ada@example.com"}}})
	w.queue(c, "TypeError: x")
	server.Fail(550)
	w.round()
	l := server.Next()
	if l.To[0] != "ada@example.com" || !strings.Contains(l.Subject, "TypeError: x") || !strings.Contains(l.Text, "New issue") || !strings.Contains(l.HTML, "TypeError: x</h1>") {
		t.Errorf("letter %+v", l)
	}
	if id := l.Header.Get("Message-Id"); !strings.HasSuffix(id, "@example.com>") || !strings.HasPrefix(id, "<n-2.") {
		t.Errorf("message id %q", id)
	}
	all := w.list(c)
	if all[0].State() != store.MailSent || all[1].State() != store.MailFailed || !strings.Contains(all[1].Error, "as the test wishes") {
		t.Errorf("outbox has %+v", all)
	}
	w.courier.cfg.Mail = mail.Server{}
	w.queue(c, "y")
	w.round()
	w.mustBe(c, store.MailFailed, 1, "SUNDEW_SMTP")
}

// An address that the server does not take now holds up nobody else, and is tried again.
func TestMailToBadRecipient(t *testing.T) {
	server := mailtest.Start(t)
	parsed, err := mail.ParseServer(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	w := newTown(t, func(cfg *Config) { cfg.Mail, cfg.From = parsed, "errors@example.com" })
	c := w.add(store.Channel{Kind: notify.Mail, Config: notify.Config{Addresses: []string{"full@example.com", "ada@example.com"}}})
	w.queue(c, "x")
	server.Fail(452)
	w.round()
	if l := server.Next(); l.To[0] != "ada@example.com" {
		t.Errorf("letter %+v", l)
	}
	if pause := w.round(); pause != 10*time.Second {
		t.Errorf("he tries again after %s", pause)
	}
	if log := w.log.String(); !strings.Contains(log, `"failure":"answered 452"`) || strings.Contains(log, "full@example.com") {
		t.Errorf("the log says: %s", log)
	}
	w.clock.Pass(10 * time.Second)
	w.round()
	if l := server.Next(); l.To[0] != "full@example.com" {
		t.Errorf("letter %+v", l)
	}
}

// A receiver that drops what it knows by its id does not drop another message whose row
// has the number of one that was deleted.
func TestDeliveryIDs(t *testing.T) {
	w, s := newTown(t, nil), newService(t, nil)
	var rows []int64
	for range 2 {
		c := w.addHook(s)
		w.queue(c, "x")
		w.round()
		rows = append(rows, w.list(c)[0].ID)
		w.write(func(tx *store.Tx) error { return tx.DeleteChannel(w.project.ID, c.ID) })
		w.clock.Pass(time.Second)
	}
	first, second := s.got[0].Header.Get("Sundew-Delivery"), s.got[1].Header.Get("Sundew-Delivery")
	if rows[0] != rows[1] || first == second {
		t.Errorf("rows %v were delivered as %q and %q", rows, first, second)
	}
}
