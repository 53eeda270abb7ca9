// Package mail sends what the database's outbox has.
//
// It exists so that nobody waits for a mail server: whoever has something to say
// writes it into the outbox, in the transaction of what it is about (store.QueueMail),
// and a Postman brings it to the server afterwards, as often as it takes. A mail may
// arrive twice, if a server took it and the answer was lost; none is lost silently:
// what no attempt brought through stays in the outbox, and says why.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Server is a mail server that takes mail from this program.
type Server struct {
	Host     string
	Port     int
	Implicit bool // TLS from the first byte on
	User     string
	Password string

	TLS *tls.Config // nil: the system's certificates
}

const (
	portSubmission  = 587 // RFC 6409
	portSubmissions = 465 // RFC 8314

	// patience bounds one conversation with a server.
	patience = 20 * time.Second
)

// ParseServer reads smtp://user:password@host:port, where TLS begins with STARTTLS,
// or smtps://…, where it is there from the start. Port and user may be left out. The
// error does not quote the password.
func ParseServer(raw string) (Server, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
		return Server{}, errors.New("want smtp://user:password@host:port or smtps://…, with special characters of user and password as %XX")
	}
	s := Server{Host: u.Hostname(), Port: portSubmission, Implicit: u.Scheme == "smtps", User: u.User.Username()}
	s.Password, _ = u.User.Password()
	if s.Implicit {
		s.Port = portSubmissions
	}
	if p := u.Port(); p != "" {
		if s.Port, err = strconv.Atoi(p); err != nil || s.Port < 1 || s.Port > 65535 {
			return Server{}, fmt.Errorf("port %q is none", p)
		}
	}
	return s, nil
}

// ParseFrom reads the sender: an address, perhaps with a name, as in
// "Sundew <errors@example.com>".
func ParseFrom(raw string) (string, error) {
	address, err := netmail.ParseAddress(raw)
	if err != nil {
		return "", errors.New(`want an address, for example errors@example.com or "Sundew <errors@example.com>"`)
	}
	return address.String(), nil
}

// Letter is a text for one person.
type Letter struct {
	ID      string // the same whenever the letter is sent; empty: one is made up
	From    string
	To      string
	Subject string
	Text    string
	HTML    string // the same for who prefers it; may be empty
	Date    time.Time
}

// ErrRefused is wrapped by errors that another attempt would meet too: the server
// does not want this letter.
var ErrRefused = errors.New("the mail server refuses it")

// ErrRecipient is wrapped by errors that are about whom a letter is for, and that
// another attempt may not meet.
var ErrRecipient = errors.New("the mail server does not take mail for this address now")

// Send hands a letter to the server and returns when the server has it. The error
// wraps ErrRefused, or is worth another attempt; then it wraps ErrRecipient if letters
// for others may fare better.
func (s Server) Send(ctx context.Context, l Letter) error {
	msg := gomail.NewMsg()
	if err := errors.Join(msg.From(l.From), msg.To(l.To)); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	msg.Subject(l.Subject)
	msg.SetDateWithValue(l.Date)
	if l.ID == "" {
		msg.SetMessageID()
	} else {
		msg.SetMessageIDWithValue(l.ID + "@" + domainOf(l.From))
	}
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody is to answer
	msg.SetBodyString(gomail.TypeTextPlain, l.Text)
	if l.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, l.HTML)
	}
	client, err := gomail.NewClient(s.Host, s.options()...)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		return sendError(err)
	}
	return nil
}

// Class says in a word or two what kind of failure an error of Send is: a text for logs,
// without what the server said, which often quotes addresses.
func Class(err error) string {
	var failed *gomail.SendError
	var network net.Error
	switch {
	case errors.As(err, &failed) && failed.ErrorCode() != 0:
		return "answered " + strconv.Itoa(failed.ErrorCode())
	case errors.Is(err, ErrRefused):
		return "refused"
	case errors.As(err, &network) && network.Timeout():
		return "timeout"
	}
	return "not reached"
}

// domainOf returns where an address is at home.
func domainOf(address string) string {
	parsed, err := netmail.ParseAddress(address)
	if err != nil {
		return "localhost"
	}
	return parsed.Address[strings.LastIndexByte(parsed.Address, '@')+1:]
}

// options are those of a connection. A password goes over TLS, or to this machine.
func (s Server) options() []gomail.Option {
	options := []gomail.Option{gomail.WithPort(s.Port), gomail.WithTimeout(patience)}
	if s.TLS != nil {
		options = append(options, gomail.WithTLSConfig(s.TLS))
	}
	ip := net.ParseIP(s.Host)
	here := s.Host == "localhost" || ip != nil && ip.IsLoopback()
	switch {
	case s.Implicit:
		options = append(options, gomail.WithSSL())
	case s.User == "" || here:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.User), gomail.WithPassword(s.Password))
	}
	return options
}

// sendError tells what is about the letter from what is about the server.
func sendError(err error) error {
	var failed *gomail.SendError
	if !errors.As(err, &failed) {
		return fmt.Errorf("mail server: %w", err)
	}
	switch {
	case failed.IsTemp() && failed.Reason == gomail.ErrSMTPRcptTo:
		return fmt.Errorf("%w: %w", ErrRecipient, err)
	case failed.ErrorCode() >= 500 || failed.Reason == gomail.ErrGetRcpts: // a connection that broke says nothing of the letter
		switch failed.Reason {
		case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose, gomail.ErrGetRcpts:
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
	}
	return fmt.Errorf("mail server: %w", err)
}
