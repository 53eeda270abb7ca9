package deed

import (
	"slices"
	"strings"
	"unicode"

	"sundew/digester/store"
)

const (
	// maxSimilar is how many similar issues a page names.
	maxSimilar = 5

	// alikeWords is from which share of common words on two titles are alike.
	alikeWords = 0.4
)

// Alike is another issue that may have the same cause.
type Alike struct {
	Issue store.Issue
	Why   string // in words, such as "same place"
}

// SimilarIssues looks for issues that are of the same place, or of the same type
// with much the same words: what may be merged with an issue.
func SimilarIssues(rx *store.Rx, issue store.Issue) ([]Alike, error) {
	candidates, err := rx.SimilarIssues(issue, titleType(issue.Title))
	if err != nil {
		return nil, err
	}
	return rankSimilar(issue, candidates), nil
}

// titleType returns what a title begins with before its message: the exception's
// type with the colon, or its first word.
func titleType(title string) string {
	kind, _, found := strings.Cut(title, ": ")
	if found && !strings.Contains(kind, " ") {
		return kind + ": "
	}
	first, _, found := strings.Cut(title, " ")
	if !found {
		return title
	}
	return first + " "
}

// rankSimilar picks the candidates that are alike enough, the most alike first.
func rankSimilar(issue store.Issue, candidates []store.Issue) []Alike {
	type ranked struct {
		Alike
		score float64
	}
	own := titleWords(issue.Title)
	var all []ranked
	for _, c := range candidates {
		words := common(own, titleWords(c.Title))
		place := issue.Culprit != "" && c.Culprit == issue.Culprit
		switch {
		case place && words >= alikeWords:
			all = append(all, ranked{Alike{c, "same place, similar words"}, 2 + words})
		case place:
			all = append(all, ranked{Alike{c, "same place"}, 1 + words})
		case words >= alikeWords:
			all = append(all, ranked{Alike{c, "similar words"}, words})
		}
	}
	slices.SortStableFunc(all, func(a, b ranked) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	var views []Alike
	for _, r := range all[:min(len(all), maxSimilar)] {
		views = append(views, r.Alike)
	}
	return views
}

// titleWords returns the words of a title without numbers, which tell one event
// from another and not one problem from another.
func titleWords(title string) map[string]bool {
	words := make(map[string]bool)
	for _, w := range strings.FieldsFunc(strings.ToLower(title), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '_' }) {
		if strings.IndexFunc(w, unicode.IsDigit) < 0 {
			words[w] = true
		}
	}
	return words
}

// common returns which share of the words of two texts is in both.
func common(a, b map[string]bool) float64 {
	both := 0
	for w := range a {
		if b[w] {
			both++
		}
	}
	if either := len(a) + len(b) - both; either > 0 {
		return float64(both) / float64(either)
	}
	return 0
}
