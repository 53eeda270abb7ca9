package alert

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"sundew/digester/notify"
	"sundew/schema/event"
)

// Sentence says in words what a rule does. channels are the names of those that it
// sends to, if it does not send to all.
func (r Rule) Sentence(channels []string) string {
	var when []string
	if r.New {
		when = append(when, "is new")
	}
	if r.Regression {
		when = append(when, "comes back after it was resolved")
	}
	if r.Unmuted {
		when = append(when, "is no longer muted")
	}
	if r.Events.Asked() {
		when = append(when, "is seen "+r.Events.words("time"))
	}
	if r.Users.Asked() {
		when = append(when, "affects "+r.Users.words("user"))
	}
	text := "When an issue " + r.Filter.titleWords() + listed(when, "or") + r.Filter.words() + ": send to " + r.where(channels)
	if r.Interval > 0 {
		text += ", at most every " + strings.TrimPrefix(Span(r.Interval), "1 ") + " for one issue"
	}
	return text + "."
}

func (r Rule) where(channels []string) string {
	switch {
	case r.AllChannels:
		return "all channels"
	case len(channels) == 0:
		return "no channel"
	}
	return listed(channels, "and")
}

// words says a rate: "100 times in 5 minutes".
func (r Rate) words(what string) string { return counted(r.Count, what) + " in " + Span(r.Period) }

func (f Filter) titleWords() string {
	if f.Title == "" {
		return ""
	}
	return "with “" + f.Title + "” in its title "
}

func (f Filter) words() string {
	var text strings.Builder
	if len(f.Environments) > 0 {
		text.WriteString(" in " + listed(f.Environments, "or"))
	}
	if f.Level > event.LevelUnset {
		text.WriteString(" at level " + f.Level.String())
		if f.Level < event.LevelFatal {
			text.WriteString(" or above")
		}
	}
	var tags []string
	for _, t := range f.Tags {
		tags = append(tags, t.Key+"="+t.Value)
	}
	if len(tags) > 0 {
		text.WriteString(" with " + listed(tags, "and"))
	}
	return text.String()
}

// ReasonOf says why a message is sent: a sentence without its full stop. n is the
// number that was reached, of a kind that counts.
func (r Rule) ReasonOf(kind notify.Kind, n int64) string {
	switch kind {
	case notify.KindNew:
		return "seen for the first time"
	case notify.KindRegression:
		return "came back after it was resolved"
	case notify.KindUnmuted:
		return "no longer muted"
	case notify.KindVolume:
		return fmt.Sprintf("seen %s in %s (rule: %s)", counted(n, "time"), Span(r.Events.Period), grouped(r.Events.Count))
	case notify.KindUsers:
		return fmt.Sprintf("%s affected in %s (rule: %s)", counted(n, "user"), Span(r.Users.Period), grouped(r.Users.Count))
	}
	return ""
}

// Sum is how many messages of each kind were collected.
type Sum struct {
	New, Regression, Unmuted, Volume, Users int64

	Since time.Time // when the first was
}

// Add returns the sum with one more message.
func (s Sum) Add(kind notify.Kind, now time.Time) Sum {
	if s.Total() == 0 {
		s.Since = now
	}
	switch kind {
	case notify.KindNew:
		s.New++
	case notify.KindRegression:
		s.Regression++
	case notify.KindUnmuted:
		s.Unmuted++
	case notify.KindVolume:
		s.Volume++
	case notify.KindUsers:
		s.Users++
	}
	return s
}

// Total is how many messages were collected.
func (s Sum) Total() int64 { return s.New + s.Regression + s.Unmuted + s.Volume + s.Users }

// Reason says what was collected until now: "4,987 new issues, 3 that came back in 1
// minute".
func (s Sum) Reason(now time.Time) string {
	var parts []string
	for _, p := range []struct {
		n         int64
		one, many string
	}{
		{s.New, "new issue", "new issues"},
		{s.Regression, "that came back", "that came back"},
		{s.Unmuted, "no longer muted", "no longer muted"},
		{s.Volume, "seen often", "seen often"},
		{s.Users, "with many users affected", "with many users affected"},
	} {
		switch p.n {
		case 0:
		case 1:
			parts = append(parts, "1 "+p.one)
		default:
			parts = append(parts, grouped(p.n)+" "+p.many)
		}
	}
	return listed(parts, "and") + " in " + Span(max(now.Sub(s.Since).Round(time.Minute), time.Minute))
}

// Span says how long something takes, in the largest unit that says it exactly.
func Span(d time.Duration) string {
	minutes := int64(d / time.Minute)
	switch {
	case minutes > 0 && minutes%60 == 0:
		return counted(minutes/60, "hour")
	case minutes > 60:
		return counted(minutes/60, "hour") + " " + counted(minutes%60, "minute")
	}
	return counted(minutes, "minute")
}

// listed puts words into a row: "a, b or c".
func listed(words []string, last string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " " + last + " " + words[n-1]
	}
	return strings.Join(words, "")
}

func counted(n int64, what string) string {
	if n != 1 {
		what += "s"
	}
	return grouped(n) + " " + what
}

// grouped writes a number with commas between thousands.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
