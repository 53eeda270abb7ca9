package deed

import (
	"time"

	"sundew/digester/store"
	"sundew/digester/triage"
	"sundew/digester/words"
)

// Past is what an issue is when it was done.
func (v Verb) Past() string {
	switch v {
	case Mute:
		return "muted"
	case Reopen:
		return "reopened"
	case Assign:
		return "assigned"
	case Unmerge:
		return "taken apart"
	}
	return string(v) + "d" // resolved, merged, deleted, restored
}

// ResolutionWords continues "Resolved".
func ResolutionWords(r triage.Resolution) string {
	switch {
	case r.Kind == triage.ResolvedIn:
		return "in " + r.Release
	case r.Kind == triage.ResolvedNext && r.Release != "":
		return "in the next release after " + r.Release
	case r.Kind == triage.ResolvedNext:
		return "in the next release"
	}
	return ""
}

// MuteWords continues "Muted". more is how many events are left of a silence that ends
// by their number.
func MuteWords(m triage.Mute, more int64) string {
	switch m.Kind {
	case triage.MuteUntil:
		return "until " + m.Until.UTC().Format("2006-01-02 15:04 UTC")
	case triage.MuteMore:
		return "until " + words.Counted(more, "more event")
	case triage.MuteRate:
		return "until " + words.Counted(m.Events, "event") + " in " + PeriodWords(m.Period)
	case triage.MuteWorse:
		if m.Events == 0 {
			return "until it gets worse"
		}
		return "until it gets worse: " + words.Counted(m.Events, "event") + " in " + PeriodWords(m.Period)
	}
	return "until somebody unmutes it"
}

// PeriodWords continues "in".
func PeriodWords(d time.Duration) string {
	switch d {
	case time.Minute:
		return "a minute"
	case time.Hour:
		return "an hour"
	case 24 * time.Hour:
		return "a day"
	case 7 * 24 * time.Hour:
		return "a week"
	}
	return words.Span(d)
}

// AssigneeName is what a person or a team is called; empty: nobody.
func AssigneeName(rx *store.Rx, to store.Assignee) (string, error) {
	switch {
	case to.User != 0:
		user, err := rx.User(to.User)
		return user.Name, err
	case to.Team != 0:
		team, err := rx.Team(to.Team)
		return "#" + team.Slug, err
	}
	return "", nil
}
