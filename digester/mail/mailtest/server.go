// Package mailtest is a mail server on loopback for tests: it speaks SMTP as others
// do (go-smtp), keeps what it is given, and fails when it is told to.
package mailtest

import (
	"crypto/tls"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Letter is a mail that the server took.
type Letter struct {
	From    string // of the envelope
	To      []string
	Subject string
	Text    string
	HTML    string // empty: there is none
	Header  netmail.Header
}

// Server is a mail server. It is safe for concurrent use.
type Server struct {
	URL string // for mail.ParseServer

	t        testing.TB
	password string // empty: nobody needs to say who they are
	letters  chan Letter

	mu    sync.Mutex
	fails []error // guarded by mu: what the next recipients are answered with
}

// Start starts a server without TLS, to which everybody may send.
func Start(t testing.TB) *Server { return start(t, "smtp://", nil, "") }

// StartTLS starts a server that speaks TLS from the first byte on and takes mail from
// the user "sundew" with a password.
func StartTLS(t testing.TB, certificate tls.Certificate, password string) *Server {
	return start(t, "smtps://sundew:"+password+"@", &tls.Config{Certificates: []tls.Certificate{certificate}}, password)
}

func start(t testing.TB, scheme string, config *tls.Config, password string) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{URL: scheme + listener.Addr().String(), t: t, password: password, letters: make(chan Letter, 100)}
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{server: s}, nil }))
	server.Domain = "mail.example.com"
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(listener) // its error is that it was closed
	}()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	return s
}

// Fail has the server answer the next recipient with an SMTP code, e.g. 451 for "try
// again" or 550 for "never".
func (s *Server) Fail(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = append(s.fails, &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCodeNotSet, Message: "as the test wishes"})
}

// Next waits for the next letter.
func (s *Server) Next() Letter {
	s.t.Helper()
	select {
	case l := <-s.letters:
		return l
	case <-s.t.Context().Done():
		s.t.Fatal("no mail came")
		return Letter{}
	}
}

// Waiting returns how many letters came that nobody asked for yet.
func (s *Server) Waiting() int { return len(s.letters) }

func (s *Server) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.fails) == 0 {
		return nil
	}
	first := s.fails[0]
	s.fails = s.fails[1:]
	return first
}

// session is one conversation.
type session struct {
	server *Server
	known  bool
	letter Letter
}

// AuthMechanisms lists PLAIN where there is a password.
func (s *session) AuthMechanisms() []string {
	if s.server.password == "" {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth checks user and password.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "sundew" || password != s.server.password {
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

// Mail begins a letter.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.password != "" && !s.known {
		return smtp.ErrAuthRequired
	}
	s.letter = Letter{From: from}
	return nil
}

// Rcpt names whom it is for.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.letter.To = append(s.letter.To, to)
	return s.server.failure()
}

// Data takes the letter.
func (s *session) Data(r io.Reader) error {
	msg, err := netmail.ReadMessage(r)
	if err != nil {
		return err
	}
	s.letter.Header, s.letter.Subject = msg.Header, msg.Header.Get("Subject")
	if err := s.letter.read(textproto.MIMEHeader(msg.Header), msg.Body); err != nil {
		return err
	}
	s.server.letters <- s.letter
	return nil
}

// read reads a part of a letter, and the parts in it.
func (l *Letter) read(header textproto.MIMEHeader, body io.Reader) error {
	kind, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return err
	}
	if strings.HasPrefix(kind, "multipart/") {
		for parts := multipart.NewReader(body, params["boundary"]); ; {
			part, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err == nil {
				err = l.read(part.Header, part)
			}
			if err != nil {
				return err
			}
		}
	}
	if strings.EqualFold(header.Get("Content-Transfer-Encoding"), "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	raw, err := io.ReadAll(body)
	text := strings.ReplaceAll(string(raw), "\r\n", "\n")
	if kind == "text/html" {
		l.HTML = text
	} else {
		l.Text = text
	}
	return err
}

// Reset forgets the letter.
func (s *session) Reset() { s.letter = Letter{} }

// Logout ends the conversation.
func (s *session) Logout() error { return nil }
