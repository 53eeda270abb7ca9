package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sundew/digester/store"
)

const (
	// maxMarkdown bounds an event's Markdown; trackers take no more, and nobody
	// reads it.
	maxMarkdown = 48 << 10

	// markdownFrames is how many calls of a stack it has, markdownCrumbs how many
	// breadcrumbs.
	markdownFrames = 50
	markdownCrumbs = 20
)

// showEventMarkdown sends an event as text to be pasted into a tracker, a chat or
// a prompt. What tends to hold secrets (variables, headers, cookies, bodies,
// queries, users) stays here: such texts go to places that others read.
func (d *Dashboard) showEventMarkdown(rx *store.Rx, r *http.Request) (reply, error) {
	issue, err := pathIssueAlone(rx, r)
	if err != nil {
		return reply{}, err
	}
	ev, err := pathEvent(rx, r)
	if err != nil {
		return reply{}, err
	}
	text, err := d.EventMarkdown(rx, issue, ev)
	if err != nil {
		return reply{}, err
	}
	return reply{document: &document{
		contentType: "text/plain; charset=utf-8", // browsers show it
		filename:    fmt.Sprintf("%s-event-%d.md", shortID(issue), ev.Number),
		body:        text,
	}}, nil
}

// EventMarkdown writes an event of an issue, for those who show it elsewhere.
func (d *Dashboard) EventMarkdown(rx *store.Rx, issue store.Issue, ev store.Event) ([]byte, error) {
	view, err := d.viewEvent(rx, issue.ID, ev, eventOptions{})
	if err != nil {
		return nil, err
	}
	return eventMarkdown(issue, view), nil
}

// eventMarkdown writes an event. Whatever comes from the client is in code, where
// Markdown has no meaning.
func eventMarkdown(issue store.Issue, v *eventView) []byte {
	m := &markdown{left: maxMarkdown}
	m.line("# %s: %s", shortID(issue), m.code(v.Event.Title))
	m.line("")
	m.line("Event %d, %s, %s", v.Event.Number, v.Event.OccurredAt.UTC().Format("2006-01-02 15:04:05 UTC"), v.Share)
	m.line("")
	for _, f := range v.Facts {
		m.item(f)
	}
	if v.Problem != "" {
		m.line("%s", v.Problem)
	}
	if v.Message != nil {
		m.heading("Message")
		m.block(v.Message.Text)
	}
	m.exceptions(v)
	m.threads(v)
	if v.Request != nil {
		m.heading("Request")
		m.block(strings.TrimSpace(v.Request.Method + " " + withoutQuery(v.Request.URL)))
	}
	m.tags(v.Tags)
	m.crumbs(v.Breadcrumbs)
	return []byte(m.text.String())
}

// markdown is a text that is written, bounded.
type markdown struct {
	text strings.Builder
	left int // of what comes from the client
}

func (m *markdown) line(format string, args ...any) { fmt.Fprintf(&m.text, format+"\n", args...) }

func (m *markdown) heading(text string) { m.line("\n## %s\n", text) }

// take returns as much of a text as is left.
func (m *markdown) take(s string) string {
	if len(s) > m.left {
		s = strings.ToValidUTF8(s[:m.left], "") + ellipsis
		m.left = 0
		return s
	}
	m.left -= len(s)
	return s
}

// code returns a text on one line as code.
func (m *markdown) code(s string) string {
	s = m.take(strings.Join(strings.Fields(s), " "))
	fence := strings.Repeat("`", longestRun(s)+1)
	if s == "" || s[0] == '`' || s[len(s)-1] == '`' {
		s = " " + s + " "
	}
	return fence + s + fence
}

// block writes a text as a block of code; nothing if it is empty.
func (m *markdown) block(s string) {
	s = m.take(strings.TrimRight(s, "\r\n \t"))
	if s == "" {
		return
	}
	fence := strings.Repeat("`", max(3, longestRun(s)+1))
	m.line("%s\n%s\n%s", fence, s, fence)
}

func (m *markdown) item(f fieldView) {
	if m.left > 0 {
		m.line("- %s: %s", f.Key, m.code(f.Text))
	}
}

// longestRun returns how many backticks follow each other at most.
func longestRun(s string) int {
	longest, run := 0, 0
	for i := range len(s) {
		if run++; s[i] != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}

func (m *markdown) exceptions(v *eventView) {
	if v.Stack != nil {
		m.heading("Stack")
		m.stack(v.Stack)
	}
	if len(v.Exceptions) == 0 {
		return
	}
	m.heading("Exceptions, the thrown one first")
	for i, e := range v.Exceptions {
		if m.left == 0 {
			m.line("%d more", len(v.Exceptions)-i)
			return
		}
		head := m.code(e.Type)
		if e.Handled != "" {
			head += " (" + e.Handled + ")"
		}
		if e.Relation != "" {
			head = e.Relation + ": " + head
		}
		m.line("### %s\n", head)
		m.block(e.Value)
		m.line("")
		if e.Stack != nil {
			m.stack(e.Stack)
			m.line("")
		}
	}
}

// threads writes the stack of the thread that matters, if no exception has one.
func (m *markdown) threads(v *eventView) {
	if v.StackSent() {
		return
	}
	for _, t := range v.Threads {
		if t.Stack != nil && len(t.Notes) > 0 {
			m.heading("Thread")
			m.line("%s\n", m.code(t.Name))
			m.stack(t.Stack)
			return
		}
	}
}

// stack writes calls, the newest first, with the source of those of the
// application.
func (m *markdown) stack(s *stackView) {
	var b strings.Builder
	written := 0
	for _, part := range s.Parts() {
		switch {
		case written >= markdownFrames:
			written += len(part.Frames)
			continue
		case part.Run:
			fmt.Fprintf(&b, "    … %s: %s\n", part.Count(), part.Text())
		default:
			writeFrame(&b, part.Frames[0])
		}
		written += len(part.Frames)
	}
	if written > markdownFrames {
		fmt.Fprintf(&b, "    … of %d calls\n", len(s.Frames)+s.Omitted)
	}
	m.block(b.String())
}

func writeFrame(b *strings.Builder, f frameView) {
	mark := " "
	if f.InApp {
		mark = ">"
	}
	fmt.Fprintf(b, "%s %s", mark, f.Function)
	if f.Place != "" {
		fmt.Fprintf(b, " (%s)", f.Place)
	}
	b.WriteByte('\n')
	if !f.Open {
		return
	}
	for _, line := range f.Source {
		here := " "
		if line.Current {
			here = "→"
		}
		fmt.Fprintf(b, "    %s %5s  %s\n", here, line.Number, line.Text())
	}
}

// withoutQuery returns an address without what forms and links put into it.
func withoutQuery(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		raw, _, _ = strings.Cut(raw, "?")
		return raw
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u.String()
}

func (m *markdown) tags(tags fieldList) {
	heading := false
	for _, t := range tags {
		if t.Key == "user" || t.Key == "url" || strings.HasPrefix(t.Key, "user.") || m.left == 0 {
			continue
		}
		if !heading {
			m.heading("Tags")
			heading = true
		}
		m.line("- %s: %s", m.code(t.Key), m.code(t.Text))
	}
}

func (m *markdown) crumbs(v *crumbsView) {
	if v == nil {
		return
	}
	var b strings.Builder
	for _, c := range v.Rows[:min(len(v.Rows), markdownCrumbs)] {
		fmt.Fprintf(&b, "%s  %s  %s  %s\n", crumbTime(c.At), c.Kind(), c.Level, strings.Join(strings.Fields(c.Message), " "))
	}
	if len(v.Rows) > 0 {
		m.heading("Breadcrumbs, the last one first")
		m.block(b.String())
	}
}

func crumbTime(t time.Time) string {
	if t.IsZero() {
		return "            "
	}
	return formatClock(t)
}
