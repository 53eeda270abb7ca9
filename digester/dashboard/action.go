package dashboard

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/digester/triage"
)

// parseAction reads a form. What is done is in its field "do", a verb or one with
// more, as in "mute:1h"; without it the verb is the fallback. The error is errForm or
// *deed.Unfit.
func parseAction(form url.Values, fallback deed.Verb, me int64, now time.Time) (deed.Action, error) {
	text := form.Get("do")
	if text == "" {
		text = string(fallback)
	}
	name, how, _ := strings.Cut(text, ":")
	a := deed.Action{Verb: deed.Verb(name)}
	var err error
	switch a.Verb {
	case deed.Resolve:
		a.Resolve, err = parseResolution(how, form)
	case deed.Mute:
		a.Mute, err = parseMute(how, form, now)
	case deed.Assign:
		a.Assign, err = parseAssignee(how, form, me)
	case deed.Unmerge:
		a.Head, err = strconv.ParseInt(form.Get("head"), 10, 64)
	case deed.Reopen, deed.Merge, deed.Delete, deed.Restore:
	default:
		return a, errForm
	}
	var known *deed.Unfit
	if err != nil && !errors.As(err, &known) {
		err = errors.Join(errForm, err)
	}
	return a, err
}

func parseResolution(how string, form url.Values) (triage.Resolution, error) {
	switch how {
	case "":
		return triage.Resolution{}, nil
	case "next":
		return triage.Resolution{Kind: triage.ResolvedNext}, nil
	case "in":
		release := strings.TrimSpace(form.Get("release"))
		if release == "" {
			return triage.Resolution{}, deed.Cannot("Choose the release in which it is resolved.")
		}
		return triage.Resolution{Kind: triage.ResolvedIn, Release: release}, nil
	}
	return triage.Resolution{}, errForm
}

// muteSpan is a time for which an issue can be muted.
type muteSpan struct {
	Name, Text string
	length     time.Duration
}

// MuteSpans are what forms offer.
func muteSpans() []muteSpan {
	const day = 24 * time.Hour
	return []muteSpan{{"1h", "1 hour", time.Hour}, {"8h", "8 hours", 8 * time.Hour}, {"1d", "1 day", day}, {"1w", "1 week", 7 * day}, {"1m", "1 month", 30 * day}, {"3m", "3 months", 90 * day}}
}

func parseMute(how string, form url.Values, now time.Time) (triage.Mute, error) {
	for _, s := range muteSpans() {
		if s.Name == how {
			return triage.Mute{Kind: triage.MuteUntil, Until: now.Add(s.length)}, nil
		}
	}
	switch how {
	case "", "forever":
		return triage.Mute{Kind: triage.MuteForever}, nil
	case "worse":
		return triage.Mute{Kind: triage.MuteWorse}, nil
	case "events":
		return parseMuteEvents(form)
	}
	return triage.Mute{}, errForm
}

// parseMuteEvents reads a number of events and the period within which they count.
func parseMuteEvents(form url.Values) (triage.Mute, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(form.Get("events")), 10, 64)
	if err != nil || n < 1 || n > triage.MaxMuteEvents {
		return triage.Mute{}, deed.Cannot(fmt.Sprintf("The number of events has to be from 1 to %s.", formatCount(triage.MaxMuteEvents)))
	}
	m := triage.Mute{Kind: triage.MuteRate, Events: n}
	switch form.Get("period") {
	case "hour":
		m.Period = time.Hour
	case "day":
		m.Period = 24 * time.Hour
	case "week":
		m.Period = 7 * 24 * time.Hour
	case "ever":
		m.Kind = triage.MuteMore
	default:
		return m, errForm
	}
	return m, nil
}

// parseAssignee reads to whom: "me", "nobody", or "to" with the field "to", which is
// "user:1", "team:1" or one of the others.
func parseAssignee(how string, form url.Values, me int64) (store.Assignee, error) {
	if how == "to" || how == "" {
		how = form.Get("to")
	}
	switch how {
	case "me":
		return store.Assignee{User: me}, nil
	case "nobody":
		return store.Assignee{}, nil
	}
	kind, number, _ := strings.Cut(how, ":")
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil || id < 1 {
		return store.Assignee{}, errForm
	}
	switch kind {
	case "user":
		return store.Assignee{User: id}, nil
	case "team":
		return store.Assignee{Team: id}, nil
	}
	return store.Assignee{}, errForm
}
