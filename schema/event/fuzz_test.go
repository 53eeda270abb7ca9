package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// seeds are payloads with something in every member, and some that are broken.
var seeds = []string{
	`{"event_id":"0123456789abcdef0123456789abcdef","timestamp":1795197508.5,"platform":"python","level":"error","message":{"message":"a %s %(b)s {}","params":["x"]},"exception":{"values":[{"type":"A","value":"b","mechanism":{"handled":false,"type":"m","data":{"x":1}},"stacktrace":{"frames":[{"function":"f","lineno":"1","vars":{"a":[1]},"pre_context":["x",null]}]}}]}}`,
	`{"tags":{"a":"b","os":true},"user":{"id":1,"ip_address":"{{auto}}"},"request":{"url":"http://x/?y#z","headers":[["User-Agent",["Mozilla/5.0 (Windows NT 10.0) Chrome/99.0"]]],"query_string":"a=%00b","cookies":"c=d"},"contexts":{"os":{"name":"Windows","version":"10"},"browser":{"name":"Chrome","version":"99.1"}},"extra":{"\u0000":"\ud800"}}`,
	`{"threads":{"values":[{"id":1,"crashed":true,"stacktrace":{"frames":[{}]}}]},"breadcrumbs":[{"timestamp":"2026-01-01T00:00:00Z","data":{"a":null}}],"debug_meta":{"images":[{"type":"elf"}]},"modules":{"a":"1"},"fingerprint":["{{ default }}",1],"checksum":"c"}`,
	`{"a":NaN,"b":"` + "\n" + `","c":"\x"}`, "\ufeff {} ", `{"release":"a` + "\xff" + `"}`, `[]`, `{`, `{"a":[[[[[[[[[[[[]]]]]]]]]]]]}`,
}

func FuzzScan(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := bytes.Clone(payload)
		head, err := Scan(payload, 64)
		if !bytes.Equal(payload, before) {
			t.Fatal("Scan changed its input")
		}
		if err != nil && !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrDepth) {
			t.Fatalf("an error of no kind: %v", err)
		}
		trimmed := bytes.TrimSpace(payload)
		if err != nil && !errors.Is(err, ErrDepth) && json.Valid(payload) && bytes.HasPrefix(trimmed, []byte("{")) {
			t.Fatalf("refused, but JSON it is: %v", err)
		}
		checkText(t, "type", head.Type, maxName)
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := bytes.Clone(payload)
		full, err := Parse(payload)
		if !bytes.Equal(payload, before) {
			t.Fatal("Parse changed its input")
		}
		skimmed, skimErr := Skim(payload)
		if head, scanErr := Scan(payload, 0); (err == nil) != (scanErr == nil) || (err == nil) != (skimErr == nil) {
			t.Fatalf("Parse: %v, Skim: %v, Scan: %v", err, skimErr, scanErr)
		} else if err == nil && full.ID != head.ID {
			t.Fatalf("Parse has id %s, Scan %s", full.ID, head.ID)
		}
		if err != nil {
			return
		}
		checkEvent(t, full)
		if diff := cmp.Diff(full.AllTags(), skimmed.AllTags()); diff != "" {
			t.Fatalf("tags of Parse (-) and Skim (+)\n%s", diff)
		}
		if diff := cmp.Diff(withoutShown(full), skimmed); diff != "" {
			t.Fatalf("Parse (-) and Skim (+)\n%s", diff)
		}
	})
}

func FuzzSecurity(f *testing.F) {
	for _, s := range append(seeds, securitySeeds...) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		e, err := ParseSecurity(payload, "production\x00\xff", "r")
		if _, scanErr := Scan(payload, 0); (err == nil) != (scanErr == nil) {
			t.Fatalf("ParseSecurity: %v, Scan: %v", err, scanErr)
		}
		if err != nil {
			return
		}
		checkEvent(t, e)
		if e.Security == nil || e.Security.Kind == "" || e.Message.Text() == "" {
			t.Fatalf("an event that says nothing: %+v", e)
		}
	})
}

// withoutShown removes what Skim leaves out.
func withoutShown(e *Event) *Event {
	c := *e
	c.Breadcrumbs, c.Extra, c.Modules, c.Images, c.Contexts = nil, nil, nil, nil, nil
	for _, image := range e.Images {
		if image.Type == "sourcemap" {
			c.Images = append(c.Images, image)
		}
	}
	c.Request = Request{URL: e.Request.URL, Method: e.Request.Method, UserAgent: e.Request.UserAgent}
	for _, context := range e.Contexts {
		if tagging(context.Name) {
			c.Contexts = append(c.Contexts, context)
		}
	}
	bare := func(st *Stacktrace) {
		if st == nil {
			return
		}
		for i := range st.Frames {
			f := &st.Frames[i]
			f.PreContext, f.ContextLine, f.PostContext, f.Vars = nil, "", nil, nil
		}
	}
	for i := range c.Exceptions {
		c.Exceptions[i].Mechanism.Data = nil
		bare(c.Exceptions[i].Stacktrace)
	}
	for i := range c.Threads {
		bare(c.Threads[i].Stacktrace)
	}
	bare(c.Stacktrace)
	if c.Template != nil {
		st := Stacktrace{Frames: []Frame{*c.Template}}
		bare(&st)
		c.Template = &st.Frames[0]
	}
	return &c
}

// checkEvent fails if any text in e is not clean, or any list too long.
func checkEvent(t *testing.T, e *Event) {
	t.Helper()
	checkValue(t, "event", reflect.ValueOf(*e))
	for _, pairs := range [][]Pair{e.Tags, e.AllTags()} {
		seen := map[string]bool{}
		for _, p := range pairs {
			if p.Key == "" || p.Value == "" || seen[p.Key] || strings.ContainsAny(p.Key+p.Value, "\n\r") {
				t.Fatalf("tag %q = %q", p.Key, p.Value)
			}
			checkText(t, "tag", p.Value, maxName)
			seen[p.Key] = true
		}
	}
	for name, n := range map[string][2]int{
		"exceptions":  {len(e.Exceptions), firstExceptions + lastExceptions},
		"threads":     {len(e.Threads), maxThreads},
		"tags":        {len(e.Tags), maxTags},
		"breadcrumbs": {len(e.Breadcrumbs), maxBreadcrumbs},
		"contexts":    {len(e.Contexts), maxContexts + 5},
		"extra":       {len(e.Extra), maxFields},
	} {
		if n[0] > n[1] {
			t.Fatalf("%d %s", n[0], name)
		}
	}
}

var rawJSON = reflect.TypeFor[RawJSON]()

func checkValue(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		checkText(t, path, v.String(), maxText)
	case reflect.Pointer:
		if !v.IsNil() {
			checkValue(t, path, v.Elem())
		}
	case reflect.Struct:
		if v.Type().PkgPath() == "time" {
			return
		}
		for i := range v.NumField() {
			checkValue(t, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Slice:
		if v.Type() == rawJSON {
			checkJSON(t, path, RawJSON(v.Bytes()))
			return
		}
		for i := range v.Len() {
			checkValue(t, path, v.Index(i))
		}
	}
}

func checkText(t *testing.T, path, s string, max int) {
	t.Helper()
	if !utf8.ValidString(s) || strings.Contains(s, "\x00") || utf8.RuneCountInString(s) > max {
		t.Fatalf("%s is not a clean text: %q", path, s)
	}
}

func checkJSON(t *testing.T, path string, r RawJSON) {
	t.Helper()
	if len(r) == 0 {
		return
	}
	// A quoted beginning may grow by its escapes.
	if !json.Valid(r) || !utf8.Valid(r) || len(r) > 6*maxBody {
		t.Fatalf("%s is not clean JSON: %q", path, r)
	}
	if text := r.Text(); strings.Contains(text, "\x00") || !utf8.ValidString(text) {
		t.Fatalf("%s says %q", path, text)
	}
}
