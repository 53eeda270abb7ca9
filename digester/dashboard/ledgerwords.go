package dashboard

import "strings"

// plain makes readable what has no words of its own.
func plain(word string) string { return strings.ReplaceAll(word, "_", " ") }

// dropWords says why a message was dropped.
func dropWords(reason string) string {
	switch reason {
	case "attachments_off":
		return "the project takes no attachments"
	case "bad_body":
		return "cannot be decompressed"
	case "bad_json":
		return "not valid JSON"
	case "empty":
		return "nothing in it"
	case "attachments_full":
		return "more attachments than the project has room for"
	case "project_quota":
		return "over the project's limits"
	case "installation_quota":
		return "over the installation's limits"
	case "unknown_project":
		return "the project does not exist"
	case "unknown_key":
		return "the key is not one of the project's"
	case "disabled_key":
		return "the key is disabled"
	}
	return plain(reason)
}

// clientWords says why an SDK did not send something. The words are those of the
// protocol; applications may add their own.
func clientWords(reason string) string {
	switch reason {
	case "before_send":
		return "the application's before_send dropped it"
	case "event_processor":
		return "an event processor of the application dropped it"
	case "sample_rate":
		return "left out by sampling"
	case "queue_overflow":
		return "the SDK's queue was full"
	case "cache_overflow":
		return "the SDK's cache on disk was full"
	case "buffer_overflow":
		return "the SDK's buffer was full"
	case "ratelimit_backoff":
		return "held back after a rate limit"
	case "network_error":
		return "the server could not be reached"
	case "send_error":
		return "the server did not accept it"
	case "internal_sdk_error":
		return "an error inside the SDK"
	case "insufficient_data":
		return "not enough in it to send"
	case "backpressure":
		return "the application was under load"
	case "no_parent_span":
		return "without a parent span"
	case "ignored":
		return "ignored by the SDK's settings"
	case "invalid":
		return "invalid"
	case "too_big":
		return "too large"
	}
	return plain(reason)
}

// refusalWords says why the edge refused something or did not keep it.
func refusalWords(reason string) string {
	switch reason {
	case "not_found":
		return "an address that does not exist"
	case "method":
		return "a wrong HTTP method"
	case "bad_project":
		return "the address has no project number"
	case "auth_missing":
		return "without a key"
	case "auth_malformed":
		return "the key cannot be read"
	case "auth_unknown":
		return "the key is not one of the project's"
	case "cors":
		return "domain not allowed"
	case "auth_disabled":
		return "the key is disabled"
	case "no_event_id":
		return "it names no event that it belongs to"
	case "without_event":
		return "its event was not accepted"
	case "too_large":
		return "too large"
	case "too_deep":
		return "JSON nested too deeply"
	case "too_many_items":
		return "too many items in one request"
	case "bad_encoding":
		return "cannot be decompressed"
	case "bad_framing":
		return "not a well-formed envelope"
	case "bad_json":
		return "not valid JSON"
	case "client_gone":
		return "the connection broke off"
	case "key_quota":
		return "over the key's rate limit"
	case "project_quota":
		return "over the project's limits"
	case "installation_quota":
		return "over the installation's limits"
	case "queue_unavailable":
		return "the queue took no messages"
	case "internal":
		return "an internal error"
	case "attachments_off":
		return "the project takes no attachments"
	case "unsupported":
		return "a kind that is not kept yet"
	}
	return plain(reason)
}

// categoryWords names a data category of the protocol.
func categoryWords(category string) string {
	switch category {
	case "error":
		return "Errors"
	case "security":
		return "Security reports"
	case "transaction":
		return "Transactions"
	case "attachment":
		return "Attachments"
	case "session":
		return "Sessions"
	case "monitor":
		return "Check-ins"
	case "feedback":
		return "User feedback"
	case "profile", "profile_chunk":
		return "Profiles"
	case "replay":
		return "Replays"
	case "span":
		return "Spans"
	case "log_item":
		return "Log entries"
	case "trace_metric", "metric_bucket":
		return "Metrics"
	case "internal":
		return "The SDK's own"
	case "default":
		return "Other"
	}
	return plain(category)
}
