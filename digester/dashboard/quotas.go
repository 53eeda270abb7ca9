package dashboard

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/quota"
)

// quotaView is how far the limits of a project are used up: what the project's page
// shows of it.
type quotaView struct {
	Fullest quotaUse
	Over    *quotaOver // nil: everything is accepted
	Refused int64      // items within the last day
	URL     string     // of the settings; empty: who asks may not see them
}

// quotaUse is how far one limit is used up.
type quotaUse struct {
	Text  string // "950 of 1,000 events in 5 minutes"
	Width int    // of its bar, in percent
	Full  bool
	Open  time.Time // when there is room again; zero: there is
}

// quotaOver says what is refused at present.
type quotaOver struct {
	Whose string // "this project's", or "the installation's"
	What  string // "1,000 events in 5 minutes"
	Class string // "events"
	Open  time.Time
}

// newQuotaView returns nil if nothing is limited.
func (d *Dashboard) newQuotaView(rx *store.Rx, me access.Person, project event.ProjectID) (*quotaView, error) {
	now := d.cfg.Now()
	uses, err := deed.LimitUses(rx, project, now)
	if err != nil {
		return nil, err
	}
	all, err := deed.LimitUses(rx, quota.Installation, now)
	if err != nil {
		return nil, err
	}
	view := &quotaView{}
	fullest := -1.0
	for _, u := range append(uses, all...) {
		share := float64(u.Used) / float64(u.Limit)
		if u.Project != quota.Installation && share > fullest {
			fullest, view.Fullest = share, newQuotaUse(u)
		}
		if !u.Open.IsZero() && (view.Over == nil || u.Open.After(view.Over.Open)) {
			view.Over = newQuotaOver(u)
		}
	}
	if len(uses) == 0 && view.Over == nil {
		return nil, nil
	}
	if me.In(project) >= access.Admin {
		view.URL = d.links.settingsPart(project, "limits")
	}
	view.Refused, err = rx.OverQuota(project, now.Add(-24*time.Hour))
	return view, err
}

func newQuotaUse(u quota.Use) quotaUse {
	return quotaUse{
		Text:  formatCount(u.Used) + " of " + formatCount(u.Limit) + " " + u.Class.String() + " in " + u.Window.Span(),
		Width: int(min(100*u.Used/u.Limit, 100)), Full: !u.Open.IsZero(), Open: u.Open,
	}
}

func newQuotaOver(u quota.Use) *quotaOver {
	over := &quotaOver{Whose: "This project", Class: u.Class.String(), Open: u.Open}
	if u.Project == quota.Installation {
		over.Whose = "This installation"
	}
	over.What = formatCount(u.Limit) + " " + u.Class.String() + " in " + u.Window.Span()
	return over
}

// quotaForm is the limits as a form.
type quotaForm struct {
	Classes []string // the columns
	Rows    []quotaRow
	Uses    []quotaUse
}

// quotaRow is the limits of one window.
type quotaRow struct {
	Window string
	Fields []quotaField
}

// quotaField is one limit.
type quotaField struct{ Name, Label, Value string }

// newQuotaForm returns the form with what value says stands in each field.
func newQuotaForm(uses []quota.Use, value func(name string, class quota.Class, window quota.Window) string) quotaForm {
	var form quotaForm
	for class := range quota.Class(quota.Classes) {
		form.Classes = append(form.Classes, sentenceCase(class.String()))
	}
	for window := range quota.Window(quota.Windows) {
		row := quotaRow{Window: window.Span()}
		for class := range quota.Class(quota.Classes) {
			name := quotaFieldName(class, window)
			row.Fields = append(row.Fields, quotaField{
				Name: name, Label: sentenceCase(class.String()) + " in " + window.Span(), Value: value(name, class, window),
			})
		}
		form.Rows = append(form.Rows, row)
	}
	for _, u := range uses {
		form.Uses = append(form.Uses, newQuotaUse(u))
	}
	return form
}

func quotaFieldName(class quota.Class, window quota.Window) string {
	return class.String() + "-" + window.String()
}

func sentenceCase(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// limitText is a limit as people type it: nothing is none.
func limitText(limit int64) string {
	if limit == 0 {
		return ""
	}
	return strconv.FormatInt(limit, 10)
}

// parseLimit is the inverse of limitText; commas and blanks within a number count for
// nothing.
func parseLimit(text string) (int64, error) {
	text = strings.NewReplacer(",", "", " ", "", "\u00a0", "").Replace(text)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > quota.MaxLimit {
		return 0, fmt.Errorf("%w number: want a whole number up to %s, or nothing for no limit", store.ErrInvalid, formatCount(quota.MaxLimit))
	}
	return n, nil
}

// parseLimits reads the limits of a form.
func parseLimits(value func(name string) string) (limits quota.Limits, err error) {
	for class := range quota.Class(quota.Classes) {
		for window := range quota.Window(quota.Windows) {
			if limits[class][window], err = parseLimit(value(quotaFieldName(class, window))); err != nil {
				return limits, err
			}
		}
	}
	return limits, nil
}
