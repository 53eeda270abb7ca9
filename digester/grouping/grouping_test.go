package grouping_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/grouping"
	"sundew/schema/event"
	"sundew/schema/event/eventtest"
)

func TestTitles(t *testing.T) {
	const frames = `"stacktrace":{"frames":[{"module":"shop","function":"add","in_app":true},{"module":"shop","function":"?","in_app":true}]}`
	tests := []struct{ payload, title, culprit string }{
		{`{}`, "Error without a message", ""},
		{`{"exception":[{}]}`, "Error without a message", ""},
		{`{"exception":[{"type":"E"}]}`, "E", ""},
		{`{"exception":[{"value":"v"}],"transaction":"t"}`, "v", "t"},
		{`{"exception":[{"type":"E","value":"\n  a\nb"}],"request":{"url":"https://example.com/a?b=c"}}`, "E: a", "/a"},
		{`{"exception":[{"type":"<unknown>","value":"","stacktrace":null}],"message":"m"}`, "m", ""},
		{`{"exception":[{` + frames + `}]}`, "Error in add", "shop"},
		{`{"exception":[{"type":"E","value":"v",` + frames + `}],"transaction":"t"}`, "E: v", "shop"},
		{`{"platform":"native","exception":[{"type":"SIGSEGV","value":"Segfault","mechanism":{"synthetic":true},` + frames + `}]}`, "SIGSEGV in add", "shop"},
		{`{"platform":"javascript","exception":[{"value":"m","mechanism":{"synthetic":true},` + frames + `}],"message":"m","transaction":"t"}`, "m", "t"},
		{`{"stacktrace":{"frames":[{"module":"shop","function":"add"}]}}`, "add", "shop in add"},
		{`{"exception":[{"type":"E","value":"` + strings.Repeat("ä", 500) + `"}]}`, "E: " + strings.Repeat("ä", 196) + "…", ""},
		{`{"message":"a\tb\u2028c"}`, "a b c", ""},
	}
	for _, tt := range tests {
		r := grouping.Group(parsed(t, tt.payload))
		if r.Title != tt.title || r.Culprit != tt.culprit {
			t.Errorf("%s: %q, %q; want %q, %q", tt.payload, r.Title, r.Culprit, tt.title, tt.culprit)
		}
	}
}

// FuzzGroup holds for any payload: the same result each time, from Skim and from
// Parse, with a title.
func FuzzGroup(f *testing.F) {
	for _, p := range eventtest.Captured(f) {
		if len(p.JSON) < 3000 {
			f.Add(p.JSON)
		}
	}
	f.Add([]byte(`{"platform":"native","exception":[{"type":"S","mechanism":{"synthetic":true},"stacktrace":{"frames":[{"function":"a$1b$","package":"\\x\\y"},{"filename":"blob:","function":"x/<"}]}}]}`))
	f.Add([]byte(`{"platform":"csharp","stacktrace":[{"module":"A+<","function":"MoveNext"}],"fingerprint":["{{default}}"]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, parse := range []func([]byte) (*event.Event, error){event.Parse, security} {
			whole, err := parse(payload)
			if err != nil {
				return
			}
			r := grouping.Group(whole)
			check(t, whole, r)
			if diff := cmp.Diff(r, grouping.Group(whole)); diff != "" {
				t.Fatalf("twice the same event\n%s", diff)
			}
		}
		whole, _ := event.Parse(payload)
		skimmed, err := event.Skim(payload)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(grouping.Group(whole), grouping.Group(skimmed)); diff != "" {
			t.Fatalf("of Parse (-) and Skim (+)\n%s", diff)
		}
	})
}

func security(report []byte) (*event.Event, error) { return event.ParseSecurity(report, "", "") }

// check fails if a result is not one that can be stored and shown.
func check(t *testing.T, e *event.Event, r grouping.Result) {
	t.Helper()
	if r.Version != grouping.Version || r.Title == "" || r.Rule == "" || len(r.Parts) == 0 {
		t.Fatalf("it lacks something: %+v", r)
	}
	texts := []string{r.Title, r.Culprit}
	for _, s := range texts {
		if utf8.RuneCountInString(s) > 200 || strings.ContainsAny(s, "\r\n") {
			t.Fatalf("no title: %q", s)
		}
	}
	for _, p := range r.Parts {
		texts = append(texts, p.Source, p.Text)
	}
	for _, s := range texts {
		if !utf8.ValidString(s) || strings.Contains(s, "\x00") {
			t.Fatalf("no clean text: %q", s)
		}
	}
	if r.Exception >= len(e.Exceptions) || r.Exception < 0 && len(r.Frames) > 0 {
		t.Fatalf("frames %d of exception %d", r.Frames, r.Exception)
	}
	for _, i := range r.Frames {
		if i < 0 || i >= len(e.Exceptions[r.Exception].Stacktrace.Frames) {
			t.Fatalf("no frame %d", i)
		}
	}
}

// BenchmarkPrepare is what the digester does with each event before it takes the
// lock: read it, tag it, group it.
//
// What profiles taught: Skim is three quarters of it, Group a sixth, AllTags the
// rest. Skim scans; only a fifth of it is allocating, because it steps over values
// it has no use for in one piece and makes room for frames eight at a time. A
// regular expression over the message would have doubled the whole, hence the
// scanner in parameterize.go. Reading a User-Agent costs 3 to 5 µs, so it is done
// only where no context names browser and system.
func BenchmarkPrepare(b *testing.B) {
	var payloads [][]byte
	size := 0
	for _, p := range eventtest.Captured(b) {
		if !p.Security && len(p.JSON) < 50_000 {
			payloads = append(payloads, p.JSON)
			size += len(p.JSON)
		}
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range payloads {
			e, err := event.Skim(p)
			if err != nil {
				b.Fatal(err)
			}
			e.AllTags()
			grouping.Group(e)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(payloads)), "µs/event")
}
