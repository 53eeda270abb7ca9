package dashboard

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/highlight"
	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/event/eventtest"
)

var update = flag.Bool("update", false, "write the golden files")

// TestMarkdown compares the Markdown of recorded events with golden files.
func TestMarkdown(t *testing.T) {
	payloads := eventtest.Captured(t)
	for _, name := range []string{"py2-chained", "java-threads", "browser-scope--03", "node-aggregate--02", "browser-csp--01", "go-wrapped", "rb6-rack--01"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			ev := s.digest(find(t, payloads, name), testNow)
			resp := s.get("/issues/1/events/1/markdown")
			if got := resp.Header.Get("Content-Type") + " " + resp.Header.Get("Content-Disposition"); got != `text/plain; charset=utf-8 inline; filename=WEB-SHOP-1-event-1.md` {
				t.Errorf("headers %q", got)
			}
			got := bodyOf(t, resp)
			mustLack(t, got, "192.0.2.7", ev.ID.String())
			if name == "browser-scope--03" {
				mustLack(t, got, "ada@example.com") // the user of the event
			}
			path := filepath.Join("testdata", "markdown", name+".md")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestMarkdownBound writes an event that has more than its Markdown may have.
func TestMarkdownBound(t *testing.T) {
	ev := &event.Event{Message: event.Message{Formatted: strings.Repeat("`long` ", 4000)}}
	for range 30 {
		ev.Exceptions = append(ev.Exceptions, event.Exception{Type: "E", Value: strings.Repeat("`", 9000)})
	}
	text := markdownOf(ev)
	if len(text) > 3*maxMarkdown {
		t.Errorf("%d bytes", len(text))
	}
	if rest := proseOf(string(text)); strings.Contains(rest, "`") || !strings.Contains(rest, "more") {
		t.Errorf("%q", rest)
	}
}

// FuzzMarkdown checks that nothing that a client sent stands outside of code.
func FuzzMarkdown(f *testing.F) {
	f.Add(eventtest.Hostile("![x](https://example.com/x.png) <img src=x>\r\n```\r\n# X"))
	f.Add(eventtest.Hostile("`` ` ````` \n"))
	f.Add(eventtest.Hostile("a\n```\n<b>\r  ````  \r<i>"))
	f.Add([]byte(`{"message":"a\u2028` + "```" + `\n","breadcrumbs":[{"message":"` + "````" + `\n<b>","category":"c\n"}],"exception":[{"type":"","value":"x","mechanism":{"handled":true}}]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		ev, err := event.Parse(payload)
		if err != nil {
			return
		}
		rest := proseOf(string(markdownOf(ev)))
		if at := foreign.FindStringIndex(rest); at != nil {
			t.Errorf("outside of code: %q", rest[max(0, at[0]-40):at[1]])
		}
	})
}

// foreign is what none of our own words has.
var foreign = regexp.MustCompile("[^-A-Za-z0-9 \n.,:()/#¶]")

func markdownOf(ev *event.Event) []byte {
	view := &eventView{Event: store.Event{IssueID: 1, Number: 1, Title: "`title` <b>"}, Share: "http://example.com/issues/1/events/1"}
	view.fill(ev, highlight.NewLanguages())
	return eventMarkdown(store.Issue{Project: "shop", Number: 7}, view)
}

// proseOf returns Markdown without its code: what is between lines of backticks,
// and what is between runs of as many backticks on one line.
func proseOf(text string) string {
	var prose bytes.Buffer
	fence := ""
	for line := range strings.Lines(strings.ReplaceAll(text, "\r", "\n")) {
		bare := strings.Trim(line, " \t\n")
		ticks := len(bare) - len(strings.TrimLeft(bare, "`"))
		switch {
		case fence != "":
			if ticks >= len(fence) && ticks == len(bare) {
				fence = ""
			}
		case ticks >= 3 && ticks == len(bare):
			fence = bare
		default:
			prose.WriteString(proseOfLine(line))
		}
	}
	return prose.String()
}

func proseOfLine(line string) string {
	var prose strings.Builder
	for {
		at := strings.IndexByte(line, '`')
		if at < 0 {
			prose.WriteString(line)
			return prose.String()
		}
		prose.WriteString(line[:at])
		line = line[at:]
		mark := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		line = line[len(mark):]
		end := closing(line, mark)
		if end < 0 {
			return prose.String() + mark + line
		}
		line = line[end:]
	}
}

// closing returns where a run of exactly as many backticks ends; -1: nowhere.
func closing(line, mark string) int {
	for at := 0; at < len(line); {
		if line[at] != '`' {
			at++
			continue
		}
		n := len(line[at:]) - len(strings.TrimLeft(line[at:], "`"))
		if at += n; n == len(mark) {
			return at
		}
	}
	return -1
}
