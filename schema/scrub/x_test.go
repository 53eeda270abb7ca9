package scrub

import (
	"testing"
)

func TestX(t *testing.T) {
	s := Default()
	for _, in := range []string{
		`{"message":"x","extra":{"password":"hunter2","a":[["Cookie","a=b; c=d"]],"tok":"tokenizer","token":12}}`,
		`{"request":{"url":"https://u:pw@h/x?token=abc&b=c&api_key=12#x","query_string":"password=a%20b&x=1","data":"{\"user\":{\"password\":\"p\\\"w\"},\"card\":\"4111 1111 1111 1111\"}","headers":[["Authorization","Bearer abc"],["X","y"]],"cookies":{"sid":"a=b"}}}`,
		`{"message":"login failed: password: must be set, token=abc, Authorization: Bearer abc def\nnext AKIAIOSFODNN7EXAMPLE eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc"}`,
		`{"logentry":{"message":"password=%s","params":["hunter2"]}}`,
		`{"exception":{"values":[{"type":"E","value":"{'password': 'x', 'y': 1}","stacktrace":{"frames":[{"function":"f","context_line":"password = \"x\"  # token=abc","vars":{"password":"'x'","args":["--password","x"]}}]}}]}}`,
		`{"extra":{"p":"payload=%7B%22password%22%3A%22hunter2%22%7D","k":[{"name":"password","value":"x"},{"value":"x","key":"password"}],"cmd":"mysql --password hunter2 -u x"}}`,
		`{"extra":{"trunc":"{\"password\": \"hunter2\", \"a","nest":"{\"a\":\"{\\\"password\\\":\\\"x\\\"}\"}","credentials":{"a":1},"tokens":["a",3]}}`,
	} {
		out := s.Event([]byte(in))
		t.Logf("%s", out)
		if again := s.Event(out); string(again) != string(out) {
			t.Errorf("again %s", again)
		}
	}
}
