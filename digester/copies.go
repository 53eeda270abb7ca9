package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"sundew/digester/loop"
	"sundew/digester/vitals"
)

const (
	// copiesEvery is how often dashboards elsewhere are asked how far behind they are,
	// copyTimeout how long one may take to answer.
	copiesEvery = 15 * time.Second
	copyTimeout = 5 * time.Second

	// maxCopyAnswer bounds what one may answer.
	maxCopyAnswer = 64 << 10
)

// CopyConfig is a dashboard elsewhere whose copy of the database is watched.
type CopyConfig struct {
	Name string
	URL  *url.URL // of the dashboard, without the path of its health
}

// parseCopies reads SUNDEW_COPIES: NAME=ADDRESS with commas between.
func parseCopies(list string) (copies []CopyConfig, err error) {
	seen := make(map[string]bool)
	for _, part := range strings.Split(list, ",") {
		name, address, found := strings.Cut(strings.TrimSpace(part), "=")
		if !found || name == "" {
			return nil, errors.New("want NAME=ADDRESS, more of them with a comma between, for example tokyo=https://tokyo.example.com")
		}
		if seen[name] {
			return nil, fmt.Errorf("%s is there twice", name)
		}
		seen[name] = true
		u, err := parseAddress(address)
		if err != nil {
			return nil, err
		}
		copies = append(copies, CopyConfig{Name: name, URL: u})
	}
	return copies, nil
}

// copyWatch asks dashboards elsewhere how old their copies are: they know the
// primary, it does not know them.
type copyWatch struct {
	copies []CopyConfig
	client *http.Client
	now    func() time.Time

	mu    sync.Mutex // guards found
	found []vitals.Copy
}

func newCopyWatch(copies []CopyConfig, now func() time.Time) *copyWatch {
	w := &copyWatch{copies: copies, now: now, client: &http.Client{
		Timeout:       copyTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for _, c := range copies {
		w.found = append(w.found, vitals.Copy{Name: c.Name})
	}
	return w
}

// run asks until ctx is done.
func (w *copyWatch) run(ctx context.Context) {
	if len(w.copies) == 0 {
		return
	}
	w.round(ctx)
	loop.Every(ctx, copiesEvery, func() { w.round(ctx) })
}

// round asks each copy once, all at the same time.
func (w *copyWatch) round(ctx context.Context) {
	var asking errgroup.Group
	for i, c := range w.copies {
		asking.Go(func() error {
			state, err := w.ask(ctx, c)
			w.note(i, state, err)
			return nil
		})
	}
	_ = asking.Wait() // nothing above returns an error
}

func (w *copyWatch) ask(ctx context.Context, c CopyConfig) (state copyState, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL.JoinPath("health", "ready").String(), nil)
	if err != nil {
		return state, err
	}
	answer, err := w.client.Do(r)
	if err != nil {
		return state, err
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxCopyAnswer)).Decode(&state); err != nil || state.Status == "" {
		return state, fmt.Errorf("it answered %s, which is not what a dashboard of a copy answers", answer.Status)
	}
	return state, nil
}

// note takes down what a copy answered.
func (w *copyWatch) note(i int, state copyState, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := &w.found[i]
	if err != nil {
		c.Failing = vitals.Trouble{What: err.Error(), Do: "Look whether that dashboard runs and can be reached from here."}
		return
	}
	c.Failing, c.Asked = vitals.Trouble{}, w.now()
	c.Age = time.Duration(state.Age * float64(time.Second))
	if problem := strings.TrimSpace(state.Problem + " " + state.Warning); problem != "" {
		c.Failing = vitals.Trouble{What: problem}
	}
}

// states returns what is known of each copy.
func (w *copyWatch) states() []vitals.Copy {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]vitals.Copy(nil), w.found...)
}
