// Package sentryapi reads projects, issues and events by the web API of Sentry and of
// GlitchTip, which answers nearly the same.
//
// It exists to bring an installation over. Rules: it only reads; it goes to the address
// that it was given and nowhere else, whatever a Link header says; it keeps to the rate
// that it was given and to Retry-After; what a field is missing or of another type than
// usual is left empty, because the two, and their versions, differ. What it returns is
// as untrusted as an event: other people's applications wrote it.
package sentryapi

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Project is a project there.
type Project struct {
	ID       Text   `json:"id"`
	Slug     Text   `json:"slug"`
	Name     Text   `json:"name"`
	Platform Text   `json:"platform"`
	Teams    []Team `json:"teams"`
	Team     *Team  `json:"team"` // of older versions
}

// FirstTeam returns the project's team; without one both names are empty.
func (p Project) FirstTeam() Team {
	if len(p.Teams) > 0 {
		return p.Teams[0]
	}
	if p.Team != nil {
		return *p.Team
	}
	return Team{}
}

// Team is a team there.
type Team struct {
	Slug Text `json:"slug"`
	Name Text `json:"name"`
}

// Issue is an issue there.
type Issue struct {
	ID            Text          `json:"id"`
	ShortID       Text          `json:"shortId"`
	Title         Text          `json:"title"`
	Culprit       Text          `json:"culprit"`
	Level         Text          `json:"level"`
	Status        Text          `json:"status"`    // "resolved", "ignored", "muted", else it is open
	Substatus     Text          `json:"substatus"` // of one that is ignored
	StatusDetails StatusDetails `json:"statusDetails"`
	Platform      Text          `json:"platform"`
	Permalink     Text          `json:"permalink"`
	Count         Number        `json:"count"`
	UserCount     Number        `json:"userCount"`
	FirstSeen     Time          `json:"firstSeen"`
	LastSeen      Time          `json:"lastSeen"`
}

// StatusDetails say how an issue was resolved or ignored.
type StatusDetails struct {
	InRelease   Text `json:"inRelease"`
	IgnoreUntil Time `json:"ignoreUntil"`
}

// UnmarshalJSON takes what is no object as nothing.
func (s *StatusDetails) UnmarshalJSON(b []byte) error {
	type plain StatusDetails
	var p plain
	if json.Unmarshal(b, &p) == nil {
		*s = StatusDetails(p)
	}
	return nil
}

// Text is a string, or a number as one; anything else is empty.
type Text string

// UnmarshalJSON never fails.
func (t *Text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*t = Text(s)
	} else if n := json.Number(""); json.Unmarshal(b, &n) == nil {
		*t = Text(n)
	}
	return nil
}

// Number is a whole number, which Sentry writes as a string; anything else is 0.
type Number int64

// UnmarshalJSON never fails.
func (n *Number) UnmarshalJSON(b []byte) error {
	if v, err := strconv.ParseInt(string(bytes.Trim(b, `"`)), 10, 64); err == nil && v > 0 {
		*n = Number(v)
	}
	return nil
}

// Time is a moment of RFC 3339; anything else is the zero time.
type Time struct{ time.Time }

// UnmarshalJSON never fails.
func (t *Time) UnmarshalJSON(b []byte) error {
	if v, err := time.Parse(time.RFC3339Nano, strings.Trim(string(b), `"`)); err == nil {
		t.Time = v
	}
	return nil
}
