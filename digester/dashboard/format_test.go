package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/highlight"
	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/event/eventtest"
)

// TestLargeEvent renders events made to grow: escaping, indentation and markup
// multiply what is sent.
func TestLargeEvent(t *testing.T) {
	const size = 1 << 20
	repeat := func(s string) string { return strings.Repeat(s, size/len(s)) }
	frames := strings.Repeat(`{"function":"f","context_line":"\"","vars":{"a":"'","b":"'"}},`, size/70)
	for name, payload := range map[string]string{
		"quotation marks": `{"message":"quotes","extra":{` + strings.TrimSuffix(strings.Repeat(`"`+strings.Repeat(`'`, 60)+`":"`+strings.Repeat(`'`, 9000)+`",`, 110), ",") + `}}`,
		"deep lists":      `{"message":"deep","extra":{"a":` + strings.Repeat("[", 30) + strings.TrimSuffix(repeat("1,"), ",") + strings.Repeat("]", 30) + `}}`,
		"many frames":     `{"exception":[{"type":"E","stacktrace":{"frames":[` + strings.TrimSuffix(frames, ",") + `]}}]}`,
		"many tags":       `{"message":"tags","tags":[` + strings.TrimSuffix(repeat(`["a","b"],`), ",") + `]}`,
		"many crumbs":     `{"message":"crumbs","breadcrumbs":[` + strings.TrimSuffix(repeat(`{"message":"'","data":{"a":"'"}},`), ",") + `]}`,
		"many contexts":   `{"message":"contexts","contexts":{` + strings.TrimSuffix(manyKeys(`"c%d":{"a":"b"}`, size/20), ",") + `}}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			s.digest(eventtest.Payload{Name: name, JSON: []byte(payload)}, testNow)
			if page := s.mustGet("/issues/1"); len(page) > 2*pageBudget {
				t.Errorf("%d bytes of JSON made %d bytes of HTML", len(payload), len(page))
			}
			if doc := s.mustGet("/issues/1/events/1/json"); len(doc) > 20*len(payload) {
				t.Errorf("%d bytes of JSON made %d", len(payload), len(doc))
			}
		})
	}
}

// TestPageBudget renders an event that the parser would never let through: the
// page's bound must not depend on the parser's.
func TestPageBudget(t *testing.T) {
	quotes := event.RawJSON(`"` + strings.Repeat("'", maxValue) + `"`)
	ev := &event.Event{Platform: "other"}
	for i := range 2000 {
		ev.Extra = append(ev.Extra, event.Field{Key: fmt.Sprint(i), Value: quotes})
		ev.Threads = append(ev.Threads, event.Thread{ID: fmt.Sprint(i), Stacktrace: &event.Stacktrace{Frames: make([]event.Frame, 100)}})
	}
	view := &eventView{Event: store.Event{IssueID: 1, Number: 1}}
	view.fill(ev, highlight.NewLanguages())
	var page bytes.Buffer
	if err := newSite(t, nil).dash.pages.render(&page, "event", framed{Page: eventPage{Event: view}}); err != nil {
		t.Fatal(err)
	}
	if page.Len() > 2*pageBudget || !view.Cut {
		t.Errorf("%d bytes of HTML, cut: %v", page.Len(), view.Cut)
	}
	mustContain(t, page.String(), "too large for a page")
}

func manyKeys(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format+",", i)
	}
	return b.String()
}

// TestBudget checks what is paid and what is cut.
func TestBudget(t *testing.T) {
	b := &budget{left: 20}
	if got := b.text("héllo", 3); got != "hé…" {
		t.Errorf("cut at three bytes: %q", got)
	}
	if got := b.text(`''''''`, 100); got != "'''…" || b.left != 2 {
		t.Errorf("escaped quotation marks: %q, %d left", got, b.left)
	}
	if b.row() || !b.cut {
		t.Error("a row was sold on credit")
	}
}

func TestFormatAgo(t *testing.T) {
	const day = 24 * time.Hour
	for d, want := range map[time.Duration]string{
		-time.Hour: "in 1 h", -100 * time.Minute: "in 2 h", -(90*day - time.Second): "in 3 months", -89 * day: "in 3 months", -7*day + time.Second: "in 7 days", -time.Second: "just now", 4 * time.Second: "just now", 59 * time.Second: "59 s ago",
		time.Minute: "1 min ago", 59*time.Minute + 59*time.Second: "59 min ago", 23 * time.Hour: "23 h ago",
		day: "1 day ago", 2 * day: "2 days ago", 59 * day: "59 days ago", 61 * day: "2 months ago", 800 * day: "2 years ago",
	} {
		if got := formatAgo(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestFormatNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234"} {
		if got := formatCount(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
	if got := formatCounted(1, "event") + ", " + formatCounted(0, "event"); got != "1 event, 0 events" {
		t.Error(got)
	}
	for _, test := range []struct {
		part, whole int64
		want        string
	}{{0, 0, "0%"}, {1, 1000, "<1%"}, {1, 2, "50%"}, {2, 3, "67%"}, {5, 3, "100%"}} {
		if got := percent(test.part, test.whole); got != test.want {
			t.Errorf("%d of %d: %q", test.part, test.whole, got)
		}
	}
}

// TestChart places hours, leaves out what is too old, and keeps one event next
// to many visible.
func TestChart(t *testing.T) {
	hour := func(ago int) time.Time { return testNow.Truncate(time.Hour).Add(-time.Duration(ago) * time.Hour) }
	c := newChart([]store.HourCount{{Hour: hour(24), Count: 7}, {Hour: hour(23), Count: 1}, {Hour: hour(0), Count: 1000}}, testNow)
	if len(c.Bars) != 24 || c.Total != 1001 || c.Peak != 1000 {
		t.Fatalf("%d bars, total %d, peak %d", len(c.Bars), c.Total, c.Peak)
	}
	first, second, last := c.Bars[0], c.Bars[1], c.Bars[23]
	if first.Height != 4 || second.Height != 1 || last.Height != chartHeight || last.Y != 0 {
		t.Errorf("heights %d, %d, %d", first.Height, second.Height, last.Height)
	}
	want := "1,001 events in the last 24 hours, at most 1,000 in an hour, from 15:00 UTC"
	if c.Label != want || last.Text != "15:00–16:00 UTC: 1,000 events" {
		t.Errorf("label %q, bar %q", c.Label, last.Text)
	}
	if got := strings.Join(c.Marks, " "); got != "16:00 22:00 04:00 10:00" {
		t.Errorf("marks %s", got)
	}
	days := newChartOf([]store.HourCount{{Hour: hour(48), Count: 3}, {Hour: hour(49), Count: 2}}, testNow, graphOf("14d"))
	if want := "5 events in the last 14 days, at most 5 in a day, on 12 Mar"; days.Label != want || days.Width != 138 || strings.Join(days.Marks, ", ") != "1 Mar, 8 Mar" {
		t.Errorf("days: %q, %d wide, marks %v", days.Label, days.Width, days.Marks)
	}
	if label := newChart(nil, testNow).Label; label != "No events in the last 24 hours" {
		t.Errorf("empty: %q", label)
	}
}

// TestTagViews checks shares and what is left over.
func TestTagViews(t *testing.T) {
	got := newTagViews([]store.TagCount{
		{Key: "browser", Value: "Firefox 128", Count: 6}, {Key: "browser", Value: "Safari 17", Count: 3}, {Key: "os", Value: "Linux", Count: 10},
	}, 10)
	want := []tagView{
		{Key: "browser", Values: []tagValue{
			{Text: "Firefox 128", Count: 6, Share: "60%", Width: 60}, {Text: "Safari 17", Count: 3, Share: "30%", Width: 30},
			{Text: "other or none", Count: 1, Share: "10%", Width: 10, Rest: true}}},
		{Key: "os", Values: []tagValue{{Text: "Linux", Count: 10, Share: "100%", Width: 100}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = newTagViews([]store.TagCount{{Key: "user", Value: "id:7", Count: 1}, {Key: "user.email", Value: "ada@example.com", Count: 1}, {Key: "user.plan", Value: "free", Count: 1}}, 1)
	if len(got) != 2 || got[0].Key != "user" || got[1].Key != "user.plan" {
		t.Errorf("users are told twice: %+v", got)
	}
	if got = newTagViews([]store.TagCount{{Key: "user.email", Value: "ada@example.com", Count: 1}}, 1); len(got) != 1 {
		t.Errorf("a client's own tag is not shown: %+v", got)
	}
	var many []store.TagCount
	for i := range 100 {
		many = append(many, store.TagCount{Key: fmt.Sprint(i), Value: "x", Count: 1})
	}
	if n := len(newTagViews(many, 1)); n != maxTagKeys {
		t.Errorf("%d keys", n)
	}
}

// TestWebLink lets only addresses through that a person may be sent to.
func TestWebLink(t *testing.T) {
	for raw, ok := range map[string]bool{
		"https://example.com/x?y#z": true, "HTTP://example.com": true, "javascript:alert(1)": false, "JaVaScRiPt:alert(1)": false,
		"//example.com": false, "/path": false, "data:text/html,x": false, "https:": false, "\x01javascript:alert(1)": false, "": false,
	} {
		if got := webLink(raw) != ""; got != ok {
			t.Errorf("%q: %v", raw, got)
		}
	}
}

// FuzzLayOut checks that laying out changes nothing but spaces.
func FuzzLayOut(f *testing.F) {
	f.Add([]byte(`{"a":[1,2,{"b":"c,\"d\\"}],"e":{},"f":[],"long":"` + strings.Repeat("x", 100) + `"}`))
	f.Add([]byte(strings.Repeat("[", 200) + strings.Repeat("]", 200)))
	f.Fuzz(func(t *testing.T, src []byte) {
		if !json.Valid(src) {
			return
		}
		laid, cut := layOut(src, 1<<30)
		var want, got bytes.Buffer
		if err := json.Compact(&want, src); err != nil {
			t.Fatal(err)
		}
		if err := json.Compact(&got, laid); err != nil || cut {
			t.Fatalf("%q became %q: %v", src, laid, err)
		}
		if got.String() != want.String() {
			t.Errorf("%q became %q", src, laid)
		}
		if short, _ := layOut(src, 50); len(short) > 50 {
			t.Errorf("%d bytes instead of 50", len(short))
		}
	})
}
