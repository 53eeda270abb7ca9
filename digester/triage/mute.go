package triage

import "time"

// MuteKind is how long an issue is muted.
type MuteKind int

// The kinds of silence.
const (
	NotMuted    MuteKind = iota
	MuteForever          // until a person says otherwise
	MuteUntil            // until a moment
	MuteMore             // until so many more events
	MuteRate             // until so many events within a period
	MuteWorse            // until it gets worse: MuteRate with numbers that follow from how bad it was
)

// Bounds of what can be asked for.
const (
	MaxMuteEvents = 1_000_000
	MinMutePeriod = time.Minute
	MaxMutePeriod = 30 * 24 * time.Hour
	MaxMuteTime   = 10 * 365 * 24 * time.Hour // of what is said as a number of minutes
)

// Mute is a silence about an issue. Only what its kind names matters.
type Mute struct {
	Kind   MuteKind
	Until  time.Time
	Events int64 // MuteMore: the number of events that ends it
	Period time.Duration
}

// Counts reports whether the silence depends on how many events there were within
// Period.
func (m Mute) Counts() bool { return m.Kind == MuteRate || m.Kind == MuteWorse }

// Over reports whether the silence ends: now is the time, total how many events the
// issue has had, recent how many within Period, where it Counts.
func (m Mute) Over(now time.Time, total, recent int64) bool {
	switch m.Kind {
	case MuteUntil:
		return !now.Before(m.Until)
	case MuteMore:
		return total >= m.Events
	case MuteRate, MuteWorse:
		return recent >= m.Events
	}
	return false
}

// Valid reports whether a person may ask for this at a moment.
func (m Mute) Valid(now time.Time) bool {
	events := 1 <= m.Events && m.Events <= MaxMuteEvents
	switch m.Kind {
	case MuteForever, MuteWorse:
		return true
	case MuteUntil:
		return m.Until.After(now)
	case MuteMore:
		return events
	case MuteRate:
		return events && MinMutePeriod <= m.Period && m.Period <= MaxMutePeriod
	}
	return false
}

// Worse returns the silence that ends when an issue gets worse than it was:
// largest is the number of its events in the worst hour of late.
func Worse(largest int64) Mute {
	return Mute{Kind: MuteWorse, Events: max(10, 2*largest), Period: time.Hour}
}
