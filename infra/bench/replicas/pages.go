package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"text/tabwriter"
	"time"

	"sundew/digester/dashboard"
)

// think is the least time between two pages of a reader.
const think = 20 * time.Millisecond

// openPages opens pages on the copy, for some time, while the primary digests as
// fast as it can.
func (p *pair) openPages(ctx context.Context, kind string, during time.Duration, t *tabwriter.Writer) error {
	pages, err := dashboard.New(dashboard.Config{
		Replica: p.copy.replica, PublicURL: "http://127.0.0.1:8000", Now: time.Now, Log: quiet(), Version: "bench",
		Copy: &dashboard.Copy{Wait: func(context.Context, int64) bool { return true }, Old: time.Hour},
	})
	if err != nil {
		return err
	}
	loaded, stop := context.WithTimeout(ctx, during)
	defer stop()
	var digestErr error
	before, began := p.primary.seq, time.Now()
	written := make(chan time.Duration)
	go func() {
		for loaded.Err() == nil && digestErr == nil {
			_, digestErr = p.primary.batch(ctx, batchMost)
		}
		written <- time.Since(began)
	}()
	paths := []struct{ name, path string }{{"issues", "/projects/1/issues"}, {"an event", "/issues/7/events/1"}}
	took := make([][]time.Duration, len(paths))
	pause := time.NewTicker(think)
	defer pause.Stop()
	for i := 0; loaded.Err() == nil; i++ {
		<-pause.C
		kind := i % len(paths)
		took[kind] = append(took[kind], 0)
		if took[kind][len(took[kind])-1], err = p.open(ctx, pages, paths[kind].path); err != nil {
			break
		}
	}
	stop()
	whole := <-written
	if err != nil || digestErr != nil {
		return fmt.Errorf("pages under load: %v, %v", err, digestErr)
	}
	for i, path := range paths {
		slices.Sort(took[i])
		fmt.Fprintf(t, "%s, %s\tall it can\t%.0f\t%s\t%s\t%s\t%s\t\n", kind, path.name, float64(p.primary.seq-before)/whole.Seconds(),
			quantile(took[i], 0.5), quantile(took[i], 0.9), quantile(took[i], 0.99), quantile(took[i], 1))
	}
	return t.Flush()
}

// open opens a page as the owner and returns how long that took.
func (p *pair) open(ctx context.Context, pages http.Handler, path string) (time.Duration, error) {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	r.AddCookie(&http.Cookie{Name: "sundew_session", Value: p.primary.secret})
	answer := httptest.NewRecorder()
	began := time.Now()
	pages.ServeHTTP(answer, r)
	if answer.Code != http.StatusOK {
		return 0, fmt.Errorf("%s answered %d: %.200s", path, answer.Code, answer.Body)
	}
	return time.Since(began), nil
}
