package api

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// cursor says where a page begins, as Sentry writes it: value:offset:0, or
// value:offset:1 where the page ends there. What value means is up to the list: most
// count with the offset alone.
type cursor struct {
	Value  int64
	Offset int
	Back   bool
}

// String returns the cursor as it is in addresses.
func (c cursor) String() string {
	back := 0
	if c.Back {
		back = 1
	}
	return fmt.Sprintf("%d:%d:%d", c.Value, c.Offset, back)
}

// maxOffset bounds how far a list can be turned over page by page.
const maxOffset = 1_000_000

// parseCursor is the inverse of String; the empty text is the first page.
func parseCursor(text string) (cursor, error) {
	if text == "" {
		return cursor{}, nil
	}
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return cursor{}, bad("Invalid cursor parameter.")
	}
	value, errValue := strconv.ParseInt(strings.TrimSuffix(parts[0], ".0"), 10, 64)
	offset, errOffset := strconv.Atoi(parts[1])
	if errValue != nil || errOffset != nil || value < 0 || offset < 0 || offset > maxOffset || parts[2] != "0" && parts[2] != "1" {
		return cursor{}, bad("Invalid cursor parameter.")
	}
	return cursor{value, offset, parts[2] == "1"}, nil
}

// limit returns how many entries a page may have: what per_page or limit ask for, at
// most most.
func (r *request) perPage(usual, most int) (int, error) {
	text := r.query("per_page")
	if text == "" {
		text = r.query("limit")
	}
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, bad("limit and per_page have to be numbers from 1 on.")
	}
	return min(n, most), nil
}

// page says where the pages before and after the one in an answer are, in a header
// as Sentry's: tools read on until results is "false".
func (r *request) page(before, after cursor, hasBefore, hasAfter bool) {
	r.out.Set("Link", r.pageLink("previous", before, hasBefore)+", "+r.pageLink("next", after, hasAfter))
}

func (r *request) pageLink(rel string, c cursor, results bool) string {
	q := r.queries()
	q.Set("cursor", c.String())
	to := url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: q.Encode()}
	return fmt.Sprintf(`<%s>; rel="%s"; results="%t"; cursor="%s"`, r.link(to.String()), rel, results, c)
}

// paged cuts the page out of a list that is all there, and says where the others are.
func paged[T any](r *request, all []T, usual, most int) (List[T], error) {
	at, err := parseCursor(r.query("cursor"))
	if err != nil {
		return nil, err
	}
	n, err := r.perPage(usual, most)
	if err != nil {
		return nil, err
	}
	from := min(at.Offset, len(all))
	if at.Back {
		from = max(0, from-n)
	}
	to := min(from+n, len(all))
	r.page(cursor{Offset: from, Back: true}, cursor{Offset: to}, from > 0, to < len(all))
	return all[from:to], nil
}
