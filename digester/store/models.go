package store

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"sundew/digester/triage"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// ErrNotFound is returned by look-ups of one thing by its id.
var ErrNotFound = errors.New("not found")

// IssueState is what a person decided about an issue.
type IssueState int

// The states of an issue. One that is merged is part of another, one that is deleted
// will be gone soon; neither is in a list.
const (
	StateOpen     IssueState = 0
	StateResolved IssueState = 1
	StateMuted    IssueState = 2
	StateMerged   IssueState = 3
	StateDeleted  IssueState = 4
)

// String returns the state's name in addresses and on pages.
func (s IssueState) String() string {
	switch s {
	case StateResolved:
		return "resolved"
	case StateMuted:
		return "muted"
	case StateMerged:
		return "merged"
	case StateDeleted:
		return "deleted"
	}
	return "open"
}

// StateCounts are numbers of issues. More than MaxStateCount are one more.
type StateCounts struct{ Open, Resolved, Muted int64 }

// Project is one application that reports.
type Project struct {
	ID          event.ProjectID
	Slug        string
	Name        string
	Platform    string // whose set-up guide is shown first; empty: nobody said
	TeamID      int64  // 0: none, only the installation's admins and its own members see it
	CreatedAt   time.Time
	DeletedAt   time.Time // zero: it is not deleted
	Issues      int64     // ever made
	Events      int64     // ever digested
	LastEventAt time.Time // zero: none yet
	Keys        []string  // enabled public keys, oldest first
}

// Issue is a group of events that are one problem.
type Issue struct {
	ID        int64
	ProjectID event.ProjectID
	Project   string // its slug
	Number    int64  // within the project
	State     IssueState
	Level     event.Level
	Title     string
	Culprit   string
	Platform  string

	// Of the issue and its members.
	Events    int64
	Users     int64 // affected; beyond a thousand an estimate
	FirstSeen time.Time
	LastSeen  time.Time

	OwnEvents  int64             // the issue's own
	ResolvedAt time.Time         // zero: not resolved
	Resolution triage.Resolution // if it is resolved
	Mute       triage.Mute       // if it is muted
	Assignee   Assignee
	MergedInto int64 // the issue that it is a member of; 0: of none
	HasMembers bool
	AsideAt    time.Time // when it was merged or deleted
}

// ShortID returns the name by which people speak of an issue: SHOP-42.
func (i Issue) ShortID() string {
	return strings.ToUpper(i.Project) + "-" + strconv.FormatInt(i.Number, 10)
}

// Event is one stored event as lists show it.
type Event struct {
	ID          int64 // digest order
	EventID     event.ID
	ProjectID   event.ProjectID
	IssueID     int64
	Number      int64 // the n-th of its issue
	OccurredAt  time.Time
	ReceivedAt  time.Time
	DigestedAt  time.Time
	Level       event.Level
	Title       string
	Release     string
	Environment string
	User        string
}

// EventBody is a stored event's payload as the client sent it.
type EventBody struct {
	Kind wire.Kind
	JSON []byte // decompressed
	Meta EventMeta

	// Symbols is what source maps say of its frames, for symbolicate.Lay; nil: nothing.
	Symbols []byte
}

// EventMeta is what the message said besides the payload.
type EventMeta struct {
	Client      string    `json:"client,omitempty"`
	RemoteIP    string    `json:"remote_ip,omitempty"`
	Region      string    `json:"region,omitempty"`
	SentAt      time.Time `json:"sent_at,omitzero"`
	Environment string    `json:"environment,omitempty"` // security reports carry it outside the payload
	Release     string    `json:"release,omitempty"`
	Rule        string    `json:"rule,omitempty"` // the project's fingerprint rule that decided its group
}

// EventPlace is where an event stands among the events of its issue and that one's
// members. Zero: there is none.
type EventPlace struct {
	First, Previous, Next, Last EventRef
}

// HourCount is the number of events in one hour.
type HourCount struct {
	Hour  time.Time // its start, UTC
	Count int64
}

// TagCount says how many events of an issue had a tag's value.
type TagCount struct {
	Key      string
	Value    string
	Count    int64
	LastSeen time.Time
}

// OutcomeCount is a sum over the books.
type OutcomeCount struct {
	Project  event.ProjectID
	Category string
	Outcome  string
	Reason   string
	Quantity int64
}
