package edge

import "sundew/schema/wire"

// The protocol's data categories: what items are counted and limited under.
const (
	categoryDefault      = "default"
	categoryError        = "error"
	categoryTransaction  = "transaction"
	categorySecurity     = "security"
	categoryAttachment   = "attachment"
	categorySession      = "session"
	categoryMonitor      = "monitor"
	categoryFeedback     = "feedback"
	categoryProfile      = "profile"
	categoryProfileChunk = "profile_chunk"
	categoryReplay       = "replay"
	categorySpan         = "span"
	categoryLog          = "log_item"
	categoryTraceMetric  = "trace_metric"
	categoryMetric       = "metric_bucket"
	categoryInternal     = "internal"
)

// categoryOf returns the category of an envelope's item by its type.
func categoryOf(itemType string) string {
	switch itemType {
	case itemEvent:
		return categoryError
	case "transaction":
		return categoryTransaction
	case "security", "raw_security":
		return categorySecurity
	case itemAttachment, "form_data", "unreal_report":
		return categoryAttachment
	case "session", "sessions":
		return categorySession
	case "check_in":
		return categoryMonitor
	case itemFeedback, itemUserReport:
		return categoryFeedback
	case "profile":
		return categoryProfile
	case "profile_chunk":
		return categoryProfileChunk
	case "replay_event", "replay_recording", "replay_video":
		return categoryReplay
	case "span", "otel_span":
		return categorySpan
	case "log", "otel_log":
		return categoryLog
	case "trace_metric":
		return categoryTraceMetric
	case "statsd", "metric_buckets":
		return categoryMetric
	case itemClientReport:
		return categoryInternal
	}
	return categoryDefault
}

// categoryOfKind returns the category of what becomes a message.
func categoryOfKind(kind wire.Kind) string {
	switch kind {
	case wire.KindCSP:
		return categorySecurity
	case wire.KindAttachment:
		return categoryAttachment
	case wire.KindFeedback, wire.KindUserReport:
		return categoryFeedback
	}
	return categoryError
}

// knownCategory returns a category that a client names, categoryDefault for one that
// the protocol does not have: what clients name must not grow the books.
func knownCategory(name string) string {
	switch name {
	case categoryError, categoryTransaction, categorySecurity, categoryAttachment, categorySession,
		categoryMonitor, categoryFeedback, categoryProfile, categoryProfileChunk, categoryReplay,
		categorySpan, categoryLog, categoryTraceMetric, categoryMetric, categoryInternal,
		"log_byte", "trace_metric_byte", "transaction_indexed", "span_indexed", "profile_indexed", "user_report_v2":
		return name
	}
	return categoryDefault
}
