package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"sundew/digester/triage"
)

// What happened to an issue: the kinds of history entries.
const (
	HistoryCreated   = "created"
	HistoryResolved  = "resolved"
	HistoryReopened  = "reopened"
	HistoryRegressed = "regressed" // by an event, after it was resolved
	HistoryMuted     = "muted"
	HistoryUnmuted   = "unmuted" // by an event or by time, as it was muted
	HistoryAssigned  = "assigned"
	HistoryComment   = "comment"
	HistoryTakenBack = "taken back" // a comment, for DeletionUndo: then it is gone
	HistoryMerged    = "merged"
	HistoryUnmerged  = "unmerged"
	HistoryDeleted   = "deleted"
	HistoryRestored  = "restored"
	HistoryMoved     = "moved"  // events of it to another issue, or to it from one, because a source map arrived
	HistoryMapped    = "mapped" // its events are read by source maps that arrived, and so are later ones
)

// HistoryEntry is something that happened to an issue.
type HistoryEntry struct {
	ID      int64
	Issue   int64 // to which: the issue itself or a member
	At      time.Time
	Kind    string   // one of those above
	Event   EventRef // the event that caused it; zero: none did
	Release string   // that event's release; empty: it had none
	User    int64    // who did it; 0: an event or the program did
	Name    string   // the user's; empty: none, or it has none
	Email   string   // the user's
	Detail  Detail
}

// EventRef names an event: the n-th of an issue, which may be a member of another.
type EventRef struct {
	Issue  int64
	Number int64
}

// Detail is what else a history entry says; which field depends on its kind.
type Detail struct {
	Text    string             `json:"text,omitempty"`    // comment: Markdown
	Edited  int64              `json:"edited,omitempty"`  // comment: when, in Unix milliseconds
	Written int64              `json:"written,omitempty"` // taken back: when it was written, in Unix milliseconds
	Resolve triage.ResolveKind `json:"resolve,omitempty"` // resolved
	Release string             `json:"release,omitempty"` // resolved
	Mute    triage.MuteKind    `json:"mute,omitempty"`    // muted, unmuted
	Until   int64              `json:"until,omitempty"`   // muted, unmuted: Unix milliseconds
	Events  int64              `json:"events,omitempty"`  // muted, unmuted, moved, mapped
	Period  int64              `json:"period,omitempty"`  // muted, unmuted: milliseconds
	Team    int64              `json:"team,omitempty"`    // assigned; neither team nor user: to nobody
	User    int64              `json:"user,omitempty"`    // assigned
	Members []int64            `json:"members,omitempty"` // merged, unmerged: of the head
	Head    int64              `json:"head,omitempty"`    // merged, unmerged: of a member
	From    int64              `json:"from,omitempty"`    // moved: the issue whose events they were
	To      int64              `json:"to,omitempty"`      // moved: the issue whose events they are
}

// text is how a detail is stored; empty: there is nothing to say.
func (d Detail) text() string {
	b, err := json.Marshal(d)
	if err != nil || string(b) == "{}" { // it has nothing that cannot be said in JSON
		return ""
	}
	return string(b)
}

const insertHistory = `INSERT INTO history (issue_id, at, kind, event_id, user_id, detail) VALUES (?, ?, ?, ?, ?, ?)`

// addHistory adds an entry that no event caused. by is who did it, 0: the program.
func (tx *Tx) addHistory(issue int64, kind string, by int64, detail Detail) (int64, error) {
	return tx.insert(insertHistory, issue, ms(tx.now), kind, nil, nullID(by), detail.text())
}

// History returns what happened to an issue and its members, oldest first.
func (rx *Rx) History(issue int64) ([]HistoryEntry, error) {
	return rx.history(`WHERE h.issue_id IN `+strandsOf1+` ORDER BY h.id`, issue)
}

func (rx *Rx) history(where string, args ...any) ([]HistoryEntry, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT h.id, h.issue_id, h.at, h.kind, coalesce(e.issue_id, 0), coalesce(e.number, 0), coalesce(e.release, ''), coalesce(h.user_id, 0),
		       coalesce(u.name, ''), coalesce(u.email, ''), h.detail
		FROM history h LEFT JOIN events e ON e.id = h.event_id LEFT JOIN users u ON u.id = h.user_id `+where, args...)
	var at sql.NullInt64
	var detail string
	var broken error
	entries, err := collectThen(rows, err, func(h *HistoryEntry) []any {
		return []any{&h.ID, &h.Issue, &at, &h.Kind, &h.Event.Issue, &h.Event.Number, &h.Release, &h.User, &h.Name, &h.Email, &detail}
	}, func(h *HistoryEntry) {
		h.At = fromMS(at)
		if detail == "" {
			return
		}
		if err := json.Unmarshal([]byte(detail), &h.Detail); err != nil {
			broken = fmt.Errorf("history entry %d: %w", h.ID, err)
		}
	})
	if err == nil {
		err = broken
	}
	return entries, err
}
