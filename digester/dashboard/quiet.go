package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"sundew/digester/store"
	"sundew/schema/event"
)

// quietChunk is how many issues one transaction resolves: the digester waits no
// longer than that takes.
const quietChunk = 200

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

// resolveQuiet is POST /projects/{id}/quiet: a read that may take long, then short
// writes that assert what it found, so that an issue with an event in between stays
// open. Where a write fails, what was resolved before it stays so.
func (d *Dashboard) resolveQuiet(w http.ResponseWriter, r *http.Request) {
	project, before, err := d.parseQuiet(w, r)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	quiet, err := d.readQuiet(r.Context(), project, before)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	resolved, position := 0, int64(0)
	for chunk := range slices.Chunk(quiet, quietChunk) {
		var n int
		err := d.cfg.DB.Write(r.Context(), "resolve quiet issues", func(tx *store.Tx) (err error) {
			position = tx.Position()
			if n, err = tx.ResolveQuiet(chunk, before, who(r).ID); err != nil || n == 0 {
				return err
			}
			return d.audit(tx, r, store.AuditEntry{Action: "issue.quiet", Project: project, Subject: formatCounted(int64(n), "issue")})
		})
		if err != nil {
			d.fail(w, r, fmt.Errorf("after %d of %d issues: %w", resolved, len(quiet), err))
			return
		}
		resolved += n
	}
	if position > 0 {
		d.rememberPosition(w, position)
	}
	d.answer(w, r, redirect(d.links.issuesResolved(project, resolved)), nil)
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
	before := time.UnixMilli(ms)
	// A moment that no page of ours offers would resolve what people still look at.
	if err != nil || before.After(d.cfg.Now().AddDate(0, 0, -int(slices.Min(quietDays())))) {
		return 0, time.Time{}, errors.Join(errForm, err)
	}
	return event.ProjectID(id), before, nil
}

// readQuiet is the read of resolveQuiet.
func (d *Dashboard) readQuiet(ctx context.Context, project event.ProjectID, before time.Time) (quiet []store.QuietIssue, err error) {
	err = d.cfg.Replica.Read(ctx, func(rx *store.Rx) error {
		if _, err := rx.Project(project); err != nil {
			return err
		}
		quiet, err = rx.QuietIssues(project, before)
		return err
	})
	return quiet, err
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
