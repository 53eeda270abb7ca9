// Package eraser searches for what is stored about a person and removes it.
//
// It exists because that takes long: what an event says is compressed, so that every
// event has to be looked at. It reads in pieces and removes in short transactions with
// pauses between them, as package keeper does. How far it has come is in the database,
// so that a process that was killed goes on from there, and what comes in meanwhile is
// found too. The last that it forgets is whom it was about.
package eraser

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/erasure"
	"sundew/digester/loop"
	"sundew/digester/retention"
	"sundew/digester/retention/keeper"
	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/wire"
)

const (
	// every is how often it looks for work.
	every = 2 * time.Second

	// eventsRead is how many events are searched at once; each may have a megabyte.
	eventsRead = 100

	feedbackRead = 500
	tagsRead     = 5_000

	// chunk is how much else goes in one transaction.
	chunk = 100
)

// Config says where.
type Config struct {
	Replica *store.Replica // where it reads
	DB      *store.DB      // where it writes
	Log     zerolog.Logger

	Removed func(events int64) // is told of events that were removed; nil: nobody is
}

// Run works until ctx is done. What fails is tried again.
func Run(ctx context.Context, cfg Config) {
	round := func() {
		if err := Round(ctx, cfg); err != nil && ctx.Err() == nil {
			cfg.Log.Error().Err(err).Msg("removing a person's data failed; it is tried again")
		}
	}
	round()
	loop.Every(ctx, every, round)
}

// Round does all that people asked for. What goes wrong with one request keeps it from
// no other, unless nothing can be removed at all.
func Round(ctx context.Context, cfg Config) error {
	if cfg.Removed == nil {
		cfg.Removed = func(int64) {}
	}
	var todo []store.Erasure
	err := cfg.Replica.Read(ctx, func(rx *store.Rx) (err error) {
		todo, err = rx.ErasuresToDo()
		return err
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, request := range todo {
		w := worker{cfg, request}
		err := w.work(ctx)
		if err == nil || errors.Is(err, store.ErrNotFound) { // it was withdrawn
			continue
		}
		errs = append(errs, fmt.Errorf("request %d: %w", request.ID, err))
		if ctx.Err() != nil || store.Stops(err) {
			break
		}
	}
	return errors.Join(errs...)
}

// worker works on one request.
type worker struct {
	Config
	request store.Erasure
}

func (w *worker) work(ctx context.Context) error {
	if err := w.search(ctx); err != nil {
		return fmt.Errorf("searching: %w", err)
	}
	feedback, files, err := w.aside(ctx)
	if err != nil {
		return err
	}
	if w.request.State == store.ErasureSearching {
		return w.write(ctx, func(tx *store.Tx) error { return tx.EndSearch(w.request.ID, int64(len(feedback)), files) })
	}
	if err := w.remove(ctx, feedback); err != nil {
		return fmt.Errorf("removing: %w", err)
	}
	return w.end(ctx, int64(len(feedback)), files)
}

// search looks at all events that it has not seen yet.
func (w *worker) search(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var events []store.SearchedEvent
		err := w.Replica.Read(ctx, func(rx *store.Rx) (err error) {
			events, err = rx.EventsToSearch(w.request.Project, w.request.Searched, eventsRead)
			return err
		})
		if err != nil || len(events) == 0 {
			return err
		}
		w.request.Searched = events[len(events)-1].ID
		var found []store.SearchedEvent
		for _, e := range events {
			if w.isAbout(e) {
				found = append(found, e)
			}
		}
		if err := w.write(ctx, func(tx *store.Tx) error { return tx.NoteFound(w.request.ID, w.request.Searched, found) }); err != nil {
			return err
		}
	}
}

// isAbout reports whether an event is about the person. What cannot be read any more is
// judged by what it was stored with.
func (w *worker) isAbout(e store.SearchedEvent) bool {
	s := w.request.Subject
	if errors.Is(e.Err, store.ErrNotFound) {
		return false
	}
	if e.Err != nil {
		w.Log.Warn().Err(e.Err).Int64("event", e.ID).Msg("an event cannot be searched for a person")
		return e.User == s.Identifier()
	}
	return s.InTag("user", e.User) || s.InEvent(userOf(e), e.Body.Meta.RemoteIP, e.Body.JSON)
}

// userOf returns the user of an event, nobody if it cannot be read.
func userOf(e store.SearchedEvent) event.User {
	if e.Err != nil || e.Body.Kind == wire.KindCSP {
		return event.User{}
	}
	ev, err := event.Skim(e.Body.JSON)
	if err != nil {
		return event.User{}
	}
	ev.ResolveIP(e.Body.Meta.RemoteIP)
	return ev.User
}

// aside returns the feedback that the person wrote, or that says them, and how many
// files came with it and with the events.
func (w *worker) aside(ctx context.Context) (feedback []int64, files int64, err error) {
	for after, more := int64(0), true; more && err == nil; {
		var some []store.Feedback
		err = w.Replica.Read(ctx, func(rx *store.Rx) (err error) {
			some, err = rx.FeedbackAfter(w.request.Project, after, feedbackRead)
			return err
		})
		for _, f := range some {
			after = f.ID
			if isFeedbackOf(w.request.Subject, f) {
				feedback = append(feedback, f.ID)
			}
		}
		more = len(some) == feedbackRead
	}
	if err != nil {
		return nil, 0, err
	}
	err = w.Replica.Read(ctx, func(rx *store.Rx) (err error) {
		files, err = rx.FoundFiles(w.request.ID, feedback)
		return err
	})
	return feedback, files, err
}

func isFeedbackOf(s erasure.Subject, f store.Feedback) bool {
	return s.IsUser(event.User{Email: f.Email, Username: f.Name}) || s.InText(f.Email) || s.InText(f.Message) || s.InText(f.URL) || s.InText(f.Name)
}

// end notes that it is done, and forgets what it found.
func (w *worker) end(ctx context.Context, feedback, files int64) error {
	// The list first: should the process die here, the request finds nothing more.
	for more := true; more; {
		if err := w.write(ctx, func(tx *store.Tx) (err error) {
			more, err = tx.ForgetFound(w.request.ID)
			return err
		}); err != nil {
			return err
		}
	}
	return w.write(ctx, func(tx *store.Tx) error { return tx.EndErasure(w.request.ID, feedback, files) })
}

func (w *worker) write(ctx context.Context, do func(*store.Tx) error) error {
	return w.DB.Write(ctx, "remove a person", do)
}

// removeEvents removes the events that were found.
func (w *worker) removeEvents(ctx context.Context) error {
	budget := retention.FirstBudget()
	for after := int64(0); ; {
		var ids []int64
		err := w.Replica.Read(ctx, func(rx *store.Rx) (err error) {
			ids, err = rx.FoundEvents(w.request.ID, after, feedbackRead)
			return err
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		after = ids[len(ids)-1]
		var gone int64
		gone, budget, err = keeper.Remove(ctx, w.DB, w.Replica, budget, "remove a person", ids)
		w.Removed(gone)
		if err != nil {
			return err
		}
	}
}
