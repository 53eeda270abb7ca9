package api

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// For how many days issues have to be quiet, where nobody says, and at most.
const (
	quietDays    = 30
	maxQuietDays = 365
)

// quietRoutes are about open issues that have not been seen for long.
func (a *API) quietRoutes() {
	const tag, path = "Issues", "/projects/{org}/{project}/quiet/"
	const own = "Sundew's own. Quiet are open issues that were not seen for 7 days or more."
	member := ofProject(access.Member)
	read(a, path, readEvents, member, Doc{Tag: tag, Summary: "How many issues of a project are quiet", Text: own, Query: []Param{{Name: "days", Text: "for how long they were not seen; 30 if not said"}}}, a.quiet)
	raw[QuietAsk, QuietDone](a, "POST", path, writeEvents, member, Doc{Tag: tag, Summary: "Resolve the quiet issues of a project",
		Text: own + " With before, what GET answered, it does what that said. One that is seen again reopens by itself; what is seen while this runs stays open. It is more than one transaction: an error may leave some resolved."}, a.resolveQuiet)
}

// Quiet is how many issues were last seen before a moment.
type Quiet struct {
	Days   int64 `json:"days"`
	Count  int64 `json:"count"`
	Before Time  `json:"before"`
}

// QuietAsk says which issues are meant: those last seen before a moment, or so many
// days ago.
type QuietAsk struct {
	Days   int64  `json:"days"`
	Before string `json:"before"` // ISO 8601, in place of days
}

// QuietDone is how many issues were resolved.
type QuietDone struct {
	Resolved int64 `json:"resolved"`
}

// quietBefore is the moment so many days ago; 0: the usual number.
func quietBefore(days int64, now time.Time) (time.Time, error) {
	if days == 0 {
		days = quietDays
	}
	if least := int64(deed.QuietAfter / (24 * time.Hour)); days < least || days > maxQuietDays {
		return time.Time{}, bad(fmt.Sprintf("days is from %d to %d", least, maxQuietDays))
	}
	return now.AddDate(0, 0, -int(days)), nil
}

func (a *API) quiet(rx *store.Rx, r *request) (Quiet, error) {
	days := int64(quietDays)
	if text := r.query("days"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return Quiet{}, bad("days is a number")
		}
		days = n
	}
	before, err := quietBefore(days, a.cfg.Now())
	if err != nil {
		return Quiet{}, err
	}
	n, err := rx.CountQuiet(r.project.ID, time.UnixMilli(0), before)
	return Quiet{Days: days, Count: n, Before: Time{before}}, err
}

func (a *API) resolveQuiet(w http.ResponseWriter, r *request) error {
	in, err := decode[QuietAsk](w, r)
	if err != nil {
		return err
	}
	if a.cfg.DB == nil {
		return errReadOnly
	}
	before, err := quietBefore(in.Days, a.cfg.Now())
	if in.Before != "" {
		before, err = time.Parse(time.RFC3339Nano, in.Before)
		if err != nil {
			return bad("before is a time as in 2026-03-04T12:30:00Z")
		}
	}
	if err != nil {
		return err
	}
	n, _, err := deed.ResolveQuiet(r.Context(), a.cfg.Replica, a.cfg.DB, r.by(), r.project.ID, before, a.cfg.Now())
	if err == nil {
		r.send(w, QuietDone{n})
	}
	return err
}
