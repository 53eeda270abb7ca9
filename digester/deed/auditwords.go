package deed

import (
	"maps"
	"slices"
)

// ActionWords says what somebody did, for an entry of the audit log. Actions that this
// program has no words for are shown as they are.
func ActionWords(action string) string {
	if w := actionWords()[action]; w != "" {
		return w
	}
	return action
}

// Actions are those that ActionWords knows, by name.
func Actions() []string { return slices.Sorted(maps.Keys(actionWords())) }

func actionWords() map[string]string {
	return map[string]string{
		"account.email": "changed their mail address", "account.name": "changed their name",
		"account.password": "changed their password", "account.reset": "set a new password by a link",
		"account.authenticator_add": "set up an authenticator app", "account.authenticator_remove": "removed the authenticator app",
		"account.passkey_add": "added a passkey", "account.passkey_remove": "removed a passkey",
		"account.provider_link": "connected an account elsewhere", "account.recovery_codes": "made new recovery codes",
		"token.create": "made the API token", "token.revoke": "revoked the API token",
		"user.join": "joined by an account elsewhere", "user.second_factor_reset": "removed the second factors of",
		"channel.add": "added a channel to", "channel.change": "changed a channel of", "channel.delete": "deleted a channel of",
		"channel.disable": "switched off a channel of", "channel.enable": "switched on a channel of", "channel.retry": "tried a message again in a channel of",
		"channel.secret": "made a new secret for a channel of", "channel.test": "sent a test message to a channel of",
		"alert-rule.add": "added an alert rule to", "alert-rule.change": "changed an alert rule of", "alert-rule.delete": "deleted an alert rule of",
		"alert-rule.enable": "switched on an alert rule of", "alert-rule.disable": "switched off an alert rule of",
		"installation.limits": "changed the limits of", "project.limits": "changed the limits of",
		"dead-letter.retry": "put dead letters back", "installation.own": "became the owner of the installation",
		"invitation.accept": "accepted an invitation", "invitation.create": "invited", "invitation.withdraw": "withdrew an invitation",
		"issue.assign": "assigned", "issue.comment": "commented on", "issue.comment.delete": "deleted a comment on", "issue.comment.edit": "changed a comment on",
		"issue.delete": "deleted", "issue.merge": "merged", "issue.mute": "muted", "issue.quiet": "resolved quiet issues",
		"issue.reopen": "reopened", "issue.resolve": "resolved", "issue.restore": "took back the deletion of", "issue.unmerge": "took apart",
		"person.remove": "had removed the data of", "person.removed": "Removed is all data of", "person.search": "searched for data of", "person.withdraw": "kept the data of",
		"mail.retry": "tried a mail again", "project.create": "created the project",
		"release.make": "made the release", "release.change": "changed the release", "release.remove": "removed the release",
		"search.delete": "deleted the shared search", "search.save": "saved the shared search",
		"session.end": "signed out", "session.refuse": "Wrong password for", "session.start": "signed in",
		"team.create": "created the team", "team.delete": "deleted the team", "team.leave": "left the team",
		"team.member": "gave a role in a team to", "team.remove": "removed from a team", "team.rename": "renamed the team to",
		"user.disable": "switched off the account of", "user.enable": "switched on the account of", "user.forgot": "New password asked for by mail, for",
		"user.password-command": "Link for a new password made by the command, for", "user.password-link": "made a link for a new password of", "user.role": "changed the role of",
		"artifact.delete": "deleted uploaded files of", "artifact.upload": "uploaded files of", "database.download": "downloaded the database", "deploy.add": "noted a deploy of",
		"key.add": "added a client key to", "key.delete": "deleted a client key of", "key.disable": "switched off a client key of", "key.enable": "switched on a client key of",
		"project.change": "changed the project", "project.delete": "deleted the project", "project.domains": "changed from where browsers report to",
		"project.environments": "changed the environments of", "project.grouping": "changed the grouping of", "project.member": "changed who has a role in",
		"project.privacy": "changed what is left out of", "project.restore": "took back the deletion of the project", "project.retention": "changed what is kept of",
		"project.transfer": "gave to another team the project", "query.delete": "deleted the saved query", "query.save": "saved the query", "team.slug": "changed the short name of the team",
	}
}
