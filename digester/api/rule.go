package api

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sundew/digester/access"
	"sundew/digester/alert"
	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/schema/event"
)

// ruleRoutes are about what people are told of a project's issues, and when.
func (a *API) ruleRoutes() {
	const tag, list = "Alert rules", "/projects/{org}/{project}/rules/"
	const one = list + "{rule}/"
	const own = "The shape is Sundew's own. Sentry's cannot say what these rules say (several environments, a part of the title, any period, channels in place of integrations), " +
		"nor they all that Sentry's say; conditions, filters, actions and other fields that are not known are refused."
	admin := ofProject(access.Admin)
	read(a, list, readProjects, admin, Doc{Tag: tag, Summary: "The alert rules of a project, the oldest first", Text: own, Paged: true}, a.rules)
	change(a, "POST", list, "add alert rule by API", writeProjects, admin, Doc{Tag: tag, Summary: "Make an alert rule", Status: http.StatusCreated,
		Text: own + " What is not said is as in the dashboard's form: switched on, in all channels, at most every 30 minutes for one issue."}, a.addRule)
	read(a, one, readProjects, admin, Doc{Tag: tag, Summary: "An alert rule", Text: own}, a.rule)
	change(a, "PUT", one, "change alert rule by API", writeProjects, admin, Doc{Tag: tag, Summary: "Change an alert rule, or switch it on or off",
		Text: "What is not named stays as it is; when and filter are each named as a whole. " + own}, a.changeRule)
	change(a, "DELETE", one, "delete alert rule by API", writeProjects, admin, Doc{Tag: tag, Summary: "Delete an alert rule", Status: http.StatusAccepted}, a.deleteRule)
	read(a, "/projects/{org}/{project}/alerts/", readProjects, admin, Doc{Tag: tag, Summary: "What people were told of a project's issues, the newest first",
		Text: "Sundew's own: the newest 100 occasions on which a rule was to be asked, and what came of each in each channel."}, a.alertLog)
}

// Rule says what of a project's issues people are told, and where.
type Rule struct {
	ID            string       `json:"id"`
	Name          string       `json:"name"`
	Enabled       bool         `json:"enabled"`
	DateCreated   Time         `json:"dateCreated"`
	When          RuleWhen     `json:"when"`
	Filter        RuleFilter   `json:"filter"`
	Frequency     int64        `json:"frequency"`   // minutes between two messages about one issue for the same reason
	AllChannels   bool         `json:"allChannels"` // it sends to all channels of the project, also those to come
	Channels      List[string] `json:"channels"`    // if not, to these, by number
	Sentence      string       `json:"sentence"`    // what it does, in words
	Fired         int64        `json:"fired"`       // how often somebody was told because of it
	LastTriggered Time         `json:"lastTriggered"`
}

// RuleWhen is the occasions of a rule; any one will do.
type RuleWhen struct {
	New        bool      `json:"new"`        // an issue is seen for the first time
	Regression bool      `json:"regression"` // a resolved issue comes back
	Unmuted    bool      `json:"unmuted"`    // the silence about an issue ends, not by a person
	Events     *RuleRate `json:"events"`     // so many events of an issue
	Users      *RuleRate `json:"users"`      // so many users who have an issue
}

// RuleRate is a number within a time.
type RuleRate struct {
	Count   int64 `json:"count"`
	Minutes int64 `json:"minutes"`
}

// RuleFilter says which events a rule is about. What is empty does not matter.
type RuleFilter struct {
	Environments List[string]  `json:"environments"` // one of them
	Level        string        `json:"level"`        // at least: debug, info, warning, error, fatal
	Tags         List[RuleTag] `json:"tags"`         // all of them
	Title        string        `json:"title"`        // is part of the title
}

// RuleTag is a tag with the value that it has to have.
type RuleTag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// RuleChange is what is to become of a rule.
type RuleChange struct {
	Name        *string       `json:"name"`
	Enabled     *bool         `json:"enabled"`
	When        *RuleWhen     `json:"when"`
	Filter      *RuleFilter   `json:"filter"`
	Frequency   *int64        `json:"frequency"`
	AllChannels *bool         `json:"allChannels"`
	Channels    *List[string] `json:"channels"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *RuleChange) UnmarshalJSON(text []byte) error {
	type fields RuleChange
	return strict[fields, Rule](text, (*fields)(c))
}

// UnmarshalJSON implements json.Unmarshaler.
func (w *RuleWhen) UnmarshalJSON(text []byte) error {
	type fields RuleWhen
	return strict[fields, RuleWhen](text, (*fields)(w))
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *RuleFilter) UnmarshalJSON(text []byte) error {
	type fields RuleFilter
	return strict[fields, RuleFilter](text, (*fields)(f))
}

// on is a rule after the change. Its error is told.
func (c RuleChange) on(rule alert.Rule) (alert.Rule, error) {
	if c.Name != nil {
		rule.Name = strings.TrimSpace(*c.Name)
	}
	if c.When != nil {
		rule.New, rule.Regression, rule.Unmuted = c.When.New, c.When.Regression, c.When.Unmuted
		rule.Events, rule.Users = c.When.Events.rate(), c.When.Users.rate()
	}
	if c.Filter != nil {
		filter, err := c.Filter.filter()
		if err != nil {
			return rule, err
		}
		rule.Filter = filter
	}
	if c.Frequency != nil {
		if *c.Frequency != 0 { // no pause
			if _, err := deed.Minutes("frequency", *c.Frequency, alert.MaxInterval); err != nil {
				return rule, err
			}
		}
		rule.Interval = time.Duration(*c.Frequency) * time.Minute
	}
	return rule, c.onChannels(&rule)
}

// onChannels is on for where a rule sends to: who names channels means these.
func (c RuleChange) onChannels(rule *alert.Rule) error {
	if c.Channels != nil {
		rule.Channels = nil
		for _, name := range *c.Channels {
			id, err := strconv.ParseInt(name, 10, 64)
			if err != nil {
				return bad(fmt.Sprintf("channels has the numbers of channels, as texts; %.80q is none", name))
			}
			rule.Channels = append(rule.Channels, id)
		}
		rule.AllChannels = false
	}
	if c.AllChannels != nil {
		rule.AllChannels = *c.AllChannels
	}
	if rule.AllChannels && c.Channels != nil && len(*c.Channels) > 0 {
		return bad("A rule sends to all channels or to those that channels names, not to both")
	}
	if rule.AllChannels {
		rule.Channels = nil
	}
	return nil
}

// rate is what a rule counts; nil: nothing.
func (r *RuleRate) rate() alert.Rate {
	if r == nil {
		return alert.Rate{}
	}
	// What is too much for a Duration is too much for a rule, which says so.
	return alert.Rate{Count: r.Count, Period: time.Duration(min(max(r.Minutes, 0), int64(2*alert.MaxPeriod/time.Minute))) * time.Minute}
}

func (f RuleFilter) filter() (alert.Filter, error) {
	filter := alert.Filter{Environments: f.Environments, Title: strings.TrimSpace(f.Title)}
	if filter.Level = event.ParseLevel(f.Level); f.Level != "" && filter.Level == event.LevelUnset {
		return filter, bad(fmt.Sprintf("There is no level %.80q; there are debug, info, warning, error and fatal", f.Level))
	}
	for _, t := range f.Tags {
		filter.Tags = append(filter.Tags, event.Pair{Key: t.Key, Value: t.Value})
	}
	return filter, nil
}

// ruleView shows a rule; channels are those of its project.
func ruleView(rule store.AlertRule, channels []store.Channel) Rule {
	view := Rule{
		ID: number(rule.ID), Name: rule.Name, Enabled: rule.Enabled, DateCreated: Time{rule.CreatedAt},
		When:      RuleWhen{New: rule.New, Regression: rule.Regression, Unmuted: rule.Unmuted, Events: rateView(rule.Events), Users: rateView(rule.Users)},
		Filter:    RuleFilter{Environments: rule.Filter.Environments, Title: rule.Filter.Title},
		Frequency: int64(rule.Interval / time.Minute), AllChannels: rule.AllChannels, Fired: rule.Fired, LastTriggered: Time{rule.FiredAt},
	}
	if rule.Filter.Level > event.LevelUnset {
		view.Filter.Level = rule.Filter.Level.String()
	}
	for _, t := range rule.Filter.Tags {
		view.Filter.Tags = append(view.Filter.Tags, RuleTag{t.Key, t.Value})
	}
	var names []string
	for _, c := range channels {
		if rule.SendsTo(c.ID) {
			names = append(names, c.Name)
		}
	}
	for _, id := range rule.Channels {
		view.Channels = append(view.Channels, number(id))
	}
	view.Sentence = rule.Sentence(names)
	return view
}

func rateView(r alert.Rate) *RuleRate {
	if !r.Asked() {
		return nil
	}
	return &RuleRate{Count: r.Count, Minutes: int64(r.Period / time.Minute)}
}

func (a *API) rules(rx *store.Rx, r *request) (List[Rule], error) {
	all, err := rx.AlertRules(r.project.ID)
	if err != nil {
		return nil, err
	}
	channels, err := rx.Channels(r.project.ID)
	if err != nil {
		return nil, err
	}
	page, err := paged(r, all, 100, 100)
	views := make(List[Rule], len(page))
	for i, rule := range page {
		views[i] = ruleView(rule, channels)
	}
	return views, err
}

// ruleNamed is the rule that {rule} names.
func ruleNamed(rx *store.Rx, r *request) (store.AlertRule, error) {
	id, err := strconv.ParseInt(r.PathValue("rule"), 10, 64)
	if err != nil {
		return store.AlertRule{}, store.ErrNotFound
	}
	return rx.AlertRule(r.project.ID, id)
}

func (a *API) rule(rx *store.Rx, r *request) (Rule, error) {
	rule, err := ruleNamed(rx, r)
	if err != nil {
		return Rule{}, err
	}
	channels, err := rx.Channels(r.project.ID)
	return ruleView(rule, channels), err
}

func (a *API) addRule(tx *store.Tx, r *request, in RuleChange) (Rule, error) {
	rule, err := in.on(alert.Rule{Interval: alert.DefaultInterval, AllChannels: true})
	if err != nil {
		return Rule{}, err
	}
	rule.Enabled = in.Enabled == nil || *in.Enabled
	made, err := deed.AddAlertRule(tx, r.by(), r.project, rule)
	if err != nil {
		return Rule{}, err
	}
	channels, err := tx.Channels(r.project.ID)
	return ruleView(made, channels), err
}

// changeRule changes a rule, and switches it, each if that is asked for.
func (a *API) changeRule(tx *store.Tx, r *request, in RuleChange) (Rule, error) {
	old, err := ruleNamed(&tx.Rx, r)
	if err != nil {
		return Rule{}, err
	}
	if in != (RuleChange{Enabled: in.Enabled}) {
		rule, err := in.on(old.Rule)
		if err == nil {
			err = deed.ChangeAlertRule(tx, r.by(), r.project, rule)
		}
		if err != nil {
			return Rule{}, err
		}
		old.Name = rule.Name
	}
	if in.Enabled != nil && *in.Enabled != old.Enabled {
		if err := deed.SwitchAlertRule(tx, r.by(), r.project, old.Rule, *in.Enabled); err != nil {
			return Rule{}, err
		}
	}
	return a.rule(&tx.Rx, r)
}

func (a *API) deleteRule(tx *store.Tx, r *request, _ None) (None, error) {
	rule, err := ruleNamed(&tx.Rx, r)
	if err != nil {
		return None{}, err
	}
	return None{}, deed.DeleteAlertRule(tx, r.by(), r.project, rule.Rule)
}
