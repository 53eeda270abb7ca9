// Package ledger balances the books: what the edge accepted against what the
// digester decided.
//
// It exists to prove that nothing accepted went missing, or to say how much did.
// The edge numbers what it accepts, per instance and project. A number is
// decided, still in the queue, or lost; there is no fourth. Rules: the package is
// pure, it takes what the database and the queue say and computes. The queue must
// have been read before the database: a message leaves the queue only after it
// was decided, so what the queue has let go by then, the database knows.
package ledger

import (
	"time"

	"sundew/schema/event"
)

// Books are the numbers of `digester stats`, /ledger.json and /metrics. At any
// time, for every project and all together:
//
//	accepted = digested + duplicate + Σ dropped + in flight
type Books struct {
	Balance
	DeadLetters      int64   `json:"dead_letters"`       // of those in flight, set aside after too many deliveries
	Lost             int64   `json:"lost"`               // of those in flight, neither decided nor in the queue; and messages of no project
	Mismatch         int64   `json:"mismatch"`           // by how many the counters and the numbers disagree; not 0: the database is damaged
	Redelivered      int64   `json:"redelivered"`        // deliveries of messages decided before; outside the balance
	StoredEvents     int64   `json:"stored_events"`      // in the database
	Issues           int64   `json:"issues"`             //
	Projects         int64   `json:"projects"`           //
	OldestMessageAge float64 `json:"oldest_message_age"` // seconds that the oldest queued message has waited; 0: none
	DatabaseBytes    int64   `json:"database_bytes"`     //
	QueueBytes       int64   `json:"queue_bytes"`        //

	// What the edge answered for without queueing it, by "outcome" and then
	// "category" or "category:reason".
	Edge map[string]map[string]int64 `json:"edge"`

	ByProject map[event.ProjectID]*Project `json:"by_project"` // 0: no project could be told
	Hours     []Hour                       `json:"hours"`      // the newest first; those in which nothing happened are left out
	Gaps      []Gap                        `json:"gaps"`       // lost ones first
}

// Balance is one side of the books against the other.
type Balance struct {
	Accepted  int64            `json:"accepted"`  // by the edge: answered 200 and durable in the queue
	Digested  int64            `json:"digested"`  // stored: events, attachments, feedback
	Duplicate int64            `json:"duplicate"` // sent again by the client
	Dropped   map[string]int64 `json:"dropped"`   // by reason
	InFlight  int64            `json:"in_flight"` // accepted and not decided yet
}

// DroppedTotal is how many were dropped for any reason.
func (b *Balance) DroppedTotal() int64 { return Sum(b.Dropped) }

// Decided is how many were accepted and need nothing more.
func (b *Balance) Decided() int64 { return b.Digested + b.Duplicate + b.DroppedTotal() }

// Aside counts items beside the balance, because they never were messages: by
// "category" or "category:reason".
type Aside struct {
	ClientLost map[string]int64 `json:"client_lost,omitempty"` // what SDKs report that they did not send
	Refused    map[string]int64 `json:"refused,omitempty"`     // answered with an error
	Limited    map[string]int64 `json:"limited,omitempty"`     // answered 429
	Unstored   map[string]int64 `json:"unstored,omitempty"`    // answered 200, of a kind that is not kept
}

// Project is the books of one project.
type Project struct {
	Balance
	DeadLetters int64 `json:"dead_letters"` // of those in flight
	Lost        int64 `json:"lost"`         // of those in flight
	Aside
}

// Queued is how many of those in flight wait to be digested in the ordinary way.
func (p *Project) Queued() int64 { return p.InFlight - p.DeadLetters - p.Lost }

// Hour is the books of what the edge received from one project in one hour.
// Messages that are lost are in none: nobody knows when they came.
type Hour struct {
	Hour    time.Time       `json:"hour"` // its start, UTC
	Project event.ProjectID `json:"project"`
	Balance
	Aside
}

// State says whether a gap can still close.
type State string

// The states of a gap.
const (
	Waiting State = "waiting" // the messages can still be in a queue
	Lost    State = "lost"    // they are in none
)

// Gap is a run of numbers that have not been decided, though later ones have, or
// though they are gone.
type Gap struct {
	Instance string          `json:"instance"` // of the edge, hex
	Region   string          `json:"region"`
	Project  event.ProjectID `json:"project"` // 0: messages of no project, the edge's counts
	From     int64           `json:"from"`
	To       int64           `json:"to"` // inclusive
	Count    int64           `json:"count"`
	Since    time.Time       `json:"since,omitzero"` // when the digester noticed; zero: no later number has arrived
	State    State           `json:"state"`
}

const (
	// Window is how many hours Books.Hours reaches back, the current one included.
	Window = 48

	// Retention is how long a queue that cannot be looked into may keep a
	// message: SQS's longest. A gap older than this does not close.
	Retention = 14 * 24 * time.Hour
)

// Since returns the first hour of Books.Hours.
func Since(now time.Time) time.Time {
	return now.UTC().Truncate(time.Hour).Add(-(Window - 1) * time.Hour)
}

// Sum adds up counts.
func Sum(counts map[string]int64) (n int64) {
	for _, v := range counts {
		n += v
	}
	return n
}
