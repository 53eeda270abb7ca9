package retention_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/retention"
)

func TestPolicy(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	if at, is := (retention.Policy{Days: 30}).Cutoff(now); !is || !at.Equal(now.AddDate(0, 0, -30)) {
		t.Errorf("cutoff of 30 days: %v, %v", at, is)
	}
	if _, is := (retention.Policy{}).Cutoff(now); is {
		t.Error("no limit has a cutoff")
	}
	for _, c := range []struct{ limit, stored, want int64 }{
		{0, 1 << 40, 1 << 40}, {100, 100, 100}, {100, 101, 95}, {100, 5000, 95}, {100_000, 100_001, 95_000},
	} {
		if got := (retention.Policy{Events: c.limit}).Keep(c.stored); got != c.want {
			t.Errorf("limit %d, stored %d: keeps %d, want %d", c.limit, c.stored, got, c.want)
		}
	}
}

func TestShare(t *testing.T) {
	for _, c := range []struct {
		name   string
		stored []int64
		keep   int64
		want   []int64
	}{
		{"enough for all", []int64{3, 1, 5}, 9, []int64{3, 1, 5}},
		{"the commonest loses first", []int64{3, 1, 500}, 14, []int64{3, 1, 10}},
		{"then those as common", []int64{30, 1, 500}, 21, []int64{10, 1, 10}},
		{"what cannot be divided goes to those asked first", []int64{5, 5, 5}, 8, []int64{3, 3, 2}},
		{"more issues than events", []int64{5, 1, 5, 5}, 2, []int64{1, 1, 0, 0}},
		{"nothing", []int64{5, 1}, 0, []int64{0, 0}},
		{"issues without events take nothing", []int64{0, 5, 0, 5}, 4, []int64{0, 2, 0, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sizes retention.Sizes
			for _, n := range c.stored {
				sizes.Add(n)
			}
			share := sizes.Share(c.keep)
			var got []int64
			for _, n := range c.stored {
				got = append(got, share.Of(n))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What is given away is never more than there is, and no less than can be.
func TestShareIsWhole(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var sizes retention.Sizes
		var stored []int64
		all := int64(0)
		for range rng.IntN(50) {
			n := rng.Int64N(1 << rng.IntN(12))
			stored, all = append(stored, n), all+n
			sizes.Add(n)
		}
		keep := rng.Int64N(all + 10)
		share, given := sizes.Share(keep), int64(0)
		for _, n := range stored {
			given += share.Of(n)
		}
		if given != min(keep, all) {
			t.Fatalf("of %v %d may stay: %d do", stored, keep, given)
		}
	}
}

func issueOf(n int64) retention.Issue {
	i := retention.Issue{ID: 7, Count: n}
	for number := int64(1); number <= n; number++ {
		i.Events = append(i.Events, retention.Event{ID: 100 + number, Number: number})
	}
	return i
}

func numbers(events []retention.Event) []int64 {
	var all []int64
	for _, e := range events {
		all = append(all, e.Number)
	}
	slices.Sort(all)
	return all
}

func TestThinKeepsFirstLastAndNoted(t *testing.T) {
	i := issueOf(50)
	i.Events[20].Noted = true
	gone := numbers(i.Thin(47))
	if slices.Contains(gone, 1) || slices.Contains(gone, 21) || slices.Contains(gone, 50) || len(gone) != 47 {
		t.Errorf("gone: %v", gone)
	}
	// Where there is no room for them: what is noted goes, then the first, then the last.
	for _, c := range []struct{ n, next int64 }{{48, 21}, {49, 1}, {50, 50}} {
		i := issueOf(50)
		i.Events[20].Noted = true
		if gone := numbers(i.Thin(c.n)); !slices.Contains(gone, c.next) || int64(len(gone)) != c.n {
			t.Errorf("%d gone: %v, which lacks %d", c.n, gone, c.next)
		}
	}
	if gone := issueOf(3).Thin(9); len(gone) != 3 {
		t.Errorf("of 3 are gone: %v", gone)
	}
	if gone := issueOf(3).Thin(0); gone != nil {
		t.Errorf("none has to go: %v", gone)
	}
}

// Of each age twice as old about as many stay, and all of the newest.
func TestThinIsRepresentative(t *testing.T) {
	const n, keep = 1 << 17, 1000
	i := issueOf(n)
	gone := i.Thin(n - keep)
	stays := make(map[int64]bool, n)
	for number := int64(1); number <= n; number++ {
		stays[number] = true
	}
	for _, e := range gone {
		delete(stays, e.Number)
	}
	octaves := make(map[int]int)
	for number := range stays {
		octave := 0
		for age := n - number; age > 1; age /= 2 {
			octave++
		}
		octaves[octave]++
	}
	for octave := 8; octave < 17; octave++ {
		if octaves[octave] < 40 || octaves[octave] > 160 {
			t.Errorf("of ages from %d to %d stay %d; all: %v", 1<<octave, 2<<octave, octaves[octave], octaves)
		}
	}
	for age := int64(0); age < 30; age++ {
		if !stays[n-age] {
			t.Errorf("the %d-th newest is gone", age+1)
		}
	}
}

// Thinning again and again leaves what thinning once would have left.
func TestThinAgain(t *testing.T) {
	once := numbers(issueOf(4000).Thin(3900))
	i := issueOf(4000)
	var gone []retention.Event
	for range 39 {
		some := slices.Clone(i.Thin(100))
		gone = append(gone, some...)
		i.Events = slices.DeleteFunc(i.Events, func(e retention.Event) bool { return slices.Contains(some, e) })
		slices.SortFunc(i.Events, func(a, b retention.Event) int { return int(a.Number - b.Number) })
	}
	if diff := cmp.Diff(once, numbers(gone)); diff != "" {
		t.Error(diff)
	}
}
