//go:build e2e

package e2e

// expectation is what the dashboard must show of one event. The JSON keys are
// those that pages/journey.mjs reads.
type expectation struct {
	EventID    string            `json:"eventId"`
	Type       string            `json:"type"` // of the exception that was thrown
	Value      string            `json:"value"`
	Cause      string            `json:"cause"` // type of the exception that caused it; empty: none
	CauseValue string            `json:"causeValue"`
	Handled    string            `json:"handled"`   // "handled", "unhandled"; empty: the SDK does not say
	Function   string            `json:"function"`  // the in-app call in which it happened
	Source     string            `json:"source"`    // the line there; empty: the SDK sends none
	Variables  map[string]string `json:"variables"` // local variables there
	Breadcrumb string            `json:"breadcrumb"`
	User       []string          `json:"user"`
	Tags       map[string]string `json:"tags"`
	Facts      map[string]string `json:"facts"`   // the event's own attributes
	Request    string            `json:"request"` // part of the request; empty: there was none
}

// reportedBy completes an expectation with what all programs say alike, about
// themselves, the customer and the cart. sdk is the beginning of its name.
func (want expectation) reportedBy(sdk, level string) expectation {
	want.Breadcrumb = "added blue-kettle to the cart"
	want.User = []string{"4711", "jo@example.com"}
	want.Tags = map[string]string{"shop": "north"}
	want.Facts = map[string]string{"SDK": sdk, "Level": level, "Release": release, "Environment": environment}
	return want
}

// seen is where an event was read.
type seen struct {
	Event  string `json:"event"`  // address of its page
	Issues string `json:"issues"` // of its project's issue list
	Issue  string `json:"issue"`  // of its issue
}
