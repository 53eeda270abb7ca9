package dashboard

import (
	"html/template"
	"net/http"
	"strconv"

	"sundew/digester/access"
	"sundew/digester/alert"
	"sundew/digester/deed"
	"sundew/digester/notify"
	"sundew/digester/store"
	"sundew/schema/event"
)

// alertsShown is how many lines of the log the page has.
const alertsShown = 50

// alertRoutes are the routes of the rules in a project's settings.
func (d *Dashboard) alertRoutes() {
	admin := ofProject(access.Admin)
	const list = "/projects/{id}/settings/" + alertPart
	const one = list + "/{rule}"
	d.get(list, admin, d.showAlerts)
	d.get(list+"/new", admin, d.showNewAlertRule)
	d.post(list, "add alert rule", admin, d.addAlertRule)
	d.get(one, admin, d.showAlertRule)
	d.post(one, "change alert rule", admin, d.changeAlertRule)
	d.post(one+"/enable", "enable alert rule", admin, d.setAlertRule(true))
	d.post(one+"/disable", "disable alert rule", admin, d.setAlertRule(false))
	d.post(one+"/delete", "delete alert rule", admin, d.deleteAlertRule)
}

// alertFuncs are what templates of rules may call.
func (l links) alertFuncs() template.FuncMap {
	return template.FuncMap{
		"alertsURL":    l.alertSettings,
		"alertRuleURL": l.alertRule,
	}
}

// alertsPage is what people are told of a project, and what they were told.
type alertsPage struct {
	settingsFrame
	Rules    []alertRuleRow
	Channels int // that take messages; without any nobody is told anything
	Log      []alertRow
}

// alertRuleRow is one rule of the list.
type alertRuleRow struct {
	store.AlertRule
	Sentence string
	Nowhere  bool // it sends to no channel, or to none that is switched on
}

// alertRow is a line of the log.
type alertRow struct {
	store.LoggedAlert
	ShortID string
	URL     string // of the issue
	Why     string
	Fate    string // where nobody is told
	Sends   []alertSend
}

// alertSend is where somebody is told.
type alertSend struct {
	store.LoggedSend
	Text  string // how far it is
	Class string
}

// showAlerts is GET /projects/{id}/settings/alerts.
func (d *Dashboard) showAlerts(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	page := alertsPage{settingsFrame: d.settingsFrame(r, p, alertPart)}
	rules, err := rx.AlertRules(p.ID)
	if err != nil {
		return reply{}, err
	}
	channels, err := rx.Channels(p.ID)
	if err != nil {
		return reply{}, err
	}
	for _, c := range channels {
		if c.Enabled {
			page.Channels++
		}
	}
	plain := make(map[int64]alert.Rule, len(rules))
	for _, rule := range rules {
		plain[rule.ID] = rule.Rule
		page.Rules = append(page.Rules, newAlertRuleRow(rule, channels))
	}
	log, err := rx.AlertLog(p.ID, alertsShown)
	for _, l := range log {
		page.Log = append(page.Log, d.newAlertRow(p, l, plain[l.Rule]))
	}
	return show("alerts", page), err
}

func newAlertRuleRow(rule store.AlertRule, channels []store.Channel) alertRuleRow {
	row := alertRuleRow{AlertRule: rule, Nowhere: true}
	var names []string
	for _, c := range channels {
		if !rule.SendsTo(c.ID) {
			continue
		}
		row.Nowhere = row.Nowhere && !c.Enabled
		if c.Enabled {
			names = append(names, c.Name)
		} else {
			names = append(names, c.Name+" (switched off)")
		}
	}
	row.Sentence = rule.Sentence(names)
	return row
}

// newAlertRow says in words what happened and what came of it. counted is the rule
// whose number was reached, if it is one that counts and still there.
func (d *Dashboard) newAlertRow(p store.Project, l store.LoggedAlert, counted alert.Rule) alertRow {
	row := alertRow{LoggedAlert: l, ShortID: shortID(store.Issue{Project: p.Slug, Number: l.Number}), URL: d.links.issue(l.Issue)}
	row.Why = sentence(alertWhy(l, counted))
	switch {
	case l.Deciding:
		row.Fate = "being decided"
	case l.State == store.AlertTooSoon:
		row.Fate = "not sent: the rule told of the same a short while before"
	case len(l.Sends) == 0:
		row.Fate = "the channel is gone"
	}
	for _, s := range l.Sends {
		text, class := sendWords(s.State)
		row.Sends = append(row.Sends, alertSend{LoggedSend: s, Text: text, Class: class})
	}
	return row
}

func alertWhy(l store.LoggedAlert, counted alert.Rule) string {
	isCount := l.Kind == notify.KindVolume || l.Kind == notify.KindUsers
	switch {
	case !isCount || counted.ID != 0:
		return counted.ReasonOf(l.Kind, l.Count)
	case l.Kind == notify.KindUsers:
		return formatCounted(l.Count, "user") + " affected"
	}
	return "seen " + formatCounted(l.Count, "time")
}

// sendWords says how far a message is.
func sendWords(state store.SendState) (text, class string) {
	switch state {
	case store.SendSent:
		return "sent", "note note-app"
	case store.SendFailed:
		return "not delivered", "note note-unhandled"
	case store.SendWaiting:
		return "waiting", "note"
	case store.SendCollected:
		return "for the next summary", "note"
	case store.SendSummed:
		return "in a summary", "note note-app"
	case store.SendLeftOut:
		return "left out, too many waited", "note note-unhandled"
	}
	return "sent or given up long ago", "note"
}

// setAlertRule is POST /projects/{id}/settings/alerts/{rule}/enable and …/disable.
func (d *Dashboard) setAlertRule(enabled bool) writer {
	word := "rule-disabled"
	if enabled {
		word = "rule-enabled"
	}
	return func(tx *store.Tx, r *http.Request) (reply, error) {
		p, rule, err := pathAlertRule(&tx.Rx, r)
		if err == nil {
			err = deed.SwitchAlertRule(tx, d.by(r), p, rule.Rule, enabled)
		}
		return d.afterAlertRule(p, word, err)
	}
}

// deleteAlertRule is POST /projects/{id}/settings/alerts/{rule}/delete.
func (d *Dashboard) deleteAlertRule(tx *store.Tx, r *http.Request) (reply, error) {
	p, rule, err := pathAlertRule(&tx.Rx, r)
	if err == nil {
		err = deed.DeleteAlertRule(tx, d.by(r), p, rule.Rule)
	}
	return d.afterAlertRule(p, "rule-deleted", err)
}

// afterAlertRule leads back to the list, and says there what was done with a rule.
func (d *Dashboard) afterAlertRule(p store.Project, word string, err error) (reply, error) {
	return redirect(d.links.done(d.links.alertSettings(p.ID), word)), err
}

// pathAlertRule loads the project and its rule that the path names.
func pathAlertRule(rx *store.Rx, r *http.Request) (store.Project, store.AlertRule, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return p, store.AlertRule{}, err
	}
	id, err := pathNumber(r, "rule")
	if err != nil {
		return p, store.AlertRule{}, err
	}
	rule, err := rx.AlertRule(p.ID, id)
	return p, rule, err
}

func formatID(id int64) string { return strconv.FormatInt(id, 10) }

// knownEnvironments are the names that a project's events and a filter have.
func knownEnvironments(rx *store.Rx, project event.ProjectID, chosen []string) ([]option, error) {
	known, err := rx.Environments(project)
	var options []option
	offered := make(map[string]bool)
	for _, e := range known {
		if e.Name != "" && len(options) < maxEnvironmentsOffered {
			offered[e.Name] = true
			options = append(options, option{Value: e.Name, Text: e.Name})
		}
	}
	for _, name := range chosen {
		if !offered[name] {
			options = append(options, option{Value: name, Text: name})
		}
		for i := range options {
			options[i].Selected = options[i].Selected || options[i].Value == name
		}
	}
	return options, err
}

// maxEnvironmentsOffered bounds the check boxes; any other name can be typed.
const maxEnvironmentsOffered = 20
