package alert

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sundew/schema/event"
)

// Bounds of what a rule may say.
const (
	MaxCount  = 1_000_000
	MaxUsers  = 10_000
	MinPeriod = time.Minute
	MaxPeriod = 24 * time.Hour

	MaxInterval     = 24 * time.Hour
	DefaultInterval = 30 * time.Minute

	maxName         = 80
	maxEnvironments = 20
	maxTags         = 10
	maxText         = 200
)

// Rule says what of a project's issues people are told, and where.
type Rule struct {
	ID      int64
	Name    string
	Enabled bool

	// When: any of these.
	New        bool // an issue is seen for the first time
	Regression bool // a resolved issue comes back
	Unmuted    bool // the silence about an issue ends, not by a person
	Events     Rate // so many events of an issue in a period
	Users      Rate // so many users who have an issue in a period

	Filter   Filter
	Interval time.Duration // between two messages about one issue for the same reason

	AllChannels bool    // it sends to all channels of the project, also those to come
	Channels    []int64 // if not, to these; none are left if they were deleted
}

// Rate is a number within a period; with 0 it is never reached.
type Rate struct {
	Count  int64
	Period time.Duration
}

// Asked reports whether the rule has this rate.
func (r Rate) Asked() bool { return r.Count > 0 }

// Filter says which events a rule is about. What is empty does not matter.
type Filter struct {
	Environments []string     `json:"environments,omitempty"` // one of them
	Level        event.Level  `json:"level,omitempty"`        // at least
	Tags         []event.Pair `json:"tags,omitempty"`         // all of them
	Title        string       `json:"title,omitempty"`        // is part of the title
}

// ByEvent reports whether the filter tells events of one issue apart.
func (f Filter) ByEvent() bool {
	return len(f.Environments) > 0 || f.Level > event.LevelUnset || len(f.Tags) > 0
}

// Counts reports whether the rule asks for numbers of events or users.
func (r Rule) Counts() bool { return r.Events.Asked() || r.Users.Asked() }

// SendsTo reports whether a channel of the project is one of the rule's.
func (r Rule) SendsTo(channel int64) bool {
	return r.AllChannels || slices.Contains(r.Channels, channel)
}

// Default is the rule that every project begins with.
func Default() Rule {
	return Rule{Name: "New and returning issues", Enabled: true, New: true, Regression: true, Unmuted: true, Interval: DefaultInterval, AllChannels: true}
}

// ErrRule is wrapped by what Check says is wrong with a rule.
var ErrRule = errors.New("this rule will not do")

// Check returns what is wrong with a rule, in words for its author; nil: nothing.
func (r Rule) Check() error {
	for _, problem := range []string{r.checkName(), r.checkWhen(), r.Filter.check(), r.checkInterval()} {
		if problem != "" {
			return fmt.Errorf("%w: %s", ErrRule, problem)
		}
	}
	return nil
}

func (r Rule) checkName() string {
	if n := utf8.RuneCountInString(r.Name); n == 0 || n > maxName || unfit(r.Name) {
		return fmt.Sprintf("its name needs 1 to %d printable characters", maxName)
	}
	return ""
}

func (r Rule) checkWhen() string {
	if !r.New && !r.Regression && !r.Unmuted && !r.Counts() {
		return "choose at least one occasion"
	}
	if problem := r.Events.check("events", MaxCount); problem != "" {
		return problem
	}
	return r.Users.check("users", MaxUsers)
}

func (r Rate) check(what string, most int64) string {
	switch {
	case r.Count < 0 || r.Count > most:
		return fmt.Sprintf("the number of %s is from 1 to %d", what, most)
	case r.Asked() && (r.Period < MinPeriod || r.Period > MaxPeriod):
		return fmt.Sprintf("%s are counted over a period from a minute to 24 hours", what)
	}
	return ""
}

func (r Rule) checkInterval() string {
	switch {
	case r.Interval < 0 || r.Interval > MaxInterval:
		return "the pause between two messages about an issue is at most 24 hours"
	case r.Counts() && r.Interval < MinPeriod:
		return "a rule that counts needs a pause between two messages about an issue: while it goes on, each event would be one"
	}
	return ""
}

func (f Filter) check() string {
	if len(f.Environments) > maxEnvironments {
		return fmt.Sprintf("it names more than %d environments", maxEnvironments)
	}
	if len(f.Tags) > maxTags {
		return fmt.Sprintf("it names more than %d tags", maxTags)
	}
	if f.Level > event.LevelFatal {
		return "there is no such level"
	}
	texts := append(slices.Clone(f.Environments), f.Title)
	for _, tag := range f.Tags {
		if tag.Key == "" || tag.Value == "" {
			return "a tag is written key=value"
		}
		texts = append(texts, tag.Key, tag.Value)
	}
	for _, text := range texts {
		if utf8.RuneCountInString(text) > maxText || unfit(text) {
			return fmt.Sprintf("each text has at most %d printable characters", maxText)
		}
	}
	return ""
}

func unfit(text string) bool {
	return !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl)
}

// ParseTags reads lines of key=value; empty ones do not matter. The error wraps ErrRule.
func ParseTags(text string) ([]event.Pair, error) {
	var tags []event.Pair
	for n, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || key == "" || value == "" {
			return nil, fmt.Errorf("%w: line %d of the tags is not of the form key=value", ErrRule, n+1)
		}
		tags = append(tags, event.Pair{Key: key, Value: value})
	}
	return tags, nil
}

// FormatTags is the inverse of ParseTags.
func FormatTags(tags []event.Pair) string {
	var lines []string
	for _, t := range tags {
		lines = append(lines, t.Key+"="+t.Value)
	}
	return strings.Join(lines, "\n")
}

// NotANumber is the error of who typed something else where a number of events or users
// is asked for.
func NotANumber(what string) error {
	return fmt.Errorf("%w: the number of %s is a whole number from 1 on, or empty", ErrRule, what)
}
