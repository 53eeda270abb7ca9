package wire

import (
	"encoding/json"
	"fmt"
	"time"

	"sundew/schema/event"
)

// Outcome is what became of an item that was not queued as an event.
type Outcome string

// The outcomes that the edge counts.
const (
	OutcomeUnstored Outcome = "unstored"    // answered 200; Sundew does not keep this category (yet)
	OutcomeRefused  Outcome = "refused"     // answered with an error; Reason says which
	OutcomeLimited  Outcome = "limited"     // answered 429
	OutcomeClient   Outcome = "client_lost" // never sent: the client's own report of its losses
)

// Count says that Quantity items of a category had an outcome. Project is zero
// where none could be told, as with an unknown key.
type Count struct {
	Project  event.ProjectID `json:"project"`
	Category string          `json:"category"` // the protocol's data category: error, session, monitor, …
	Outcome  Outcome         `json:"outcome"`
	Reason   string          `json:"reason"` // a short word: "too_large", "bad_json", a client's "sample_rate", …
	Quantity int64           `json:"quantity"`
	Hour     time.Time       `json:"hour"` // start of the hour, UTC, in which it was counted
}

// EncodeCounts returns the body of a KindCounts message.
func EncodeCounts(counts []Count) ([]byte, error) { return json.Marshal(counts) }

// DecodeCounts reads what EncodeCounts wrote.
func DecodeCounts(body []byte) ([]Count, error) {
	var counts []Count
	if err := json.Unmarshal(body, &counts); err != nil {
		return nil, fmt.Errorf("%w: counts: %v", ErrCorrupt, err)
	}
	return counts, nil
}
