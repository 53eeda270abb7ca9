package ledger

import (
	"cmp"
	"slices"
	"time"

	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// Queue is the accepting side of the books: what a queue vouches for and what it
// still holds, all from one moment. The zero value is a queue that cannot be
// looked into.
type Queue struct {
	Lanes  []Lane
	Runs   []Run
	Dead   int64     // dead letters
	Oldest time.Time // when the edge received the oldest message that waits; zero: none does
	Bytes  int64
}

// Lane is what an edge instance accepted for a project.
type Lane struct {
	Instance wire.InstanceID
	Project  event.ProjectID
	High     int64 // 1 to High were accepted, each once
}

// Run is consecutive numbers of a lane that are in the queue and were received
// within one hour. Runs do not overlap.
type Run struct {
	Instance wire.InstanceID
	Project  event.ProjectID
	Hour     time.Time
	From, To int64 // inclusive
	Dead     bool  // they are dead letters
}

// Reconcile balances the books. The queue must have been read before the
// database.
func Reconcile(decided store.Books, q Queue, now time.Time) *Books {
	r := &reconciler{
		now:   now,
		since: Since(now),
		hours: make(map[hourKey]*Hour),
		open:  make(map[event.ProjectID]int64),
		books: &Books{
			Balance:     Balance{Dropped: map[string]int64{}},
			DeadLetters: q.Dead, QueueBytes: q.Bytes,
			StoredEvents: decided.Totals.StoredEvents, Issues: decided.Totals.Issues,
			Projects: decided.Totals.Projects, DatabaseBytes: decided.Totals.DatabaseBytes,
			Edge: map[string]map[string]int64{}, ByProject: map[event.ProjectID]*Project{}, Gaps: []Gap{},
		},
	}
	if !q.Oldest.IsZero() {
		r.books.OldestMessageAge = max(0, now.Sub(q.Oldest).Seconds())
	}
	for _, o := range decided.Outcomes {
		if !outsideBalance(o) {
			r.enter(o)
		}
	}
	for _, o := range decided.Hours {
		if !outsideBalance(o.OutcomeCount) {
			h := r.hour(o.Project, o.Hour)
			enter(&h.Balance, &h.Aside, o.OutcomeCount)
		}
	}
	for key, l := range collectLanes(decided, q) {
		r.reconcile(key, l)
	}
	r.close()
	return r.books
}

// reconciler is the books under way.
type reconciler struct {
	now   time.Time
	since time.Time
	books *Books
	hours map[hourKey]*Hour
	open  map[event.ProjectID]int64 // numbers that are not decided
}

type hourKey struct {
	project event.ProjectID
	hour    int64
}

func (r *reconciler) project(id event.ProjectID) *Project {
	p, ok := r.books.ByProject[id]
	if !ok {
		p = &Project{Balance: Balance{Dropped: map[string]int64{}}}
		r.books.ByProject[id] = p
	}
	return p
}

func (r *reconciler) hour(project event.ProjectID, hour time.Time) *Hour {
	key := hourKey{project, hour.Unix()}
	h, ok := r.hours[key]
	if !ok {
		h = &Hour{Hour: hour.UTC(), Project: project, Balance: Balance{Dropped: map[string]int64{}}}
		r.hours[key] = h
	}
	return h
}

// outsideBalance tells lines about messages of no project, the edge's own counts:
// they are numbered like all others, but are nobody's events.
func outsideBalance(o store.OutcomeCount) bool { return o.Project == 0 && isMessage(o) }

func isMessage(o store.OutcomeCount) bool {
	return o.Outcome == store.OutcomeStored || o.Outcome == store.OutcomeDuplicate || o.Outcome == store.OutcomeDropped
}

// enter adds a line of all time.
func (r *reconciler) enter(o store.OutcomeCount) {
	p := r.project(o.Project)
	enter(&p.Balance, &p.Aside, o)
	if isMessage(o) {
		enter(&r.books.Balance, nil, o)
		return
	}
	if r.books.Edge[o.Outcome] == nil {
		r.books.Edge[o.Outcome] = map[string]int64{}
	}
	r.books.Edge[o.Outcome][asideKey(o)] += o.Quantity
}

// enter adds a line to a balance, or to what is beside it.
func enter(b *Balance, aside *Aside, o store.OutcomeCount) {
	var counts *map[string]int64
	switch o.Outcome {
	case store.OutcomeStored:
		b.Digested += o.Quantity
		return
	case store.OutcomeDuplicate:
		b.Duplicate += o.Quantity
		return
	case store.OutcomeDropped:
		b.Dropped[o.Reason] += o.Quantity
		return
	case string(wire.OutcomeClient):
		counts = &aside.ClientLost
	case string(wire.OutcomeRefused):
		counts = &aside.Refused
	case string(wire.OutcomeLimited):
		counts = &aside.Limited
	case string(wire.OutcomeUnstored):
		counts = &aside.Unstored
	default: // of a newer edge; the total has it
		return
	}
	if *counts == nil {
		*counts = map[string]int64{}
	}
	(*counts)[asideKey(o)] += o.Quantity
}

func asideKey(o store.OutcomeCount) string {
	if o.Reason == "" {
		return o.Category
	}
	return o.Category + ":" + o.Reason
}

// reconcile settles one lane.
func (r *reconciler) reconcile(key laneKey, l *lane) {
	r.books.Redelivered += l.redelivered
	if key.project != 0 {
		r.project(key.project).Accepted += max(l.decided, l.accepted)
	}
	for _, gap := range l.gaps {
		r.settle(key, l, gap)
	}
	if l.accepted > l.decided {
		r.settle(key, l, store.Gap{From: l.decided + 1, To: l.accepted})
	}
}

// settle finds out about numbers that were not decided: those in the queue are in
// flight. Others that the queue vouches for are lost, because it has let them go
// and only what is decided is let go. For the rest only time will tell.
func (r *reconciler) settle(key laneKey, l *lane, gap store.Gap) {
	r.open[key.project] += gap.To - gap.From + 1
	l.split(gap.From, gap.To, func(from, to int64, run *Run) {
		if run != nil {
			r.inFlight(run, to-from+1)
			r.report(key, l, gap, from, to, Waiting)
			return
		}
		if end := min(to, l.accepted); from <= end {
			r.report(key, l, gap, from, end, Lost)
			from = end + 1
		}
		if from <= to {
			state := Waiting
			if r.now.Sub(gap.Since) > Retention {
				state = Lost
			}
			r.report(key, l, gap, from, to, state)
		}
	})
}

func (r *reconciler) inFlight(run *Run, n int64) {
	if run.Project == 0 {
		return
	}
	if run.Dead {
		r.project(run.Project).DeadLetters += n
	}
	if !run.Hour.Before(r.since) {
		r.hour(run.Project, run.Hour).InFlight += n
	}
}

// report lists a gap, together with the piece before it if they are one.
func (r *reconciler) report(key laneKey, l *lane, gap store.Gap, from, to int64, state State) {
	if state == Lost {
		r.books.Lost += to - from + 1
		r.project(key.project).Lost += to - from + 1
	} else if gap.Since.IsZero() {
		return // newer than all that was decided: nothing has overtaken it
	}
	piece := Gap{
		Instance: key.hex(), Region: l.region, Project: key.project,
		From: from, To: to, Count: to - from + 1, Since: gap.Since, State: state,
	}
	if n := len(r.books.Gaps); n == 0 || !r.books.Gaps[n-1].extend(piece) {
		r.books.Gaps = append(r.books.Gaps, piece)
	}
}

// close computes what follows from all the lines.
func (r *reconciler) close() {
	b := r.books
	for id, p := range b.ByProject {
		p.InFlight = p.Accepted - p.Decided()
		if id != 0 {
			b.Mismatch += abs(p.InFlight - r.open[id])
		}
		b.Accepted += p.Accepted
		b.InFlight += p.InFlight
	}
	b.Hours = make([]Hour, 0, len(r.hours))
	for _, h := range r.hours {
		h.Accepted = h.Decided() + h.InFlight
		b.Hours = append(b.Hours, *h)
	}
	slices.SortFunc(b.Hours, func(x, y Hour) int {
		return cmp.Or(y.Hour.Compare(x.Hour), cmp.Compare(x.Project, y.Project))
	})
	slices.SortFunc(b.Gaps, func(x, y Gap) int {
		return cmp.Or(cmp.Compare(x.State, y.State), x.Since.Compare(y.Since), cmp.Compare(x.Project, y.Project),
			cmp.Compare(x.Instance, y.Instance), cmp.Compare(x.From, y.From))
	})
}

// extend takes over what follows g right away and reports whether it did.
func (g *Gap) extend(next Gap) bool {
	if g.Instance != next.Instance || g.Project != next.Project || g.State != next.State || g.To+1 != next.From || !g.Since.Equal(next.Since) {
		return false
	}
	g.To = next.To
	g.Count += next.Count
	return true
}

func abs(n int64) int64 { return max(n, -n) }
