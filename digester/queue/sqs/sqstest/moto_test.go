//go:build aws

package sqstest_test

import (
	"testing"

	"sundew/digester/queue/sqs/sqstest"
)

// What holds of our own SQS holds of another one: so the suite says what SQS is,
// not what ours does.
func TestConformanceOfMoto(t *testing.T) {
	conformance(t, sqstest.Moto(t, "../../../.."), map[string]string{
		"move task":                 "moto has no StartMessageMoveTask",
		"contents":                  "moto takes characters that XML does not allow",
		"batch contents":            "moto takes characters that XML does not allow",
		"empty body":                "moto takes a message without a body",
		"long group":                "moto takes a group of any length",
		"unknown attribute":         "moto takes attributes that do not exist",
		"change when not in flight": "moto hides messages that are not in flight",
	})
}
