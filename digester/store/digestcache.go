package store

import (
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
	issues   map[groupKey]*issueState // nil: there is none
	lanes    map[laneKey]*laneState   // nil: there is none
	projects map[event.ProjectID]*projectState
	ids      lastIDs

	// maxAttachments is how many bytes a project's attachments are charged with at
	// most. Constant.
	maxAttachments int64

	// Of the batch under way only.
	gaps    map[laneKey][]gap            // those that its messages lie in
	missing map[event.ProjectID]struct{} // projects that do not exist
}

type groupKey struct {
	project event.ProjectID
	hash    [16]byte
}

type laneKey struct {
	instance wire.InstanceID
	project  event.ProjectID
}

// issueState is what a digest changes of an issue.
type issueState struct {
	id        int64
	state     IssueState
	events    int64 // event_count, also the newest event's number
	firstSeen int64 // ms
	lastSeen  int64 // ms
	seenStep  int64
	countStep int64
}

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
		issues:         make(map[groupKey]*issueState), lanes: make(map[laneKey]*laneState), projects: make(map[event.ProjectID]*projectState),
		gaps: make(map[laneKey][]gap), missing: make(map[event.ProjectID]struct{}),
	}
}

// begin prepares for n messages: what is asked for them stays until the next
// begin.
func (c *digestCache) begin(n int) {
	clear(c.gaps)
	clear(c.missing)
	makeRoom(c.issues, n)
	makeRoom(c.lanes, n)
	makeRoom(c.projects, n)
}

// reset forgets everything.
func (c *digestCache) reset() { *c = *newDigestCache(c.maxAttachments) }

// forget forgets all that a message's plan took from the cache.
func (c *digestCache) forget(in *Incoming) {
	delete(c.issues, groupKey{in.Project, in.Group})
	delete(c.lanes, laneKey{in.Instance, in.Project})
	delete(c.projects, in.Project)
	c.ids.known = false
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
	return !in.isEvent() || c.issues[groupKey{in.Project, in.Group}] != nil
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
