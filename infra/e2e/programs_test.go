//go:build e2e

package e2e

import (
	"context"
	"errors"
	"os/exec"
	"regexp"
	"testing"
)

// eventLine is what the programs print when they send an event.
var eventLine = regexp.MustCompile(`(?m)^event ([0-9a-f]{32})$`)

// program runs to its end and returns the id of the one event that it sent.
// Exit code 0 means that it lived on, 1 that it died of the error.
func program(ctx context.Context, t *testing.T, exit int, dir, dsn, name string, args ...string) string {
	t.Helper()
	var stderr output
	cmd := newCommand(ctx, t, []string{"SENTRY_DSN=" + dsn, "SENTRY_RELEASE=" + release, "SENTRY_ENVIRONMENT=" + environment}, name, args...)
	cmd.Dir, cmd.Stderr = dir, &stderr
	out, err := cmd.Output()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) || cmd.ProcessState.ExitCode() != exit {
		t.Fatalf("%v ended with %v, want exit code %d\n%s%s", args, err, exit, out, stderr.tail())
	}
	events := eventLine.FindAllSubmatch(out, -1)
	if len(events) != 1 {
		t.Fatalf("%v sent %d events, want 1\n%s%s", args, len(events), out, stderr.tail())
	}
	return string(events[0][1])
}

func nodeHandled(ctx context.Context, t *testing.T, dsn string) expectation {
	t.Helper()
	return expectation{
		EventID: program(ctx, t, 0, "node", dsn, "node", "--import", "./instrument.mjs", "app.mjs", "handled"),
		Type:    "Error", Value: "order 1001 cannot be checked out",
		Cause: "StockError", CauseValue: "only 2 of blue-kettle left",
		Handled: "handled", Function: "checkOut",
		Source:    "throw new Error(`order ${order.number} cannot be checked out`",
		Variables: map[string]string{"order": "blue-kettle"},
	}.reportedBy("sentry.javascript.node 11.", "error")
}

func nodeUnhandled(ctx context.Context, t *testing.T, dsn string) expectation {
	t.Helper()
	return expectation{
		EventID: program(ctx, t, 1, "node", dsn, "node", "--import", "./instrument.mjs", "app.mjs", "unhandled"),
		Type:    "TypeError", Value: "Cannot read properties of undefined (reading 'street')",
		Handled: "unhandled", Function: "renderInvoice",
		Source:    "return address.street.toUpperCase();",
		Variables: map[string]string{"address": "undefined", "order": "1001"},
	}.reportedBy("sentry.javascript.node 11.", "fatal")
}

func pythonHandled(ctx context.Context, t *testing.T, dsn string) expectation {
	t.Helper()
	return expectation{
		EventID: program(ctx, t, 0, "python", dsn, absolute(t, ".venv/bin/python"), "app.py", "handled"),
		Type:    "RuntimeError", Value: "order 1001 cannot be checked out",
		Cause: "StockError", CauseValue: "only 2 of blue-kettle left",
		Handled: "handled", Function: "check_out",
		Source:    `raise RuntimeError(f"order {order['number']} cannot be checked out") from error`,
		Variables: map[string]string{"order": "blue-kettle"},
	}.reportedBy("sentry.python 2.", "error")
}

func pythonUnhandled(ctx context.Context, t *testing.T, dsn string) expectation {
	t.Helper()
	return expectation{
		EventID: program(ctx, t, 1, "python", dsn, absolute(t, ".venv/bin/python"), "app.py", "unhandled"),
		Type:    "ZeroDivisionError", Value: "division by zero",
		Handled: "unhandled", Function: "average_price",
		Source:    "return total / len(prices)",
		Variables: map[string]string{"total": "0", "prices": "[]"},
	}.reportedBy("sentry.python 2.", "error")
}
