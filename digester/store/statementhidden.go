package store

// hiddenFromStatements are the tables, and the columns of others (table.column), that
// no statement reads, each with the reason. The authorizer refuses them whatever a view
// says. A test has every table and column of the schema be here or in StatementTables.
func hiddenFromStatements() map[string]string {
	const (
		secret   = "it has secrets, or leads to some"
		people   = "it says where people were and what they did; pages show it to whom it concerns"
		settings = "it is a setting, which its page shows to whom it concerns"
		inside   = "it is how the program does something, and may change with every version"
		message  = "it is a message to somebody"
	)
	return map[string]string{
		"users.password": secret, "sessions": secret, "links": secret, "identities": secret, "authenticators": secret,
		"passkeys": secret, "recovery_codes": secret, "api_tokens": secret, "project_keys": secret, "channels": secret,
		"audit": people, "erasures": people, "erasure_events": people, "issue_users": people, "issue_sketches": people,
		"event_bodies.meta": people, "saved_searches": people, "saved_queries": people,
		"outbox": message, "notifications": message,
		"project_rules": settings, "hidden_environments": settings, "quotas": settings, "quota_uses": settings, "project_retention": settings,
		"alert_rules": settings, "alert_rule_channels": settings,
		"former_slugs": inside, "parked_groupings": inside, "issue_texts_due": inside, "issue_texts": inside, "attachment_parts": inside,
		"issue_texts_data": inside, "issue_texts_idx": inside, "issue_texts_content": inside, "issue_texts_docsize": inside, "issue_texts_config": inside,
		"edge_instances": inside, "edge_lanes": inside, "edge_gaps": inside, "rejects": inside, "digest_state": inside, "outcome_totals": inside,
		"alert_sends": inside, "alert_paces": inside, "alert_state": inside, "imported_projects": inside, "imported_issues": inside, "goose_db_version": inside,
		"artifact_totals": inside, "chunks": inside, "artifact_files": inside, "artifact_parts": inside, "artifact_bundles": inside, "bundle_chunks": inside,
		"bundle_files": inside, "event_symbols": inside, "event_moves": inside, "symbol_state": inside, "release_refs": inside, "release_commits": inside,

		"projects.deleted_at": inside, "projects.emptied_at": inside, "projects.attachments_evicted": inside, "projects.feedback_evicted": inside, "projects.artifact_bytes": inside,
		"issues.seen_step": inside, "issues.count_step": inside, "issues.revision": inside, "issues.resolve_kind": inside, "issues.mute_kind": inside,
		"issues.mute_events": inside, "issues.mute_period": inside, "issues.aside_state": inside, "issues.aside_at": inside, "issues.whole_users": inside,
		"issues.moved_events": inside, "issues.moved_from": inside,
		"attachments.bytes": inside, "attachments.encoding": inside, "attachments.digested_at": inside, "feedback.digested_at": inside,
		"release_counts.counted": inside, "alerts.rule_id": inside, "alerts.number": inside, "alerts.event_id": inside, "alerts.tags": inside, "alerts.state": inside,
		"releases.made": inside, "releases.url": inside, "releases.ref": inside, "releases.started_at": inside, "releases.released_at": inside, "releases.archived": inside,
		"deploys.url": inside,
	}
}
