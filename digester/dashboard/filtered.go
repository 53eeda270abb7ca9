package dashboard

import (
	"strings"

	"sundew/schema/scrub"
)

// passage is a part of a text from an event: what was sent, or what stands in the place
// of what was taken out.
type passage struct {
	Text     string
	Filtered bool
}

// passages takes a text apart at what was taken out of it, so that pages can say what
// that means.
func passages(text string) []passage {
	var all []passage
	for {
		before, after, found := strings.Cut(text, scrub.Filtered)
		if before != "" {
			all = append(all, passage{Text: before})
		}
		if !found {
			return all
		}
		all = append(all, passage{Text: scrub.Filtered, Filtered: true})
		text = after
	}
}
