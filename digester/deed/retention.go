package deed

import (
	"fmt"
	"strings"

	"sundew/digester/retention"
	"sundew/digester/store"
	"sundew/digester/words"
)

// CheckRetention returns an *Unfit unless a project's limits are none, 0, or within
// bounds.
func CheckRetention(set retention.Setting) error {
	out := func(n *int64, least, most int64) bool { return n != nil && *n != 0 && (*n < least || *n > most) }
	var problems []string
	if out(set.Days, 1, retention.MaxDays) {
		problems = append(problems, fmt.Sprintf("The number of days has to be from 1 to %s.", words.Count(retention.MaxDays)))
	}
	if out(set.Events, retention.MinEvents, retention.MaxEvents) {
		problems = append(problems, fmt.Sprintf("The number of events has to be from %s to %s.", words.Count(retention.MinEvents), words.Count(retention.MaxEvents)))
	}
	if len(problems) > 0 {
		return Cannot(strings.Join(problems, " "))
	}
	return nil
}

// SetRetention says how long a project's events are kept. installation is what holds
// where the project says nothing.
func SetRetention(tx *store.Tx, by By, p store.Project, set retention.Setting, installation retention.Policy) error {
	if err := CheckRetention(set); err != nil {
		return err
	}
	if err := tx.SetRetention(p.ID, set); err != nil {
		return refusal(err)
	}
	policy := set.Or(installation)
	return by.setting(tx, p, "project.retention", DaysWords(policy.Days)+", "+EventsWords(policy.Events))
}

// DaysWords says for how many days events are kept.
func DaysWords(days int64) string {
	if days == 0 {
		return "for ever"
	}
	return words.Counted(days, "day")
}

// EventsWords says how many events are kept.
func EventsWords(events int64) string {
	if events == 0 {
		return "all events"
	}
	return words.Count(events) + " events"
}
