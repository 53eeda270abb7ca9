package erasure_test

import (
	"encoding/json"
	"errors"
	"testing"

	"sundew/digester/erasure"
	"sundew/schema/event"
)

func subject(t testing.TB, kind erasure.Kind, value string) erasure.Subject {
	t.Helper()
	s, err := erasure.Parse(string(kind), value)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ kind, value, want string }{
		{"id", " 42 ", "42"}, {"email", "Ann@Example.com", "ann@example.com"}, {"username", "Ann", "Ann"},
		{"ip", "192.0.2.1", "192.0.2.1"}, {"ip", "::ffff:192.0.2.1", "192.0.2.1"}, {"ip", "2001:DB8:0::1", "2001:db8::1"},
	} {
		if s, err := erasure.Parse(c.kind, c.value); err != nil || s.Value != c.want {
			t.Errorf("%s %q: %v, %v", c.kind, c.value, s, err)
		}
	}
	for _, c := range [][2]string{{"", "x"}, {"name", "x"}, {"id", ""}, {"id", "a\x00b"}, {"email", "ann"}, {"email", "a b@example.com"}, {"email", "@example.com"}, {"ip", "192.0.2"}, {"ip", "example.com"}} {
		if s, err := erasure.Parse(c[0], c[1]); !errors.Is(err, erasure.ErrSubject) {
			t.Errorf("%q: %v, %v", c, s, err)
		}
	}
}

func TestInText(t *testing.T) {
	mail, ip, six := subject(t, erasure.ByEmail, "ann@example.com"), subject(t, erasure.ByIP, "192.0.2.1"), subject(t, erasure.ByIP, "2001:db8::1")
	for _, c := range []struct {
		s    erasure.Subject
		text string
		want bool
	}{
		{mail, "no account for Ann@Example.com.", true},
		{mail, "<ann@example.com>", true},
		{mail, "“ann@example.com”", true},
		{mail, "joann@example.com", false},
		{mail, "jo.ann@example.com", false},
		{mail, "ann@example.com.au", false},
		{mail, "ann@example.community", false},
		{mail, "joann@example.com, ann@example.com", true},
		{mail, "", false},
		{ip, "refused by 192.0.2.1:443", true},
		{ip, "192.0.2.10", false},
		{ip, "1192.0.2.1", false},
		{ip, "1.192.0.2.1", false},
		{ip, "192.0.2.1.", true},
		{ip, "192.0.2.1.5", false},
		{six, "[2001:db8::1]:443", true},
		{six, "2001:db8::12", false},
		{subject(t, erasure.ByID, "42"), "42", false},
	} {
		if got := c.s.InText(c.text); got != c.want {
			t.Errorf("%s in %q: %v", c.s.Value, c.text, got)
		}
	}
}

func TestInEvent(t *testing.T) {
	ann := event.User{ID: "42", Email: "Ann@example.com", Username: "ann", IP: "192.0.2.1"}
	for _, c := range []struct {
		s    erasure.Subject
		user event.User
		ip   string
		json string
		want bool
	}{
		{subject(t, erasure.ByID, "42"), ann, "", `{}`, true},
		{subject(t, erasure.ByID, "4"), ann, "", `{"order":"4"}`, false},
		{subject(t, erasure.ByUsername, "ANN"), ann, "", `{}`, true},
		{subject(t, erasure.ByEmail, "ann@example.com"), ann, "", `{}`, true},
		{subject(t, erasure.ByEmail, "ann@example.com"), event.User{}, "", `{"message":"line\nann@example.com"}`, true},
		{subject(t, erasure.ByEmail, "ann@example.com"), event.User{}, "", `{"message":"ann\u0040example.com"}`, true},
		{subject(t, erasure.ByEmail, "ann@example.com"), event.User{}, "", `{"message":"a \"name\" ann@example.com`, true},
		{subject(t, erasure.ByEmail, "ann@example.com"), event.User{}, "", `{"ann":"@example.com"}`, false},
		{subject(t, erasure.ByIP, "192.0.2.1"), event.User{}, "192.0.2.1", `{}`, true},
		{subject(t, erasure.ByIP, "192.0.2.1"), event.User{IP: "::ffff:192.0.2.1"}, "", `{}`, true},
		{subject(t, erasure.ByIP, "192.0.2.1"), event.User{}, "192.0.2.2", `{}`, false},
	} {
		if got := c.s.InEvent(c.user, c.ip, []byte(c.json)); got != c.want {
			t.Errorf("%v in %s: %v", c.s, c.json, got)
		}
	}
}

func TestInTag(t *testing.T) {
	id, mail := subject(t, erasure.ByID, "42"), subject(t, erasure.ByEmail, "ann@example.com")
	for _, c := range []struct {
		s          erasure.Subject
		key, value string
		want       bool
	}{
		{id, "user", "id:42", true}, {id, "user", "id:421", false}, {id, "user.id", "42", true}, {id, "order", "42", false}, {id, "user.order", "42", false},
		{mail, "user", "email:ann@example.com", true}, {mail, "customer", "Ann@example.com", true}, {mail, "user.email", "ann@example.com", true}, {mail, "user", "id:42", false},
	} {
		if got := c.s.InTag(c.key, c.value); got != c.want {
			t.Errorf("%v in %s=%s: %v", c.s, c.key, c.value, got)
		}
	}
}

// Who knows the value can tell whom a hash means; nobody else learns the value.
func TestHash(t *testing.T) {
	a, b := subject(t, erasure.ByEmail, "Ann@example.com"), subject(t, erasure.ByEmail, "ann@example.com")
	if a.Hash() != b.Hash() || a.Hash() == subject(t, erasure.ByUsername, "ann@example.com").Hash() {
		t.Errorf("%s, %s", a.Hash(), b.Hash())
	}
}

// What is written in a document is found however it is written.
func FuzzInJSON(f *testing.F) {
	f.Add("hello ", " there", []byte(`{"a":1}`))
	f.Add("\"\\", "\n", []byte(`"`))
	s := subject(f, erasure.ByEmail, "ann@example.com")
	f.Fuzz(func(t *testing.T, before, after string, document []byte) {
		s.InJSON(document) // it ends
		text, err := json.Marshal(before + " ann@example.com " + after)
		if err != nil {
			t.Skip()
		}
		if !s.InJSON([]byte(`{"x":` + string(text) + `}`)) {
			t.Errorf("not found in %s", text)
		}
	})
}
