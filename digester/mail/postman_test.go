package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/mail/mailtest"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

// office is a postman between a database and a mail server.
type office struct {
	t       *testing.T
	db      *store.DB
	replica *store.Replica
	server  *mailtest.Server
	postman *Postman
	clock   *storetest.Clock
	log     strings.Builder
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, clock: storetest.NewClock(), server: mailtest.Start(t)}
	o.db, o.replica = storetest.Open(t, o.clock.Now)
	o.postman = NewPostman(Config{
		DB: o.db, Replica: o.replica, Server: mustParse(t, o.server.URL), From: `"Sundew" <errors@example.com>`, Now: o.clock.Now, Log: zerolog.New(&o.log),
		Address: func(kind store.LinkKind, secret string) string {
			return "https://example.com/" + string(kind) + "/" + secret
		},
	})
	return o
}

func mustParse(t *testing.T, raw string) Server {
	t.Helper()
	s, err := ParseServer(raw)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (o *office) write(fn func(tx *store.Tx) error) {
	o.t.Helper()
	if err := o.db.Write(o.t.Context(), "test", fn); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) round() time.Duration {
	o.t.Helper()
	pause, err := o.postman.round(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	return pause
}

// outbox returns the newest mail.
func (o *office) outbox() store.OutboxMail {
	o.t.Helper()
	var all []store.OutboxMail
	storetest.MustRead(o.t, o.replica, func(rx *store.Rx) (err error) {
		all, err = rx.Outbox(1)
		return err
	})
	return all[0]
}

// TestPostman carries a mail with a link, whose secret is nowhere else.
func TestPostman(t *testing.T) {
	o := newOffice(t)
	o.write(func(tx *store.Tx) error {
		return tx.MailLink(store.Link{Kind: store.LinkInvitation, Email: "ada@example.com"},
			store.Mail{To: "ada@example.com", Subject: "Grüße", Text: "Hello Ada,\nopen this:", After: "Bye."})
	})
	if pause := o.round(); pause != lookEvery {
		t.Errorf("he comes again after %s", pause)
	}
	got := o.server.Next()
	head, secret, ok := strings.Cut(got.Text, "https://example.com/invitation/")
	secret, foot, _ := strings.Cut(secret, "\n")
	if !ok || head != "Hello Ada,\nopen this:\n\n" || strings.TrimSpace(foot) != "Bye." {
		t.Errorf("text %q", got.Text)
	}
	if got.From != "errors@example.com" || got.To[0] != "ada@example.com" || got.Header.Get("Auto-Submitted") != "auto-generated" || !strings.Contains(got.Subject, "=?") {
		t.Errorf("letter %+v", got)
	}
	o.write(func(tx *store.Tx) error {
		_, err := tx.UseLink(store.LinkInvitation, secret)
		return err
	})
	if m := o.outbox(); m.State() != store.MailSent || m.Attempts != 1 {
		t.Errorf("outbox has %+v", m)
	}
	o.round()
	if n := o.server.Waiting(); n != 0 {
		t.Errorf("it was sent %d times more", n)
	}
}

// A server that says "later" is asked again, one that says "never" is not, and a mail
// whose link was withdrawn is not sent at all.
func TestFailures(t *testing.T) {
	o := newOffice(t)
	mail := store.Mail{To: "ada@example.com", Subject: "Hello", Text: "Hello"}
	o.write(func(tx *store.Tx) error { return tx.QueueMail(mail) })
	o.server.Fail(451)
	if pause := o.round(); pause != 10*time.Second {
		t.Errorf("he comes again after %s", pause)
	}
	if log := o.log.String(); !strings.Contains(log, `"failure":"answered 451"`) || strings.Contains(log, "ada@example.com") {
		t.Errorf("the log says: %s", log)
	}
	if m := o.outbox(); m.State() != store.MailWaiting || !strings.Contains(m.Error, "as the test wishes") {
		t.Errorf("outbox has %+v", m)
	}
	o.clock.Pass(10 * time.Second)
	o.round()
	o.server.Next()

	o.write(func(tx *store.Tx) error { return tx.QueueMail(mail) })
	o.server.Fail(550)
	o.round()
	m := o.outbox()
	if m.State() != store.MailFailed || m.Attempts != 1 {
		t.Errorf("outbox has %+v", m)
	}
	o.write(func(tx *store.Tx) error {
		_, err := tx.RetryMail(m.ID)
		return err
	})
	o.round()
	o.server.Next()

	o.write(func(tx *store.Tx) error {
		if err := tx.MailLink(store.Link{Kind: store.LinkInvitation}, mail); err != nil {
			return err
		}
		open, err := tx.Invitations(tx.Now())
		if err != nil {
			return err
		}
		return tx.WithdrawLink(open[0].ID)
	})
	o.round()
	if m := o.outbox(); m.State() != store.MailFailed || !strings.Contains(m.Error, "withdrawn") {
		t.Errorf("outbox has %+v", m)
	}
}

// What no attempt brings through is given up in the end, and forgotten after a month.
func TestGivesUp(t *testing.T) {
	o := newOffice(t)
	o.postman.cfg.Server.Host, o.postman.cfg.Server.Port = "127.0.0.1", 1 // nobody listens
	o.write(func(tx *store.Tx) error { return tx.QueueMail(store.Mail{To: "ada@example.com", Subject: "Hello"}) })
	attempts := 0
	for ; o.outboxState() == store.MailWaiting && attempts < 20; attempts++ {
		o.round()
		o.clock.Pass(12 * time.Hour)
	}
	if attempts != 9 || o.outboxState() != store.MailFailed {
		t.Errorf("%s after %d attempts", o.outboxState(), attempts)
	}
	o.clock.Pass(31 * 24 * time.Hour)
	o.postman.cfg.Server = mustParse(t, o.server.URL)
	o.write(func(tx *store.Tx) error { return tx.QueueMail(store.Mail{To: "bob@example.com", Subject: "Hello"}) })
	o.round()
	storetest.MustRead(t, o.replica, func(rx *store.Rx) error {
		all, err := rx.Outbox(10)
		if len(all) != 1 {
			t.Errorf("outbox has %+v", all)
		}
		return err
	})
}

func (o *office) outboxState() store.MailState { return o.outbox().State() }

// TestRun calls the postman, who sends over TLS with a password.
func TestRun(t *testing.T) {
	web := httptest.NewTLSServer(nil) // for its certificate
	defer web.Close()
	o := newOffice(t)
	server := mailtest.StartTLS(t, web.TLS.Certificates[0], "s3cret")
	o.postman.cfg.Server = mustParse(t, server.URL)
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	o.postman.cfg.Server.TLS = &tls.Config{RootCAs: roots, ServerName: "example.com"}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.postman.Run(ctx)
	}()
	o.write(func(tx *store.Tx) error {
		tx.OnCommit(o.postman.Call)
		return tx.QueueMail(store.Mail{To: "ada@example.com", Subject: "Hello", Text: "Hello"})
	})
	if got := server.Next(); got.Subject != "Hello" {
		t.Errorf("letter %+v", got)
	}
	cancel()
	<-done

	o.postman.cfg.Server.Password = "wrong"
	if err := o.postman.cfg.Server.Send(t.Context(), Letter{From: "a@example.com", To: "b@example.com"}); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("with the wrong password: %v", err)
	}
}

func TestParseServer(t *testing.T) {
	for raw, want := range map[string]Server{
		"smtp://mail.example.com":                {Host: "mail.example.com", Port: 587},
		"smtps://a%40b:p%3Aw@mail.example.com":   {Host: "mail.example.com", Port: 465, Implicit: true, User: "a@b", Password: "p:w"},
		"smtp://127.0.0.1:1025":                  {Host: "127.0.0.1", Port: 1025},
		"mail.example.com:25":                    {},
		"http://mail.example.com":                {},
		"smtp://u:secret@":                       {},
		"smtp://u:secret@mail.example.com:99999": {},
		"smtp://u:secret@mail.example.com/?x=1":  {},
		"smtp://u:se cret@mail.example.com":      {},
	} {
		got, err := ParseServer(raw)
		if got != want || (err == nil) != (want.Host != "") {
			t.Errorf("%s: %+v, %v", raw, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "cret") {
			t.Errorf("the error quotes the password: %v", err)
		}
	}
	for raw, want := range map[string]string{"errors@example.com": "<errors@example.com>", "Sundew <errors@example.com>": `"Sundew" <errors@example.com>`, "nobody": ""} {
		if got, err := ParseFrom(raw); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", raw, got, err)
		}
	}
}
