package event

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mustParse(t *testing.T, payload string) *Event {
	t.Helper()
	e, err := Parse([]byte(payload))
	if err != nil {
		t.Fatalf("Parse(%s): %v", payload, err)
	}
	return e
}

// TestShapes is the list of the shapes in use: what is sent, and what it means.
func TestShapes(t *testing.T) {
	for _, tests := range []map[string]*Event{errorShapes(), scopeShapes()} {
		for payload, want := range tests {
			if want.Platform == "" {
				want.Platform = "other"
			}
			if diff := cmp.Diff(want, mustParse(t, payload)); diff != "" {
				t.Errorf("%s (-want +got)\n%s", payload, diff)
			}
		}
	}
}

// errorShapes are what failed: exceptions, frames, threads, messages.
func errorShapes() map[string]*Event {
	yes, no, three := true, false, 3
	list := func(x ...Exception) *Event { return &Event{Exceptions: x} }
	a, b := Exception{Type: "A"}, Exception{Type: "B"}
	frames := func(f ...Frame) *Stacktrace { return &Stacktrace{Frames: f} }
	return map[string]*Event{
		`{}`: {},
		// exceptions
		`{"exception":{"values":[{"type":"A"},null,{"type":"B"}]}}`: list(a, b),
		`{"exception":[{"type":"A"},{"type":"B"}]}`:                 list(a, b),
		`{"exception":{"type":"A"}}`:                                list(a),
		`{"exception":{"values":{"type":"A"}}}`:                     list(a),
		`{"sentry.interfaces.Exception":{"values":[{"type":"A"}]}}`: list(a),
		`{"exception":{"values":[{"type":"A"}]},"exception":null}`:  list(a),
		`{"exception":{}}`:                                    {},
		`{"exception":{"values":{}}}`:                         list(Exception{}),
		`{"exception":null}`:                                  {},
		`{"exception":[]}`:                                    {},
		`{"exception":"A"}`:                                   {},
		`{"exception":[7,"x",[{}]]}`:                          {},
		`{"exception":[{"value":{"b": 1,"a":[true, null]}}]}`: list(Exception{Value: `{"b":1,"a":[true,null]}`}),
		`{"exception":[{"type":404,"value":-1.5}]}`:           list(Exception{Type: "404", Value: "-1.5"}),
		`{"exception":[{"type":null,"value":false}]}`:         list(Exception{Value: "False"}),
		`{"exception":[{"type":"A","thread_id":7}]}`:          list(Exception{Type: "A", ThreadID: "7"}),
		`{"exception":[{"type":"A\nB","value":"a\nb"}]}`:      list(Exception{Type: "A B", Value: "a\nb"}),
		`{"exception":[{"mechanism":{"type":"m","handled":false,"synthetic":true,"exception_id":"3","parent_id":null,"is_exception_group":true,"source":"errors[0]","data":{"a":1}}}]}`: list(Exception{
			Mechanism: Mechanism{Type: "m", Handled: &no, Synthetic: true, ExceptionID: &three, IsGroup: true, Source: "errors[0]", Data: RawJSON(`{"a":1}`)},
		}),
		`{"exception":[{"mechanism":"m"}]}`:                                                                   list(Exception{Mechanism: Mechanism{Type: "m"}}),
		`{"exception":[{"mechanism":{"handled":"yes"}}]}`:                                                     list(Exception{Mechanism: Mechanism{Handled: &yes}}),
		`{"exception":[{"mechanism":{"handled":null}},{}]}`:                                                   list(Exception{}, Exception{}),
		`{"exception":[{"stacktrace":null},{"stacktrace":{}},{}]}`:                                            list(Exception{}, Exception{}, Exception{}),
		`{"exception":[{"stacktrace":{"frames":null}}]}`:                                                      list(Exception{}),
		`{"exception":[{"stacktrace":{"frames":[null,{}]}}]}`:                                                 list(Exception{Stacktrace: frames(Frame{})}),
		`{"exception":[{"stacktrace":[{"function":"f"}]}]}`:                                                   list(Exception{Stacktrace: frames(Frame{Function: "f"})}),
		`{"exception":[{"raw_stacktrace":{"frames":[{"lineno":1}]}}]}`:                                        list(Exception{Stacktrace: frames(Frame{Line: 1})}),
		`{"exception":[{"stacktrace":{"frames":[{"lineno":2}]},"raw_stacktrace":{"frames":[{"lineno":1}]}}]}`: list(Exception{Stacktrace: frames(Frame{Line: 2})}),
		`{"exception":[{"raw_stacktrace":{"frames":[{"lineno":1}]},"stacktrace":{"frames":[{"lineno":2}]}}]}`: list(Exception{Stacktrace: frames(Frame{Line: 2})}),
		// frames
		`{"stacktrace":{"frames":[{"lineno":"12","colno":3.0,"in_app":true},{"lineno":-1,"colno":1e99,"in_app":null},{"lineno":"x","in_app":"false"}]}}`: {
			Stacktrace: frames(Frame{Line: 12, Column: 3, InApp: &yes}, Frame{}, Frame{InApp: &no}),
		},
		`{"stacktrace":{"frames":[{"pre_context":["a",null,"b"],"context_line":null,"post_context":null,"vars":{"x":"1","y":null,"z":[1]},"instruction_addr":4096}]}}`: {
			Stacktrace: frames(Frame{PreContext: []string{"a", "", "b"}, Vars: []Field{{"x", RawJSON(`"1"`)}, {"z", RawJSON(`[1]`)}}, Address: "4096"}),
		},
		`{"stacktrace":{"frames":[{"vars":["a"]},{"vars":"all"}]}}`: {
			Stacktrace: frames(Frame{Vars: []Field{{"#0", RawJSON(`"a"`)}}}, Frame{Vars: []Field{{"value", RawJSON(`"all"`)}}}),
		},
		`{"threads":[{"id":1,"name":"main","crashed":true,"current":false},null]}`: {Threads: []Thread{{ID: "1", Name: "main", Crashed: true}}},
		`{"threads":{"values":[{"id":"x"}]}}`:                                      {Threads: []Thread{{ID: "x"}}},
		`{"template":{"filename":"a.html","lineno":3}}`:                            {Template: &Frame{Filename: "a.html", Line: 3}},
		// messages
		`{"message":"m"}`:   {Message: Message{Formatted: "m"}},
		`{"message":false}`: {},
		`{"message":{"message":"a %s","params":["b"],"formatted":"a c"}}`:                {Message: Message{Template: "a %s", Params: []string{"b"}, Formatted: "a c"}},
		`{"logentry":{"message":"a %s %d%% %5.2f","params":["b",2,null]},"message":"x"}`: {Message: Message{Template: "a %s %d%% %5.2f", Params: []string{"b", "2", ""}, Formatted: "a b 2% "}},
		`{"message":"x","logentry":{"message":""}}`:                                      {Message: Message{Formatted: "x"}},
		`{"logentry":{"message":"%(who)s has {n} of {0}","params":{"who":"ada","n":3}}}`: {Message: Message{Template: "%(who)s has {n} of {0}", Params: []string{"ada", "3"}, Formatted: "ada has 3 of ada"}},
		`{"logentry":{"message":"{} {1:>5} {x} %(y)s %z {","params":["a","b"]}}`:         {Message: Message{Template: "{} {1:>5} {x} %(y)s %z {", Params: []string{"a", "b"}, Formatted: "a b {x} %(y)s %z {"}},
		`{"logentry":{"message":"%s %s","params":["a"]}}`:                                {Message: Message{Template: "%s %s", Params: []string{"a"}, Formatted: "a %s"}},
		`{"sentry.interfaces.Message":{"message":"m","params":[]}}`:                      {Message: Message{Template: "m"}},
	}
}

// scopeShapes are the circumstances.
func scopeShapes() map[string]*Event {
	return map[string]*Event{
		// scalars
		`{"level":"WARNING"}`: {Level: LevelWarning}, `{"level":"log"}`: {Level: LevelInfo}, `{"level":40}`: {Level: LevelError}, `{"level":"x"}`: {}, `{"level":null}`: {},
		`{"release":42,"dist":7,"environment":true}`:                       {Release: "42", Dist: "7", Environment: "True"},
		`{"release":" a\u0000b\nc "}`:                                      {Release: "ab c"},
		`{"platform":"Python"}`:                                            {Platform: "python"},
		`{"culprit":"c","logger":"l","transaction":"t","server_name":"s"}`: {Culprit: "c", Logger: "l", Transaction: "t", ServerName: "s"},
		`{"fingerprint":["a",1,2.5,true,null]}`:                            {Fingerprint: []string{"a", "1", "2.5", "True"}},
		`{"fingerprint":"a"}`:                                              {Fingerprint: []string{"a"}},
		`{"fingerprint":[]}`:                                               {},
		`{"fingerprint":null}`:                                             {},
		`{"checksum":"c","fingerprint":["a"]}`:                             {Fingerprint: []string{"c"}},
		`{"sdk":{"name":"n","version":1}}`:                                 {SDK: SDK{"n", "1"}},
		`{"sdk":"n","_meta":{"x":1}}`:                                      {},
		// tags
		`{"tags":{"a b":"1","c":true,"d":2,"e":null,"f":"","g":"x\ny"}}`:   {Tags: []Pair{{"a-b", "1"}, {"c", "True"}, {"d", "2"}, {"g", "x y"}}},
		`{"tags":[["a",1],["b"],null,["c",null],{"key":"d","value":"2"}]}`: {Tags: []Pair{{"a", "1"}, {"d", "2"}}},
		`{"tags":{"a":"1","b":"2","a":"3"}}`:                               {Tags: []Pair{{"a", "3"}, {"b", "2"}}},
		`{"tags":"x"}`:                                                     {},
		// user
		`{"user":{"id":42,"ip_address":"{{auto}}","email":null,"plan":{"a":1}}}`: {User: User{ID: "42", IP: "{{auto}}", Data: []Field{{"plan", RawJSON(`{"a":1}`)}}}},
		`{"user":{"id":true}}`: {User: User{ID: "True"}},
		`{"user":"ada"}`:       {User: User{ID: "ada"}},
		`{"user":{}}`:          {},
		// request
		`{"request":{"url":"u","method":"GET","headers":{"User-Agent":["a","b"],"X":"1"},"query_string":"?a=1&b=%20x&c&=d","cookies":"s=1; t=2","env":{"P":80},"data":"x","fragment":"f"}}`: {Request: Request{
			URL: "u", Method: "GET", Headers: []Pair{{"User-Agent", "a, b"}, {"X", "1"}}, UserAgent: "a, b",
			Query: []Pair{{"a", "1"}, {"b", " x"}, {"c", ""}}, Cookies: []Pair{{"s", "1"}, {"t", "2"}}, Env: []Pair{{"P", "80"}}, Data: RawJSON(`"x"`), Fragment: "f",
		}},
		`{"request":{"headers":[["user-agent","z"],["X",null]],"query_string":[["a","1"]],"cookies":[["s","1"]],"data":{"a":NaN}}}`: {Request: Request{
			Headers: []Pair{{"user-agent", "z"}}, UserAgent: "z", Query: []Pair{{"a", "1"}}, Cookies: []Pair{{"s", "1"}}, Data: RawJSON(`{"a":null}`),
		}},
		`{"request":{"query_string":{"a":"1"},"cookies":{"s":1}},"sentry.interfaces.Http":{}}`: {Request: Request{Query: []Pair{{"a", "1"}}, Cookies: []Pair{{"s", "1"}}}},
		// the rest
		`{"contexts":{"os":{"name":"L","type":"os"},"x":null,"y":"text","z":{}}}`:            {Contexts: []Context{{Name: "os", Type: "os", Fields: []Field{{"name", RawJSON(`"L"`)}}}, {Name: "y", Type: "y", Fields: []Field{{"value", RawJSON(`"text"`)}}}}},
		`{"breadcrumbs":[{"message":"m","level":"warn","timestamp":1,"data":{"a":1}},null]}`: {Breadcrumbs: []Breadcrumb{{Message: "m", Level: LevelWarning, Timestamp: time.Unix(1, 0).UTC(), Data: []Field{{"a", RawJSON(`1`)}}}}},
		`{"breadcrumbs":{"values":[{"category":"c","type":"t"}]}}`:                           {Breadcrumbs: []Breadcrumb{{Category: "c", Type: "t"}}},
		`{"extra":{"a":"x\u0000y\ud800","b":{"c":[1, 2]}}}`:                                  {Extra: []Field{{"a", RawJSON(`"xy\ufffd"`)}, {"b", RawJSON(`{"c":[1, 2]}`)}}},
		`{"modules":{"a":"1"}}`:                        {Modules: []Pair{{"a", "1"}}},
		`{"modules":[{"name":"a","version":"1"},"b"]}`: {Modules: []Pair{{"a", "1"}}},
		`{"debug_meta":{"images":[{"type":"elf","code_file":"/x","debug_id":"d","image_addr":1},null]}}`: {Images: []DebugImage{{"elf", "/x", "d", "1"}}},
	}
}

func TestTimestamps(t *testing.T) {
	at := func(ns int) time.Time { return time.Date(2026, 11, 20, 17, 58, 28, ns, time.UTC) }
	tests := map[string]time.Time{
		`"2026-11-20T17:58:28Z"`:           at(0),
		`"2026-11-20T17:58:28.5Z"`:         at(500e6),
		`"2026-11-20T17:58:28.123456789Z"`: at(123456789),
		`"2026-11-20T19:58:28.25+02:00"`:   at(250e6),
		`"2026-11-20T17:58:28"`:            at(0),
		`"2026-11-20T17:58:28.123456"`:     at(123456000),
		`"2026-11-20 17:58:28.5"`:          at(500e6),
		`"2026-11-20 17:58:28 UTC"`:        at(0),
		`"2026-11-20T17:58:28+0000"`:       at(0),
		`1795197508`:                       at(0),
		`1795197508.25`:                    at(250e6),
		`"1795197508.25"`:                  at(250e6),
		`1795197508250`:                    at(250e6),
		`1795197508250000`:                 at(250e6),
		`"1795197508250"`:                  at(250e6),
		`1.79519750825e9`:                  at(250e6),
		`0`:                                {}, `-1`: {}, `1e400`: {}, `1e30`: {}, `"x"`: {}, `""`: {}, `null`: {}, `true`: {}, `{}`: {}, `[1]`: {}, `"NaN"`: {}, `"2026-13-20T17:58:28Z"`: {}, `"2026-11-20"`: {}, `"0001-01-01T00:00:00Z"`: {},
	}
	for text, want := range tests {
		if got := mustParse(t, `{"timestamp":`+text+`}`).Timestamp; got != want {
			t.Errorf("timestamp %s = %v, want %v", text, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	many := func(n int, item string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + "]"
	}
	numbered := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(`{"lineno":` + strconv.Itoa(i+1) + `},`)
		}
		return "[" + strings.TrimSuffix(b.String(), ",") + "]"
	}
	var tags strings.Builder
	for i := range 150 {
		tags.WriteString(`"t` + strconv.Itoa(i) + `":"v",`)
	}
	e := mustParse(t, `{"exception":`+many(40, `{"type":"A"}`)+`,"stacktrace":`+numbered(1003)+`,"breadcrumbs":`+many(250, `{}`)+
		`,"message":"`+strings.Repeat("ä", 10_000)+`","extra":{"a":"`+strings.Repeat(`\né`, 20_000)+`","b":`+many(20_000, "1")+`},"fingerprint":`+many(99, `"x"`)+`}`)
	if got, want := len(e.Exceptions), firstExceptions+lastExceptions; got != want {
		t.Errorf("%d exceptions, want %d", got, want)
	}
	st := e.Stacktrace
	if len(st.Frames) != 200 || st.Omitted != 803 {
		t.Fatalf("%d frames and %d omitted, want 200 and 803", len(st.Frames), st.Omitted)
	}
	for i, f := range st.Frames {
		want := i + 1
		if i >= firstFrames {
			want += 803
		}
		if f.Line != want {
			t.Fatalf("frame %d is line %d, want %d", i, f.Line, want)
		}
	}
	if tags := mustParse(t, `{"tags":{`+strings.TrimSuffix(tags.String(), ",")+`}}`).Tags; len(tags) != maxTags {
		t.Errorf("%d tags, want %d", len(tags), maxTags)
	}
	if len(e.Breadcrumbs) != maxBreadcrumbs || len(e.Fingerprint) != maxFingerprint {
		t.Errorf("%d breadcrumbs, %d fingerprint parts", len(e.Breadcrumbs), len(e.Fingerprint))
	}
	if n := len([]rune(e.Message.Formatted)); n != maxText || !strings.HasSuffix(e.Message.Formatted, "ä…") {
		t.Errorf("a message of %d characters, want %d", n, maxText)
	}
	for _, f := range e.Extra {
		if len(f.Value) > 2*maxJSON || !strings.HasSuffix(f.Value.Text(), "…") {
			t.Errorf("extra %s has %d bytes", f.Key, len(f.Value))
		}
	}
}

func TestRawJSON(t *testing.T) {
	tests := map[string]string{
		`"a"`:                    `"a"`,
		`"\u0000\u00e9\u0000"`:   `"\u00e9"`,
		`"\\u0000"`:              `"\\u0000"`,
		`"\ud83d\ude00\ud83d"`:   `"\ud83d\ude00\ufffd"`,
		`"\ude00\ud83d\u0041"`:   `"\ufffd\ufffd\u0041"`,
		"\"\xff\xc3\"":           "\"\ufffd\"",
		`{"\u0000k":[1, 2e400]}`: `{"k":[1, 2e400]}`,
	}
	for in, want := range tests {
		e := mustParse(t, `{"extra":{"x":`+in+`}}`)
		if got := string(e.Extra[0].Value); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
}
