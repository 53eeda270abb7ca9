package deed

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
)

// TestRankSimilar picks what is alike enough and says why.
func TestRankSimilar(t *testing.T) {
	issue := store.Issue{Title: "PaymentError: charge of order 17 declined", Culprit: "shop in charge"}
	candidates := []store.Issue{
		{ID: 1, Title: "PaymentError: charge of order 9 refused", Culprit: "shop in refund"},
		{ID: 2, Title: "PaymentError: no such currency", Culprit: "shop in convert"},
		{ID: 3, Title: "KeyError: 'rates'", Culprit: "shop in charge"},
		{ID: 4, Title: "PaymentError: charge of order 18 declined", Culprit: "shop in charge"},
		{ID: 5, Title: "", Culprit: ""},
	}
	var got []string
	for _, s := range rankSimilar(issue, candidates) {
		got = append(got, fmt.Sprintf("%d %s", s.Issue.ID, s.Why))
	}
	if diff := cmp.Diff([]string{"4 same place, similar words", "3 same place", "1 similar words"}, got); diff != "" {
		t.Error(diff)
	}
	if got := rankSimilar(store.Issue{}, candidates); got != nil {
		t.Errorf("an issue that says nothing is like %v", got)
	}
	many := make([]store.Issue, 50)
	for i := range many {
		many[i] = issue
	}
	if got := rankSimilar(issue, many); len(got) != maxSimilar {
		t.Errorf("%d of 50", len(got))
	}
}

func TestTitleType(t *testing.T) {
	for title, want := range map[string]string{
		"KeyError: 'rates'": "KeyError: ", "Order 17 is late": "Order ", "late": "late", "Blocked inline: x": "Blocked ", "": "",
	} {
		if got := titleType(title); got != want {
			t.Errorf("%q: %q, want %q", title, got, want)
		}
	}
}
