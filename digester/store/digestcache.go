package store

import (
	"sundew/digester/triage"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// maxRemembered bounds each map of the cache; beyond it the map is emptied and
// fills again, which costs a look-up an entry.
const maxRemembered = 50_000

// digestCache remembers what the digester, the only writer of events, left in
// the database, so that a digest needs no reads. It may be stale: users change
// issues too, and for a moment there may be two digesters. Therefore plans assert
// what they take from it. The holder of DB.turn owns it.
type digestCache struct {
	groups   map[groupKey]int64    // a group's issue; 0: there is none
	issues   map[int64]*issueState // of groups, and heads of these
	lanes    map[laneKey]*laneState
	projects map[event.ProjectID]*projectState
	releases map[releaseKey]struct{} // that are there; nothing is known of others
	ids      lastIDs
	spikes   map[int64]spike // of issues; what stands nowhere else, and so is not forgotten with them

	// maxAttachments is how many bytes a project's attachments are charged with at
	// most. Constant.
	maxAttachments int64

	// Of the batch under way only.
	gaps    map[laneKey][]gap            // those that its messages lie in
	missing map[event.ProjectID]struct{} // projects that do not exist
	orders  map[orderKey]int             // see triage.Order
}

type groupKey struct {
	project event.ProjectID
	hash    [16]byte
}

type laneKey struct {
	instance wire.InstanceID
	project  event.ProjectID
}

type releaseKey struct {
	project event.ProjectID
	version string
}

// orderKey asks in which order an event's release and that of its issue's
// resolution appeared.
type orderKey struct {
	issue                int64
	release, environment string
}

// issueState is what a digest changes of an issue, and what it decides by.
type issueState struct {
	id         int64
	revision   int64
	head       int64 // of a merged issue; 0: it is none
	state      IssueState
	resolution triage.Resolution
	mute       triage.Mute

	events    int64 // event_count
	moved     int64 // moved_events: the newest event's number is the sum
	firstSeen int64 // ms
	lastSeen  int64 // ms
	users     crowd // of its own events

	// Of a head: its members' numbers. Without members merged is 0 and the others
	// are neutral.
	hasMembers      bool
	merged          int64
	mergedFirstSeen int64
	mergedLastSeen  int64
	wholeUsers      crowd

	seenStep  int64 // of the totals
	countStep int64

	// recent is how many events there were within the period of a silence when there
	// were recentAt altogether; -1: not known.
	recent, recentAt int64
}

func (s *issueState) total() int64 { return s.events + s.merged }

// laneState is how far a lane of the ledger has come.
type laneState struct {
	id   int64
	high int64
}

// gap is a row of edge_gaps.
type gap struct{ from, to, since int64 }

// projectState is what a digest that makes an issue, or stores an attachment, changes
// of its project.
type projectState struct {
	issues          int64 // issue_count, also the newest issue's number
	attachmentBytes int64
}

// lastIDs are the largest ids, which plans count up themselves: they name rows
// before these are there.
type lastIDs struct {
	known              bool
	event, issue, lane int64
}

func newDigestCache(maxAttachments int64) *digestCache {
	return &digestCache{
		maxAttachments: maxAttachments,
		groups:         make(map[groupKey]int64), issues: make(map[int64]*issueState),
		lanes: make(map[laneKey]*laneState), projects: make(map[event.ProjectID]*projectState), releases: make(map[releaseKey]struct{}), spikes: make(map[int64]spike),
		gaps: make(map[laneKey][]gap), missing: make(map[event.ProjectID]struct{}), orders: make(map[orderKey]int),
	}
}

// begin prepares for n messages: what is asked for them stays until the next
// begin.
func (c *digestCache) begin(n int) {
	clear(c.gaps)
	clear(c.missing)
	clear(c.orders)
	if max(len(c.groups), len(c.issues))+2*n > maxRemembered {
		clear(c.groups)
		clear(c.issues)
	}
	makeRoom(c.lanes, n)
	makeRoom(c.projects, n)
	makeRoom(c.releases, n)
	makeRoom(c.spikes, n)
}

// reset forgets everything.
func (c *digestCache) reset() { *c = *newDigestCache(c.maxAttachments) }

// forget forgets all that a message's plan took from the cache.
func (c *digestCache) forget(in *Incoming) {
	if s := c.issueOf(in); s != nil {
		delete(c.issues, s.head)
		delete(c.issues, s.id)
	}
	delete(c.groups, groupKey{in.Project, in.Group})
	delete(c.lanes, laneKey{in.Instance, in.Project})
	delete(c.projects, in.Project)
	delete(c.releases, releaseKey{in.Project, in.Release})
	c.ids.known = false
}

// issueOf returns the issue of a message's group, nil if there is none or none is
// known.
func (c *digestCache) issueOf(in *Incoming) *issueState {
	return c.issues[c.groups[groupKey{in.Project, in.Group}]]
}

// wholeOf returns the issue that people see of one: itself or its head.
func (c *digestCache) wholeOf(s *issueState) *issueState {
	if s == nil || s.head == 0 {
		return s
	}
	return c.issues[s.head]
}

// knows reports whether a message can be planned without a look-up; it usually
// can.
func (c *digestCache) knows(in *Incoming) bool {
	lane := c.lanes[laneKey{in.Instance, in.Project}]
	if !c.ids.known || lane == nil || int64(in.Seq) <= lane.high {
		return false
	}
	if in.isAside() {
		return c.projects[in.Project] != nil && c.fits(in)
	}
	return !in.isEvent() || c.issueOf(in) != nil
}

// fits reports whether an attachment has room in its project, as far as is remembered:
// somebody else makes room.
func (c *digestCache) fits(in *Incoming) bool {
	return in.Attachment == nil || c.projects[in.Project].attachmentBytes+in.charge() <= c.maxAttachments
}

func makeRoom[K comparable, V any](m map[K]V, n int) {
	if len(m)+n > maxRemembered {
		clear(m)
	}
}

// keep puts a state into a map, into the place of the former one if there is one.
func keep[K comparable, V any](m map[K]*V, k K, v V) {
	if old := m[k]; old != nil {
		*old = v
		return
	}
	m[k] = &v
}
