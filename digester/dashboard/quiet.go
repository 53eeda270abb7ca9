package dashboard

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/schema/event"
)

// quietDefault is the first offer, in days.
const quietDefault = 30

// quietPage asks whether the issues that nobody has seen for long shall be resolved.
type quietPage struct {
	shell
	Project store.Project
	Days    int64
	Spans   []tab
	Count   int64
	Before  int64 // what the form sends: the moment, so that it does what the page says
}

// quietDays are the spans that can be chosen.
func quietDays() []int64 { return []int64{7, 14, quietDefault, 90} }

// showQuiet is GET /projects/{id}/quiet.
func (d *Dashboard) showQuiet(rx *store.Rx, r *http.Request) (reply, error) {
	project, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	days := queryNumber(r, "days", 365, quietDefault)
	if !slices.Contains(quietDays(), days) {
		days = quietDefault
	}
	page := quietPage{shell: shell{Title: "Resolve quiet issues", Trail: d.projectTrail(project)}, Project: project, Days: days}
	now := d.cfg.Now()
	n, from := int64(0), time.UnixMilli(0)
	for _, span := range slices.Backward(quietDays()) { // the longer ones are in the shorter ones
		before := now.AddDate(0, 0, -int(span))
		more, err := rx.CountQuiet(project.ID, from, before)
		if err != nil {
			return reply{}, err
		}
		n, from = n+more, before
		page.Spans = append(page.Spans, tab{
			Text: formatCounted(span, "day"), Count: formatCount(n), Current: span == days, URL: d.links.quiet(project.ID, span),
		})
		if span == days {
			page.Count, page.Before = n, before.UnixMilli()
		}
	}
	slices.Reverse(page.Spans)
	return show("quiet", page), nil
}

// resolveQuiet is POST /projects/{id}/quiet.
func (d *Dashboard) resolveQuiet(w http.ResponseWriter, r *http.Request) {
	project, before, err := d.parseQuiet(w, r)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	resolved, position, err := deed.ResolveQuiet(r.Context(), d.cfg.Replica, d.cfg.DB, d.by(r), project, before, d.cfg.Now())
	if err != nil {
		d.fail(w, r, err)
		return
	}
	if position > 0 {
		d.rememberPosition(w, position)
	}
	d.answer(w, r, redirect(d.links.issuesResolved(project, int(resolved))), nil)
}

// parseQuiet reads the form: the project and the moment before which issues were
// last seen.
func (d *Dashboard) parseQuiet(w http.ResponseWriter, r *http.Request) (event.ProjectID, time.Time, error) {
	id, err := pathNumber(r, "id")
	if err != nil {
		return 0, time.Time{}, err
	}
	if err := parseForm(w, r); err != nil {
		return 0, time.Time{}, err
	}
	ms, err := strconv.ParseInt(r.PostFormValue("before"), 10, 64)
	if err != nil {
		return 0, time.Time{}, errors.Join(errForm, err)
	}
	return event.ProjectID(id), time.UnixMilli(ms), nil
}

// resolvedWords says what a form has done that led to the issue list.
func resolvedWords(r *http.Request) string {
	n, err := strconv.ParseInt(r.URL.Query().Get("resolved"), 10, 64)
	switch {
	case err != nil || n < 0:
		return ""
	case n == 0:
		return "No issue was resolved: none was quiet any more."
	case n == 1:
		return "1 issue was resolved. It reopens by itself if it is seen again."
	}
	return formatCount(n) + " issues were resolved. One that is seen again reopens by itself."
}
