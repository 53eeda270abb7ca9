package retention_test

import (
	"testing"
	"time"

	"sundew/digester/retention"
)

func TestBudgetFollowsTheMachine(t *testing.T) {
	b := retention.FirstBudget()
	for range 50 {
		b = b.After(time.Millisecond)
	}
	quick := b
	for range 50 {
		b = b.After(100 * time.Millisecond)
	}
	if quick <= retention.FirstBudget() || b >= retention.FirstBudget() || b < 1 {
		t.Errorf("quick: %d, slow: %d", quick, b)
	}
	if steady := b.After(4 * time.Millisecond); steady != b {
		t.Errorf("what takes as long as it may changes the budget from %d to %d", b, steady)
	}
}

func TestBudgetFits(t *testing.T) {
	const large = 1 << 20
	for _, c := range []struct {
		name  string
		sizes []int64
		want  int
	}{
		{"none", nil, 0},
		{"small ones", make([]int64, 10), 10},
		{"too many", make([]int64, 100), 32},
		{"one that is too large alone", []int64{large, 10}, 1},
		{"a large one behind small ones", []int64{10, 10, large}, 2},
	} {
		if got := retention.FirstBudget().Fits(c.sizes); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
