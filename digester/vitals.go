package main

import (
	"context"
	"net/http"
	"os"
	"time"

	"sundew/digester/ledger"
	"sundew/digester/loop"
	"sundew/digester/release"
	"sundew/digester/store"
	"sundew/digester/vitals"
)

const (
	// readyWithin is how long the digester may not have heard of its queue
	// before it counts as dead; a receive waits for up to ten seconds.
	readyWithin = time.Minute

	// lagLimit is how old the oldest queued message may be: beyond it, people
	// look at a dashboard that lags behind.
	lagLimit = time.Minute

	// mailLimit is how long a mail or a message to a channel may wait; the first
	// attempts are minutes apart.
	mailLimit = time.Hour
)

// vitals reads everything that can be wrong. What cannot be read is in what it
// returns.
func (s *service) vitals(ctx context.Context) vitals.Vitals {
	now := time.Now()
	v := vitals.Vitals{
		At: now, Started: s.started, Version: release.Version(), Role: string(s.role),
		Digester: s.digesterVitals(),
		Intake:   vitals.Intake{Here: s.role != roleDigest, Refusing: trouble(s.queue.Refusing())},
		Backup:   s.backupVitals(),
		Files:    s.clock.vitals(),
		Mail:     vitals.Mail{On: s.postman != nil},
		Copies:   s.copies.states(),
		Limits: vitals.Limits{QueueAge: lagLimit, Idle: readyWithin, DiskFree: s.cfg.DiskFree,
			CopyLag: oldAfter, MailAge: mailLimit, BackupAge: 2 * s.cfg.BackupEvery},
	}
	for _, r := range s.regions {
		v.Queues = append(v.Queues, r.vitals(now))
		if problem := r.digester.Health().Problem; store.KindOf(problem).Holds() {
			v.Digester.Held = trouble(problem) // of the database, so it holds every queue
		}
	}
	free, total, err := s.diskFree(s.cfg.Data)
	v.Disk = vitals.Disk{Free: free, Total: total, Unknown: trouble(err)}
	v.Database.Server = s.cfg.Server.URL != ""
	if info, err := os.Stat(s.cfg.databasePath() + "-wal"); err == nil && !v.Database.Server {
		v.Database.WAL = info.Size()
	}
	s.readDatabase(ctx, now, &v)
	return v
}

func (s *service) digesterVitals() vitals.Digester {
	h := s.digester.Health()
	d := vitals.Digester{Held: trouble(h.Problem), LastReceive: h.LastReceive, LastBatch: h.LastBatch, Batches: h.Batches}
	d.PerMinute, d.Lately = s.decided.perMinute()
	for _, r := range s.regions {
		if last := r.digester.Health().LastBatch; last.After(d.LastBatch) {
			d.LastBatch = last
		}
	}
	return d
}

// readDatabase fills in what the database and the queue say.
func (s *service) readDatabase(ctx context.Context, now time.Time, v *vitals.Vitals) {
	books, err := readBooks(ctx, s.replica, s.queue, now)
	if err == nil {
		err = s.replica.Read(ctx, func(rx *store.Rx) error {
			waiting, oldest, givenUp, err := rx.MailState()
			v.Mail.Waiting, v.Mail.GivenUp = waiting, givenUp
			if !oldest.IsZero() {
				v.Mail.Oldest = now.Sub(oldest)
			}
			if err != nil {
				return err
			}
			channels, err := rx.ChannelsState(now)
			v.Channels = vitals.Channels{Failing: channels.Failing, Waiting: channels.Waiting, GivenUp: channels.GivenUp}
			if !channels.Oldest.IsZero() {
				v.Channels.Oldest = now.Sub(channels.Oldest)
			}
			return err
		})
	}
	if err != nil {
		v.Database.Broken = trouble(err)
		return
	}
	v.Queue = vitals.Queue{
		InFlight: books.InFlight, Oldest: time.Duration(books.OldestMessageAge * float64(time.Second)),
		Bytes: books.QueueBytes, DeadLetters: books.DeadLetters, Lost: books.Lost,
	}
	v.Database.Bytes, v.Database.Events = books.DatabaseBytes, books.StoredEvents
	v.Database.Issues, v.Database.Projects = books.Issues, books.Projects
	v.Database.ThisHour, v.Database.Yesterday = acceptedLately(books, now)
}

// acceptedLately returns how many messages were accepted in the hour that is not
// over, and in the 24 hours before it.
func acceptedLately(books *ledger.Books, now time.Time) (thisHour, before int64) {
	current := now.UTC().Truncate(time.Hour)
	for _, h := range books.Hours {
		switch {
		case h.Hour.Equal(current):
			thisHour += h.Accepted
		case h.Hour.Before(current) && !h.Hour.Before(current.Add(-24*time.Hour)):
			before += h.Accepted
		}
	}
	return thisHour, before
}

// trouble puts an error into words, with what can be done about it.
func trouble(err error) vitals.Trouble {
	if err == nil {
		return vitals.Trouble{}
	}
	return vitals.Trouble{What: err.Error(), Do: adviceFor(err)}
}

// adviceFor says what an operator can do about what holds digesting, empty if
// nothing can be said that the error does not. Nothing accepted is lost by any
// of it: it waits in the queue.
func adviceFor(problem error) string {
	switch kind := store.KindOf(problem); {
	case kind == store.KindFull:
		return "The disk is full. Make room where SUNDEW_DATA is; digesting then goes on by itself."
	case kind == store.KindIO:
		return "The disk does not read or write what it is asked to. Look at its health, its quota and the kernel's log; digesting goes on by itself once it works."
	case kind == store.KindReadOnly:
		return "The data may not be written. Look at the permissions in SUNDEW_DATA and at how its disk is mounted; digesting goes on by itself once they allow it."
	case kind == store.KindCorrupt:
		return "A database file is damaged and this does not pass. Stop the process, keep a copy of all files in SUNDEW_DATA, then restore the damaged one from a backup and run digester check."
	case kind.Again():
		return "Another process keeps the database locked, perhaps a shell or a backup. Let it end; digesting then goes on by itself."
	}
	return ""
}

// watchRates looks at the counters until ctx is done.
func (s *service) watchRates(ctx context.Context) {
	note := func() {
		tally := s.digester.Health().Tally
		n := tally.Stored + tally.Duplicate + tally.Dropped
		for _, r := range s.regions {
			tally := r.digester.Health().Tally
			n += tally.Stored + tally.Duplicate + tally.Dropped
		}
		s.decided.note(time.Now(), n)
	}
	note()
	loop.Every(ctx, rateEvery, note)
}

// readiness is the answer of /health/ready.
type readiness struct {
	vitals.Readiness
	Regions []regionReadiness `json:"regions,omitempty"` // one that is away does not make this process unready
}

// serveReady returns the handler that answers 200 if ready says so, 503 with the
// reason if not.
func (s *service) serveReady(ready func(readiness) bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), opsTimeout)
		defer cancel()
		v := s.vitals(ctx)
		answer := readiness{Readiness: vitals.NewReadiness(v)}
		for _, region := range s.regions {
			answer.Regions = append(answer.Regions, region.readiness(v.At))
		}
		status := http.StatusOK
		if !ready(answer) {
			status = http.StatusServiceUnavailable
		}
		writeJSON(w, status, answer)
	}
}
