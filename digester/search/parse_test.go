package search

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sundew/schema/event"
)

const day = 24 * time.Hour

func pattern(pieces ...string) []Pattern { return []Pattern{pieces} }

func TestParse(t *testing.T) {
	jan2 := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		text string
		want []Cond
	}{
		{"", nil},
		{"  \t ", nil},
		{"checkout", []Cond{Text{[]string{"checkout"}}}},
		{`"connection  reset" by`, []Cond{Text{[]string{"connection reset"}}, Text{[]string{"by"}}}},
		{"conn*reset*", []Cond{Text{[]string{"conn", "reset"}}}},
		{`5\*3 "a \"b\" \\c"`, []Cond{Text{[]string{"5*3"}}, Text{[]string{`a "b" \c`}}}},
		{"checkout() CartService.checkout src/cart/a-b.py", []Cond{Text{[]string{"checkout()"}}, Text{[]string{"CartService.checkout"}}, Text{[]string{"src/cart/a-b.py"}}}},
		{`Foo::bar https://example.com/a C:\src\x`, []Cond{Text{[]string{"Foo::bar"}}, Text{[]string{"https://example.com/a"}}, Text{[]string{`C:\src\x`}}}},
		{"message:timeout AND a", []Cond{Text{[]string{"timeout"}}, Text{[]string{"a"}}}},

		{"is:unresolved", []Cond{Is{[]Property{Open}}}},
		{"IS:[Open, ignored] is:new", []Cond{Is{[]Property{Open, Muted}}, Is{[]Property{New}}}},
		{"assigned:me", []Cond{AssignedTo{[]Assignee{{Me: true}}}}},
		{"assignee:[none, #back-end, Jane@Example.com]", []Cond{AssignedTo{[]Assignee{{Nobody: true}, {Team: "back-end"}, {Email: "jane@example.com"}}}}},
		{"level:error", []Cond{Level{[]event.Level{event.LevelError}}}},
		{"level:[error, fatal]", []Cond{Level{[]event.Level{event.LevelError, event.LevelFatal}}}},
		{"level:>=error", []Cond{Level{[]event.Level{event.LevelError, event.LevelFatal}}}},
		{"has:user", []Cond{Has{"user"}}},
		{"has:user.email", []Cond{User{"email", []Pattern{{"", ""}}}}},
		{"has:env", []Cond{Has{"environment"}}},

		{"release:shop@1.2.0", []Cond{Release{pattern("shop@1.2.0")}}},
		{"env:prod", []Cond{Tag{"environment", pattern("prod")}}},
		{"environment:[prod,staging]", []Cond{Tag{"environment", []Pattern{{"prod"}, {"staging"}}}}},
		{"first-release:1.* firstRelease:2", []Cond{FirstRelease{pattern("1.", "")}, FirstRelease{pattern("2")}}},
		{"browser:Safari", []Cond{Tag{"browser", []Pattern{{"Safari"}, {"Safari ", ""}}}}},
		{`browser.name:"Safari 17"`, []Cond{Tag{"browser", pattern("Safari 17")}}},
		{"user.email:a@example.com", []Cond{User{"email", pattern("a@example.com")}}},
		{"user.id:7*", []Cond{User{"id", pattern("7", "")}}},
		{"user:7", []Cond{User{"", []Pattern{{"7"}}}}},
		{"http.url:*cart*", []Cond{Tag{"url", pattern("", "cart", "")}}},
		{`shard:"a b"`, []Cond{Tag{"shard", pattern("a b")}}},
		{"tags[is]:on", []Cond{Tag{"is", pattern("on")}}},
		{"tags[a b]:on", []Cond{Tag{"a b", pattern("on")}}},
		{"title:Type*", []Cond{Match{Title, pattern("Type", "")}}},
		{"project:shop issue:SHOP-42 platform:go culprit:a", []Cond{Match{Project, pattern("shop")}, Match{ShortID, pattern("SHOP-42")}, Match{Platform, pattern("go")}, Match{Culprit, pattern("a")}}},

		{"times_seen:>100", []Cond{Count{Events, More, 100}}},
		{"timesSeen:<=10k", []Cond{Count{Events, AtMost, 10_000}}},
		{"users:5", []Cond{Count{Users, Equal, 5}}},
		{"lastSeen:-24h", []Cond{When{LastSeen, AtLeast, Instant{Ago: day}}}},
		{"last_seen:+30d", []Cond{When{LastSeen, AtMost, Instant{Ago: 30 * day}}}},
		{"lastSeen:>-24h", []Cond{When{LastSeen, More, Instant{Ago: day}}}},
		{"firstSeen:>2026-01-02", []Cond{When{FirstSeen, More, Instant{At: jan2, Day: true}}}},
		{"firstSeen:2026-01-02", []Cond{When{FirstSeen, Equal, Instant{At: jan2, Day: true}}}},
		{"first_seen:<2026-01-02T01:30+01:00", nil}, // below: an error
		{"firstSeen:<2026-01-02T01:00:00+01:00", []Cond{When{FirstSeen, Less, Instant{At: jan2}}}},
		{"age:<7d", []Cond{When{FirstSeen, More, Instant{Ago: 7 * day}}}},
		{"age:>2w", []Cond{When{FirstSeen, Less, Instant{Ago: 14 * day}}}},
		{"age:-24h", []Cond{When{FirstSeen, AtLeast, Instant{Ago: day}}}},
	}
	for _, test := range tests {
		q, err := Parse(test.text)
		if strings.Contains(test.text, "T01:30+") {
			if err == nil {
				t.Errorf("%s: no error", test.text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		var got []Cond
		for _, term := range q {
			if term.Not {
				t.Errorf("%s: %v is negated", test.text, term)
			}
			got = append(got, term.Cond)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.text, diff)
		}
		roundTrip(t, q)
	}
}

func TestNegation(t *testing.T) {
	q, err := Parse(`!browser:Chrome !has:user !"connection reset" ! is:muted`)
	if err != nil {
		t.Fatal(err)
	}
	want := Query{
		{true, Tag{"browser", []Pattern{{"Chrome"}, {"Chrome ", ""}}}, 0, 15},
		{true, Has{"user"}, 16, 25},
		{true, Text{[]string{"connection reset"}}, 26, 45},
		{true, Is{[]Property{Muted}}, 46, 56},
	}
	if diff := cmp.Diff(want, q); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	roundTrip(t, q)
}

// roundTrip makes sure that a query's text means the query.
func roundTrip(t *testing.T, q Query) {
	t.Helper()
	text := q.String()
	again, err := Parse(text)
	if err != nil {
		if len(text) > MaxLength {
			return // spelt out, it is too long to be typed
		}
		t.Fatalf("%s, which String returned: %v", text, err)
	}
	if diff := cmp.Diff(q, again, cmpopts.IgnoreFields(Term{}, "At", "End"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s means something else (-want +got):\n%s", text, diff)
	}
}

func TestErrors(t *testing.T) {
	tests := []struct{ text, want, marked string }{
		{"is:unresolved release:", "column 15: `release:` needs a value; `!has:release` finds issues without one, and text with a colon is quoted", "release:"},
		{"is:", "column 1: `is:` needs a value: unresolved, resolved, muted, assigned, unassigned, new or regressed", "is:"},
		{"ä is:opne", "column 6: `is:opne` is not known; it can be unresolved, resolved, muted, assigned, unassigned, new or regressed. Did you mean open?", "opne"},
		{"is:[open, gone]", "column 11: `is:gone` is not known; it can be unresolved, resolved, muted, assigned, unassigned, new or regressed", "gone"},
		{"relase:1.2", "column 1: there is no `relase:`, did you mean `release:`? A tag of that name is written as `tags[relase]:`", "relase:1.2"},
		{"last_sen:-1d", "column 1: there is no `last_sen:`, did you mean `lastSeen:`? A tag of that name is written as `tags[last_sen]:`", "last_sen:-1d"},
		{"assigned:jane", "column 10: `assigned:jane` names nobody; it can be me, none, a mail address, or a team as in #backend", "jane"},
		{"level:eror", "column 7: `level:eror` is not known; it can be debug, info, warning, error or fatal. Did you mean error?", "eror"},
		{"level:>fatal", "column 1: no level is `>fatal`", "level:>fatal"},
		{"level:[error", "column 7: the list of `level:` is not closed: a `]` is missing", "[error"},
		{"level:[]", "column 7: the list of `level:` is empty", "[]"},
		{"level:[a b]", "column 10: values of the list of `level:` are separated by commas; one that has blanks is quoted", "b"},
		{"env:[a,,b]", "column 8: a value of the list of `env:` is empty", ""},
		{`"connection reset`, "column 1: the quotation mark is not closed", `"connection reset`},
		{`"a"b`, `column 4: a blank is missing after the quotation mark; inside of quotation marks write \" for one`, "b"},
		{"a OR b", "column 3: `OR` is not supported; several values of one key are a list, as in `level:[error, fatal]`. To search for the word, quote it", "OR"},
		{"a !", "column 3: `!` has to be followed by what is not to be there", "!"},
		{"*", "column 1: there is nothing to search for", "*"},
		{"times_seen:many", "column 12: `times_seen:many` is not a number; write `times_seen:100`, `times_seen:>100` or `times_seen:<=100`", "many"},
		{"users:[1,2]", "column 1: `users:` takes one value, not a list", "users:[1,2]"},
		{"lastSeen:24h", "column 10: is it younger or older than 24h? Write `lastSeen:-24h` or `lastSeen:+24h`", "24h"},
		{"lastSeen:>+24h", "column 10: `>+24h` lies in the future; a time ago is written as `>-24h`", ">+24h"},
		{"lastSeen:-24x", "column 10: `-24x` is no span; write a number with m, h, d or w, as in -24h", "-24x"},
		{"lastSeen:yesterday", "column 10: `yesterday` is no time; it can be a span as in -24h (younger) or +7d (older), or a date as in >2026-01-31", "yesterday"},
		{"lastSeen:>", "column 10: a time is missing after `>`", ">"},
		{"age:7d", "column 5: is it younger or older than 7d? Write `age:<7d` or `age:>7d`", "7d"},
		{"age:old", "column 5: `old` is no age; write it as in `age:<7d` or `age:>24h`", "old"},
		{"has:lastSeen", "column 5: `has:lastSeen`: every issue has that; `has:` takes the name of a tag", "lastSeen"},
		{"has:us*", "column 5: `has:` takes the name of a tag, without wildcards", "us*"},
		{"tags[a:b", "column 1: a tag is written as `tags[key]:value`", "tags["},
		{"tags[a]:", "column 1: `tags[a]:` needs a value; `!has:a` finds issues without one", "tags[a]:"},
		{"a\x00b", "column 2: there is a character that cannot be searched for", "\x00"},
		{strings.Repeat("a", MaxLength+1), "column 1: the query has more than 1000 bytes", strings.Repeat("a", MaxLength+1)},
		{strings.Repeat("a ", maxTerms+1), "column 41: the query has more than 20 terms", "a"},
	}
	for _, test := range tests {
		_, err := Parse(test.text)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: error %v, not an *Error", test.text, err)
			continue
		}
		if e.Error() != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.text, e, test.want)
		}
		if marked := test.text[e.At:e.End]; marked != test.marked {
			t.Errorf("%s: %q is marked, not %q", test.text, marked, test.marked)
		}
	}
}

// A user is told by the tag "user", or by one of its own where that says something else.
func TestUserTags(t *testing.T) {
	want := []Tag{{"user", []Pattern{{"email:a*", "@x"}}}, {"user.email", []Pattern{{"a*", "@x"}}}}
	if diff := cmp.Diff(want, User{"email", []Pattern{{"a*", "@x"}}}.Tags()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	want = []Tag{{"user", []Pattern{{"7"}, {"id:7"}, {"email:7"}, {"username:7"}, {"ip:7"}}},
		{"user.id", []Pattern{{"7"}}}, {"user.email", []Pattern{{"7"}}}, {"user.username", []Pattern{{"7"}}}, {"user.ip", []Pattern{{"7"}}}}
	if diff := cmp.Diff(want, User{"", []Pattern{{"7"}}}.Tags()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Whatever a client sends as a tag, the query for it asks for that and nothing else.
func TestTagText(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"environment", "production", "environment:production"},
		{"release", "shop-web@5.3.0", "release:shop-web@5.3.0"},
		{"release", "5.3.0", "tags[release]:5.3.0"},
		{"user", "id:7", "user.id:7"},
		{"user", "mine:7", "tags[user]:mine:7"},
		{"level", "error", "tags[level]:error"},
		{"is", "resolved", "tags[is]:resolved"},
		{"browser", "Safari 17", `tags[browser]:"Safari 17"`},
		{"x", `a" is:resolved "*\`, `x:"a\" is:resolved \"\*\\"`},
		{"a b", "[x, y]", `tags[a b]:"[x, y]"`},
		{"environment", "", ""}, {"a]:b x", "y", ""}, {`a"b`, "y", ""}, {"x", "a\x00b", ""}, {"x", "\xff", ""}, {"x", strings.Repeat("y", MaxLength), ""},
	} {
		got, ok := TagText(c.key, c.value)
		if ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%q, %q: %s, %v, want %s", c.key, c.value, got, ok, c.want)
		}
	}
}

func FuzzTagText(f *testing.F) {
	f.Add("a]:b", `x" OR *\`)
	f.Add("user", "email:*")
	f.Fuzz(func(t *testing.T, key, value string) {
		text, ok := TagText(key, value)
		if !ok {
			return
		}
		q, err := Parse(text)
		if err != nil || len(q) != 1 || q[0].Not {
			t.Fatalf("%s is %+v, %v", text, q, err)
		}
		switch c := q[0].Cond.(type) {
		case Tag:
			ok = c.Key == key && len(c.Any) == 1 && slices.Equal(c.Any[0], Pattern{value})
		case Release:
			ok = key == "release" && len(c.Any) == 1 && slices.Equal(c.Any[0], Pattern{value})
		case User:
			ok = key == "user" && len(c.Any) == 1 && len(c.Any[0]) == 1 && c.By+":"+c.Any[0][0] == value
		default:
			ok = false
		}
		if !ok {
			t.Errorf("%q=%q is %#v", key, value, q[0].Cond)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`is:unresolved assigned:me level:[error, fatal] release:1.2 !browser:Safari "connection reset"`,
		`lastSeen:>-24h times_seen:>=100 tags[a b]:"x*\*" has:user age:<7d firstSeen:2026-01-02`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := Parse(text)
		var e *Error
		switch {
		case err == nil:
			roundTrip(t, q)
		case !errors.As(err, &e) || e.At < 0 || e.At > e.End || e.End > len(text) || e.Says == "":
			t.Errorf("error %#v", err)
		}
	})
}

func TestDocument(t *testing.T) {
	no, yes := false, true
	ev := &event.Event{
		Message: event.Message{Formatted: "could not\n pay"},
		Exceptions: []event.Exception{
			{Type: "IOError", Value: "reset"},
			{Type: "PaymentError", Value: "declined", Stacktrace: &event.Stacktrace{Frames: []event.Frame{
				{Function: "main", Filename: "src/main.py", InApp: &yes},
				{Function: "call", Filename: "lib/http.py", InApp: &no},
				{Module: "CartService", Function: "checkout", Filename: "src/cart.py", InApp: &yes},
			}}},
		},
	}
	want := strings.Join([]string{
		"PaymentError: declined", "shop.cart", "could not pay", "IOError: reset",
		"CartService.checkout", "src/cart.py", "main", "src/main.py", "call", "lib/http.py",
	}, "\n")
	if got := Document("PaymentError: declined", "shop.cart", ev); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	ev.Message.Formatted = strings.Repeat("ä", 10_000)
	if got := Document("a", "b", ev); len(got) > maxDocument || !strings.Contains(got, "CartService.checkout") {
		t.Errorf("%d bytes: a long message leaves no room", len(got))
	}
}
