package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"sundew/digester/dashboard"
)

// think is the pause between two visits.
const think = 20 * time.Millisecond

// visits opens pages as people would and remembers how long each took.
type visits struct {
	pages   *dashboard.Dashboard
	cookies []*http.Cookie // of who looks
	kinds   []kind
	seen    []seen // of each kind
}

// kind is a page, of which a path is drawn for each visit.
type kind struct {
	name string
	path func() string
}

// seen is what came of the visits to a page.
type seen struct {
	took  []time.Duration
	busy  int // 503: the database did not answer in time, or said that it is locked
	other int // neither a page nor a way to one
}

// newVisits returns visits to every page of a database with so many events.
func newVisits(pages *dashboard.Dashboard, cookies []*http.Cookie, made uint64, issues int) *visits {
	random := rand.New(rand.NewPCG(3, made))
	// Issues are numbered as they appeared, so that the first have most events.
	issue := func() string { return fmt.Sprintf("/issues/%d", 1+random.IntN(issues/20)) }
	search := func(query string) func() string {
		return func() string {
			q := strings.ReplaceAll(query, "N", strconv.Itoa(random.IntN(issues)))
			return "/projects/1/issues?q=" + url.QueryEscape(q)
		}
	}
	fixed := func(path string) func() string { return func() string { return path } }
	v := &visits{pages: pages, cookies: cookies, kinds: []kind{
		{"projects", fixed("/")},
		{"set-up", fixed("/projects/1/setup")},
		{"issues by last seen", func() string { return fmt.Sprintf("/projects/1/issues?page=%d", 1+random.IntN(10)) }},
		{"issues by events", func() string { return fmt.Sprintf("/projects/1/issues?sort=events&page=%d", 1+random.IntN(10)) }},
		{"all issues", fixed("/projects/1/issues?q=")},
		{"issues by first seen", fixed("/projects/1/issues?sort=first&q=")},
		{"issues by users", fixed("/projects/1/issues?sort=users")},
		{"rising issues", fixed("/projects/1/issues?sort=trend")},
		{"issues of all projects", fixed("/issues?graph=14d")},
		{"search: a rare tag", search("is:unresolved cart:cart-N")},
		{"search: a frequent tag", search("is:unresolved user.tier:t1")},
		{"search: two tags", search("user.tier:t1 shard:s13")},
		{"search: not a tag", search("is:unresolved !browser:Safari !has:cart")},
		{"search: not what all have", search("!has:user")},
		{"search: the begin of a tag", search("cart:cart-N*")},
		{"search: a rare text", search("frobnicate")},
		{"search: a text", search("is:unresolved rejected")},
		{"search: a frequent text", search("error")},
		{"search: not a text", search("is:unresolved !error")},
		{"search: text and tag", search(`TypeError shard:s13 level:error`)},
		{"search: a title", search("title:*frobnicate*")},
		{"search: times", search("firstSeen:-24h")},
		{"search: old", search("lastSeen:+60d times_seen:>3")},
		{"search: counts", search("times_seen:>100 users:>5")},
		{"search: nobody's", search("is:unresolved assigned:me")},
		{"search: by users", func() string { return "/projects/1/issues?sort=users&q=" + url.QueryEscape("shard:s13") }},
		{"quiet issues", fixed("/projects/1/quiet")},
		{"an issue", issue},
		{"its events", func() string { return issue() + "/events" }},
		{"older events", func() string { return fmt.Sprintf("%s/events?before=%d", issue(), 1+random.IntN(1000)) }},
		{"an event", func() string { return issue() + "/events/1" }},
		{"its JSON", func() string { return issue() + "/events/1/json" }},
		{"an event by its id", func() string { return "/events/" + idOf(1+random.Uint64N(made)).String() }},
		{"ledger", fixed("/ledger")},
		{"dead letters", fixed("/dead-letters")},
	}}
	v.seen = make([]seen, len(v.kinds))
	return v
}

// visit opens one page after the other until ctx is done.
func (v *visits) visit(ctx context.Context) {
	pause := time.NewTicker(think)
	defer pause.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		kind, seen := &v.kinds[i%len(v.kinds)], &v.seen[i%len(v.kinds)]
		answer := httptest.NewRecorder()
		request := httptest.NewRequest(http.MethodGet, kind.path(), nil)
		for _, c := range v.cookies {
			request.AddCookie(c)
		}
		began := time.Now()
		v.pages.ServeHTTP(answer, request)
		seen.took = append(seen.took, time.Since(began))
		switch answer.Code {
		case http.StatusOK, http.StatusSeeOther:
		case http.StatusServiceUnavailable:
			seen.busy++
		default:
			seen.other++
		}
	}
}

// print writes a line a page.
func (v *visits) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "page\topened\tbusy\tother\tp50\tp99\t")
	opened, busy := 0, 0
	for i, s := range v.seen {
		opened, busy = opened+len(s.took), busy+s.busy
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%v\t%v\t\n", v.kinds[i].name, len(s.took), s.busy, s.other, quantile(s.took, 50), quantile(s.took, 99))
	}
	w.Flush()
	fmt.Fprintf(out, "of %d readers %d saw a busy database\n", opened, busy)
}

// quantile returns how long so many percent of the visits took at most.
func quantile(took []time.Duration, percent int) time.Duration {
	if len(took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(took))
	return sorted[min(len(sorted)-1, len(sorted)*percent/100)].Round(100 * time.Microsecond)
}
