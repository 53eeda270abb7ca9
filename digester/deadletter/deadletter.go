// Package deadletter looks at what queues set aside, and puts it back.
//
// It exists so that the dashboard's pages and the API show the same letters, give the
// same reasons and put them back in the same way. Rules: queues may be far away, so
// every question has an end, and one that does not answer hides no other; of a letter
// no more is read than is asked for, since the content of a dead letter is the last
// that one should meddle with unasked.
package deadletter

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"sundew/digester/queue"
)

// Shown is how many letters of a queue are looked at.
const Shown = 50

const (
	// answerWithin bounds how long is waited for a queue.
	answerWithin = 5 * time.Second
	// retryWithin bounds how long putting all back may take; the rest stays.
	retryWithin = time.Minute
)

// ErrNone says that there is no such letter, or not among those that are looked at.
var ErrNone = errors.New("no such dead letter")

// ErrQueue is wrapped by what a queue answers instead of dead letters.
var ErrQueue = errors.New("the queue does not answer")

// Letters is what a queue set aside.
type Letters interface {
	// DeadLetters returns dead letters, at most limit.
	DeadLetters(ctx context.Context, limit int) ([]queue.DeadLetter, error)
	// Redrive puts dead letters back, as if never delivered, and returns how many
	// there were; ids of none are skipped.
	Redrive(ctx context.Context, ids []string) (int, error)
}

// Queue is a queue whose dead letters are looked at.
type Queue struct {
	Name    string // unique: "local", or the queue's region
	Letters Letters

	// LastError says why a message, given as the queue delivers it, could not be
	// digested; nil where that is not known. The function may be nil.
	LastError func(body []byte) error
}

// Queues are those of an installation.
type Queues []Queue

// Named returns the queue of a name; false: there is none.
func (qs Queues) Named(name string) (Queue, bool) {
	for _, q := range qs {
		if q.Name == name {
			return q, true
		}
	}
	return Queue{}, false
}

// Answer is what a queue answered: Shown letters at most, and whether there are more.
type Answer struct {
	Letters []queue.DeadLetter
	More    bool
	Err     error
}

// Read asks all queues at once and returns their answers in the order of the queues.
func (qs Queues) Read(ctx context.Context) []Answer {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	answers := make([]Answer, len(qs))
	var asking sync.WaitGroup
	for i, q := range qs {
		asking.Go(func() {
			letters, err := q.Letters.DeadLetters(ctx, Shown+1)
			answers[i] = Answer{Letters: letters[:min(len(letters), Shown)], More: len(letters) > Shown, Err: err}
		})
	}
	asking.Wait()
	return answers
}

// Find returns one of the letters that Read looks at. The error wraps ErrNone or
// ErrQueue.
func (q Queue) Find(ctx context.Context, id string) (queue.DeadLetter, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	letters, err := q.Letters.DeadLetters(ctx, Shown+1)
	if err != nil {
		return queue.DeadLetter{}, fmt.Errorf("%w: %s: %w", ErrQueue, q.Name, err)
	}
	for _, letter := range letters {
		if letter.ID == id {
			return letter, nil
		}
	}
	return queue.DeadLetter{}, ErrNone
}

// Retry puts letters back and returns how many there were, also with an error, which
// wraps ErrQueue. Without ids it puts back all that are there, each once: those that
// die again meanwhile stay.
func (q Queue) Retry(ctx context.Context, ids []string) (moved int, err error) {
	ctx, cancel := context.WithTimeout(ctx, retryWithin)
	defer cancel()
	if len(ids) > 0 {
		moved, err = q.Letters.Redrive(ctx, ids)
	} else {
		moved, err = q.retryAll(ctx)
	}
	if err != nil {
		err = fmt.Errorf("%w: %s: %w", ErrQueue, q.Name, err)
	}
	return moved, err
}

func (q Queue) retryAll(ctx context.Context) (moved int, err error) {
	tried := make(map[string]bool)
	for {
		found, err := q.Letters.DeadLetters(ctx, Shown)
		if err != nil {
			return moved, err
		}
		var ids []string
		for _, letter := range found {
			if !tried[letter.ID] {
				tried[letter.ID] = true
				ids = append(ids, letter.ID)
			}
		}
		if len(ids) == 0 {
			return moved, nil
		}
		n, err := q.Letters.Redrive(ctx, ids)
		moved += n
		if err != nil {
			return moved, err
		}
	}
}
