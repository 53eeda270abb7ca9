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
	if !over {
		return false
	}
	in.count(category, wire.OutcomeLimited, plainWord(limit.Reason), quantity)
	in.quotas.items++
	known := func(l keyring.Limit) bool {
		return l.Until.Equal(limit.Until) && l.Reason == limit.Reason && slices.Equal(l.Categories, limit.Categories)
	}
	if !slices.ContainsFunc(in.quotas.limits, known) {
		in.quotas.limits = append(in.quotas.limits, limit)
	}
	return true
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
	return strconv.Itoa(seconds) + ":" + strings.Join(categories, ";") + ":project:" + plainWord(limit.Reason)
}

// secondsUntil returns the whole seconds to a moment, 1 to maxPause.
func secondsUntil(until, now time.Time) int {
	return int(min(max(math.Ceil(until.Sub(now).Seconds()), 1), maxPause))
}
