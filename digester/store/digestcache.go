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
// issues too. Therefore transactions assert what they take from it, and entries
// change only after a commit. The holder of DB.turn owns it.
type digestCache struct {
	issues map[groupKey]*issueState
	lanes  map[laneKey]*laneState
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
	isNew     bool // made by the transaction under way
	isRegress bool // reopened by the transaction under way
}

// laneState is how far a lane of the ledger has come.
type laneState struct {
	id   int64
	high int64
}

func newDigestCache() *digestCache {
	return &digestCache{issues: make(map[groupKey]*issueState), lanes: make(map[laneKey]*laneState)}
}

func (c *digestCache) forgetIssue(in *Incoming) {
	delete(c.issues, groupKey{in.Project, in.Group})
}

func remember[K comparable, V any](m map[K]V, k K, v V) {
	if len(m) >= maxRemembered {
		clear(m)
	}
	m[k] = v
}
