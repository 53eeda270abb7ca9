package sentryapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sundew/digester/loop"
)

// ErrNotFound is wrapped where the server says that there is no such thing, or that the
// token may not see it.
var ErrNotFound = errors.New("not found there")

// ErrRefused is wrapped where the server does not take the token.
var ErrRefused = errors.New("the token is not taken; it needs org:read, project:read, team:read and event:read")

const (
	// maxAnswer bounds an answer; a page of a hundred issues has some hundred KB, an
	// event a few MB at most.
	maxAnswer = 32 << 20

	// maxPages bounds a list whose server never says that it is over.
	maxPages = 10_000

	// attempts is how often a request is made whose failure may pass, and maxWait how
	// long it is waited in between, whatever the server says.
	attempts = 6
	maxWait  = 5 * time.Minute

	requestTimeout = 60 * time.Second
)

// Config says whom to ask.
type Config struct {
	URL   *url.URL // of the server, for example https://sentry.io
	Token string
	Org   string  // its slug
	Rate  float64 // requests a second; 0: as fast as they are answered

	// Wait pauses; nil: by a timer. Its error ends the request.
	Wait func(ctx context.Context, d time.Duration) error
	Now  func() time.Time // nil: time.Now
}

// Client asks one organization's API. It is not safe for concurrent use: it keeps a
// rate.
type Client struct {
	cfg  Config
	http *http.Client
	next time.Time // before which no request is made
}

// New returns a client that has asked nothing yet.
func New(cfg Config) *Client {
	if cfg.Wait == nil {
		cfg.Wait = loop.Pause
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Client{cfg: cfg, http: &http.Client{
		Timeout: requestTimeout,
		// A token goes nowhere but to where it was meant for.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Projects visits all projects of the organization.
func (c *Client) Projects(ctx context.Context, visit func(Project) error) error {
	return pages(ctx, c, []string{"organizations", c.cfg.Org, "projects"}, nil, visit)
}

// Key returns the public key of a project, as applications have it, ErrNotFound if it
// has none that is on.
func (c *Client) Key(ctx context.Context, project string) (string, error) {
	type key struct {
		Public   Text  `json:"public"`
		IsActive *bool `json:"isActive"`
	}
	var found string
	err := pages(ctx, c, []string{"projects", c.cfg.Org, project, "keys"}, nil, func(k key) error {
		if public := string(k.Public); found == "" && public != "" && (k.IsActive == nil || *k.IsActive) {
			found = strings.ReplaceAll(public, "-", "") // GlitchTip's are UUIDs
		}
		return nil
	})
	if err == nil && found == "" {
		err = fmt.Errorf("keys of %s: %w", project, ErrNotFound)
	}
	return found, err
}

// Issues visits all issues of a project, in whatever state.
func (c *Client) Issues(ctx context.Context, project Project, visit func(Issue) error) error {
	all := url.Values{"query": {""}, "limit": {"100"}}
	err := pages(ctx, c, []string{"projects", c.cfg.Org, string(project.Slug), "issues"}, all, visit)
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	// Where the list of a project is no more there is that of the organization, which
	// has a period.
	all.Set("project", string(project.ID))
	all.Set("statsPeriod", "90d")
	return pages(ctx, c, []string{"organizations", c.cfg.Org, "issues"}, all, visit)
}

// LatestEvent returns an issue's newest event as an SDK would have sent it, ErrNotFound
// if there is none any more.
func (c *Client) LatestEvent(ctx context.Context, issue Issue) (Event, error) {
	var got apiEvent
	_, err := c.get(ctx, []string{"organizations", c.cfg.Org, "issues", string(issue.ID), "events", "latest"}, nil, &got)
	if errors.Is(err, ErrNotFound) { // of older versions
		_, err = c.get(ctx, []string{"issues", string(issue.ID), "events", "latest"}, nil, &got)
	}
	if err != nil {
		return Event{}, err
	}
	return got.event(issue)
}

// pages visits what a list has, page by page. What visit returns ends it.
func pages[T any](ctx context.Context, c *Client, path []string, query url.Values, visit func(T) error) error {
	if query == nil {
		query = url.Values{}
	}
	for range maxPages {
		var items []T
		link, err := c.get(ctx, path, query, &items)
		if err != nil {
			return err
		}
		for _, item := range items {
			if err := visit(item); err != nil {
				return err
			}
		}
		cursor := nextCursor(link)
		if cursor == "" || cursor == query.Get("cursor") {
			return nil
		}
		query.Set("cursor", cursor)
	}
	return fmt.Errorf("%s has more than %d pages", strings.Join(path, "/"), maxPages)
}

// nextCursor returns the cursor of the next page, empty if this was the last one. Of the
// address in the header only the cursor counts: behind a proxy the rest may lead
// elsewhere.
func nextCursor(link string) string {
	for _, part := range strings.Split(link, ",") {
		target, rest, found := strings.Cut(strings.TrimSpace(part), ">")
		if !found || !strings.Contains(rest, `rel="next"`) || strings.Contains(rest, `results="false"`) {
			continue
		}
		if _, cursor, ok := strings.Cut(rest, `cursor="`); ok {
			cursor, _, _ = strings.Cut(cursor, `"`)
			return cursor
		}
		if u, err := url.Parse(strings.TrimPrefix(target, "<")); err == nil {
			return u.Query().Get("cursor")
		}
	}
	return ""
}

// get asks for one thing, again where the failure may pass, and returns the header with
// the way to the next page.
func (c *Client) get(ctx context.Context, path []string, query url.Values, into any) (link string, err error) {
	for attempt := 1; ; attempt++ {
		if err := c.keepRate(ctx); err != nil {
			return "", err
		}
		var again time.Duration
		link, again, err = c.once(ctx, path, query, into)
		if err == nil || again == 0 || attempt == attempts || ctx.Err() != nil {
			return link, err
		}
		if errWait := c.cfg.Wait(ctx, min(max(again, time.Second<<(attempt-1)), maxWait)); errWait != nil {
			return "", errors.Join(err, errWait)
		}
	}
}

// keepRate waits until the next request may be made.
func (c *Client) keepRate(ctx context.Context) error {
	if c.cfg.Rate <= 0 {
		return ctx.Err()
	}
	now := c.cfg.Now()
	if early := c.next.Sub(now); early > 0 {
		if err := c.cfg.Wait(ctx, early); err != nil {
			return err
		}
		now = c.next
	}
	c.next = now.Add(time.Duration(float64(time.Second) / c.cfg.Rate))
	return nil
}

// once makes one request. again, if not zero, is after how long it may go better.
func (c *Client) once(ctx context.Context, path []string, query url.Values, into any) (link string, again time.Duration, err error) {
	address := c.cfg.URL.JoinPath(append(append([]string{"api", "0"}, escaped(path)...), "/")...)
	address.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return "", 0, err
	}
	r.Header.Set("Authorization", "Bearer "+c.cfg.Token)
	r.Header.Set("Accept", "application/json")
	answer, err := c.http.Do(r)
	if err != nil {
		return "", time.Second, err
	}
	defer answer.Body.Close()
	if err := judge(answer, path); err != nil {
		return "", c.retryAfter(answer), err
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode(into); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) { // the connection broke
			again = time.Second
		}
		return "", again, fmt.Errorf("%s: the answer is not what this API answers: %w", strings.Join(path, "/"), err)
	}
	return answer.Header.Get("Link"), 0, nil
}

// escaped makes parts of a path of texts, so that none adds a step or takes one back.
func escaped(parts []string) []string {
	all := make([]string, len(parts))
	for i, p := range parts {
		if all[i] = url.PathEscape(p); p == "" || p == "." || p == ".." {
			all[i] = "-"
		}
	}
	return all
}

// judge turns a status into an error.
func judge(answer *http.Response, path []string) error {
	where := strings.Join(path, "/")
	switch status := answer.StatusCode; {
	case status == http.StatusOK:
		return nil
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fmt.Errorf("%s: %w (%s)", where, ErrRefused, answer.Status)
	case status == http.StatusNotFound || status == http.StatusGone:
		return fmt.Errorf("%s: %w", where, ErrNotFound)
	case status >= 300 && status < 400:
		return fmt.Errorf("%s: answered with a redirect to %q; give its address with --url", where, answer.Header.Get("Location"))
	}
	return fmt.Errorf("%s: answered %s", where, answer.Status)
}

// retryAfter returns after how long the same request may go better, 0 if never.
func (c *Client) retryAfter(answer *http.Response) time.Duration {
	if answer.StatusCode != http.StatusTooManyRequests && answer.StatusCode < 500 {
		return 0
	}
	text := answer.Header.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds > 0 {
		return time.Duration(min(seconds, maxWait.Seconds()) * float64(time.Second))
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Second, at.Sub(c.cfg.Now()))
	}
	if reset, err := strconv.ParseInt(answer.Header.Get("X-Sentry-Rate-Limit-Reset"), 10, 64); err == nil {
		return max(time.Second, time.Unix(reset, 0).Sub(c.cfg.Now()))
	}
	return time.Second
}
