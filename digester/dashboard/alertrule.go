package dashboard

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"sundew/digester/alert"
	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/schema/event"
)

// alertRulePage is the form of a rule, a new one or one that is there.
type alertRulePage struct {
	settingsFrame
	Rule         alert.Rule // as typed; ID is 0 of a new one
	Action       string     // where the form is sent
	Events       string     // the numbers, as typed
	Users        string
	EventPeriods []option
	UserPeriods  []option
	Environments []option
	Other        string // environments that were typed
	Levels       []option
	Tags         string
	Pauses       []option
	Channels     []option
}

// showNewAlertRule is GET /projects/{id}/settings/alerts/new.
func (d *Dashboard) showNewAlertRule(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	rule := alert.Rule{Enabled: true, New: true, Interval: alert.DefaultInterval, AllChannels: true}
	page, err := d.alertRulePage(rx, r, p, rule)
	return show("alertrule", page), err
}

// showAlertRule is GET /projects/{id}/settings/alerts/{rule}.
func (d *Dashboard) showAlertRule(rx *store.Rx, r *http.Request) (reply, error) {
	p, rule, err := pathAlertRule(rx, r)
	if err != nil {
		return reply{}, err
	}
	page, err := d.alertRulePage(rx, r, p, rule.Rule)
	return show("alertrule", page), err
}

func (d *Dashboard) alertRulePage(rx *store.Rx, r *http.Request, p store.Project, rule alert.Rule) (alertRulePage, error) {
	page := alertRulePage{
		settingsFrame: d.settingsFrame(r, p, alertPart), Rule: rule, Action: d.links.alertSettings(p.ID),
		Events: rateText(rule.Events), Users: rateText(rule.Users),
		EventPeriods: spanOptions(periods(), cmp.Or(rule.Events.Period, 5*time.Minute)), UserPeriods: spanOptions(periods(), cmp.Or(rule.Users.Period, time.Hour)),
		Levels: alertLevels(rule.Filter.Level), Tags: alert.FormatTags(rule.Filter.Tags),
		Pauses: spanOptions(pauses(), rule.Interval),
	}
	if rule.ID != 0 {
		page.Action = d.links.alertRule(p.ID, rule.ID, "")
	}
	var err error
	if page.Environments, err = knownEnvironments(rx, p.ID, rule.Filter.Environments); err != nil {
		return page, err
	}
	channels, err := rx.Channels(p.ID)
	for _, c := range channels {
		page.Channels = append(page.Channels, option{formatID(c.ID), c.Name, slices.Contains(rule.Channels, c.ID)})
	}
	return page, err
}

// addAlertRule is POST /projects/{id}/settings/alerts.
func (d *Dashboard) addAlertRule(tx *store.Tx, r *http.Request) (reply, error) {
	p, err := pathProject(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	rule, err := formAlertRule(r)
	rule.Enabled = true
	if err == nil {
		_, err = deed.AddAlertRule(tx, d.by(r), p, rule)
	}
	return d.savedAlertRule(tx, r, p, rule, "rule-added", err)
}

// changeAlertRule is POST /projects/{id}/settings/alerts/{rule}.
func (d *Dashboard) changeAlertRule(tx *store.Tx, r *http.Request) (reply, error) {
	p, old, err := pathAlertRule(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	rule, err := formAlertRule(r)
	rule.ID, rule.Enabled = old.ID, old.Enabled
	if err == nil {
		err = deed.ChangeAlertRule(tx, d.by(r), p, rule)
	}
	return d.savedAlertRule(tx, r, p, rule, "saved", err)
}

// savedAlertRule leads back to the list, or back to the form if it will not do.
func (d *Dashboard) savedAlertRule(tx *store.Tx, r *http.Request, p store.Project, rule alert.Rule, word string, err error) (reply, error) {
	var unfit *deed.Unfit
	if !errors.As(deed.UnfitRule(err), &unfit) {
		return d.afterAlertRule(p, word, err)
	}
	page, err := d.alertRulePage(&tx.Rx, r, p, rule)
	page.Error, page.Tags = unfit.Words, formText(r, "tags")
	page.Events, page.Users, page.Other = r.PostFormValue("events"), r.PostFormValue("users"), ""
	return returned("alertrule", page), err
}

// formAlertRule reads a rule as it was typed. The error wraps alert.ErrRule or errForm;
// the rule is then as far as it could be read.
func formAlertRule(r *http.Request) (alert.Rule, error) {
	on := func(name string) bool { return r.PostFormValue(name) != "" }
	rule := alert.Rule{
		Name: strings.TrimSpace(r.PostFormValue("name")), New: on("new"), Regression: on("regression"), Unmuted: on("unmuted"),
		AllChannels: r.PostFormValue("where") != "some",
		Filter:      alert.Filter{Environments: formEnvironments(r), Title: strings.TrimSpace(r.PostFormValue("title"))},
	}
	level, err := strconv.ParseUint(r.PostFormValue("level"), 10, 8)
	if err != nil {
		return rule, errForm
	}
	rule.Filter.Level = event.Level(level)
	for _, id := range r.PostForm["channel"] {
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return rule, errForm
		}
		rule.Channels = append(rule.Channels, n)
	}
	if rule.AllChannels {
		rule.Channels = nil
	}
	var errs [4]error
	rule.Interval, errs[0] = formSpan(r, "pause")
	rule.Events, errs[1] = formRate(r, "events")
	rule.Users, errs[2] = formRate(r, "users")
	rule.Filter.Tags, errs[3] = alert.ParseTags(formText(r, "tags"))
	for _, err := range errs {
		if err != nil {
			return rule, err
		}
	}
	return rule, nil
}

// formEnvironments are those that were chosen and those that were typed.
func formEnvironments(r *http.Request) []string {
	var names []string
	for _, name := range append(slices.Clone(r.PostForm["environment"]), strings.Split(r.PostFormValue("environments"), ",")...) {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// formRate reads a number, which may be empty, and its period.
func formRate(r *http.Request, field string) (alert.Rate, error) {
	period, err := formSpan(r, field+"-period")
	text := strings.TrimSpace(r.PostFormValue(field))
	if err != nil || text == "" {
		return alert.Rate{Period: period}, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return alert.Rate{Period: period}, alert.NotANumber(field)
	}
	return alert.Rate{Count: n, Period: period}, nil
}

// formSpan reads one of the spans that a form offers, in minutes.
func formSpan(r *http.Request, field string) (time.Duration, error) {
	n, err := strconv.ParseUint(r.PostFormValue(field), 10, 31)
	if err != nil {
		return 0, errForm
	}
	return time.Duration(n) * time.Minute, nil
}

// periods are those over which a form offers to count.
func periods() []time.Duration {
	const m, h = time.Minute, time.Hour
	return []time.Duration{m, 5 * m, 10 * m, 15 * m, 30 * m, h, 3 * h, 6 * h, 12 * h, 24 * h}
}

// pauses are those that a form offers.
func pauses() []time.Duration { return append([]time.Duration{0}, periods()...) }

// spanOptions are options of spans, in minutes; the chosen one is among them.
func spanOptions(all []time.Duration, chosen time.Duration) []option {
	if !slices.Contains(all, chosen) {
		all = append(all, chosen)
		slices.Sort(all)
	}
	var options []option
	for _, s := range all {
		text := alert.Span(s)
		if s == 0 {
			text = "no pause"
		}
		options = append(options, option{formatID(int64(s / time.Minute)), text, s == chosen})
	}
	return options
}

func rateText(r alert.Rate) string {
	if !r.Asked() {
		return ""
	}
	return formatID(r.Count)
}

// alertLevels are the levels that a form offers.
func alertLevels(chosen event.Level) []option {
	options := []option{{formatID(int64(event.LevelUnset)), "any", chosen == event.LevelUnset}}
	for l := event.LevelFatal; l > event.LevelUnset; l-- {
		text := l.String() + " or above"
		if l == event.LevelFatal {
			text = l.String()
		}
		options = append(options, option{formatID(int64(l)), text, l == chosen})
	}
	return options
}
