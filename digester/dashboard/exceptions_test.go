package dashboard

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/event"
	"sundew/schema/event/eventtest"
)

// TestArrange reads the trees of groups, plain chains, and numbers that make no
// sense. Exceptions are written "id<parent", with G for groups and with what else
// their mechanism says behind a slash; the thrown one is last.
func TestArrange(t *testing.T) {
	for _, test := range []struct{ name, sent, want string }{
		{"alone", "-", "0"},
		{"a chain without numbers", "- -/__context__ -", "2|1 While handling|0 Caused by"},
		{"a chain", "2<1 1<0 0", "2|1 Caused by|0 Caused by"},
		{"a group", "4<0/errors[2] 3<2/cause 2<0/errors[1] 1<0/errors[0] 0G", "4|·3 In the group, 1 of 3|·2 In the group, 2 of 3|·1 Caused by|·0 In the group, 3 of 3"},
		{"a group that was caused", "2<0/cause 1<0/errors[0] 0G", "2|·1 In the group, 1 of 1|0 Caused by"},
		{"a group that is a cause", "3<1/errors[1] 2<1/errors[0] 1G<0 0", "3|2 Caused by|·1 In the group, 1 of 2|·0 In the group, 2 of 2"},
		{"a group in a group", "2<1 1G<0 0G", "2|·1 In the group, 1 of 1|··0 In the group, 1 of 1"},
		{"suppressed", "2<1/suppressed 1<0 0", "2|1 Caused by|0 Suppressed"},
		{"one is missing", "7<6 1<0 0", "2|1 Caused by|0 Caused by"},
		{"in a circle", "2<1 1<2 0", "2|1 Also in the event|0 Caused by"},
		{"its own parent", "1<1 0", "1|0 Caused by"},
		{"one number twice", "0<0 0<0 0G", "2|·1 In the group, 1 of 2|·0 In the group, 2 of 2"},
		{"the thrown one hangs on another", "1 0<1", "1|0 Caused by"},
		{"none", "", ""},
	} {
		var all []event.Exception
		for _, word := range strings.Fields(test.sent) {
			all = append(all, event.Exception{Mechanism: mechanismOf(t, word)})
		}
		var got []string
		for _, l := range arrange(all) {
			text := strings.Repeat("·", l.depth) + fmt.Sprint(l.index) + " " + l.relation(all)
			got = append(got, strings.TrimSpace(text))
		}
		if diff := cmp.Diff(test.want, strings.Join(got, "|")); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func mechanismOf(t *testing.T, word string) (m event.Mechanism) {
	t.Helper()
	numbers, source, _ := strings.Cut(word, "/")
	if m.Source = source; source == "suppressed" {
		m.Type, m.Source = source, ""
	}
	id, parent, hasParent := strings.Cut(numbers, "<")
	id, m.IsGroup = strings.CutSuffix(id, "G")
	number := func(s string) *int {
		var n int
		if _, err := fmt.Sscan(s, &n); err != nil {
			t.Fatal(err)
		}
		return &n
	}
	if id != "-" {
		m.ExceptionID = number(id)
	}
	if hasParent {
		m.ParentID = number(parent)
	}
	return m
}

// FuzzArrange gives exceptions any numbers: each comes once, behind the one that
// it hangs on.
func FuzzArrange(f *testing.F) {
	f.Add([]byte{4, 0, 3, 2, 2, 0, 1, 0, 0x80, 0xff})
	f.Fuzz(func(t *testing.T, numbers []byte) {
		var all []event.Exception
		for i := 0; i+1 < len(numbers) && len(all) < 100; i += 2 {
			id, parent := int(numbers[i]&0x7f), int(numbers[i+1])
			all = append(all, event.Exception{Mechanism: event.Mechanism{ExceptionID: &id, ParentID: &parent, IsGroup: numbers[i]&0x80 != 0}})
		}
		seen := map[int]bool{}
		for _, l := range arrange(all) {
			if seen[l.index] || l.parent >= 0 && !seen[l.parent] || l.depth > maxDepth {
				t.Errorf("%+v out of place", l)
			}
			seen[l.index] = true
		}
		if len(seen) != len(all) {
			t.Errorf("%d of %d exceptions", len(seen), len(all))
		}
	})
}

// TestExceptionPages shows chains, groups and threads of real SDKs.
func TestExceptionPages(t *testing.T) {
	payloads := eventtest.Captured(t)
	for _, test := range []struct {
		name  string
		wants []string
		lacks []string
	}{
		{"node-aggregate--02", []string{`class="outline"`, `href="#exception-0"`, `id="exception-0"`, "In the group, 2 of 3", "Caused by", "exception member depth-1"}, nil},
		{"go-joined", []string{"In the group, 1 of 3", "temporary failure", "Caused by"}, []string{"No stack trace was sent"}},
		{"java-suppressed", []string{"Suppressed"}, []string{`class="outline"`}},
		{"py2-chained", []string{"Caused by", `<span class="t-k">raise</span>`}, []string{`class="outline"`}},
		{"java-threads", []string{"TIMED_WAITING", "note-crashed"}, nil},
		{"node-scope-full--02", []string{"4 library calls", "@sentry/server-utils, node, @sentry/core"}, nil},
		{"rb6-cause", []string{"JSON::ParserError"}, []string{"library calls"}},
		{"native-abort-native", []string{"its stack is the exception’s"}, nil},
		{"py2-nonerror--02", []string{"No stack trace was sent with this exception"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, nil)
			s.digest(find(t, payloads, test.name), testNow)
			page := s.mustGet("/issues/1/events/1")
			mustContain(t, page, test.wants...)
			mustLack(t, page, test.lacks...)
			assertInert(t, test.name, page)
		})
	}
}
