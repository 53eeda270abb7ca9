package retention

import "time"

// Budget is how much one transaction removes, in units of about the cost of a small
// event. It follows the machine: transactions get smaller where they take too long and
// larger where they are quick, so that whoever waits for one waits little.
type Budget int64

const (
	smallest = Budget(8)
	first    = Budget(32)
	largest  = Budget(256)

	// aim is how long a transaction is to take.
	aim = 5 * time.Millisecond

	// unit is how many bytes cost as much as an event itself.
	unit = 16 << 10
)

// FirstBudget is where to begin.
func FirstBudget() Budget { return first }

// After returns the budget of the next transaction, when one took so long.
func (b Budget) After(took time.Duration) Budget {
	switch {
	case took > aim:
		return max(b-b/4, smallest)
	case took < aim*3/4:
		return min(b+1+b/8, largest)
	}
	return b
}

// Fits returns how many of some events, whose bytes these are, one transaction takes:
// one at least.
func (b Budget) Fits(sizes []int64) int {
	for i, bytes := range sizes {
		if b -= 1 + Budget(bytes/unit); b < 0 && i > 0 {
			return i
		}
	}
	return len(sizes)
}
