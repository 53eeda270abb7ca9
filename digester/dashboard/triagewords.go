package dashboard

import (
	"strings"
	"time"

	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/digester/triage"
)

// stateWords says what people decided about an issue, where there is more to say than
// the name of the state. Where that ends by itself at a moment, the moment follows.
func stateWords(i store.Issue) (words string, until time.Time) {
	switch i.State {
	case store.StateResolved:
		if words := deed.ResolutionWords(i.Resolution); words != "" {
			return "Resolved " + words, time.Time{}
		}
	case store.StateMuted:
		if i.Mute.Kind == triage.MuteUntil {
			return "Muted until", i.Mute.Until
		}
		return "Muted " + deed.MuteWords(i.Mute, max(1, i.Mute.Events-i.Events)), time.Time{}
	}
	return "", time.Time{}
}

// historyWords says what happened. names knows issues, users and teams that an entry
// speaks of. Kinds that this program does not know come from a newer one and are shown
// as they are.
func historyWords(e store.HistoryEntry, names historyNames) string {
	detail := e.Detail
	switch e.Kind {
	case store.HistoryCreated:
		return "First seen"
	case store.HistoryResolved:
		return strings.TrimSpace("Resolved " + deed.ResolutionWords(triage.Resolution{Kind: detail.Resolve, Release: detail.Release}))
	case store.HistoryReopened:
		return "Reopened"
	case store.HistoryRegressed:
		if e.Release != "" {
			return "Came back after it was resolved, in " + e.Release
		}
		return "Came back after it was resolved"
	case store.HistoryMuted:
		return "Muted " + deed.MuteWords(muteOf(detail), detail.Events)
	case store.HistoryUnmuted:
		return unmutedWords(detail)
	case store.HistoryAssigned:
		return "Assigned to " + names.assignee(store.Assignee{User: detail.User, Team: detail.Team})
	case store.HistoryComment:
		return "Comment"
	case store.HistoryMerged:
		if detail.Head != 0 {
			return "Merged into " + names.issue(detail.Head)
		}
		return "Merged with " + names.issues(detail.Members)
	case store.HistoryUnmerged:
		if detail.Head != 0 {
			return "Taken out of " + names.issue(detail.Head)
		}
		return "Parted from " + names.issues(detail.Members)
	case store.HistoryDeleted:
		return "Deleted"
	case store.HistoryRestored:
		return "Restored"
	case store.HistoryMapped:
		return "Source maps arrived: " + formatCounted(detail.Events, "event") + " read from the source"
	case store.HistoryMoved:
		if detail.To != 0 {
			return "Source maps arrived: " + formatCounted(detail.Events, "event") + " moved to " + names.issue(detail.To)
		}
		return "Source maps arrived: " + formatCounted(detail.Events, "event") + " moved here from " + names.issue(detail.From)
	}
	return e.Kind
}

func muteOf(d store.Detail) triage.Mute {
	return triage.Mute{Kind: d.Mute, Until: time.UnixMilli(d.Until), Events: d.Events, Period: time.Duration(d.Period) * time.Millisecond}
}

// unmutedWords says why a silence was over.
func unmutedWords(d store.Detail) string {
	switch d.Mute {
	case triage.MuteUntil:
		return "No longer muted: its time was over"
	case triage.MuteMore:
		return "No longer muted: its events had come"
	case triage.MuteRate:
		return "No longer muted: " + formatCounted(d.Events, "event") + " in " + deed.PeriodWords(time.Duration(d.Period)*time.Millisecond)
	case triage.MuteWorse:
		return "No longer muted: it got worse"
	}
	return "No longer muted"
}
