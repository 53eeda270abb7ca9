package api

import "sundew/digester/store"

// alertsShown is how many occasions of the log are answered.
const alertsShown = 100

// Alert is an occasion on which a project's rules were asked, and what came of it.
type Alert struct {
	ID          string          `json:"id"`
	Kind        string          `json:"kind"` // new, regression, unmuted, volume, users
	Count       int64           `json:"count"`
	IssueID     string          `json:"issueId"`
	IssueTitle  string          `json:"issueTitle"`
	Permalink   string          `json:"permalink"`
	DateCreated Time            `json:"dateCreated"`
	Pending     bool            `json:"pending"` // the rules have not been asked yet
	TooSoon     bool            `json:"tooSoon"` // nobody was told: the rule spoke of the same a short while before
	Sends       List[AlertSend] `json:"sends"`
}

// AlertSend is where somebody was told of it.
type AlertSend struct {
	Channel     string `json:"channel"`
	ChannelName string `json:"channelName"`
	Rule        string `json:"rule"`
	RuleName    string `json:"ruleName"` // empty: it was deleted
	State       string `json:"state"`    // sent, failed, waiting, collected, summed, left out, forgotten
	Error       string `json:"error"`    // of the last attempt
}

func (a *API) alertLog(rx *store.Rx, r *request) (List[Alert], error) {
	all, err := rx.AlertLog(r.project.ID, alertsShown)
	views := make(List[Alert], len(all))
	for i, l := range all {
		views[i] = Alert{
			ID: number(l.ID), Kind: string(l.Kind), Count: l.Count, IssueID: number(l.Issue), IssueTitle: l.Title, Permalink: r.link("/issues/" + number(l.Issue)),
			DateCreated: Time{l.At}, Pending: l.Deciding, TooSoon: l.State == store.AlertTooSoon,
		}
		for _, s := range l.Sends {
			views[i].Sends = append(views[i].Sends, AlertSend{
				Channel: number(s.Channel), ChannelName: s.ChannelName, Rule: number(s.Rule), RuleName: s.RuleName, State: string(s.State), Error: s.Error,
			})
		}
	}
	return views, err
}
