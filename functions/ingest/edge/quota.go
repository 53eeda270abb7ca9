package edge

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"sundew/schema/keyring"
	"sundew/schema/quota"
	"sundew/schema/wire"
)

// rateCategories are what a key's rate limit holds back.
const rateCategories = categoryError + ";" + categorySecurity + ";" + categoryDefault + ";" + categoryAttachment + ";" + categoryFeedback

// maxPause bounds for how many seconds a client is told to be silent: it asks again
// after an hour, so a quota that is lifted early is noticed.
const maxPause = 3600

// quotas is what a request met of its project's quotas.
type quotas struct {
	items  int64           // left out
	limits []keyring.Limit // why, each once
}

// overQuota reports whether the project may not report items of a category now, and
// counts those that are left out. A client's own reports are never asked for: what
// they say is part of the books.
func (in *intake) overQuota(category string, quantity int64) bool {
	limit, over := in.h.cfg.Keys.Limited(in.project, category, in.base.ReceivedAt)
	if over {
		in.leaveOut(category, quantity, limit)
	}
	return over
}

// takeQuota counts an item that is about to be queued, unless that is one too many.
// It is asked last: what it counts is queued, or given back. Keys that nobody vouches
// for use up nothing: what comes with them is dropped if they are wrong.
func (in *intake) takeQuota(category string) bool {
	class, limited := quota.ClassOf(category)
	if !limited || !in.metered() {
		return true
	}
	over, is := in.h.cfg.Quotas.Take(in.project, class, in.base.ReceivedAt)
	if is {
		in.leaveOut(category, 1, keyring.Limit{
			Project: in.project, Categories: over.Class.Categories(), Until: over.Until, Reason: over.Reason(),
			Organization: over.Scope == quota.Installation,
		})
	}
	return !is
}

func (in *intake) metered() bool { return in.h.cfg.Quotas != nil && in.base.Key == "" }

// giveBack is for messages that could not be queued.
func (in *intake) giveBack() {
	if !in.metered() {
		return
	}
	for _, m := range in.messages {
		if class, limited := quota.ClassOf(categoryOfKind(m.Kind)); limited {
			in.h.cfg.Quotas.Add(in.project, class, in.base.ReceivedAt, -1)
		}
	}
}

// leaveOut counts items that are left out because of a quota.
func (in *intake) leaveOut(category string, quantity int64, limit keyring.Limit) {
	in.count(category, wire.OutcomeLimited, plainWord(limit.Reason), quantity)
	in.quotas.items++
	known := func(l keyring.Limit) bool {
		return l.Until.Equal(limit.Until) && l.Reason == limit.Reason && slices.Equal(l.Categories, limit.Categories)
	}
	if !slices.ContainsFunc(in.quotas.limits, known) {
		in.quotas.limits = append(in.quotas.limits, limit)
	}
}

// answerLimited tells the client which categories to hold back and for how long:
// events of this key, or what the project's quotas name. Retry-After is for clients
// that know no categories, so it is the shortest pause: it stops everything.
func (in *intake) answerLimited(w http.ResponseWriter, r *http.Request) {
	var entries []string
	var faults []error
	pause := maxPause
	if in.limited > 0 {
		_, reason, _ := refusalOf(errLimited)
		pause = retryAfter(in.bucket, in.base.ReceivedAt)
		entries = append(entries, strconv.Itoa(pause)+":"+rateCategories+":key:"+reason)
		faults = append(faults, fmt.Errorf("%w: %d of the request's items were left out", errLimited, in.limited))
	}
	for _, limit := range in.quotas.limits {
		seconds := secondsUntil(limit.Until, in.base.ReceivedAt)
		pause = min(pause, seconds)
		entries = append(entries, quotaEntry(limit, seconds))
	}
	if in.quotas.items > 0 {
		faults = append(faults, fmt.Errorf("%w: %d of the request's items were left out", errOverQuota, in.quotas.items))
	}
	w.Header().Set("Retry-After", strconv.Itoa(pause))
	w.Header().Set("X-Sentry-Rate-Limits", strings.Join(entries, ", "))
	in.h.refuse(w, r, in.endpoint, in.named, faults...)
}

// quotaEntry returns a quota as X-Sentry-Rate-Limits has it. No category means all.
func quotaEntry(limit keyring.Limit, seconds int) string {
	categories := make([]string, len(limit.Categories))
	for i, c := range limit.Categories {
		categories[i] = plainWord(c)
	}
	scope := "project"
	if limit.Organization {
		scope = "organization"
	}
	return strconv.Itoa(seconds) + ":" + strings.Join(categories, ";") + ":" + scope + ":" + plainWord(limit.Reason)
}

// secondsUntil returns the whole seconds to a moment, 1 to maxPause.
func secondsUntil(until, now time.Time) int {
	return int(min(max(math.Ceil(until.Sub(now).Seconds()), 1), maxPause))
}
