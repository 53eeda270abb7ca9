package edge

import (
	"net/http"
	"strings"
)

// maxPage bounds what is looked at of an Origin or a Referer.
const maxPage = 2048

// pageOf returns the address of the page that a browser reports from: its Origin,
// else its Referer. It is empty for everything that is no web page: servers and
// mobile applications send neither, sandboxed frames, files and extensions name
// nothing that a list of domains could hold. As in Sentry, those are never refused;
// the list keeps foreign sites from filling a project with their own errors, it is
// no protection against somebody who forges a header.
func pageOf(r *http.Request) string {
	for _, name := range [...]string{"Origin", "Referer"} {
		page := r.Header.Get(name)
		if len(page) <= maxPage && (hasPrefixFold(page, "http://") || hasPrefixFold(page, "https://")) {
			return page
		}
	}
	return ""
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
