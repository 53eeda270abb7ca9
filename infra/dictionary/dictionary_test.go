package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClean(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"names of fields stay": {
			`{"event_id":"9984f02d83d14e58943aebfdca311dcb","level":"error","server_name":"vm"}`,
			`{"event_id":"…","level":"error","server_name":…}`,
		},
		"times and numbers": {
			`{"timestamp":1795196765.872,"start":"2026-11-20T17:58:28.89Z","lineno2":281,"big":12345}`,
			`{"timestamp":…,"start":"…Z","lineno2":281,"big":…}`,
		},
		"whole values of the program": {
			`{"extra":{"cart":[1,{"a":"b"}]},"tags": {"plan": "gold"},"sdk":{"name":"sentry.go"}}`,
			`{"extra":…,"tags":…,"sdk":{"name":"sentry.go"}}`,
		},
		"a frame of the program": {
			`{"frames":[{"filename":"main.go","function":"buy","lineno":7,"context_line":"buy()","in_app":true}]}`,
			`{"frames":[{"filename":…,"function":…,"lineno":…,"context_line":…,"in_app":true}]}`,
		},
		"a frame of which nobody says whose it is": {
			`{"frames":[{"filename":"main.rb","function":"buy","lineno":7,"in_app":false}]}`,
			`{"frames":[{"filename":…,"function":…,"lineno":…,"in_app":false}]}`,
		},
		"a frame of a library": {
			`{"abs_path":"/srv/apps/x/node_modules/koa/lib/a.js","lineno":7,"context_line":"next()","vars":{"ctx":"1"},"in_app":false}`,
			`{"abs_path":"…/koa/lib/a.js","lineno":7,"context_line":"next()","vars":…,"in_app":false}`,
		},
		"a frame of Java": {
			`{"filename":"Integer.java","module":"java.lang.Integer","lineno":668,"native":false}`,
			`{"filename":"Integer.java","module":"java.lang.Integer","lineno":668,"native":false}`,
		},
		"addresses": {
			`{"a":"http://127.0.0.1:9200/x","b":"10.0.0.1","c":"0x55d6c7623b31","d":"a9aac7b1-ba30-5e98-80c2-4bac1f9bc5ae"}`,
			`{"a":"…","b":"…","c":"…","d":"…"}`,
		},
	}
	runs := regexp.MustCompile(`\x00+`)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := clean([]byte(test.in))
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(test.in) {
				t.Errorf("%d bytes became %d", len(test.in), len(got))
			}
			if diff := cmp.Diff(test.want, runs.ReplaceAllString(string(got), "…")); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := clean([]byte(`{"a":`)); err == nil {
		t.Error("half an object was cleaned")
	}
}

func TestChoose(t *testing.T) {
	shared, rare := []byte(`"integrations":["Console","Modules"]`), []byte(`"only one of them says this"`)
	cut := append(slices.Concat([]byte("behind what is cut"), []byte{removed}), []byte("behind what is cut")...)
	var samples []sample
	for _, group := range []string{"a", "b", "c"} {
		text := slices.Concat(shared, cut)
		if group == "b" {
			text = slices.Concat(rare, text)
		}
		samples = append(samples, sample{group: group, clean: text}, sample{group: group, clean: text})
	}
	got := newCover(samples).choose(1000)
	if !bytes.Contains(got, shared) || bytes.Contains(got, []byte("only one")) || bytes.IndexByte(got, removed) >= 0 {
		t.Errorf("chose %q", got)
	}
	if n := bytes.Count(got, []byte("integrations")); n != 1 {
		t.Errorf("chose the same text %d times", n)
	}
	if small := newCover(samples).choose(20); len(small) != 20 {
		t.Errorf("chose %d bytes of 20", len(small))
	}
}

// TestCommitted: the dictionary is what this command makes of the recorded events.
func TestCommitted(t *testing.T) {
	samples, _, err := load()
	if err != nil {
		t.Fatal(err)
	}
	err = compare(filepath.Join("..", "..", committed), samples)
	if errors.Is(err, errCorpusChanged) {
		t.Skip(err)
	}
	if err != nil {
		t.Error(err)
	}
}

// TestCommittedTellsNothing: what the recorded programs, their hosts and users
// are called is not in the dictionary.
func TestCommittedTellsNothing(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", committed))
	if err != nil {
		t.Fatal(err)
	}
	private := regexp.MustCompile(`(?i)shop|example|corpus|checkout|/srv/|/home/|/root/|/tmp/|127\.0\.|localhost` +
		`|[0-9a-f]{12}|[0-9]{6}|@[a-z]+\.(com|org)|ada\b|some_name|bearer|passw|secret|py-1|worker-1|SMP`)
	for _, found := range private.FindAllIndex(text, -1) {
		t.Errorf("the dictionary has %q", strings.ToValidUTF8(string(text[max(0, found[0]-20):min(len(text), found[1]+20)]), "?"))
	}
}
