package mail_test

import (
	"bufio"
	"errors"
	"net"
	"strings"
	"testing"

	"sundew/digester/mail"
)

// A connection that breaks while the recipient is named, or in the middle of the letter,
// says nothing about the letter: it is sent again.
func TestBrokenConnection(t *testing.T) {
	for _, at := range []string{"RCPT", "DATA"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { listener.Close() })
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			answer := func(line string) { _, _ = conn.Write([]byte(line + "\r\n")) }
			answer("220 mail.example.com")
			for lines := bufio.NewScanner(conn); lines.Scan(); {
				if strings.HasPrefix(lines.Text(), at) {
					return
				}
				answer("250 yes")
			}
		}()
		server, err := mail.ParseServer("smtp://" + listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		err = server.Send(t.Context(), mail.Letter{From: "errors@example.com", To: "ann@example.com", Subject: "It broke", Text: "It broke."})
		if err == nil || errors.Is(err, mail.ErrRefused) || errors.Is(err, mail.ErrRecipient) {
			t.Errorf("a connection that broke at %s: %v", at, err)
		}
	}
}
