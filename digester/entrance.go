package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"sundew/digester/loop"
	"sundew/digester/vitals"
	"sundew/functions/ingest/edge"
)

const (
	// patience is after how long it is said that the database is not there yet: a
	// migration of a large one takes its time.
	patience = 2 * time.Second

	// awaitEvery lies between two attempts to open the database.
	awaitEvery = 2 * time.Second
)

// awaitDatabase opens the database and a handle to read it, again and again: it may be
// away or damaged, and whoever reports waits for none of it. Where it is lost and a
// backup has it, it opens nothing before the process is started again. It returns an
// error only when ctx is done.
func (s *service) awaitDatabase(ctx context.Context) error {
	slow := time.AfterFunc(patience, func() {
		s.log.Info().Msg("the database is being prepared; events are accepted meanwhile")
	})
	defer slow.Stop()
	for said := ""; ; {
		err := s.openDatabase(ctx)
		if err == nil {
			s.replica, err = s.db.OpenReplica(ctx)
		}
		if err == nil {
			return nil
		}
		err = errors.Join(err, s.closeDatabase(context.WithoutCancel(ctx)))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		slow.Stop()
		why := err.Error()
		s.waiting.Store(&why)
		if why != said {
			s.log.Error().Err(err).Msg("the database cannot be opened; it is tried again, and events are accepted meanwhile")
			said = why
		}
		if errors.Is(err, errRestoreFirst) { // what is being restored is not to be opened before it is checked
			<-ctx.Done()
			return ctx.Err()
		}
		loop.Pause(ctx, awaitEvery)
	}
}

// closeDatabase closes what awaitDatabase opened.
func (s *service) closeDatabase(ctx context.Context) error {
	var errs []error
	if s.replica != nil {
		errs = append(errs, s.replica.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close(ctx))
	}
	if s.backup != nil {
		errs = append(errs, s.backup.Close(ctx))
	}
	s.replica, s.db, s.backup = nil, nil, nil
	return errors.Join(errs...)
}

// serveHTTP is all of the process's HTTP. Intake is told apart before any mux sees the
// request, because a mux redirects unclean paths and no SDK follows.
func (s *service) serveHTTP(w http.ResponseWriter, r *http.Request) {
	if s.role != roleDigest && edge.Handles(r.URL.Path) {
		s.intake.ServeHTTP(w, r)
		return
	}
	if opened := s.opened.Load(); opened != nil {
		(*opened).ServeHTTP(w, r)
		return
	}
	s.serveUnopened(w, r)
}

// serveUnopened answers while there is no database.
func (s *service) serveUnopened(w http.ResponseWriter, r *http.Request) {
	answer := vitals.Readiness{Status: "the database is being prepared", Intake: "ok", Digester: "waits", DatabaseAnswer: "not open yet",
		ReadyForIntake: s.role != roleDigest, Problems: []vitals.Problem{}}
	if why := s.waiting.Load(); why != nil {
		answer.Status, answer.DatabaseAnswer = "the database cannot be opened", *why
		answer.Advice = "Events are accepted and wait in the queue. Mend the database; it is opened as soon as it can be."
	}
	if refusing := s.queue.Refusing(); refusing != nil {
		answer.Intake, answer.ReadyForIntake = refusing.Error(), false
	}
	switch r.URL.Path {
	case "/health/live":
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	case "/health/ready/intake":
		status := http.StatusOK
		if !answer.ReadyForIntake {
			status = http.StatusServiceUnavailable
		}
		writeJSON(w, status, answer)
	case "/health/ready", "/health/ready/digest":
		writeJSON(w, http.StatusServiceUnavailable, answer)
	default:
		w.Header().Set("Retry-After", "5")
		if strings.Contains(r.URL.Path, "/api/0/") { // a program asks
			writeJSON(w, http.StatusServiceUnavailable, map[string]string{"detail": "Sundew is not ready: " + answer.Status})
			return
		}
		http.Error(w, "Sundew is not ready: "+answer.Status+". Events are accepted; they appear here later.\nThis page comes when it is loaded again.", http.StatusServiceUnavailable)
	}
}
