package alert

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/notify"
	"sundew/schema/event"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func TestWants(t *testing.T) {
	all := Rule{ID: 7, Enabled: true, New: true, Regression: true, Unmuted: true, Events: Rate{10, time.Minute}, Users: Rate{10, time.Minute}}
	kinds := []notify.Kind{notify.KindNew, notify.KindRegression, notify.KindUnmuted, notify.KindVolume, notify.KindUsers, notify.KindTest}
	for _, c := range []struct {
		name string
		rule Rule
		want string // of kinds
	}{
		{"everything", all, "[new regression unmuted volume users]"},
		{"switched off", Rule{ID: 7, New: true, Regression: true, Unmuted: true}, "[]"},
		{"new", Rule{ID: 7, Enabled: true, New: true}, "[new volume users]"},
		{"regression", Rule{ID: 7, Enabled: true, Regression: true}, "[regression volume users]"},
		{"unmuted", Rule{ID: 7, Enabled: true, Unmuted: true}, "[unmuted volume users]"},
		{"another rule's number", Rule{ID: 8, Enabled: true}, "[]"},
		{"a filter that fits nothing", Rule{ID: 7, Enabled: true, New: true, Filter: Filter{Title: "x"}}, "[volume users]"},
	} {
		got := []notify.Kind{}
		for _, kind := range kinds {
			if c.rule.Wants(Occurrence{Kind: kind, Rule: 7, Level: event.LevelError}) {
				got = append(got, kind)
			}
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: wants %v, not %s", c.name, got, c.want)
		}
	}
}

func TestFits(t *testing.T) {
	o := Occurrence{
		Kind: notify.KindNew, Level: event.LevelWarning, Environment: "production", Title: "TypeError: Straße",
		Tags: []event.Pair{{Key: "tenant", Value: "a"}, {Key: "browser", Value: "x"}},
	}
	for _, c := range []struct {
		name string
		f    Filter
		want bool
	}{
		{"empty", Filter{}, true},
		{"its environment", Filter{Environments: []string{"qa", "production"}}, true},
		{"others", Filter{Environments: []string{"qa", "Production", ""}}, false},
		{"its level", Filter{Level: event.LevelWarning}, true},
		{"a lower level", Filter{Level: event.LevelDebug}, true},
		{"a higher level", Filter{Level: event.LevelError}, false},
		{"its tags", Filter{Tags: []event.Pair{{Key: "browser", Value: "x"}, {Key: "tenant", Value: "a"}}}, true},
		{"one tag that it has not", Filter{Tags: []event.Pair{{Key: "browser", Value: "x"}, {Key: "tenant", Value: "b"}}}, false},
		{"title", Filter{Title: "typeerror: s"}, true},
		{"another title", Filter{Title: "ValueError"}, false},
		{"all but one", Filter{Environments: []string{"production"}, Level: event.LevelError, Title: "Type"}, false},
	} {
		if got := c.f.Fits(o); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestJudge(t *testing.T) {
	first := Rule{ID: 1, Enabled: true, AllChannels: true, New: true, Regression: true, Interval: time.Hour}
	second := Rule{ID: 2, Enabled: true, Regression: true, Channels: []int64{20, 30}}
	both, on := []Rule{first, second}, []int64{10, 20}
	for _, c := range []struct {
		name string
		kind notify.Kind
		last map[int64]time.Time
		on   []int64
		want Verdict
	}{
		{"nobody asked", notify.KindUnmuted, nil, on, Verdict{}},
		{"one rule", notify.KindNew, nil, on, Verdict{Sends: []Send{{10, 1}, {20, 1}}}},
		{"a channel hears once", notify.KindRegression, nil, on, Verdict{Sends: []Send{{10, 1}, {20, 1}}}},
		{"the first spoke lately", notify.KindRegression, map[int64]time.Time{1: noon.Add(-time.Hour + 1)}, on, Verdict{Sends: []Send{{20, 2}}}},
		{"long enough ago", notify.KindNew, map[int64]time.Time{1: noon.Add(-time.Hour)}, on, Verdict{Sends: []Send{{10, 1}, {20, 1}}}},
		{"all spoke lately", notify.KindNew, map[int64]time.Time{1: noon.Add(-time.Minute)}, on, Verdict{Quiet: true}},
		{"no interval", notify.KindRegression, map[int64]time.Time{1: noon, 2: noon}, on, Verdict{Sends: []Send{{20, 2}}}},
		{"no channel", notify.KindNew, nil, nil, Verdict{}},
	} {
		if diff := cmp.Diff(c.want, Judge(Occurrence{Kind: c.kind}, both, c.on, c.last, noon)); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.name, diff)
		}
	}
}

func TestEstimate(t *testing.T) {
	for _, c := range [][4]int64{
		{0, 0, 0, 0}, {100, 0, 0, 0}, {100, 100, 30, 30}, {100, 120, 30, 30}, {100, 50, 30, 60}, {1 << 60, 10_000, 5_000, 1 << 59}, {105, 10, 3, 31},
	} {
		if got := Estimate(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("Estimate(%d, %d, %d) = %d, not %d", c[0], c[1], c[2], got, c[3])
		}
	}
}
