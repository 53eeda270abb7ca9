// Package triage decides what an event does to an issue about which people have
// decided something: whether it brings a resolved one back, whether it ends a
// silence.
//
// It exists so that these rules can be read and tested without a database. It is
// pure: who calls looks up what a decision depends on. What is stored in a
// database of a resolution or a silence are the numbers of the kinds below.
package triage

// ResolveKind is from when on an event of a resolved issue means that it is back.
type ResolveKind int

// The kinds of resolution.
const (
	ResolvedNow  ResolveKind = iota // any event from now on
	ResolvedNext                    // one of a release after the newest that there was
	ResolvedIn                      // one of a certain release, or of a later one
)

// Resolution is how an issue was resolved. The zero value is: now.
type Resolution struct {
	Kind ResolveKind
	// Release is of ResolvedNext the newest one when it was resolved, and of
	// ResolvedIn the one that is said to be right. Empty: there was none.
	Release string
}

// NeedsOrder reports whether Regresses depends on the order in which releases
// appeared, because their names do not tell.
func (r Resolution) NeedsOrder(release string) bool {
	if r.Kind == ResolvedNow || r.Release == "" || release == "" || release == r.Release {
		return false
	}
	_, told := CompareReleases(release, r.Release)
	return !told
}

// Regresses reports whether an event of a release, empty if it names none, brings
// an issue back. order says, where NeedsOrder, whether the release came before
// (negative) or after (positive) that of the resolution.
func (r Resolution) Regresses(release string, order int) bool {
	if r.Kind == ResolvedNow || r.Release == "" || release == "" {
		return true
	}
	if release == r.Release {
		order = 0
	} else if c, told := CompareReleases(release, r.Release); told {
		order = c
	}
	if r.Kind == ResolvedNext {
		return order > 0
	}
	return order >= 0
}

// Sighting says when a release was first seen, zero: not yet. Where there was no
// sighting yet there will be one, so that it counts as the latest.
type Sighting struct {
	Here    int64 // in an event's environment
	Project int64 // in the whole project, its place in the order of appearance
}

// Order returns whether an event's release came before (negative) or after
// (positive) another one: in the event's environment if both were seen there,
// otherwise in the project. The event itself is no sighting yet.
func Order(event, other Sighting) int {
	if event.Here != 0 && other.Here != 0 && event.Here != other.Here {
		return compare(event.Here, other.Here)
	}
	switch {
	case event.Project != 0 && other.Project != 0:
		return compare(event.Project, other.Project)
	case other.Project != 0: // the event's is new
		return 1
	}
	return -1 // the other one is still to come
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
