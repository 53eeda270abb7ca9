package dashboard

import (
	"strconv"
	"strings"

	"sundew/schema/event"
)

// alertPart is the page of a project's settings about what people are told.
const alertPart = "alerts"

// Addresses are complete addresses of pages, for messages that leave the dashboard.
type Addresses struct{ l links }

// NewAddresses returns the addresses of an installation that is reached under publicURL.
func NewAddresses(publicURL string) Addresses {
	return Addresses{links{base: strings.TrimRight(publicURL, "/")}}
}

// Issue leads to an issue.
func (a Addresses) Issue(id int64) string { return a.l.issue(id) }

// Project leads to a project's issues.
func (a Addresses) Project(id event.ProjectID) string { return a.l.openIssues(id) }

// AlertSettings leads to where a project's alerts are set up.
func (a Addresses) AlertSettings(id event.ProjectID) string { return a.l.alertSettings(id) }

func (l links) alertSettings(id event.ProjectID) string { return l.settingsPart(id, alertPart) }

// alertRule leads to a rule's form, or what can be done with it: enable, disable, delete;
// without a rule to new.
func (l links) alertRule(id event.ProjectID, rule int64, action string) string {
	to := l.alertSettings(id)
	if rule != 0 {
		to += "/" + strconv.FormatInt(rule, 10)
	}
	if action != "" {
		to += "/" + action
	}
	return to
}
