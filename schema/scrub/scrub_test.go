package scrub_test

import (
	"errors"
	"strings"
	"testing"

	"sundew/schema/scrub"
)

// mustNew returns a scrubber of settings that are good.
func mustNew(t testing.TB, settings scrub.Settings) *scrub.Scrubber {
	t.Helper()
	s, err := scrub.New(settings)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestEvent: what is written as § is a secret that has to go; all else has to stay.
func TestEvent(t *testing.T) {
	const filtered = `"[Filtered]"`
	s := scrub.Default()
	for name, payload := range map[string]string{
		"names":            `{"extra":{"password":§,"userPassword":§,"X-Api-Key":§,"AWS_SECRET_ACCESS_KEY":§,"client_secret":§,"ssn":§,"author":"Ada","tokenizer":"bpe","key":"k"}}`,
		"values":           `{"extra":{"password":null,"secret":true,"token":"","pwd":§,"max_tokens":4096,"tokens":[§,3],"session":{"user":"ada"},"credentials":§,"auth":[]}}`,
		"measures":         `{"extra":{"token_type":"bearer","password_length":8,"sessionTimeout":"30m","access_token_url":"https://example.com/token","secretary":"Ada"}}`,
		"pairs":            `{"request":{"headers":[["Authorization",§],["Accept","text/html"]]},"tags":[["token",§],["a","token"]]}`,
		"labels":           `{"extra":{"headers":[{"name":"Authorization","value":§},{"value":§,"key":"api key"},{"name":"Host","value":"example.com"}]}}`,
		"arguments":        `{"extra":{"sys.argv":["run.py","--password",§,"--verbose","--name","x"]}}`,
		"cookies":          `{"request":{"cookies":{"sid":§,"theme":§},"headers":{"Cookie":"[Filtered]"}}}`,
		"user":             `{"user":{"id":"42","email":"ada@example.com","username":"ada","ip_address":"203.0.113.7"}}`,
		"frames":           `{"exception":{"values":[{"type":"AuthError","stacktrace":{"frames":[{"function":"check_password","module":"auth.token","vars":{"password":§,"n":"1"}}]}}]}}`,
		"modules":          `{"modules":{"jsonwebtoken":"9.0.2","cookie-session":"2.0","passport-auth":"1"}}`,
		"a card's number":  `{"extra":{"n":4111111111111111,"id":4111111111111112,"at":1763740800000}}`,
		"parameters":       `{"logentry":{"params":[§],"message":"login with password=%s"},"extra":{"params":["x"]}}`,
		"parameters apart": `{"logentry":{"message":"login of %s","params":["ada"]}}`,
		"escaped names":    `{"extra":{"p\u0061ssword":§}}`,
		"twice":            `{"extra":{"token":§,"token":§}}`,
		"not JSON":         `{"extra":{"password":§,"n":NaN,"m":-Infinity}}`,
	} {
		before := strings.ReplaceAll(payload, "§", `"hunter2"`)
		want := strings.ReplaceAll(payload, "§", filtered)
		if name == "values" {
			before = strings.Replace(before, `"credentials":"hunter2"`, `"credentials":{"a":["b"]}`, 1)
		}
		if name == "a card's number" {
			want = strings.Replace(want, "4111111111111111", filtered, 1)
		}
		if got := string(s.Event([]byte(before))); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

// TestText: likewise, for texts.
func TestText(t *testing.T) {
	s := scrub.Default()
	const jwt = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
	for _, tt := range []struct{ in, want string }{
		{"password=hunter2&a=1", "password=[Filtered]&a=1"},
		{"/cb?token=abc&user[password]=x#top", "/cb?token=[Filtered]&user[password]=[Filtered]#top"},
		{"https://ada:pw@example.com:8080/x", "https://ada:[Filtered]@example.com:8080/x"},
		{"https://0123456789abcdef0123456789abcdef@example.com/1", "https://0123456789abcdef0123456789abcdef@example.com/1"},
		{"postgres://shop:s3cr@t@db/shop", "postgres://shop:[Filtered]@db/shop"},
		{"Authorization: Bearer abc def\nHost: x", "Authorization: [Filtered]\nHost: x"},
		{"curl -H 'X-Api-Key: abc' -H 'Cookie: a=b; c=d' x", "curl -H 'X-Api-Key: [Filtered]' -H 'Cookie: a=[Filtered]; c=[Filtered]' x"},
		{"Set-Cookie: sid=abc; Path=/; HttpOnly", "Set-Cookie: sid=[Filtered]; Path=/; HttpOnly"},
		{`{"a":{"password":"x\"y"},"b":[1]}`, `{"a":{"password":"[Filtered]"},"b":[1]}`},
		{`"{\"password\":\"x\"}"`, `"{\"password\":\"[Filtered]\"}"`},
		{`answer was {"token": "abc", "n": 1}`, `answer was {"token": "[Filtered]", "n": 1}`},
		{`cut short: {"password":"hunt`, `cut short: {"password":"[Filtered]`},
		{`{\"password\":\"x\",\"n\":1}`, `{\"password\":\"[Filtered]\",\"n\":1}`},
		{"{'password': 'x', 'user': 'ada'}", "{'password': '[Filtered]', 'user': 'ada'}"},
		{`:password => "x", "token"=>'y'`, `:password => "[Filtered]", "token"=>'[Filtered]'`},
		{"mysql --password hunter2 -u ada", "mysql --password [Filtered] -u ada"},
		{"q=%7B%22password%22%3A%22x%22%7D", "q=%7B%22password%22%3A%22%5BFiltered%5D%22%7D"},
		{"card 4111 1111 1111 1111.", "card [Filtered]."}, {"4111-1111-1111-1111", "[Filtered]"},
		{"order 4111111111111112, at 1763740800000", "order 4111111111111112, at 1763740800000"},
		{"0.4111111111111111 a4111111111111111", "0.4111111111111111 a4111111111111111"},
		{"got " + jwt + " today", "got [Filtered] today"},
		{"key AKIAIOSFODNN7EXAMPLE.", "key [Filtered]."}, {"AKIAIOSFODNN7EXAMPLEX", "AKIAIOSFODNN7EXAMPLEX"},
		{"ghp_0123456789abcdefghijABCDEFGHIJ012345", "[Filtered]"}, {"sk_live_0123456789abcdef", "[Filtered]"},
		{"xoxb-123456789012-abcdefabcdef", "[Filtered]"},
		{"a -----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY----- b", "a [Filtered] b"},
		{"-----BEGIN CERTIFICATE-----\nMII", "-----BEGIN CERTIFICATE-----\nMII"},
		{"sent Basic YWRhOnB3 to it", "sent Basic [Filtered] to it"}, {"Basic authentication failed", "Basic authentication failed"},
		{"bearer authentication", "bearer authentication"}, {"Bearer a1b2c3d4e5", "Bearer [Filtered]"},
		{"Unexpected token: punc (})", "Unexpected token: punc (})"},
		{"password: must have eight characters", "password: must have eight characters"},
		{"password: hunter2", "password: [Filtered]"}, {"password=None, token=null", "password=None, token=null"},
		{"if password == other: return", "if password == other: return"}, {"Auth::Token::decode", "Auth::Token::decode"},
		{"db_password=a,b;c user=x", "db_password=[Filtered] user=x"},
		{"password=", "password="}, {"password=[Filtered]&x", "password=[Filtered]&x"},
		{"connect(password=abc, user=x)", "connect(password=[Filtered], user=x)"},
		{"nothing at all in here, not at 12:30", "nothing at all in here, not at 12:30"},
	} {
		got := string(s.Text([]byte(tt.in)))
		if got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.in, got, tt.want)
		}
		if again := string(s.Text([]byte(got))); again != got {
			t.Errorf("%s: then %s", got, again)
		}
		// A text says the same in an event, whatever was seen there before.
		if got := string(s.Event([]byte(`{"message":` + quoted(t, tt.in) + `}`))); got != `{"message":`+quoted(t, tt.want)+`}` {
			t.Errorf("%s, in an event: %s", tt.in, got)
		}
	}
}

// Source lines stay readable: only literals behind secret names go, and known forms.
func TestSource(t *testing.T) {
	s := scrub.Default()
	for in, want := range map[string]string{
		`password = request.form["password"]`: `password = request.form["password"]`,
		`  api_key: "abc", // token=x`:        `  api_key: "[Filtered]", // token=x`,
		`connect(url, password='x' + y)`:      `connect(url, password='[Filtered]' + y)`,
		`PASSWORD := "hunter2"`:               `PASSWORD := "[Filtered]"`,
		`if token == "":`:                     `if token == "":`,
		`key = "AKIAIOSFODNN7EXAMPLE"`:        `key = "[Filtered]"`,
	} {
		frame := func(line string) string {
			return `{"exception":{"values":[{"stacktrace":{"frames":[{"context_line":` + quoted(t, line) + `}]}}]}}`
		}
		if got := string(s.Event([]byte(frame(in)))); got != frame(want) {
			t.Errorf("%s:\n got %s\nwant %s", in, got, frame(want))
		}
	}
}

func TestProjectRules(t *testing.T) {
	s := mustNew(t, scrub.Settings{Names: []string{"tax id"}, Safe: []string{"session kind", "author token"}, Patterns: []string{`\bDE\d{20}\b`}})
	for in, want := range map[string]string{
		`{"extra":{"taxId":"1","TAX-ID-OLD":"2","syntax_id":"3"}}`: `{"extra":{"taxId":"[Filtered]","TAX-ID-OLD":"[Filtered]","syntax_id":"3"}}`,
		`{"extra":{"authorToken":"x","token":"y"}}`:                `{"extra":{"authorToken":"x","token":"[Filtered]"}}`,
		`{"message":"to DE89370400440532013000 now"}`:              `{"message":"to [Filtered] now"}`,
		`{"message":"tax_id=5"}`:                                   `{"message":"tax_id=[Filtered]"}`,
	} {
		if got := string(s.Event([]byte(in))); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
	off := mustNew(t, scrub.Settings{Off: true, Addresses: scrub.DropAddresses})
	const in = `{"extra":{"password":"x"},"message":"token=x","user":{"ip_address":"203.0.113.7"}}`
	if got, want := string(off.Event([]byte(in))), `{"extra":{"password":"x"},"message":"token=x","user":{"ip_address":null}}`; got != want {
		t.Errorf("switched off: %s", got)
	}
}

func TestAddressValues(t *testing.T) {
	const in = `{"user":{"ip_address":"203.0.113.7"},"request":{"headers":[["X-Forwarded-For","203.0.113.7, 2001:db8:1:2::3"],["X-Real-IP","[2001:db8:1:2::3]:443"],["Forwarded","for=203.0.113.7;proto=https"]],"env":{"REMOTE_ADDR":"::ffff:203.0.113.7","SERVER":"203.0.113.9"}},"extra":{"ip":"none","ip_address":"{{auto}}"}}`
	for policy, want := range map[scrub.AddressPolicy]string{
		scrub.StoreAddresses:    in,
		scrub.TruncateAddresses: `{"user":{"ip_address":"203.0.113.0"},"request":{"headers":[["X-Forwarded-For","203.0.113.0, 2001:db8:1::"],["X-Real-IP","2001:db8:1::"],["Forwarded",null]],"env":{"REMOTE_ADDR":"203.0.113.0","SERVER":"203.0.113.9"}},"extra":{"ip":"none","ip_address":"{{auto}}"}}`,
		scrub.DropAddresses:     `{"user":{"ip_address":null},"request":{"headers":[["X-Forwarded-For",null],["X-Real-IP",null],["Forwarded",null]],"env":{"REMOTE_ADDR":null,"SERVER":"203.0.113.9"}},"extra":{"ip":"none","ip_address":"{{auto}}"}}`,
	} {
		s := mustNew(t, scrub.Settings{Addresses: policy})
		got := string(s.Event([]byte(in)))
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", policy, got, want)
		}
		if again := string(s.Event([]byte(got))); again != got {
			t.Errorf("%s: then %s", policy, again)
		}
	}
}

// Addresses are found in every shape in which clients and proxies send them, and what
// is no address is looked at as anywhere else.
func TestAddressShapes(t *testing.T) {
	drop := mustNew(t, scrub.Settings{Addresses: scrub.DropAddresses})
	truncate := mustNew(t, scrub.Settings{Addresses: scrub.TruncateAddresses})
	for _, tt := range []struct{ in, truncated, dropped string }{
		{`{"X-Forwarded-For":["203.0.113.7","198.51.100.2"]}`, `{"X-Forwarded-For":["203.0.113.0","198.51.100.0"]}`, `{"X-Forwarded-For":[null,null]}`},
		{`[["X-Forwarded-For",["203.0.113.7, 198.51.100.2"]]]`, `[["X-Forwarded-For",["203.0.113.0, 198.51.100.0"]]]`, `[["X-Forwarded-For",[null]]]`},
		{`{"forwarded":[["for=203.0.113.7"]]}`, `{"forwarded":[[null]]}`, `{"forwarded":[[null]]}`},
		{`{"X-Forwarded-For":"203.0.113.7, unknown"}`, `{"X-Forwarded-For":"203.0.113.0"}`, `{"X-Forwarded-For":null}`},
		{`{"X-Forwarded-For":"203.0.113.7,"}`, `{"X-Forwarded-For":"203.0.113.0"}`, `{"X-Forwarded-For":null}`},
		{`{"X-Forwarded-For":"_hidden, 203.0.113.7, _hidden"}`, `{"X-Forwarded-For":"203.0.113.0"}`, `{"X-Forwarded-For":null}`},
		{`{"X-Forwarded-For":"unknown, "}`, `{"X-Forwarded-For":"unknown, "}`, `{"X-Forwarded-For":"unknown, "}`},
		{`{"ip":["--password","x","none",{"name":"token","value":"x"}]}`, `{"ip":["--password","[Filtered]","none",{"name":"token","value":"[Filtered]"}]}`, `{"ip":["--password","[Filtered]","none",{"name":"token","value":"[Filtered]"}]}`},
		{`{"ip":"token=x"}`, `{"ip":"token=[Filtered]"}`, `{"ip":"token=[Filtered]"}`},
	} {
		for s, want := range map[*scrub.Scrubber]string{truncate: tt.truncated, drop: tt.dropped} {
			got := string(s.Event([]byte(`{"request":{"headers":` + tt.in + `}}`)))
			if want = `{"request":{"headers":` + want + `}}`; got != want {
				t.Errorf("%s:\n got %s\nwant %s", tt.in, got, want)
			}
			if again := string(s.Event([]byte(got))); again != got {
				t.Errorf("%s: then %s", got, again)
			}
		}
	}
	for _, name := range []string{
		"Fly-Client-IP", "True-Client-IP", "Fastly-Client-IP", "X-Client-IP", "X-Cluster-Client-IP", "X-Original-Forwarded-For",
		"HTTP_FLY_CLIENT_IP", "HTTP_X_CLUSTER_CLIENT_IP", "CF-Connecting-IP",
	} {
		if got, want := string(drop.Event([]byte(`{"`+name+`":"203.0.113.7"}`))), `{"`+name+`":null}`; got != want {
			t.Errorf("got %s", got)
		}
	}
}

func TestSettings(t *testing.T) {
	for want, settings := range map[string]scrub.Settings{
		"line 2: the pattern":   {Patterns: []string{"a", "("}},
		"found everywhere":      {Patterns: []string{"a*"}},
		"[Filtered] too":        {Patterns: []string{`\w+`}},
		"a pattern of":          {Patterns: []string{strings.Repeat("a", scrub.MaxPatternSize+1)}},
		"21 patterns":           {Patterns: strings.Fields(strings.Repeat("a ", scrub.MaxPatterns+1))},
		"101 names":             {Safe: strings.Fields(strings.Repeat("ab ", scrub.MaxNames+1))},
		`line 1: the name "-"`:  {Names: []string{"-"}},
		"a name of":             {Names: []string{strings.Repeat("a", scrub.MaxNameSize+1)}},
		"treatment of address":  {Addresses: "sell"},
		"invalid repeat count:": {Patterns: []string{"(a{1000}){1000}"}},
	} {
		if _, err := scrub.New(settings); !errors.Is(err, scrub.ErrSettings) || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", settings, err, want)
		}
	}
}

// Names and values nest as deep as the parser takes, and a hostile payload costs no
// more than its length.
func TestHostile(t *testing.T) {
	const n = 200_000
	s := scrub.Default()
	for name, payload := range map[string]string{
		"deep":    `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`,
		"strings": `{"a":"` + strings.Repeat(`[\"`, n) + `"}`,
		"marks":   `{"a":"` + strings.Repeat("=:", n) + `"}`,
		"labels":  `{"a":{` + strings.Repeat(`"value":1,`, n/4) + `"name":"token"}}`,
		"nested":  `{"a":` + strings.Repeat(`{"value":`, 5000) + `1` + strings.Repeat(`}`, 5001),
		"keys":    `{"a":"` + strings.Repeat("password=x&", n/4) + `"}`,
		"schemes": `{"a":"` + strings.Repeat("Bearer ", n/4) + `"}`,
		"armour":  `{"a":"` + strings.Repeat("-----BEGIN ", n/8) + `"}`,
		"urls":    `{"a":"` + strings.Repeat("://", n/4) + `"}`,
		"escapes": `{"a":"` + strings.Repeat("a=%20", n/8) + `"}`,
		"groups":  `{"a":"` + strings.Repeat("4111-", n/8) + `"}`,
		"quotes":  `{"a":"` + strings.Repeat(`token: \"`, n/16) + `"}`,
	} {
		out := s.Event([]byte(payload))
		if again := s.Event(out); string(again) != string(out) {
			t.Errorf("%s: the second time something else was found", name)
		}
	}
}
