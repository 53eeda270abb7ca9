// Package quota decides how much a project may report.
//
// It exists because the same rule is asked in three places that know different
// things: an edge that counts what it accepts, a copy of the edge elsewhere that
// knows besides what the digester counted some time ago, and the digester, which
// looks at messages again by the time at which they were accepted. What is counted
// is always accepted items by that time: a digester that is slow, or stopped, hides
// no flood.
//
// A window rolls: at any moment it is what was accepted in the last five minutes,
// say. It is counted in sixty steps, and the step that is just leaving counts in
// full, so that a window is never shorter than it says and at most a sixtieth longer.
package quota

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"sundew/schema/event"
)

// Class is what is counted together.
type Class int

// The classes.
const (
	Events      Class = iota // errors, messages and security reports: what issues are made of
	Attachments              // files, each one
	Feedback                 // what people wrote
	Classes     = 3          // how many there are
)

// String returns the class's word in addresses of fields and in files.
func (c Class) String() string {
	switch c {
	case Attachments:
		return "attachments"
	case Feedback:
		return "feedback"
	}
	return "events"
}

// Categories returns the protocol's words for what is in a class.
func (c Class) Categories() []string {
	switch c {
	case Attachments:
		return []string{"attachment"}
	case Feedback:
		return []string{"feedback"}
	}
	return []string{"error", "default", "security"}
}

// ClassOf returns the class of a category of the protocol, false if items of that
// category are not limited, because they are not kept.
func ClassOf(category string) (Class, bool) {
	for c := range Class(Classes) {
		if slices.Contains(c.Categories(), category) {
			return c, true
		}
	}
	return 0, false
}

// Window is one of the spans of time that have limits.
type Window int

// The windows.
const (
	FiveMinutes Window = iota
	Hour
	Month       // 30 days
	Windows = 3 // how many there are
)

// Span continues "in", for people.
func (w Window) Span() string {
	switch w {
	case Hour:
		return "an hour"
	case Month:
		return "30 days"
	}
	return "5 minutes"
}

// String returns the window's word in fields and in files.
func (w Window) String() string {
	switch w {
	case Hour:
		return "hour"
	case Month:
		return "month"
	}
	return "minutes"
}

// Duration returns how long it is.
func (w Window) Duration() time.Duration {
	switch w {
	case Hour:
		return time.Hour
	case Month:
		return 30 * 24 * time.Hour
	}
	return 5 * time.Minute
}

// step is the resolution in which a window is counted.
func (w Window) step() time.Duration { return w.Duration() / steps }

// Installation stands, where a project is named, for all of them together.
const Installation event.ProjectID = 0

// The words of why something is refused, for clients and the books.
const (
	ReasonProject      = "project_quota"
	ReasonInstallation = "installation_quota"
)

// DefaultSpike is how many events a minute of one issue are all kept, unless
// somebody says otherwise.
const DefaultSpike = 300

// MaxLimit bounds every limit: more than anybody reports.
const MaxLimit = 1_000_000_000

// ErrLimit is wrapped by errors that say which number will not do as a limit.
var ErrLimit = errors.New("not a limit")

// Limits are how many items of a class there may be in a window; 0 is no limit.
type Limits [Classes][Windows]int64

// Check returns an error that wraps ErrLimit if a limit is out of bounds.
func (l Limits) Check() error {
	for c := range l {
		for _, limit := range l[c] {
			if limit < 0 || limit > MaxLimit {
				return fmt.Errorf("%w: %d %s; want a whole number up to %d, or 0 for no limit", ErrLimit, limit, Class(c), MaxLimit)
			}
		}
	}
	return nil
}

// Quota is one limit and, where somebody else counts too, how far it was used up.
type Quota struct {
	Project event.ProjectID `json:"project"` // Installation: all together
	Class   Class           `json:"class"`
	Window  Window          `json:"window"`
	Limit   int64           `json:"limit"`
	Used    int64           `json:"used"` // as the digester counted
}

// Over says that a limit is reached.
type Over struct {
	Scope  event.ProjectID // whose limit; Installation: that of all together
	Class  Class
	Window Window
	Until  time.Time // when there is room again, if nothing more is accepted
}

// Reason returns the word for it.
func (o Over) Reason() string {
	if o.Scope == Installation {
		return ReasonInstallation
	}
	return ReasonProject
}

// Keeps reports whether the n-th event of an issue within one minute is stored, of
// which limit are all stored; 0 stores all. Beyond the limit it is every eighth, from
// twice the limit on every sixteenth, from four times on every thirty-second, and so
// on: each time that they double an eighth of the limit more is stored.
func Keeps(n, limit int64) bool {
	if limit <= 0 || n <= limit {
		return true
	}
	doubled := bits.Len64(uint64(n/limit)) - 1
	return n%(8<<doubled) == 0
}
