// Package alert decides of what happened to issues what people are told, where and
// when.
//
// It exists so that these decisions can be looked at without a database or a clock:
// it is pure. Three rules hold. A rule speaks of one issue for one reason at most once
// in its interval. A channel hears of an issue once, whichever rules agree on it. And
// what comes thick and fast is collected and told together, in summaries that get
// rarer while it goes on (Pace), so that nobody learns to look away; nothing that was
// collected is left out of the count.
package alert

import (
	"slices"
	"strings"
	"time"

	"sundew/digester/notify"
	"sundew/schema/event"
)

// Occurrence is something that happened to an issue and that a rule may be about.
type Occurrence struct {
	Kind        notify.Kind // new, regression, unmuted, volume or users
	Rule        int64       // of volume and users: the rule whose number was reached
	Level       event.Level
	Environment string
	Title       string // of the issue
	Tags        []event.Pair
}

// Counted reports whether the occurrence is that a rule's number was reached.
func (o Occurrence) Counted() bool {
	return o.Kind == notify.KindVolume || o.Kind == notify.KindUsers
}

// Wants reports whether people are to be told of an occurrence, if it is not too soon.
func (r Rule) Wants(o Occurrence) bool {
	if !r.Enabled {
		return false
	}
	if o.Counted() { // the filter decided what was counted
		return o.Rule == r.ID
	}
	return r.asksFor(o.Kind) && r.Filter.Fits(o)
}

func (r Rule) asksFor(kind notify.Kind) bool {
	switch kind {
	case notify.KindNew:
		return r.New
	case notify.KindRegression:
		return r.Regression
	case notify.KindUnmuted:
		return r.Unmuted
	}
	return false
}

// Fits reports whether an occurrence is one of those that the filter lets through.
func (f Filter) Fits(o Occurrence) bool {
	if len(f.Environments) > 0 && !slices.Contains(f.Environments, o.Environment) {
		return false
	}
	for _, tag := range f.Tags {
		if !slices.Contains(o.Tags, tag) {
			return false
		}
	}
	return o.Level >= f.Level && f.FitsTitle(o.Title)
}

// FitsTitle is Fits of an issue's title alone. Letters may be of either case.
func (f Filter) FitsTitle(title string) bool {
	return strings.Contains(strings.ToLower(title), strings.ToLower(f.Title))
}

// TooSoon reports whether the rule spoke of the same issue for the same reason within
// its interval. last is when it did; the zero time: never.
func (r Rule) TooSoon(last, now time.Time) bool {
	return !last.IsZero() && now.Sub(last) < r.Interval
}

// Send is a message that a rule wants in a channel.
type Send struct{ Channel, Rule int64 }

// Verdict is what is to be done about an occurrence.
type Verdict struct {
	Sends []Send // one a channel at most; none: nobody is told
	Quiet bool   // and nobody is, because every rule that wants it spoke too lately
}

// Judge decides about an occurrence. channels are those of the project that take
// messages; last is when each rule last spoke of the issue for this reason.
func Judge(o Occurrence, rules []Rule, channels []int64, last map[int64]time.Time, now time.Time) Verdict {
	var v Verdict
	soon := false
	for _, r := range rules {
		if !r.Wants(o) {
			continue
		}
		if r.TooSoon(last[r.ID], now) {
			soon = true
			continue
		}
		for _, c := range channels {
			told := slices.ContainsFunc(v.Sends, func(s Send) bool { return s.Channel == c })
			if r.SendsTo(c) && !told {
				v.Sends = append(v.Sends, Send{Channel: c, Rule: r.ID})
			}
		}
	}
	v.Quiet = soon && len(v.Sends) == 0
	return v
}

// Estimate is how many of total events are meant, if meant of examined ones are: all
// of them were, or the newest, or those of which rows are kept.
func Estimate(total, examined, meant int64) int64 {
	if examined <= 0 {
		return 0
	}
	if examined >= total {
		return meant
	}
	whole, rest := total/examined, total%examined // total*meant may be too large for its type
	return whole*meant + rest*meant/examined
}
