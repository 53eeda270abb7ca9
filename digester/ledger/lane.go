package ledger

import (
	"cmp"
	"encoding/hex"
	"slices"
	"sort"

	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/wire"
)

type laneKey struct {
	instance wire.InstanceID
	project  event.ProjectID
}

func (k laneKey) hex() string { return hex.EncodeToString(k.instance[:]) }

// lane is what both sides say of one lane.
type lane struct {
	region      string
	decided     int64 // the largest number decided
	redelivered int64
	gaps        []store.Gap // in order
	accepted    int64       // what the queue vouches for; 0: it does not know the lane
	runs        []Run       // in order
}

func collectLanes(decided store.Books, q Queue) map[laneKey]*lane {
	lanes := make(map[laneKey]*lane)
	get := func(instance wire.InstanceID, project event.ProjectID) *lane {
		key := laneKey{instance, project}
		if lanes[key] == nil {
			lanes[key] = &lane{}
		}
		return lanes[key]
	}
	for _, d := range decided.Lanes {
		l := get(d.Instance, d.Project)
		l.region, l.decided, l.redelivered = d.Region, d.High, d.Redelivered
	}
	for _, g := range decided.Gaps {
		l := get(g.Instance, g.Project)
		l.gaps = append(l.gaps, g)
	}
	for _, a := range q.Lanes {
		get(a.Instance, a.Project).accepted = a.High
	}
	for _, run := range q.Runs {
		l := get(run.Instance, run.Project)
		l.runs = append(l.runs, run)
	}
	for _, l := range lanes {
		slices.SortFunc(l.runs, func(x, y Run) int { return cmp.Compare(x.From, y.From) })
	}
	return lanes
}

// split cuts the numbers from to to into pieces and visits them in order: each
// lies in one run of the queue, or in none (nil).
func (l *lane) split(from, to int64, visit func(from, to int64, run *Run)) {
	first := sort.Search(len(l.runs), func(i int) bool { return l.runs[i].To >= from })
	for i := first; i < len(l.runs) && l.runs[i].From <= to; i++ {
		run := &l.runs[i]
		if run.From > from {
			visit(from, run.From-1, nil)
			from = run.From
		}
		end := min(run.To, to)
		visit(from, end, run)
		from = end + 1
	}
	if from <= to {
		visit(from, to, nil)
	}
}
