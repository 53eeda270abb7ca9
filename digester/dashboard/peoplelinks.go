package dashboard

import (
	"net/url"
	"strconv"
	"strings"

	"sundew/digester/store"
	"sundew/schema/event"
)

func (l links) teams() string { return l.base + "/teams" }

func (l links) team(id int64) string { return l.teams() + "/" + strconv.FormatInt(id, 10) }

// teamMember is where a member's role is changed.
func (l links) teamMember(team, user int64) string {
	return l.team(team) + "/members/" + strconv.FormatInt(user, 10)
}

func (l links) users() string        { return l.base + "/users" }
func (l links) user(id int64) string { return l.users() + "/" + strconv.FormatInt(id, 10) }

// invite leads to the form for an invitation into a team; 0: into the installation.
func (l links) invite(team int64) string {
	if team == 0 {
		return l.users() + "/invite"
	}
	return l.team(team) + "/invite"
}

// withdraw is where an invitation is withdrawn, from a team's page or, with 0, from
// the list of users.
func (l links) withdraw(team, invitation int64) string {
	of := l.users()
	if team != 0 {
		of = l.team(team)
	}
	return of + "/invitations/" + strconv.FormatInt(invitation, 10) + "/withdraw"
}

func (l links) invitation(secret string) string    { return l.base + "/invitations/" + secret }
func (l links) resetPassword(secret string) string { return l.base + "/password/" + secret }
func (l links) forgot() string                     { return l.base + "/forgot" }

func (l links) account() string  { return l.base + "/account" }
func (l links) sessions() string { return l.account() + "/sessions" }

func (l links) endSession(id int64) string {
	return l.sessions() + "/" + strconv.FormatInt(id, 10) + "/end"
}

// done leads to a page, which says what a form has done.
func (l links) done(page, what string) string {
	return page + "?" + url.Values{"done": {what}}.Encode()
}

func (l links) outbox() string { return l.base + "/mail" }

func (l links) retryMail(id int64) string {
	return l.outbox() + "/" + strconv.FormatInt(id, 10) + "/retry"
}

// audit leads to the audit log of a project or, with 0, of all.
func (l links) audit(project event.ProjectID) string {
	if project == 0 {
		return l.base + "/audit"
	}
	return l.project(project) + "/audit"
}

// LinkURL returns the address of a link with a secret.
func LinkURL(publicURL string, kind store.LinkKind, secret string) string {
	l := links{base: strings.TrimRight(publicURL, "/")}
	switch kind {
	case store.LinkInvitation:
		return l.invitation(secret)
	case store.LinkPassword:
		return l.resetPassword(secret)
	}
	return l.owner(secret)
}
