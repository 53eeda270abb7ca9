package edge

import (
	"encoding/json"
	"errors"
)

// clientReport is what an SDK says about items it never sent. Old ones use one list
// a cause.
type clientReport struct {
	Discarded       []clientLoss `json:"discarded_events"`
	RateLimited     []clientLoss `json:"rate_limited_events"`
	Filtered        []clientLoss `json:"filtered_events"`
	FilteredSampled []clientLoss `json:"filtered_sampling_events"`
}

type clientLoss struct {
	Reason   string  `json:"reason"`
	Category string  `json:"category"`
	Quantity float64 `json:"quantity"`
}

// parseClientReport returns the losses that a report lists. A field of the wrong type
// costs that field, only what is not JSON is an error.
func parseClientReport(payload []byte) ([]clientLoss, error) {
	var report clientReport
	wrongType := (*json.UnmarshalTypeError)(nil)
	if err := json.Unmarshal(payload, &report); err != nil && !errors.As(err, &wrongType) {
		return nil, err
	}
	var losses []clientLoss
	for _, list := range [][]clientLoss{report.Discarded, report.RateLimited, report.Filtered, report.FilteredSampled} {
		for _, loss := range list {
			if loss.Quantity >= 1 {
				losses = append(losses, loss)
			}
		}
	}
	return losses, nil
}
