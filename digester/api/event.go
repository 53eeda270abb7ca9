package api

import (
	"bytes"
	"errors"
	"strings"

	"sundew/digester/store"
	"sundew/digester/symbolicate"
	"sundew/schema/event"
)

// EventRef is an event as lists show it.
type EventRef struct {
	ID           string    `json:"id"`
	EventID      string    `json:"eventID"`
	GroupID      string    `json:"groupID"`
	ProjectID    string    `json:"projectID"`
	EventType    string    `json:"event.type"`
	Type         string    `json:"type"`
	Title        string    `json:"title"`
	Message      string    `json:"message"`
	Culprit      string    `json:"culprit"`
	Location     *string   `json:"location"`
	Platform     string    `json:"platform"`
	DateCreated  Time      `json:"dateCreated"`
	DateReceived Time      `json:"dateReceived"`
	User         *EvUser   `json:"user"`
	Tags         List[Tag] `json:"tags"`
}

// Tag is a tag of an event.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// EvUser is who was affected.
type EvUser struct {
	ID        *string `json:"id"`
	Email     *string `json:"email"`
	Username  *string `json:"username"`
	Name      *string `json:"name"`
	IPAddress *string `json:"ip_address"`
	Data      Object  `json:"data"`
}

// Event is an event: in a list without the details, unless they are asked for.
type Event struct {
	EventRef
	*EventDetails
}

// EventDetails is all that there is of an event.
type EventDetails struct {
	Size            int           `json:"size"`
	Dist            *string       `json:"dist"`
	Release         *EventRelease `json:"release"`
	Environment     string        `json:"environment,omitempty"`
	Entries         List[Entry]   `json:"entries"`
	Contexts        Contexts      `json:"contexts"`
	Context         Object        `json:"context"`
	Packages        Object        `json:"packages"`
	SDK             *SDK          `json:"sdk"`
	Metadata        Metadata      `json:"metadata"`
	Errors          List[None]    `json:"errors"`
	Occurrence      *None         `json:"occurrence"`
	Meta            Object        `json:"_meta"`
	Fingerprints    List[string]  `json:"fingerprints"`
	NextEventID     *string       `json:"nextEventID"`
	PreviousEventID *string       `json:"previousEventID"`
	UserReport      *Feedback     `json:"userReport"`
	Permalink       string        `json:"permalink"` // Sundew's own
}

// EventRelease is the release that an event is of.
type EventRelease struct {
	Version      string `json:"version"`
	ShortVersion string `json:"shortVersion"`
	LastCommit   *None  `json:"lastCommit"`
}

// SDK is what reported an event.
type SDK struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Object is a JSON object of a client: in its order, with its values.
type Object []event.Field

// MarshalJSON implements json.Marshaler.
func (o Object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, f := range o {
		if i > 0 {
			out.WriteByte(',')
		}
		writeMember(&out, f.Key, f.Value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

func writeMember(out *bytes.Buffer, key string, value []byte) {
	out.Write(quoted(key))
	out.WriteByte(':')
	if len(value) == 0 {
		value = []byte("null")
	}
	out.Write(value)
}

// Contexts are an event's contexts by name, each an object with its type.
type Contexts []event.Context

// MarshalJSON implements json.Marshaler.
func (c Contexts) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, one := range c {
		if i > 0 {
			out.WriteByte(',')
		}
		fields := Object{{Key: "type", Value: quoted(one.Type)}}
		for _, f := range one.Fields {
			if f.Key != "type" {
				fields = append(fields, f)
			}
		}
		value, err := fields.MarshalJSON()
		if err != nil {
			return nil, err
		}
		writeMember(&out, one.Name, value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// optional is nil for a text that is empty.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// typeOf is what tools call an event: they expect no exceptions in a "default" one.
func typeOf(ev *event.Event) string {
	switch {
	case ev.Security != nil:
		return "csp"
	case len(ev.Exceptions) > 0:
		return "error"
	}
	return "default"
}

// eventRef is an event as the store knows it without its payload.
func eventRef(stored store.Event, issue store.Issue) EventRef {
	ref := EventRef{
		ID: stored.EventID.String(), EventID: stored.EventID.String(), GroupID: number(issue.ID), ProjectID: projectNumber(stored.ProjectID),
		EventType: "error", Type: "error", Title: stored.Title, Message: stored.Title, Culprit: issue.Culprit, Platform: issue.Platform,
		DateCreated: Time{stored.OccurredAt}, DateReceived: Time{stored.ReceivedAt}, User: userOf(stored.User),
	}
	for _, t := range []Tag{{"environment", stored.Environment}, {"level", stored.Level.String()}, {"release", stored.Release}, {"user", stored.User}} {
		if t.Value != "" {
			ref.Tags = append(ref.Tags, t)
		}
	}
	return ref
}

// userOf is a user by their identifier, as in "id:42".
func userOf(identifier string) *EvUser {
	kind, value, ok := strings.Cut(identifier, ":")
	if !ok {
		return nil
	}
	switch kind {
	case "id":
		return &EvUser{ID: &value}
	case "email":
		return &EvUser{Email: &value}
	case "username":
		return &EvUser{Username: &value}
	}
	return &EvUser{IPAddress: &value}
}

// eventView shows an event with its payload, if that is still stored, and which events
// of its issue lie around it.
func eventView(rx *store.Rx, r *request, stored store.Event) (Event, error) {
	issue, err := wholeIssue(rx, stored.IssueID)
	if err != nil {
		return Event{}, err
	}
	view := Event{eventRef(stored, issue), &EventDetails{
		Environment: stored.Environment, Metadata: issueView(r, issue, store.IssueMarks{}).Metadata, Permalink: r.link("/events/" + stored.EventID.String()),
	}}
	if ref := releaseRef(stored.Release); ref != nil {
		view.Release = &EventRelease{Version: ref.Version, ShortVersion: ref.ShortVersion}
	}
	if view.Fingerprints, err = rx.IssueGroups(stored.IssueID); err != nil {
		return view, err
	}
	place, err := rx.EventPlace(issue.ID, stored.ID)
	if err != nil {
		return view, err
	}
	if view.PreviousEventID, err = idOf(rx, place.Previous); err != nil {
		return view, err
	}
	if view.NextEventID, err = idOf(rx, place.Next); err != nil {
		return view, err
	}
	reports, err := rx.EventFeedback(stored.ProjectID, stored.EventID)
	if err != nil {
		return view, err
	}
	if len(reports) > 0 {
		report := feedbackView(r, reports[0])
		view.UserReport = &report
	}
	body, err := rx.EventBody(stored.ID)
	if errors.Is(err, store.ErrNotFound) {
		return view, nil // its content is no longer stored
	}
	if err != nil {
		return view, err
	}
	view.Size = len(body.JSON)
	ev, err := body.Event()
	if err != nil {
		return view, nil // what is there cannot be read: the dashboard shows it as it came
	}
	ev.ResolveIP(body.Meta.RemoteIP)
	symbolicate.Lay(body.Symbols, ev)
	view.fill(ev)
	return view, nil
}

// idOf is the SDK's id of an event of an issue; nil: there is none.
func idOf(rx *store.Rx, ref store.EventRef) (*string, error) {
	if ref == (store.EventRef{}) {
		return nil, nil
	}
	ev, err := rx.EventByNumber(ref.Issue, ref.Number)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	id := ev.EventID.String()
	return &id, err
}

// fill adds what an event's payload says.
func (v *Event) fill(ev *event.Event) {
	v.EventType, v.Type, v.Platform = typeOf(ev), typeOf(ev), ev.Platform
	if text := ev.Message.Text(); text != "" {
		v.Message = text
	}
	v.Tags = nil
	for _, t := range ev.AllTags() {
		v.Tags = append(v.Tags, Tag{t.Key, t.Value})
	}
	v.Dist = optional(ev.Dist)
	if u := ev.User; !u.IsZero() {
		v.User = &EvUser{ID: optional(u.ID), Email: optional(u.Email), Username: optional(u.Username), Name: optional(u.Name), IPAddress: optional(u.IP), Data: u.Data}
	}
	if ev.SDK.Name != "" {
		v.SDK = &SDK{ev.SDK.Name, ev.SDK.Version}
	}
	v.Contexts, v.Context = ev.Contexts, ev.Extra
	for _, m := range ev.Modules {
		v.Packages = append(v.Packages, event.Field{Key: m.Key, Value: quoted(m.Value)})
	}
	if len(ev.Exceptions) > 0 {
		thrown := ev.Exceptions[len(ev.Exceptions)-1]
		v.Metadata.Type, v.Metadata.Value = thrown.Type, thrown.Value
	}
	v.Entries = entriesOf(ev)
}
