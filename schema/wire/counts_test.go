package wire

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCountsRoundTrip(t *testing.T) {
	for name, counts := range map[string][]Count{
		"none": nil,
		"two": {
			{Project: 7, Category: "error", Outcome: OutcomeRefused, Reason: "too_large", Quantity: 3, Hour: time.Date(2026, 1, 1, 5, 0, 0, 0, time.UTC)},
			{Category: "session", Outcome: OutcomeClient, Reason: "sample_rate\x00\"", Quantity: 1 << 40},
		},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := EncodeCounts(counts)
			if err != nil {
				t.Fatal(err)
			}
			got, err := DecodeCounts(body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(counts, got); diff != "" {
				t.Errorf("(-encoded +decoded):\n%s", diff)
			}
		})
	}
}

func TestDecodeCountsRefuses(t *testing.T) {
	for _, in := range []string{"", "{}", `[{"quantity":"many"}]`, `[{"quantity":1}`, `[]x`} {
		if counts, err := DecodeCounts([]byte(in)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("DecodeCounts(%q) = %v, %v; want ErrCorrupt", in, counts, err)
		}
	}
}
