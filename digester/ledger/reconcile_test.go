package ledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/wire"
)

var (
	now    = time.Date(2026, 11, 20, 12, 40, 0, 0, time.UTC)
	hour12 = now.Truncate(time.Hour)
	hour11 = hour12.Add(-time.Hour)
	edge   = wire.InstanceID{0xab}
)

// decided is a database that decided the numbers up to high of one lane, except
// those in gaps, and counted them all as stored in one hour.
func decided(project event.ProjectID, high int64, gaps ...store.Gap) store.Books {
	b := store.Books{Lanes: []store.Lane{{Instance: edge, Project: project, Region: "north", High: high}}}
	stored := high
	for _, g := range gaps {
		g.Instance, g.Project = edge, project
		b.Gaps = append(b.Gaps, g)
		stored -= g.To - g.From + 1
	}
	if project != 0 && stored > 0 {
		line := store.OutcomeCount{Project: project, Outcome: store.OutcomeStored, Quantity: stored}
		b.Outcomes = []store.OutcomeCount{line}
		b.Hours = []store.HourOutcome{{OutcomeCount: line, Hour: hour11}}
	}
	return b
}

func gap(from, to int64, age time.Duration) store.Gap {
	return store.Gap{From: from, To: to, Since: now.Add(-age)}
}

// holding is a queue that accepted up to high and holds runs of the lane.
func holding(project event.ProjectID, high int64, runs ...Run) Queue {
	q := Queue{Lanes: []Lane{{Instance: edge, Project: project, High: high}}}
	for _, r := range runs {
		r.Instance, r.Project = edge, project
		if r.Hour.IsZero() {
			r.Hour = hour12
		}
		q.Runs = append(q.Runs, r)
	}
	return q
}

func run(from, to int64) Run { return Run{From: from, To: to} }

// Every number is decided, in the queue, or lost.
func TestReconcile(t *testing.T) {
	const minute = time.Minute
	dead := Run{From: 3, To: 3, Dead: true}
	for _, c := range []struct {
		name     string
		decided  store.Books
		queue    Queue
		accepted int64
		inFlight int64
		dead     int64
		lost     int64
		gaps     []string
	}{
		{"nothing", store.Books{}, Queue{}, 0, 0, 0, 0, nil},
		{"all decided and deleted", decided(1, 4), holding(1, 4), 4, 0, 0, 0, nil},
		{"all decided, none deleted yet", decided(1, 4), holding(1, 4, run(1, 4)), 4, 0, 0, 0, nil},
		{"none decided", store.Books{}, holding(1, 4, run(1, 4)), 4, 4, 0, 0, nil},
		{"some decided and not deleted", decided(1, 2), holding(1, 4, run(1, 4)), 4, 2, 0, 0, nil},
		{"the gap is in the queue", decided(1, 4, gap(3, 3, minute)), holding(1, 4, run(3, 3)), 4, 1, 0, 0, []string{"3-3 waiting"}},
		{"what fills the gap was read too late", decided(1, 4), holding(1, 4, run(3, 3)), 4, 0, 0, 0, nil},
		{"the gap is a dead letter", decided(1, 4, gap(3, 3, minute)), holding(1, 4, dead), 4, 1, 1, 0, []string{"3-3 waiting"}},
		{"the gap is nowhere", decided(1, 4, gap(3, 3, minute)), holding(1, 4), 4, 1, 0, 1, []string{"3-3 lost"}},
		{"a part of the gap is nowhere", decided(1, 10, gap(3, 9, minute)), holding(1, 10, run(5, 6), run(8, 8)), 10, 7, 0, 4,
			[]string{"3-4 lost", "7-7 lost", "9-9 lost", "5-6 waiting", "8-8 waiting"}},
		{"one gap over two runs", decided(1, 10, gap(3, 6, minute)), holding(1, 10, Run{From: 5, To: 7, Hour: hour12}, Run{From: 3, To: 4, Hour: hour11}), 10, 4, 0, 0,
			[]string{"3-6 waiting"}},
		{"the end is nowhere", decided(1, 4), holding(1, 6, run(5, 5)), 6, 2, 0, 1, []string{"6-6 lost"}},
		{"nothing but the lane is left", store.Books{}, holding(1, 3), 3, 3, 0, 3, []string{"1-3 lost"}},
		{"decided after the queue was read", decided(1, 9, gap(7, 8, 0)), holding(1, 4, run(4, 4)), 9, 2, 0, 0, []string{"7-8 waiting"}},
		{"partly after the queue was read", decided(1, 9, gap(3, 8, 0)), holding(1, 4), 9, 6, 0, 2, []string{"3-4 lost", "5-8 waiting"}},
		{"of a queue that cannot be seen", decided(1, 4, gap(2, 3, Retention)), Queue{}, 4, 2, 0, 0, []string{"2-3 waiting"}},
		{"of a queue that has forgotten", decided(1, 4, gap(2, 3, Retention+1)), Queue{}, 4, 2, 0, 2, []string{"2-3 lost"}},
		{"of no project", decided(0, 4, gap(2, 3, minute)), holding(0, 5, run(2, 2), run(5, 5)), 0, 0, 0, 1, []string{"3-3 lost", "2-2 waiting"}},
	} {
		b := Reconcile(c.decided, c.queue, now)
		if b.Accepted != c.accepted || b.InFlight != c.inFlight || b.Lost != c.lost || b.Mismatch != 0 {
			t.Errorf("%s: accepted %d, in flight %d, lost %d, mismatch %d; want %d, %d, %d, 0", c.name,
				b.Accepted, b.InFlight, b.Lost, b.Mismatch, c.accepted, c.inFlight, c.lost)
		}
		if p := b.ByProject[1]; p != nil && (p.DeadLetters != c.dead || p.Lost != c.lost) {
			t.Errorf("%s: %d dead, %d lost; want %d, %d", c.name, p.DeadLetters, p.Lost, c.dead, c.lost)
		}
		var gaps []string
		for _, g := range b.Gaps {
			gaps = append(gaps, fmt.Sprintf("%d-%d %s", g.From, g.To, g.State))
			if g.Count != g.To-g.From+1 || g.Instance[:4] != "ab00" || g.Region != "north" && c.decided.Lanes != nil {
				t.Errorf("%s: gap %+v", c.name, g)
			}
		}
		if diff := cmp.Diff(c.gaps, gaps); diff != "" {
			t.Errorf("%s: gaps (-want +got):\n%s", c.name, diff)
		}
	}
}

// What is in flight counts in the hour in which it was received, whatever the
// digester has decided of that hour.
func TestHours(t *testing.T) {
	d := decided(1, 5, gap(3, 3, time.Minute))
	aside := store.OutcomeCount{Project: 1, Category: "error", Outcome: string(wire.OutcomeClient), Reason: "sample_rate", Quantity: 6}
	d.Outcomes = append(d.Outcomes, aside)
	d.Hours = append(d.Hours, store.HourOutcome{OutcomeCount: aside, Hour: hour12})
	long := hour12.Add(-Window * time.Hour)
	q := holding(1, 11, Run{From: 2, To: 6, Hour: hour11}, Run{From: 7, To: 8, Hour: hour12}, Run{From: 9, To: 10, Hour: long}, Run{From: 11, To: 11, Hour: hour12, Dead: true})
	b := Reconcile(d, q, now)
	want := []Hour{
		{Hour: hour12, Project: 1, Balance: Balance{Accepted: 3, InFlight: 3, Dropped: map[string]int64{}}, Aside: Aside{ClientLost: map[string]int64{"error:sample_rate": 6}}},
		{Hour: hour11, Project: 1, Balance: Balance{Accepted: 6, Digested: 4, InFlight: 2, Dropped: map[string]int64{}}},
	}
	if diff := cmp.Diff(want, b.Hours); diff != "" {
		t.Errorf("hours (-want +got):\n%s", diff)
	}
	p := b.ByProject[1]
	if p.Accepted != 11 || p.InFlight != 7 || p.Queued() != 6 || p.DeadLetters != 1 || p.ClientLost["error:sample_rate"] != 6 {
		t.Errorf("project %+v", p)
	}
	if b.Edge["client_lost"]["error:sample_rate"] != 6 || len(b.Edge) != 1 {
		t.Errorf("edge %v", b.Edge)
	}
}

// The counters of outcomes and the numbers of lanes are kept apart; where they
// disagree, the books say so rather than call the difference in flight.
func TestMismatch(t *testing.T) {
	for _, off := range []int64{-2, 3} {
		d := decided(1, 4)
		d.Outcomes[0].Quantity += off
		if b := Reconcile(d, holding(1, 4), now); b.Mismatch != max(off, -off) {
			t.Errorf("counters are off by %d: mismatch %d", off, b.Mismatch)
		}
	}
}

// A message of counts that is dropped is nobody's event; what was refused for no
// project stands beside the balance all the same.
func TestNoProject(t *testing.T) {
	d := decided(0, 1)
	d.Outcomes = []store.OutcomeCount{
		{Category: "error", Outcome: store.OutcomeDropped, Reason: "bad_body", Quantity: 1},
		{Category: "error", Outcome: string(wire.OutcomeRefused), Reason: "auth_unknown", Quantity: 2},
	}
	for _, o := range d.Outcomes {
		d.Hours = append(d.Hours, store.HourOutcome{OutcomeCount: o, Hour: hour12})
	}
	b := Reconcile(d, holding(0, 1), now)
	if b.Accepted != 0 || b.InFlight != 0 || b.DroppedTotal() != 0 || b.Mismatch != 0 || b.ByProject[0].Refused["error:auth_unknown"] != 2 {
		t.Errorf("books %+v", b)
	}
	if len(b.Hours) != 1 || b.Hours[0].Accepted != 0 || b.Hours[0].Refused["error:auth_unknown"] != 2 {
		t.Errorf("hours %+v", b.Hours)
	}
}

func TestSince(t *testing.T) {
	if got := now.Sub(Since(now)); got != 47*time.Hour+40*time.Minute {
		t.Errorf("the window begins %v ago", got)
	}
}
