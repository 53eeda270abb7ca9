package keyring

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/event"
	"sundew/schema/quota"
	"sundew/schema/scrub"
)

var moment = time.Date(2026, 11, 21, 9, 0, 0, 250e6, time.UTC)

func sample() *Snapshot {
	return &Snapshot{
		At: moment,
		Keys: []Key{
			{Project: 1, Public: "00000000000000000000000000000001", Enabled: true},
			{Project: 2, Public: "00000000000000000000000000000002", Enabled: true},
			{Project: 2, Public: "00000000000000000000000000000003"},
		},
		Limits:  []Limit{{Project: 2, Categories: []string{"error"}, Until: moment.Add(time.Hour), Reason: "project_quota"}},
		Origins: []Origins{{Project: 1, Allowed: []string{"example.com"}}},
		Privacy: []Privacy{{Project: 2, Settings: scrub.Settings{Names: []string{"tax id"}, Addresses: scrub.DropAddresses}}},
		Quotas: []quota.Quota{
			{Project: quota.Installation, Class: quota.Feedback, Window: quota.Month, Limit: 1000, Used: 10},
			{Project: 2, Class: quota.Events, Window: quota.Hour, Limit: 100, Used: 52},
		},
		QuotasAt: moment,
	}
}

func TestEncode(t *testing.T) {
	encoded, err := sample().Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), got); diff != "" {
		t.Errorf("after a round trip (-want +got):\n%s", diff)
	}
	later := sample()
	later.At = moment.Add(time.Minute)
	later.Keys[0], later.Keys[2] = later.Keys[2], later.Keys[0]
	if !later.SameKeys(sample()) {
		t.Error("another order or moment counts as another snapshot")
	}
	later.Keys[0].Enabled = true
	if later.SameKeys(sample()) {
		t.Error("a key switched on goes unnoticed")
	}
	later = sample()
	if later.Quotas[1].Used = 59; !later.SameKeys(sample()) {
		t.Error("a few events more count as another snapshot")
	}
	if later.Quotas[1].Used = 60; later.SameKeys(sample()) {
		t.Error("a tenth of a quota goes unnoticed")
	}
	later = sample()
	if later.Quotas[0].Limit = 1001; later.SameKeys(sample()) {
		t.Error("another limit goes unnoticed")
	}
	later = sample()
	later.Origins[0].Allowed = []string{"example.org"}
	if later.SameKeys(sample()) {
		t.Error("another allowed origin goes unnoticed")
	}
	later = sample()
	later.Privacy[0].Settings.Off = true
	if later.SameKeys(sample()) {
		t.Error("scrubbing switched off goes unnoticed")
	}
}

func TestDecode(t *testing.T) {
	for _, bad := range []string{``, `[]`, `{}`, `{"version":2,"at":"2026-11-21T09:00:00Z"}`, `{"version":1}`, `{"version":1,"at":"x"}`} {
		if s, err := Decode([]byte(bad)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %+v, %v", bad, s, err)
		}
	}
	s, err := Decode([]byte(`{"version":1,"at":"2026-11-21T09:00:00Z","keys":[{"project":4,"key":"k","enabled":true,"new":1}],"newer":{}}`))
	if err != nil || len(s.Keys) != 1 || s.Keys[0].Project != 4 {
		t.Errorf("a snapshot with fields of a later program: %+v, %v", s, err)
	}
}

func TestRing(t *testing.T) {
	r := NewRing(sample())
	for _, tt := range []struct {
		project int64
		key     string
		want    Status
	}{
		{1, "00000000000000000000000000000001", Active},
		{2, "00000000000000000000000000000001", Unknown},
		{2, "00000000000000000000000000000003", Disabled},
		{3, "00000000000000000000000000000009", Unknown},
	} {
		if got := r.Lookup(event.ProjectID(tt.project), tt.key); got != tt.want {
			t.Errorf("project %d, key %.6s…: %d, want %d", tt.project, tt.key, got, tt.want)
		}
	}
	if !r.At().Equal(moment) {
		t.Errorf("At = %v", r.At())
	}
}

func TestPrivacy(t *testing.T) {
	first := NewRing(sample())
	later := sample()
	later.Privacy = append(later.Privacy, Privacy{Project: 3, Settings: scrub.Settings{Off: true}})
	second := first.Next(later)
	const in = `{"extra":{"taxId":"12"}}`
	for project, want := range map[event.ProjectID]string{1: in, 2: `{"extra":{"taxId":"[Filtered]"}}`} {
		if got := string(second.Scrubber(project).Event([]byte(in))); got != want {
			t.Errorf("project %d: %s", project, got)
		}
		if first.Scrubber(project) != second.Scrubber(project) {
			t.Errorf("project %d: what did not change was made again", project)
		}
	}
	if second.Scrubber(3) == first.Scrubber(3) {
		t.Error("a change goes unnoticed")
	}
}

func TestLimited(t *testing.T) {
	s := sample()
	s.Limits = append(s.Limits,
		Limit{Project: 2, Until: moment.Add(time.Minute), Reason: "everything"},
		Limit{Project: 3, Until: moment.Add(time.Minute), Reason: "everything"})
	r := NewRing(s)
	for _, tt := range []struct {
		project  int64
		category string
		after    time.Duration
		want     string
	}{
		{1, "error", 0, ""},
		{2, "error", 0, "project_quota"},
		{2, "error", time.Hour, ""},
		{2, "security", 0, "everything"},
		{2, "security", time.Minute, ""},
		{3, "session", 59 * time.Second, "everything"},
	} {
		got, limited := r.Limited(event.ProjectID(tt.project), tt.category, moment.Add(tt.after))
		if got.Reason != tt.want || limited != (tt.want != "") {
			t.Errorf("project %d, %s, after %v: %+v, %v", tt.project, tt.category, tt.after, got, limited)
		}
	}
}
