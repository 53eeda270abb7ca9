package quota

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/event"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func limits(class Class, window Window, limit int64) (l Limits) {
	l[class][window] = limit
	return l
}

// TestRolling compares a meter with a list of all that was accepted: in no window of
// whatever position is ever more than the limit, and nothing is refused that was not
// over it within a sixtieth.
func TestRolling(t *testing.T) {
	for w := range Window(Windows) {
		m := NewMeter()
		m.Set(limits(Events, w, 50).Quotas(7), noon)
		random := rand.New(rand.NewPCG(1, uint64(w)))
		var accepted []time.Time
		since := func(from, to time.Time) (n int) {
			for _, at := range accepted {
				if at.After(from) && !at.After(to) {
					n++
				}
			}
			return n
		}
		at, refused := noon, 0
		for range 6_000 {
			at = at.Add(time.Duration(random.Int64N(int64(w.Duration() / 100))))
			over, is := m.Take(7, Events, at)
			if !is {
				accepted = append(accepted, at)
				if n := since(at.Add(-w.Duration()), at); n > 50 {
					t.Fatalf("%s: %d accepted within one window", w, n)
				}
				continue
			}
			refused++
			if n := since(at.Add(-w.Duration()-w.step()), at); n < 50 {
				t.Fatalf("%s: refused, though only %d were accepted", w, n)
			}
			if !over.Until.After(at) || over.Until.Sub(at) > w.Duration()+w.step() {
				t.Fatalf("%s: refused at %v until %v", w, at, over.Until)
			}
			// What it says is so: there is room then, and not before.
			if random.IntN(20) == 0 {
				if _, still := m.take(7, Events, over.Until.Add(-time.Millisecond), true); !still {
					t.Fatalf("%s: there is room before %v", w, over.Until)
				}
				at = over.Until
				if _, still := m.Take(7, Events, at); still {
					t.Fatalf("%s: there is no room at %v", w, at)
				}
				accepted = append(accepted, at)
			}
		}
		if refused < 300 || len(accepted) < 1000 {
			t.Errorf("%s: %d accepted, %d refused: that tests little", w, len(accepted), refused)
		}
	}
}

// TestScopes: what is over is the project's class, or the installation's.
func TestScopes(t *testing.T) {
	m := NewMeter()
	m.Set(append(limits(Events, FiveMinutes, 2).Quotas(7), limits(Events, Hour, 3).Quotas(Installation)...), noon)
	for i, step := range []struct {
		project event.ProjectID
		class   Class
		over    string
	}{
		{7, Events, ""}, {7, Events, ""}, {7, Events, ReasonProject}, {7, Feedback, ""}, {7, Attachments, ""},
		{8, Events, ""}, {8, Events, ReasonInstallation}, {9, Attachments, ""},
	} {
		over, is := m.Take(step.project, step.class, noon)
		if is != (step.over != "") || is && over.Reason() != step.over {
			t.Errorf("step %d: %v, %v", i, over, is)
		}
	}
	m.Add(8, Events, noon, -1) // it could not be sent
	if _, is := m.Take(9, Events, noon); is {
		t.Error("what was taken back still counts")
	}
	want := []Over{
		{Installation, Events, Hour, noon.Add(61 * time.Minute)},
		{7, Events, FiveMinutes, noon.Add(305 * time.Second)},
	}
	if diff := cmp.Diff(want, m.Over(noon)); diff != "" {
		t.Errorf("over (-want +got):\n%s", diff)
	}
	m.Set(nil, noon)
	if _, is := m.Take(7, Events, noon); is {
		t.Error("a limit that was taken away holds")
	}
}

// TestOthersCount: an edge that learns now and then how much the digester has counted.
func TestOthersCount(t *testing.T) {
	m := NewMeter()
	read := func(used int64, at time.Time) {
		m.Set([]Quota{{Project: 7, Class: Events, Window: Hour, Limit: 100, Used: used}}, at)
	}
	take := func(at time.Time) (n int) {
		for {
			if _, is := m.Take(7, Events, at); is {
				return n
			}
			n++
		}
	}
	read(90, noon)
	if n := take(noon); n != 10 {
		t.Errorf("%d taken, 10 were left", n)
	}
	// A digester that stands still says the same again.
	for i := range 20 {
		at := noon.Add(time.Duration(i) * 2 * time.Minute)
		read(1, at)
		take(at)
	}
	if used := m.projects[7][Events][Hour].sum(0, 1<<60); used > 100 {
		t.Errorf("%d taken in all, though the limit is 100", used)
	}
	// What was read leaves the window evenly.
	m = NewMeter()
	read(100, noon)
	if n := take(noon.Add(30 * time.Minute)); n != 50 {
		t.Errorf("%d taken in the middle, want 50", n)
	}
	if n := take(noon.Add(3 * time.Hour)); n != 100 {
		t.Errorf("%d taken in the end, want 100", n)
	}
}

// TestLate: what is looked at again by when it was accepted is never stricter than the
// edge was, in whatever order it comes, even beside newer traffic.
func TestLate(t *testing.T) {
	quotas := limits(Events, FiveMinutes, 20).Quotas(7)
	accepting, digesting := NewMeter(), NewMeter()
	accepting.Set(quotas, noon)
	digesting.Set(quotas, noon)
	var accepted []time.Time
	for i := range 2000 {
		at := noon.Add(time.Duration(i) * time.Second)
		if _, is := accepting.Take(7, Events, at); !is {
			accepted = append(accepted, at)
		}
	}
	for i := 0; i+10 <= len(accepted); i += 10 {
		for _, k := range rand.Perm(10) {
			if over, is := digesting.TakeLate(7, Events, accepted[i+k]); is {
				t.Fatalf("what the edge let pass at %v is over: %v", accepted[i+k], over)
			}
		}
	}
	// And what no edge held back is, by when it was accepted and not by now.
	n := 0
	for i := range 200 {
		if _, is := digesting.TakeLate(8, Events, noon); is {
			t.Fatal("a limit of another project holds")
		}
		if _, is := digesting.TakeLate(7, Events, noon.Add(2*time.Hour+time.Duration(i)*time.Millisecond)); !is {
			n++
		}
	}
	if n != 20 {
		t.Errorf("%d of a flood pass, want 20", n)
	}
}

// TestRecords: what is written down is read again as it was.
func TestRecords(t *testing.T) {
	m := NewMeter()
	m.Set(append(limits(Events, FiveMinutes, 10).Quotas(7), limits(Events, Month, 1000).Quotas(7)...), noon)
	for i := range 8 {
		m.Add(7, Events, noon.Add(time.Duration(i)*time.Minute), 2)
	}
	m.Add(8, Events, noon, 1) // without a limit
	changed := m.Changed()
	if len(changed) != 1 || len(m.Changed()) != 0 {
		t.Errorf("changed: %v", changed)
	}
	m.Again(changed)
	if len(m.Changed()) != 1 {
		t.Error("what could not be written down is forgotten")
	}
	text, err := json.Marshal(changed[7])
	if err != nil {
		t.Fatal(err)
	}
	var read Record
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	now := noon.Add(8 * time.Minute)
	l := limits(Events, FiveMinutes, 10)
	l[Events][Month] = 1000
	want := []Use{
		{Quota{7, Events, FiveMinutes, 10, 10}, noon.Add(8*time.Minute + 5*time.Second)},
		{Quota{7, Events, Month, 1000, 16}, time.Time{}},
	}
	if diff := cmp.Diff(want, Read(7, l, read, now)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, odd := range []Uses{{}, {Newest: 5, Counts: make([]int64, 500)}, {Newest: -3, Counts: []int64{-1, 2}}} {
		var c counter
		c.load(odd)
		c.add(1<<40, 1)
		if c.sum(0, 1<<40) != 1 {
			t.Errorf("%+v: %d", odd, c.sum(0, 1<<40))
		}
	}
}

// TestKeeps: of each minute the first ones, then fewer and fewer, but never none.
func TestKeeps(t *testing.T) {
	kept, last := 0, int64(0)
	for n := range int64(30_000) {
		if Keeps(n+1, 300) {
			kept++
			if n+1-last > 2000 {
				t.Errorf("nothing kept from %d to %d", last, n+1)
			}
			last = n + 1
		}
		if n == 299 && kept != 300 {
			t.Errorf("%d of the first 300 are kept", kept)
		}
	}
	if kept < 400 || kept > 600 {
		t.Errorf("%d of 30,000 kept", kept)
	}
	if !Keeps(1_000_001, 0) || Keeps(9, 5) || !Keeps(8, 5) || !Keeps(16, 5) || Keeps(24, 5) {
		t.Error("no limit stores all, a small one few")
	}
}

func TestClassOf(t *testing.T) {
	for category, want := range map[string]Class{"error": Events, "default": Events, "security": Events, "attachment": Attachments, "feedback": Feedback} {
		if c, is := ClassOf(category); c != want || !is {
			t.Errorf("%s: %v, %v", category, c, is)
		}
	}
	if _, is := ClassOf("transaction"); is {
		t.Error("what is not kept is limited")
	}
	for limit, bad := range map[int64]bool{-1: true, 0: false, MaxLimit: false, MaxLimit + 1: true} {
		if err := limits(Feedback, Month, limit).Check(); (err != nil) != bad {
			t.Errorf("%d: %v", limit, err)
		}
	}
}
