package scrub_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"sundew/schema/event"
	"sundew/schema/event/eventtest"
	"sundew/schema/scrub"
)

// FuzzEvent: whatever comes, it does not crash, valid JSON stays valid, what can be
// parsed can still be, and what was scrubbed is not scrubbed again. A secret beside it,
// as its name and its form tell, does not survive.
func FuzzEvent(f *testing.F) {
	for i, p := range eventtest.Captured(f) {
		if i%20 == 0 && len(p.JSON) < 20_000 {
			f.Add(p.JSON)
		}
	}
	for _, seed := range []string{
		`{"a":"\ud800\u0000\x","b":[[[1]]],"password":{"a":[{}]},"k":NaN}`, `{"a":"{\"password\":\"x`, `"`, `[`, `{"a":"\`,
		`{"m":"password=\"x\\\"y\" token: b'abc' Cookie: a=b; c"}`, `{"a":"-----BEGIN RSA PRIVATE KEY-----"}`, `{"h":[["Cookie","a"],["x"]]}`,
		`{"a":"%7B%22password%22%3A%22x%22%7D","b":"u=%7B%22token%22%3A1%7D"}`, `{"a":4111111111111111,"b":"4111 1111-1111 1111"}`,
		`{"logentry":{"params":["x"],"message":"password=%s"}}`, "\xef\xbb\xbf{}", "{\"a\":\"\xff\x01\"}", `{"value":1,"name":"token"}`,
	} {
		f.Add([]byte(seed))
	}
	const planted = "pl4ntedSecretQ7"
	usual := scrub.Default()
	all, err := scrub.New(scrub.Settings{Names: []string{"tax id"}, Patterns: []string{`\bDE\d{4}\b`}, Addresses: scrub.TruncateAddresses})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := bytes.Clone(payload)
		out := usual.Event(payload)
		if !bytes.Equal(before, payload) {
			t.Fatal("the payload was changed")
		}
		if json.Valid(payload) && !json.Valid(out) {
			t.Errorf("%q was JSON, %q is not", payload, out)
		}
		if _, err := event.Scan(payload, 64); err == nil {
			if _, err := event.Scan(out, 64); err != nil {
				t.Errorf("%q could be parsed, %q cannot: %v", payload, out, err)
			}
			if again := usual.Event(out); !bytes.Equal(again, out) {
				t.Errorf("first %q, then %q", out, again)
			}
		}
		requireSeen(t, usual, payload)
		if explained, _ := usual.Explain(payload); !bytes.Equal(explained, out) {
			t.Errorf("Explain %q, Event %q", explained, out)
		}
		all.Event(payload)
		usual.Text(payload)
		if !json.Valid(payload) {
			return
		}
		text, err := json.Marshal(string(payload))
		if err != nil {
			t.Fatal(err)
		}
		for _, around := range [][]byte{
			[]byte(`{"x":` + string(payload) + `,"extra":{"password":"` + planted + `"}}`),
			[]byte(`{"extra":{"a":` + string(payload) + `,"headers":[["Cookie","a=` + planted + `"]]},"x":` + string(text) + `}`),
			[]byte(`{"message":` + string(text) + `,"request":{"data":"{\"api_key\":\"` + planted + `\"}","b":` + string(payload) + `}}`),
		} {
			if out := usual.Event(around); bytes.Contains(out, []byte(planted)) {
				t.Errorf("the secret survived: %q", out)
			}
		}
	})
}
