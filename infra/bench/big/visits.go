package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"sundew/digester/dashboard"
)

// visits opens pages as people would and remembers how long each took.
type visits struct {
	pages  *dashboard.Dashboard
	issues int
	took   map[string][]time.Duration
	failed map[string]int
}

func newVisits(pages *dashboard.Dashboard, issues int) *visits {
	return &visits{pages: pages, issues: issues, took: make(map[string][]time.Duration), failed: make(map[string]int)}
}

// visit opens one page after the other until ctx is done.
func (v *visits) visit(ctx context.Context) {
	random := rand.New(rand.NewPCG(3, 4))
	kinds := []struct {
		name string
		path func() string
	}{
		{"projects", func() string { return "/" }},
		{"issues by last seen", func() string { return fmt.Sprintf("/projects/1/issues?page=%d", 1+random.IntN(10)) }},
		{"issues by events", func() string { return fmt.Sprintf("/projects/1/issues?sort=events&page=%d", 1+random.IntN(10)) }},
		{"all issues", func() string { return "/projects/1/issues?state=all" }},
		{"an issue", func() string { return fmt.Sprintf("/issues/%d", 1+random.IntN(v.issues/2)) }},
		{"its events", func() string { return fmt.Sprintf("/issues/%d/events", 1+random.IntN(v.issues/2)) }},
		{"an event", func() string { return fmt.Sprintf("/issues/%d/events/%d", 1+random.IntN(100), 1+random.IntN(10)) }},
	}
	think := time.NewTicker(20 * time.Millisecond)
	defer think.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-think.C:
		}
		kind := kinds[i%len(kinds)]
		answer := httptest.NewRecorder()
		began := time.Now()
		v.pages.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, kind.path(), nil))
		v.took[kind.name] = append(v.took[kind.name], time.Since(began))
		if answer.Code != http.StatusOK {
			v.failed[kind.name]++
		}
	}
}

func (v *visits) print() {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "page\topened\tnot 200\tp50\tp99\t")
	for _, name := range slices.Sorted(maps.Keys(v.took)) {
		took := v.took[name]
		slices.Sort(took)
		fmt.Fprintf(w, "%s\t%d\t%d\t%v\t%v\t\n", name, len(took), v.failed[name], took[len(took)/2].Round(100*time.Microsecond), took[len(took)*99/100].Round(100*time.Microsecond))
	}
	w.Flush()
}
