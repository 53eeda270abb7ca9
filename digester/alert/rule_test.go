package alert

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/event"
)

func TestCheck(t *testing.T) {
	many := make([]string, maxEnvironments+1)
	for _, c := range []struct {
		change func(r *Rule)
		want   string // in the error; empty: there is none
	}{
		{func(*Rule) {}, ""},
		{func(r *Rule) { r.Name = "" }, "name"},
		{func(r *Rule) { r.Name = strings.Repeat("x", 81) }, "name"},
		{func(r *Rule) { r.Name = strings.Repeat("ä", 80) }, ""},
		{func(r *Rule) { r.Name = "a\nb" }, "printable"},
		{func(r *Rule) { r.Name = "a\xff" }, "printable"},
		{func(r *Rule) { r.New, r.Regression, r.Unmuted = false, false, false }, "at least one occasion"},
		{func(r *Rule) { r.New, r.Regression, r.Unmuted, r.Events = false, false, false, Rate{100, time.Minute} }, ""},
		{func(r *Rule) { r.Events = Rate{-1, time.Minute} }, "number of events"},
		{func(r *Rule) { r.Events = Rate{MaxCount + 1, time.Minute} }, "number of events"},
		{func(r *Rule) { r.Events = Rate{1, time.Minute - 1} }, "from a minute"},
		{func(r *Rule) { r.Events = Rate{1, MaxPeriod + 1} }, "24 hours"},
		{func(r *Rule) { r.Users = Rate{MaxUsers + 1, time.Hour} }, "number of users"},
		{func(r *Rule) { r.Users = Rate{MaxUsers, MaxPeriod} }, ""},
		{func(r *Rule) { r.Interval = -1 }, "pause"},
		{func(r *Rule) { r.Interval = MaxInterval + 1 }, "pause"},
		{func(r *Rule) { r.Interval = 0 }, ""},
		{func(r *Rule) { r.Users, r.Interval = Rate{1, time.Hour}, 0 }, "each event would be one"},
		{func(r *Rule) { r.Filter.Environments = many }, "environments"},
		{func(r *Rule) { r.Filter.Environments = []string{"a\x00"} }, "printable"},
		{func(r *Rule) { r.Filter.Tags = make([]event.Pair, maxTags+1) }, "tags"},
		{func(r *Rule) { r.Filter.Tags = []event.Pair{{Key: "a"}} }, "key=value"},
		{func(r *Rule) { r.Filter.Level = event.LevelFatal + 1 }, "level"},
		{func(r *Rule) { r.Filter.Title = strings.Repeat("x", maxText+1) }, "characters"},
	} {
		r := Default()
		c.change(&r)
		err := r.Check()
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%+v: %v", r, err)
		case c.want != "" && (!errors.Is(err, ErrRule) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%+v: %v does not say %q", r, err, c.want)
		}
	}
}

func TestParseTags(t *testing.T) {
	got, err := ParseTags(" tenant = a=b \r\n\nbrowser=x\n")
	want := []event.Pair{{Key: "tenant", Value: "a=b"}, {Key: "browser", Value: "x"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v -want +got\n%s", err, diff)
	}
	if text := FormatTags(got); text != "tenant=a=b\nbrowser=x" {
		t.Errorf("formatted as %q", text)
	}
	for _, bad := range []string{"x", "=x", "x=", "a=b\nx"} {
		if _, err := ParseTags(bad); !errors.Is(err, ErrRule) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestSentence(t *testing.T) {
	for _, c := range []struct {
		rule     Rule
		channels []string
		want     string
	}{
		{Default(), nil, "When an issue is new, comes back after it was resolved or is no longer muted: send to all channels, at most every 30 minutes for one issue."},
		{Rule{New: true, Filter: Filter{Environments: []string{"production"}, Level: event.LevelError}, Interval: time.Hour}, []string{"#ops"},
			"When an issue is new in production at level error or above: send to #ops, at most every hour for one issue."},
		{Rule{Unmuted: true}, nil, "When an issue is no longer muted: send to no channel."},
		{Rule{Events: Rate{1000, 90 * time.Minute}, Users: Rate{1, time.Minute}, Filter: Filter{Tags: []event.Pair{{Key: "a", Value: "b"}}, Title: "Time", Level: event.LevelFatal}}, []string{"a", "b", "c"},
			"When an issue with “Time” in its title is seen 1,000 times in 1 hour 30 minutes or affects 1 user in 1 minute at level fatal with a=b: send to a, b and c."},
	} {
		if got := c.rule.Sentence(c.channels); got != c.want {
			t.Errorf("says %q,\nnot %q", got, c.want)
		}
	}
}

func TestReason(t *testing.T) {
	r := Rule{Events: Rate{100, 5 * time.Minute}, Users: Rate{1000, time.Hour}}
	for kind, want := range map[string]string{
		"new": "seen for the first time", "regression": "came back after it was resolved", "unmuted": "no longer muted",
		"volume": "seen 1,234 times in 5 minutes (rule: 100)", "users": "1,234 users affected in 1 hour (rule: 1,000)", "test": "",
	} {
		if got := r.ReasonOf(kindOf(kind), 1234); got != want {
			t.Errorf("%s: %q, not %q", kind, got, want)
		}
	}
	s := Sum{New: 4987, Regression: 1, Unmuted: 2, Since: noon.Add(-61 * time.Second)}
	if got, want := s.Reason(noon), "4,987 new issues, 1 that came back and 2 no longer muted in 1 minute"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
}
