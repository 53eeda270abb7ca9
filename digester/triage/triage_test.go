package triage_test

import (
	"testing"
	"time"

	"sundew/digester/triage"
)

func TestCompareReleases(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int // 2: the names do not tell
	}{
		{"shop@1.0.0", "shop@1.0.1", -1},
		{"shop@1.10.0", "shop@1.9.0", 1},
		{"1.0", "1.0.1", -1},
		{"v2.0", "1.9", 1},
		{"shop@1.2.3.4", "shop@1.2.3", 1},
		{"shop@1.0.0-rc.1", "shop@1.0.0", -1},
		{"shop@1.0.0", "shop@1.0.0-rc.1", 1},
		{"shop@1.0.0-rc.2", "shop@1.0.0-rc.10", -1},
		{"shop@1.0.0-alpha", "shop@1.0.0-1", 1},
		{"shop@1.0.0-rc", "shop@1.0.0-rc.1", -1},
		{"@scope/shop@1.0.0", "@scope/shop@1.1.0", -1},
		{"shop@1.0.0+2", "shop@1.0.0+1", 2},
		{"shop@1.0.0", "shop@1.0.0", 2},
		{"shop@1.0.0", "worker@1.0.1", 2},
		{"shop@1.0.0", "1.0.1", 2},
		{"a1b2c3d", "1.0.1", 2},
		{"42", "43", 2},
		{"1.0-", "1.1", 2},
		{"1.x", "1.1", 2},
		{"1.2.3.4.5", "1.1", 2},
		{"99999999999999999999.0", "1.1", 2},
		{"", "", 2},
	} {
		got, told := triage.CompareReleases(c.a, c.b)
		if !told {
			got = 2
		}
		if got != c.want {
			t.Errorf("%q and %q: %d, want %d", c.a, c.b, got, c.want)
		}
		if back, toldBack := triage.CompareReleases(c.b, c.a); toldBack != told || told && back != -got {
			t.Errorf("%q and %q, the other way: %d, %v", c.b, c.a, back, toldBack)
		}
	}
}

func TestNewestRelease(t *testing.T) {
	for _, c := range []struct {
		releases []string
		want     string
	}{
		{nil, ""},
		{[]string{"abc", "def"}, "def"},
		{[]string{"shop@1.0.0", "shop@2.0.0", "shop@1.0.1"}, "shop@2.0.0"},
		{[]string{"shop@2.0.0", "worker@1.0.0"}, "worker@1.0.0"},
		{[]string{"1.0.0+1", "1.0.0+2"}, "1.0.0+2"},
	} {
		if got := triage.NewestRelease(c.releases); got != c.want {
			t.Errorf("%v: %q, want %q", c.releases, got, c.want)
		}
	}
}

func TestRegresses(t *testing.T) {
	next := triage.Resolution{Kind: triage.ResolvedNext, Release: "shop@1.5.0"}
	in := triage.Resolution{Kind: triage.ResolvedIn, Release: "shop@1.5.0"}
	hash := triage.Resolution{Kind: triage.ResolvedIn, Release: "a1b2c3d"}
	for _, c := range []struct {
		name    string
		how     triage.Resolution
		release string
		order   int
		want    bool
	}{
		{"now, any release", triage.Resolution{}, "shop@1.0.0", -1, true},
		{"now, none", triage.Resolution{}, "", 0, true},
		{"next, none", next, "", 0, true},
		{"next, older", next, "shop@1.4.9", 1, false},
		{"next, the same", next, "shop@1.5.0", 1, false},
		{"next, newer", next, "shop@1.5.1", -1, true},
		{"next, another package that came before", next, "worker@9.0.0", -1, false},
		{"next, another package that came after", next, "worker@0.1.0", 1, true},
		{"next, no release was there", triage.Resolution{Kind: triage.ResolvedNext}, "shop@1.0.0", -1, true},
		{"in, older", in, "shop@1.4.9", 1, false},
		{"in, the same", in, "shop@1.5.0", -1, true},
		{"in, newer", in, "shop@1.6.0", -1, true},
		{"in, none", in, "", 0, true},
		{"in, before by order", hash, "0000000", -1, false},
		{"in, after by order", hash, "0000000", 1, true},
		{"in, the same by name", hash, "a1b2c3d", -1, true},
	} {
		if got := c.how.Regresses(c.release, c.order); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		if !c.how.NeedsOrder(c.release) && c.how.Regresses(c.release, 1) != c.how.Regresses(c.release, -1) {
			t.Errorf("%s: depends on an order that it does not ask for", c.name)
		}
	}
}

func TestOrder(t *testing.T) {
	type s = triage.Sighting
	for _, c := range []struct {
		name         string
		event, other s
		want         int
	}{
		{"in the environment", s{10, 9}, s{20, 1}, -1},
		{"after in the environment", s{20, 1}, s{10, 9}, 1},
		{"at the same moment there", s{10, 2}, s{10, 1}, 1},
		{"the event's not there yet", s{0, 1}, s{10, 2}, -1},
		{"the other not there yet", s{10, 3}, s{0, 2}, 1},
		{"the event's is new", s{0, 0}, s{10, 2}, 1},
		{"the other never came", s{10, 3}, s{0, 0}, -1},
		{"neither came before", s{}, s{}, -1},
	} {
		if got := triage.Order(c.event, c.other); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestMute(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name          string
		mute          triage.Mute
		total, recent int64
		over, valid   bool
	}{
		{"not muted", triage.Mute{}, 9, 9, false, false},
		{"forever", triage.Mute{Kind: triage.MuteForever}, 9, 9, false, true},
		{"until later", triage.Mute{Kind: triage.MuteUntil, Until: now.Add(time.Millisecond)}, 9, 9, false, true},
		{"until now", triage.Mute{Kind: triage.MuteUntil, Until: now}, 9, 9, true, false},
		{"one more", triage.Mute{Kind: triage.MuteMore, Events: 10}, 9, 0, false, true},
		{"enough", triage.Mute{Kind: triage.MuteMore, Events: 10}, 10, 0, true, true},
		{"no number", triage.Mute{Kind: triage.MuteMore}, 10, 0, true, false},
		{"rate below", triage.Mute{Kind: triage.MuteRate, Events: 5, Period: time.Hour}, 99, 4, false, true},
		{"rate", triage.Mute{Kind: triage.MuteRate, Events: 5, Period: time.Hour}, 99, 5, true, true},
		{"rate, no period", triage.Mute{Kind: triage.MuteRate, Events: 5}, 99, 5, true, false},
		{"rate, too many", triage.Mute{Kind: triage.MuteRate, Events: triage.MaxMuteEvents + 1, Period: time.Hour}, 99, 5, false, false},
		{"worse than nothing", triage.Worse(0), 99, 9, false, true},
		{"worse than nothing, ten", triage.Worse(0), 99, 10, true, true},
		{"worse", triage.Worse(50), 999, 99, false, true},
		{"twice as bad", triage.Worse(50), 999, 100, true, true},
	} {
		if got := c.mute.Over(now, c.total, c.recent); got != c.over {
			t.Errorf("%s: over %v", c.name, got)
		}
		if got := c.mute.Valid(now); got != c.valid {
			t.Errorf("%s: valid %v", c.name, got)
		}
	}
}

// FuzzCompareReleases: comparing is antisymmetric whatever the names.
func FuzzCompareReleases(f *testing.F) {
	f.Add("shop@1.0.0-rc.1", "shop@1.0.0")
	f.Add("1.2", "a@b@1.2.3.4+x")
	f.Fuzz(func(t *testing.T, a, b string) {
		c, told := triage.CompareReleases(a, b)
		back, toldBack := triage.CompareReleases(b, a)
		if told != toldBack || c != -back || told != (c != 0) {
			t.Errorf("%q, %q: %d %v, back %d %v", a, b, c, told, back, toldBack)
		}
	})
}
