package eraser

import (
	"context"
	"slices"

	"sundew/digester/store"
)

// remove removes everything: events first, so that what is left of an issue can be made
// of the others.
func (w *worker) remove(ctx context.Context, feedback []int64) error {
	users, issues, err := w.affected(ctx)
	if err != nil {
		return err
	}
	if err := w.forgetNames(ctx); err != nil {
		return err
	}
	if err := w.removeEvents(ctx); err != nil {
		return err
	}
	for some := range slices.Chunk(feedback, chunk) {
		if err := w.write(ctx, func(tx *store.Tx) error { return tx.RemoveFeedback(some) }); err != nil {
			return err
		}
	}
	for _, u := range users {
		if err := w.forgetUser(ctx, u); err != nil {
			return err
		}
	}
	for _, issue := range issues {
		if err := w.cleanTags(ctx, issue); err != nil {
			return err
		}
		if err := w.write(ctx, func(tx *store.Tx) error { return tx.CleanIssue(issue, w.request.Subject) }); err != nil {
			return err
		}
	}
	return w.removeRejects(ctx)
}

// removeRejects removes dropped messages that say the person.
func (w *worker) removeRejects(ctx context.Context) error {
	var ids []int64
	err := w.Replica.Read(ctx, func(rx *store.Rx) (err error) {
		ids, err = rx.RejectsOf(w.request.Subject)
		return err
	})
	for some := range slices.Chunk(ids, chunk) {
		if err == nil {
			err = w.write(ctx, func(tx *store.Tx) error { return tx.RemoveRejects(some) })
		}
	}
	return err
}

// affected returns what the events called the person, in which issues, and all issues
// that may say something of them: those of the events, and those whose events went
// before.
func (w *worker) affected(ctx context.Context) (users []store.FoundUser, issues []int64, err error) {
	name := w.request.Subject.Identifier()
	err = w.Replica.Read(ctx, func(rx *store.Rx) (err error) {
		if users, err = rx.FoundUsers(w.request.ID); err != nil {
			return err
		}
		issues, err = rx.IssuesOfUser(w.request.Project, w.request.Subject)
		return err
	})
	for _, issue := range issues {
		users = append(users, store.FoundUser{Issue: issue, User: name})
	}
	for _, u := range users {
		issues = append(issues, u.Issue)
	}
	slices.Sort(issues)
	users = slices.DeleteFunc(users, func(u store.FoundUser) bool { return u.User == "" })
	return users, slices.Compact(issues), err
}

// forgetUser takes a user out of an issue that has no event of theirs any more.
func (w *worker) forgetUser(ctx context.Context, u store.FoundUser) error {
	var has bool
	err := w.Replica.Read(ctx, func(rx *store.Rx) (err error) {
		has, err = rx.HasUser(u.Issue, u.User)
		return err
	})
	if err != nil || has {
		return err
	}
	return w.write(ctx, func(tx *store.Tx) error { return tx.ForgetUser(u.Issue, u.User) })
}

// forgetNames takes what else the person's events call them out of the tags of their
// issues, while the events are there to say it.
func (w *worker) forgetNames(ctx context.Context) error {
	for after := int64(0); ; {
		var events []store.SearchedEvent
		err := w.Replica.Read(ctx, func(rx *store.Rx) (err error) {
			events, err = rx.EventsFound(w.request.ID, after, eventsRead)
			return err
		})
		if err != nil || len(events) == 0 {
			return err
		}
		after = events[len(events)-1].ID
		names := make(map[int64][]store.TagPlace)
		for _, e := range events {
			user := userOf(e)
			if !w.request.Subject.IsUser(user) {
				continue // somebody else's event that says the person
			}
			for _, name := range user.Names() {
				if place := store.TagPlace(name); !slices.Contains(names[e.Issue], place) {
					names[e.Issue] = append(names[e.Issue], place)
				}
			}
		}
		for issue, places := range names {
			for some := range slices.Chunk(places, chunk) {
				if err := w.write(ctx, func(tx *store.Tx) error { return tx.RemoveTagsOf(issue, some) }); err != nil {
					return err
				}
			}
		}
	}
}

// cleanTags removes the values of an issue's tags that are about the person.
func (w *worker) cleanTags(ctx context.Context, issue int64) error {
	for after := new(store.TagPlace); after != nil; {
		var about []store.TagPlace
		err := w.Replica.Read(ctx, func(rx *store.Rx) (err error) {
			from := *after
			about, after, err = rx.TagsOf(issue, w.request.Subject, from, tagsRead)
			return err
		})
		if err != nil {
			return err
		}
		for some := range slices.Chunk(about, chunk) {
			if err := w.write(ctx, func(tx *store.Tx) error { return tx.RemoveTagsOf(issue, some) }); err != nil {
				return err
			}
		}
	}
	return nil
}
