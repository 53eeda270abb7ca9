// Package retention decides which events go when there are more than are to be kept.
//
// It exists because two promises are of different kinds. An age is a promise to the
// people whose data it is: what is older goes, whatever it is, first and last events
// too. A number is a promise to who pays for the disk, and there is a choice how to
// keep it: commoner issues lose before rarer ones, older events before newer ones, and
// what is left of an issue is its first event, its last, those that something refers to
// and a sample that stands for the rest.
//
// Rules: everything here takes values and returns values, the same for the same input;
// in particular the sample is not drawn but follows from the events' numbers. So a
// choice can be made twice, by a process that was killed in between too, and thinning a
// little again and again leaves what thinning once would have left.
package retention

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Defaults of an installation that says nothing.
const (
	DefaultDays   = 90
	DefaultEvents = 100_000
)

// Bounds of what can be set. Below the smallest number a project could not be worked
// with.
const (
	MaxDays   = 3650
	MinEvents = 100
	MaxEvents = 1_000_000_000
)

// slack is the part of the limit by which is removed more than has to be, so that
// choosing is not done all the time.
const slack = 20

// Policy says how long events are kept.
type Policy struct {
	Days   int64 // since they were stored; 0: for ever
	Events int64 // of a project; 0: all
}

// Setting is what a project says about it; nil: as the installation has it.
type Setting struct{ Days, Events *int64 }

// Or returns the policy that follows from a setting and the installation's policy.
func (s Setting) Or(p Policy) Policy {
	if s.Days != nil {
		p.Days = *s.Days
	}
	if s.Events != nil {
		p.Events = *s.Events
	}
	return p
}

// Cutoff returns the time before which events have to go, and whether there is one.
func (p Policy) Cutoff(now time.Time) (time.Time, bool) {
	return now.Add(-time.Duration(p.Days) * 24 * time.Hour), p.Days > 0
}

// Forgotten returns the time before which an issue without events must have been seen
// last to go itself: it is left for as long again as its events were kept.
func (p Policy) Forgotten(now time.Time) (time.Time, bool) {
	return now.Add(-2 * time.Duration(p.Days) * 24 * time.Hour), p.Days > 0
}

// Keep returns how many of a project's stored events stay, when the others are chosen.
func (p Policy) Keep(stored int64) int64 {
	if p.Events == 0 || stored <= p.Events {
		return stored
	}
	return p.Events - p.Events/slack
}

// Sizes says how many issues of a project have how many events stored.
type Sizes struct{ issues map[int64]int64 }

// Add counts an issue with so many events.
func (s *Sizes) Add(events int64) {
	if s.issues == nil {
		s.issues = make(map[int64]int64)
	}
	s.issues[events]++
}

// Share divides what a project may keep among its issues: all get the same, and those
// that need less leave it to the others. So an issue loses nothing before all those
// with more events are down to its size.
func (s *Sizes) Share(keep int64) Share {
	sizes := make([]int64, 0, len(s.issues))
	left := int64(0) // issues that are not satisfied
	for events, n := range s.issues {
		sizes = append(sizes, events)
		left += n
	}
	slices.Sort(sizes)
	for _, events := range sizes {
		n := s.issues[events]
		if events > keep/left {
			return Share{events: keep / left, more: keep % left}
		}
		keep -= events * n
		left -= n
	}
	return Share{events: math.MaxInt64}
}

// Share is how many events each issue may keep.
type Share struct {
	events int64
	more   int64 // so many issues may keep one more
}

// Of returns how many of an issue's stored events stay. It has to be asked once for
// each issue, in the order in which what cannot be divided is given away.
func (s *Share) Of(stored int64) int64 {
	if stored <= s.events {
		return stored
	}
	if s.more > 0 {
		s.more--
		return s.events + 1
	}
	return s.events
}

// Event is a stored event of an issue.
type Event struct {
	ID     int64 // of its row
	Number int64 // the n-th of its issue
	Noted  bool  // something refers to it
}

// Issue is what has to be known of an issue to choose among its events.
type Issue struct {
	ID     int64
	Count  int64   // of its events ever, which is the number of the newest
	Events []Event // stored ones, the oldest first, without gaps up to any of them
}

// Thin chooses n of the events to go, or as many as there are. It changes their order.
func (i Issue) Thin(n int64) []Event {
	if n <= 0 || len(i.Events) == 0 {
		return nil
	}
	first := i.Events[0].Number
	slices.SortFunc(i.Events, func(a, b Event) int {
		if d := i.worth(a, first) - i.worth(b, first); d != 0 {
			return d
		}
		return cmp.Compare(i.irrelevance(b.Number), i.irrelevance(a.Number))
	})
	return i.Events[:min(n, int64(len(i.Events)))]
}

// worth puts events into classes, each of which is used up before the next.
func (i Issue) worth(e Event, first int64) int {
	switch {
	case e.Number == i.Count:
		return 3
	case e.Number == first:
		return 2
	case e.Noted:
		return 1
	}
	return 0
}

// irrelevance grows with an event's age, counted in events of its issue, and at random
// between none and that age. What is left below any bound is everything up to an age,
// and of each age twice as old half as dense: as many events of the last hundred as of
// the last hundred thousand.
func (i Issue) irrelevance(number int64) uint64 {
	draw := mix(uint64(i.ID)<<40^uint64(number)) >> 40
	return draw * uint64(max(i.Count-number, 0))
}

// mix is the finaliser of SplitMix64: every bit of the result depends on all of x.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
