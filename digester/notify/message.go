// Package notify says what Sundew tells people who are not looking, and puts it into
// the words and the format of each service that carries it there.
//
// It exists so that what a message says is decided once, and what Slack, Telegram or
// a mail make of it is decided by values alone: it is pure, and its golden files are
// what a service gets. Its rule: text from an event is hostile. It is escaped for the
// markup of each service, so that no title of an issue can call a room, lead
// somewhere or break a card, and cut to what the service takes.
//
// It sends nothing: package courier does.
package notify

import (
	"time"

	"sundew/schema/event"
)

// Kind is what a message is about.
type Kind string

// The kinds of message.
const (
	KindNew        Kind = "new"        // an issue that was never seen before
	KindRegression Kind = "regression" // a resolved issue that came back
	KindUnmuted    Kind = "unmuted"    // a muted issue whose silence is over
	KindVolume     Kind = "volume"     // many events of an issue in a short time
	KindUsers      Kind = "users"      // many users have an issue
	KindStorm      Kind = "storm"      // many issues at once, in one message
	KindTest       Kind = "test"       // somebody tries a channel
)

// Message is what is to be told. What does not apply is left empty.
type Message struct {
	Kind        Kind      `json:"kind"`
	Project     Project   `json:"project"`
	Rule        string    `json:"rule,omitempty"`         // name of the rule that asked for it
	Issue       Issue     `json:"issue,omitzero"`         // zero in a storm and in a test
	Environment string    `json:"environment,omitempty"`  // of the event that led to it
	Release     string    `json:"release,omitempty"`      // likewise
	Reason      string    `json:"reason,omitempty"`       // one sentence of plain text
	Others      []Issue   `json:"others,omitempty"`       // of a storm: the first of its issues
	OthersCount int64     `json:"others_count,omitempty"` // of a storm: all of its issues
	At          time.Time `json:"at"`                     // when that happened which it is about
	SettingsURL string    `json:"settings_url,omitempty"` // where it can be switched off
}

// Project is a project in a message.
type Project struct {
	ID   event.ProjectID `json:"id"`
	Name string          `json:"name"`
	URL  string          `json:"url"`
}

// Issue is an issue in a message, as it was when the message was made.
type Issue struct {
	ID        int64     `json:"id"`
	ShortID   string    `json:"short_id"`
	Title     string    `json:"title"`
	Culprit   string    `json:"culprit,omitempty"`
	Level     string    `json:"level"` // fatal, error, warning, info, debug
	URL       string    `json:"url"`
	Events    int64     `json:"events"`
	Users     int64     `json:"users"`
	FirstSeen time.Time `json:"first_seen,omitzero"`
	LastSeen  time.Time `json:"last_seen,omitzero"`
}

// Title is what a message is about in one line, without markup.
func (m Message) Title() string {
	switch m.Kind {
	case KindStorm:
		return counted(m.OthersCount, "issue") + " at once"
	case KindTest:
		return "Test message"
	}
	return oneLine(m.Issue.Title)
}
