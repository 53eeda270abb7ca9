package sqstest

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
)

// apiError is an answer that is no success.
type apiError struct {
	shape   string // what the JSON protocol calls it
	query   string // what the older protocol called it, and clients know it by
	message string
	status  int
}

func (e apiError) Error() string { return e.shape + ": " + e.message }

// with returns the error with more to say.
func (e apiError) with(message string) apiError {
	e.message = message
	return e
}

// errBad makes an error of a parameter or attribute that is wrong.
func errBad(parameter, reason string) apiError {
	return apiError{"com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue",
		"Value for parameter " + parameter + " is invalid. Reason: " + reason, http.StatusBadRequest}
}

func errMissing(parameter string) apiError {
	return apiError{"com.amazon.coral.service#MissingRequiredParameterException", "MissingParameter",
		"The request must contain the parameter " + parameter + ".", http.StatusBadRequest}
}

func known(shape, query, message string) apiError {
	return apiError{"com.amazonaws.sqs#" + shape, query, message, http.StatusBadRequest}
}

// The errors of the service, by the names in its reference.
var (
	errInternal    = apiError{"com.amazonaws.sqs#InternalFailure", "InternalFailure", "sqstest: told to fail", http.StatusInternalServerError}
	errSignature   = apiError{"com.amazon.coral.service#InvalidSignatureException", "SignatureDoesNotMatch", "The request is not signed for this region.", http.StatusForbidden}
	errUnsupported = known("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", "")
	errNoQueue     = known("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
	errNameExists  = known("QueueNameExists", "QueueAlreadyExists", "A queue already exists with the same name and a different value for an attribute.")
	errPurging     = known("PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress", "Only one PurgeQueue operation is allowed every 60 seconds.")
	errOverLimit   = known("OverLimit", "OverLimit", "Too many messages are in flight.")
	errReceipt     = known("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
	errNotInFlight = known("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", "The message is not in flight.")
	errContents    = known("InvalidMessageContents", "InvalidMessageContents", "The message contains characters that are not allowed.")
	errEmptyBatch  = known("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one entry in the request.")
	errTooMany     = known("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "Maximum number of entries per request is 10.")
	errNotDistinct = known("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Ids must be distinct.")
	errEntryID     = known("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores, at most 80.")
	errTooLong     = known("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", "Batch requests cannot be longer than 1048576 bytes.")
	errAttribute   = known("InvalidAttributeName", "InvalidAttributeName", "Unknown attribute.")
	errValue       = known("InvalidAttributeValue", "InvalidAttributeValue", "Invalid value for an attribute.")
	errNoResource  = known("ResourceNotFoundException", "ResourceNotFoundException", "The resource does not exist or is not a dead-letter queue.")
)

func writeError(w http.ResponseWriter, err error) {
	var e apiError
	if !errors.As(err, &e) {
		e = errInternal.with(err.Error())
	}
	fault := "Sender"
	if e.status >= http.StatusInternalServerError {
		fault = "Receiver"
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amzn-Query-Error", e.query+";"+fault)
	w.WriteHeader(e.status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": e.shape, "message": e.message})
}

// newRecorder keeps an answer in memory.
func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }
