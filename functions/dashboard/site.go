package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/dashboard"
	"sundew/digester/release"
	"sundew/digester/store"
	"sundew/functions/lambdahttp"
)

const (
	// openWithin bounds how long a request waits for a replica that has not answered
	// yet.
	openWithin = 3 * time.Second

	// askEvery is how often the replica is asked whether it has a change that its
	// reader made a moment ago.
	askEvery = 25 * time.Millisecond

	// oldAfter is from which age on a page says that it is old. A primary shows every
	// few seconds that it lives.
	oldAfter = 30 * time.Second
)

// site is the dashboard of a replica, which it opens as soon as that answers: an
// environment that starts while the replica is away must not fail, since Lambda
// would start it again and again.
type site struct {
	cfg  Config
	open func(context.Context, store.RemoteConfig) (*store.Replica, error)
	now  func() time.Time
	log  zerolog.Logger

	mu    sync.Mutex
	pages http.Handler // nil until the replica has answered; guarded by mu
}

// ServeHTTP answers one request.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	pages, err := s.ready(r.Context())
	if err != nil {
		zerolog.Ctx(r.Context()).Error().Err(err).Msg("the replica cannot be opened")
		say := "The replica of the database that these pages are read from does not answer. Try again in a moment."
		if s.cfg.Primary != nil {
			say += " The primary has the same pages: " + s.cfg.Primary.String()
		}
		w.Header().Set("Retry-After", "5")
		explain(w, http.StatusServiceUnavailable, say)
		return
	}
	pages.ServeHTTP(w, unsigned(r))
}

// ready returns the pages. Until the replica has answered once, one request at a
// time finds out whether it does.
func (s *site) ready(ctx context.Context) (http.Handler, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pages != nil {
		return s.pages, nil
	}
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	replica, err := s.open(ctx, s.cfg.Replica)
	if err != nil {
		return nil, err
	}
	pages, err := dashboard.New(dashboard.Config{
		Replica: replica, PublicURL: s.cfg.URL, Now: s.now, Log: s.log, Version: release.Version(),
		Copy: &dashboard.Copy{Primary: s.cfg.Primary, Wait: waitFor(replica), Old: oldAfter},
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making the pages: %w", err), replica.Close())
	}
	s.pages = pages
	return pages, nil
}

// waitFor returns what waits until a replica has come to a position. It asks: nothing
// runs between invocations that could have listened.
func waitFor(replica *store.Replica) func(context.Context, int64) bool {
	return func(ctx context.Context, position int64) bool {
		for {
			at, err := replica.Position(ctx)
			if err != nil {
				return false // the primary is asked instead
			}
			if at.Number >= position {
				return true
			}
			timer := time.NewTimer(askEvery)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return false
			}
		}
	}
}

// unsigned returns a request without the signature by which a Function URL has known
// its sender. With it goes a token of AWS's, which is not for the primary to see.
func unsigned(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	if strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-") {
		r.Header.Del("Authorization")
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Amz-") {
			r.Header.Del(name)
		}
	}
	query := r.URL.Query()
	if !query.Has("X-Amz-Signature") {
		return r
	}
	for name := range query {
		if strings.HasPrefix(name, "X-Amz-") {
			query.Del(name)
		}
	}
	r.URL.RawQuery = query.Encode()
	return r
}

// refuse answers what the pages could not.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	zerolog.Ctx(r.Context()).Error().Err(err).Msg("a request was not answered by the pages")
	switch {
	case errors.Is(err, lambdahttp.ErrEvent):
		explain(w, http.StatusBadRequest, "The request cannot be read.")
	case errors.Is(err, lambdahttp.ErrAborted):
		explain(w, http.StatusBadGateway, "The primary's answer broke off. What was to be changed may have been changed.")
	case errors.Is(err, lambdahttp.ErrTooLarge):
		explain(w, http.StatusInternalServerError, "This page is larger than a Lambda function may answer with. The primary can show it.")
	default:
		explain(w, http.StatusInternalServerError, "Something went wrong on our side. The log says what.")
	}
}

// explain answers with words alone, where there are no pages to say them on.
func explain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, text, status)
}
